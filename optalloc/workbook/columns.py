"""From a column of cells to typed values: one function a kind of column, and each distinct cell converted once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from integrated_fund.round import DIMENSIONS, FILTER_COLUMNS, Dimension
from integrated_fund.sentences import DIMENSION_ZH
from optalloc.workbook import values
from optalloc.workbook.grid import Coded, Value, is_plain
from optalloc.workbook.names import fold
from optalloc.workbook.schema import Column
from optalloc.workbook.values import Mistake, Note

Converter = Callable[[Value, Note], Any]

#: English singular, filter column, and the headings of both in Chinese.
_DIMENSION_WORDS: Mapping[str, Dimension] = {
    fold(word): dimension
    for dimension in DIMENSIONS
    for word in (dimension, FILTER_COLUMNS[dimension], DIMENSION_ZH[dimension], f"{DIMENSION_ZH[dimension]}范围")
}


def _words(*entries: tuple[str, ...]) -> Mapping[str, str]:
    return {fold(spelling): entry[0] for entry in entries for spelling in entry}


#: What a cell may say instead of the heading of a numeric column.
_WORDS_OF: Mapping[str, Mapping[str, str]] = {
    "measure": _words(
        ("award", "拨款"), ("accepted", "立项", "立项数"), ("cofunding", "配套资金"), ("feasibility", "可行性")
    ),
    "attribute": _words(("population", "人口"), ("gdp", "地区生产总值")),
    "base": _words(
        ("total", "总额"), ("funds", "资金总额"), ("average", "平均"), ("population", "人口"), ("gdp", "地区生产总值")
    ),
}

#: Wide enough for a number of 15 digits counted in the finest step there is.
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was found in a cell of a column: `typed` is its value all the same, None where it cannot be taken."""

    typed: Any
    notes: tuple[str, ...]
    mistake: Mistake | None


@dataclass(frozen=True, slots=True)
class Converted:
    """A column converted: a value for each cell (None: blank or faulty), and the troubles by position."""

    typed: list[Any]
    troubles: Mapping[int, Trouble]

    @property
    def faulty(self) -> frozenset[int]:
        """The positions of cells that could not be taken."""
        return frozenset(position for position, trouble in self.troubles.items() if trouble.mistake is not None)


_NONE: Mapping[int, Trouble] = MappingProxyType({})


def convert_column(cells: Sequence[Value], convert: Converter) -> Converted:
    """Convert the cells of a column, each distinct one once.

    In a file (`Coded`) nothing is said of numbers stored as text: a CSV file has no others.
    """
    if isinstance(cells, Coded):
        return _convert_coded(cells, convert)
    found: Mapping[Any, Any]
    if is_plain(cells):
        found = {cell: convert_cell(cell, convert) for cell in dict.fromkeys(cells)}
        typed = [found[cell] for cell in cells]
    else:
        kept_apart = list(zip(map(type, cells), cells, strict=True))
        found = {key: convert_cell(key[1], convert) for key in dict.fromkeys(kept_apart)}
        typed = [found[key] for key in kept_apart]
    if not any(type(one) is Trouble for one in found.values()):
        return Converted(typed, _NONE)
    troubles = {at: one for at, one in enumerate(typed) if type(one) is Trouble}
    return Converted([one.typed if type(one) is Trouble else one for one in typed], troubles)


def _convert_coded(cells: Coded, convert: Converter) -> Converted:
    found = [convert_cell(value, convert, frozenset({"number_as_text"})) for value in cells.values]
    troubled = [code for code, one in enumerate(found) if type(one) is Trouble]
    if not troubled:
        return Converted(cells.with_each(found), _NONE)
    codes = cells.codes
    troubles = {at: found[codes[at]] for at in np.flatnonzero(cells.has_any(troubled)).tolist()}
    return Converted(cells.with_each([one.typed if type(one) is Trouble else one for one in found]), troubles)


