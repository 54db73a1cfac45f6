"""How the checks say where something is wrong, and how they write names and figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Context, Decimal
from difflib import SequenceMatcher
from fractions import Fraction

from integrated_fund.problem import Problem
from integrated_fund.round import Origin, Selection

#: How many names a message offers for a name that is not known.
_OFFERED = 3
#: Comparing names takes time in proportion to their number and the square of their length: a sheet full of wrong
#: names, or of endless ones, must not hold up the check.
_COMPARISONS = 200_000
_LETTERS = 40

_FIFTEEN = Context(prec=15)


def problem(code: str, origin: Origin, column: str, found: object = None, /, **details: str) -> Problem:
    """Return a problem at a column of a row; `found` is what stands there (None: nothing)."""
    return Problem(code, origin.place(column), "" if found is None else written(found), details)


def written(value: object) -> str:
    """Return a cell's value as text, numbers without an exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def filled_in(selection: Selection) -> str:
    """Return a filter as a planner writes it: the included values, then those after a `!`."""
    return "; ".join([*sorted(selection.include), *(f"!{value}" for value in sorted(selection.exclude))])


def figure(value: Fraction | Decimal | int) -> str:
    """Return an amount as text, to at most 15 digits."""
    exact = Fraction(value)
    return format(_FIFTEEN.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize(_FIFTEEN), "f")


def listed(names: Collection[str]) -> str:
    """Return the first few of some names, with `…` where there are more."""
    first = list(names)[: _OFFERED * 2]
    return ", ".join(first) + (", …" if len(names) > len(first) else "")


class Names:
    """The names of one kind that exist, and the nearest of them to one that does not."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._set = frozenset(self._names)
        self._left = _COMPARISONS
        self._nearest: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._set

    def __len__(self) -> int:
        return len(self._names)

    def nearest(self, name: str) -> str:
        """Return the names most like this one, the likest first; `–` where there are no names at all."""
        if not self._names:
            return "–"
        if name not in self._nearest:
            self._nearest[name] = ", ".join(self._likest(name))
        return self._nearest[name]

    def _likest(self, name: str) -> list[str]:
        if self._left < len(self._names):
            return list(self._names[:_OFFERED])
        self._left -= len(self._names)
        matcher = SequenceMatcher(b=name[:_LETTERS].casefold(), autojunk=False)
        best: list[tuple[float, str]] = []
        for known in self._names:
            matcher.set_seq1(known[:_LETTERS].casefold())
            worst = best[-1][0] if len(best) == _OFFERED else -1.0
            # The quick ratios are upper bounds: most names are out before the slow one.
            if matcher.real_quick_ratio() <= worst or matcher.quick_ratio() <= worst:
                continue
            best.append((matcher.ratio(), known))
            best.sort(key=lambda scored: -scored[0])
            del best[_OFFERED:]
        return [known for _, known in best]
