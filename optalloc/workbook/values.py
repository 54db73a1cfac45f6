"""From a cell's content to a typed value, exactly as typed, or a mistake that says what is wrong with it."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable
from decimal import Context, Decimal

from integrated_fund.round import Selection
from optalloc.workbook.grid import BadCell, Value
from optalloc.workbook.names import fold
from optalloc.workbook.schema import Column

#: A plain number stored as text is taken; 1,000 or 1e3 or １２００ is not.
_PLAIN = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_PERCENT = re.compile(r"(-?\d+(\.\d+)?)\s*%", re.ASCII)
_YEAR = re.compile(r"[1-9]\d{3}", re.ASCII)
#: A name that needs no cleaning: printable ASCII without ; : @ * and blanks.
_CLEAN = re.compile(r"[!-)+-9<-?A-~]+")
_SEPARATOR = re.compile("[;；]")
_RESERVED = ";:@*"
_DIGITS = 15
#: From here on a double no longer shows every unit.
_TOO_LARGE = 10**_DIGITS
#: Nearer to 0 than this is no quantity, and exact sums with it would take hundreds of digits.
_TOO_SMALL = 1e-20

_WIDE = Context(prec=100)

Note = Callable[[str], None]


class Mistake(Exception):
    """A cell that cannot be taken: the code of its wording, and what fills the wording's gaps."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


def text_of(value: Value) -> str:
    """Return a cell's content as text, for messages and for texts that look like numbers."""
    if value is None:
        return ""
    if isinstance(value, BadCell):
        return value.text
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return format(Decimal(format(value, ".15g")), "f")
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date, dt.time)) else str(value)


def refuse_bad(value: Value) -> None:
    """Raise Mistake for a cell no value can be taken from."""
    if isinstance(value, BadCell):
        raise Mistake(f"cell_{value.code}")


def is_blank(value: Value) -> bool:
    """Return whether a cell is empty or holds only blanks."""
    return value is None or (isinstance(value, str) and not value.strip())


def number(value: Value, note: Note) -> Decimal:
    """Return a number exactly as typed: a double carries 15 digits."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Mistake("not_a_number")
        if abs(value) >= _TOO_LARGE or 0 < abs(value) < _TOO_SMALL:
            raise Mistake("too_many_digits")
        return Decimal(int(value)) if value.is_integer() else Decimal(format(value, ".15g"))
    refuse_bad(value)
    if isinstance(value, bool):
        raise Mistake("boolean")
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        raise Mistake("date")
    assert isinstance(value, str)
    plain = value.strip()
    if not _PLAIN.fullmatch(plain):
        raise Mistake("not_a_number")
    exact = _exact(plain)
    note("number_as_text")
    return exact


def _exact(plain: str) -> Decimal:
    """Return the number that a plain text shows, if a worksheet number could hold it."""
    exact = Decimal(plain).normalize(_WIDE)
    if len(plain) > 2 * _DIGITS or len(exact.as_tuple().digits) > _DIGITS or abs(exact) >= _TOO_LARGE:
        raise Mistake("too_many_digits")
    return Decimal(int(exact)) if exact == exact.to_integral_value() else exact  # no -0, no 4E+1


def percent(value: Value, note: Note) -> Decimal:
    """Return a number; 45 % (as text) is 0.45."""
    if isinstance(value, str):
        found = _PERCENT.fullmatch(value.strip())
        if found:
            return _exact(found.group(1)).scaleb(-2)
    return number(value, note)


def share(value: Value, note: Note) -> Decimal:
    """Return a share from 0 to 1."""
    exact = percent(value, note)
    if not 0 <= exact <= 1:
        raise Mistake("not_a_share")
    return exact


def whole(value: Value, note: Note) -> int:
    """Return a whole number."""
    exact = number(value, note)
    if exact != exact.to_integral_value():
        raise Mistake("not_whole")
    return int(exact)


def text(value: Value, note: Note) -> str:
    """Return free text; numbers as they are shown."""
    del note
    refuse_bad(value)
    return " ".join(text_of(value).split())


def identifier(value: Value, note: Note) -> str:
    """Return the name that a row goes by: no separators in it, no date, at most 15 digits, nothing invisible."""
    del note
    if isinstance(value, str) and _CLEAN.fullmatch(value):
        return value
    name = _name_text(value)
    if not name.isascii():
        name = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return clean_name(name)


def reference(value: Value, note: Note) -> str:
    """Return a name of another sheet as it is typed, without outer blanks."""
    typed = _name_text(value)
    if typed != typed.strip():
        note("outer_blanks")
    return clean_name(typed)


def label(value: Value, note: Note) -> str:
    """Return a name that rows are grouped and filtered by (category, institution, belt): one value, so without `;`."""
    del note
    name = _one_line(_name_text(value))
    if _SEPARATOR.search(name):
        raise Mistake("one_value")
    if not fold(name):
        raise Mistake("empty_name")
    return name


def _name_text(value: Value) -> str:
    """Return the text of a cell with a name in it; refuse what Excel made something else of."""
    refuse_bad(value)
    if isinstance(value, bool):
        raise Mistake("boolean_id")
    if isinstance(value, (dt.date, dt.time, dt.timedelta)):
        raise Mistake("date_id")
    if isinstance(value, float) and not abs(value) < _TOO_LARGE:
        raise Mistake("long_id")
    return text_of(value)


def clean_name(name: str) -> str:
    """Return a name without outer blanks; refuse the characters that separate names, in any width."""
    cleaned = _one_line(name)
    folded = cleaned if cleaned.isascii() else fold(cleaned)
    if any(c in folded for c in _RESERVED):
        raise Mistake("reserved_character")
    if not folded:
        raise Mistake("empty_name")
    return cleaned


def _one_line(name: str) -> str:
    cleaned = name.strip()
    if not cleaned.isprintable() and any(unicodedata.category(c) == "Cc" for c in cleaned):
        raise Mistake("control_character")
    return " ".join(cleaned.split())


def heading(value: Value) -> str:
    """Return a heading on one line."""
    refuse_bad(value)
    return _one_line(" ".join(text_of(value).split()))


def several(value: Value, note: Note) -> tuple[str, ...]:
    """Return identifiers separated by ; none twice."""
    del note
    return _distinct([clean_name(part) for part in _parts(value)])


def labels(value: Value, note: Note) -> tuple[str, ...]:
    """Return values of one's own (tags) separated by ; none twice."""
    del note
    return _distinct([_one_line(part) for part in _parts(value)])