def convert_cell(cell: Value, convert: Converter, unsaid: Collection[str] = ()) -> Any:
    """Return a cell's typed value (None: blank), or the trouble with it; notes that are `unsaid` are none."""
    if values.is_blank(cell):
        return None
    notes: list[str] = []
    try:
        typed = convert(cell, notes.append)
    except Mistake as mistake:
        return Trouble(None, (), mistake)
    if notes:
        said = tuple(code for code in notes if code not in unsaid)
        return Trouble(typed, said, None) if said else typed
    return typed


def converter_of(column: Column, step: Decimal | None) -> Converter:
    """Return the function that makes typed values of a column's cells; amounts must be multiples of `step`."""
    kind = column.kind
    if kind == "choice":
        return lambda value, _: values.closed(value, column)
    if kind == "money":
        return _money(step, positive=column.name == "max_award")
    if kind == "number":
        # A bound may be a share of something: 45 % is 0.45 there too.
        return _bounded(values.percent if column.name == "bound" else values.number, column)
    if kind == "whole":
        return _bounded(values.whole, column)
    if kind == "dimension":
        return lambda value, _: _dimension(value, DIMENSIONS, tuple(DIMENSION_ZH.values()))
    if kind in _WORDS_OF:
        return _worded(_WORDS_OF[kind])
    if kind == "text":
        return values.label if column.grouped else values.text
    if kind == "filter":
        return values.years if column.name == "years" else values.selection
    return _BY_KIND[kind]


def _money(step: Decimal | None, *, positive: bool) -> Converter:
    def money(value: Value, note: Note) -> Decimal:
        exact = values.number(value, note)
        if exact < 0 or (positive and exact == 0):
            raise Mistake("not_positive" if positive else "negative")
        if step is not None and _EXACT.remainder(exact, step) != 0:
            below = _EXACT.multiply(_EXACT.divide_int(exact, step), step)
            if positive and below == 0:
                below = step
            above = below + step
            raise Mistake("not_a_multiple", step=_shown(step), below=_shown(below), above=_shown(above))
        return exact

    return money


def _shown(exact: Decimal) -> str:
    return format(exact.normalize(_EXACT), "f")


def _bounded(parse: Callable[[Value, Note], Any], column: Column) -> Converter:
    def bounded(value: Value, note: Note) -> Any:
        typed = parse(value, note)
        if column.least is not None and typed < column.least:
            raise Mistake("too_small", least=str(column.least))
        if column.most is not None and typed > column.most:
            raise Mistake("too_large", most=str(column.most))
        return typed

    return bounded


def _year(value: Value, note: Note) -> int:
    year = values.whole(value, note)
    if not 1000 <= year <= 9999:
        raise Mistake("not_a_year")
    return year


def _dimension(value: Value, choices: Sequence[str], choices_zh: Sequence[str]) -> Dimension:
    values.refuse_bad(value)
    found = _DIMENSION_WORDS.get(fold(values.text_of(value)))
    if found is None:
        raise Mistake("not_a_choice", choices=", ".join(choices), choices_zh="、".join(choices_zh))
    return found


def _dimensions(value: Value, note: Note) -> tuple[Dimension, ...]:
    columns, columns_zh = tuple(FILTER_COLUMNS.values()), [f"{word}范围" for word in DIMENSION_ZH.values()]
    return tuple(dict.fromkeys(_dimension(part, columns, columns_zh) for part in values.labels(value, note)))


def _worded(words: Mapping[str, str]) -> Converter:
    def worded(value: Value, note: Note) -> str:
        name = values.label(value, note)
        return words.get(fold(name), name)

    return worded


_BY_KIND: Mapping[str, Converter] = {
    "identifier": values.identifier,
    "reference": values.reference,
    "references": values.several,
    "values": values.labels,
    "regions": values.parts_of_region,
    "profile": values.profile,
    "share": values.share,
    "year": _year,
    "dimensions": _dimensions,
    "any": lambda value, _: value,
}