def _parts(value: Value) -> list[str]:
    return [part for part in _SEPARATOR.split(_name_text(value)) if part.strip()]


def _distinct(names: list[str]) -> tuple[str, ...]:
    if len({fold(name) for name in names}) < len(names):
        raise Mistake("value_twice")
    return tuple(names)


def selection(value: Value, note: Note) -> Selection:
    """Return what a filter cell lets pass: values, and !values."""
    del note
    include: list[str] = []
    exclude: list[str] = []
    for part in _parts(value):
        stripped = part.strip()
        negative = stripped[0] in "!！"
        name = _one_line(stripped[1:] if negative else stripped)
        if not fold(name):
            raise Mistake("empty_filter")
        (exclude if negative else include).append(name)
    return Selection(frozenset(include), frozenset(exclude))


def years(value: Value, note: Note) -> Selection:
    """Return what a filter on years lets pass: years as text."""
    found = selection(value, note)
    if not all(_YEAR.fullmatch(year) for year in found.values):
        raise Mistake("not_years")
    return found


def closed(value: Value, column: Column) -> str:
    """Return the English word of a closed list, from either language."""
    refuse_bad(value)
    typed = fold(text_of(value)).replace("≥", ">=").replace("≤", "<=").replace("⩾", ">=").replace("⩽", "<=")
    for english, chinese in column.choices.items():
        if typed in (fold(english), fold(chinese)):
            if english in column.unbuilt:
                raise Mistake("choice_not_built", value=english)
            return english
    raise Mistake("not_a_choice", choices=", ".join(column.choices), choices_zh="、".join(column.choices.values()))


def parts_of_region(value: Value, note: Note) -> tuple[tuple[str, Decimal], ...]:
    """Return (region, share) pairs that add up to exactly 1."""
    typed = _name_text(value)
    if not any(c in typed for c in ";:；："):
        return ((reference(value, note), Decimal(1)),)
    pairs: list[tuple[str, Decimal]] = []
    for part in _SEPARATOR.split(typed):
        if not part.strip():
            continue
        pieces = re.split("[:：]", part)
        if len(pieces) != 2:
            raise Mistake("bad_shares")
        pairs.append((clean_name(pieces[0]), _part(pieces[1])))
    if len({fold(region) for region, _ in pairs}) < len(pairs):
        raise Mistake("value_twice")
    shares = _adding_to_one([part for _, part in pairs], "shares_sum")
    return tuple((region, part) for (region, _), part in zip(pairs, shares, strict=True))


def profile(value: Value, note: Note) -> tuple[Decimal, ...]:
    """Return yearly shares that add up to exactly 1."""
    if isinstance(value, float):
        return tuple(_adding_to_one([number(value, note)], "profile_sum"))
    refuse_bad(value)
    if not isinstance(value, str):
        raise Mistake("bad_profile")
    try:
        parts = [_part(part) for part in _SEPARATOR.split(value) if part.strip()]
    except Mistake as mistake:
        raise Mistake("bad_profile") from mistake
    return tuple(_adding_to_one(parts, "profile_sum"))


def _part(typed: str) -> Decimal:
    stripped = typed.strip()
    percentage = _PERCENT.fullmatch(stripped)
    if percentage:
        exact = _exact(percentage.group(1)).scaleb(-2)
    elif _PLAIN.fullmatch(stripped):
        exact = _exact(stripped)
    else:
        raise Mistake("bad_shares")
    if not 0 <= exact <= 1:
        raise Mistake("bad_shares")
    return exact


def _adding_to_one(parts: list[Decimal], code: str) -> list[Decimal]:
    """Give what is missing to 1 (three thirds) to the last part, up to 0.001."""
    missing = 1 - sum(parts, Decimal(0))
    if not parts or abs(missing) > Decimal("0.001") or parts[-1] + missing < 0:
        raise Mistake(code, total=format(1 - missing, "f"))
    return [*parts[:-1], parts[-1] + missing]
