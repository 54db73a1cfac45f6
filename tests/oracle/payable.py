"""Whether sources can pay for lines, decided exactly by Fourier-Motzkin elimination of the payments' bounds.

Payments to lines of one year form a bipartite flow, so by Hall's condition only the sums over sets of lines count: for
every set of sources of a year, the lines that only they may pay must not need more than those sources give, and all
sources together give exactly what is needed. What a source gives in a year lies between its floor and what it has, and
what it has depends on what it gave the year before. The unknowns left are what each source gives in each year.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

Inequality = tuple[tuple[Fraction, ...], Fraction]  # coefficients · x <= limit
SourceRow = tuple[str, int | None, Fraction, Fraction, Fraction]


def payable(lines: list[tuple[tuple[int | None, tuple[int, ...]], Fraction]], sources: list[SourceRow]) -> bool:
    """Return whether payments exist. Lines are ((year, sources able to pay), amount); one unknown a source, then one
    more for what each carries on."""
    count = len(sources)
    system: list[Inequality] = []

    def at_most(terms: dict[int, Fraction], limit: Fraction) -> None:
        system.append((tuple(terms.get(i, Fraction(0)) for i in range(2 * count)), limit))

    one = Fraction(1)
    following = {
        n: next(
            (m for m, t in enumerate(sources) if t[0] == s[0] and None not in (s[1], t[1]) and t[1] == s[1] + 1), None
        )  # type: ignore[operator]
        for n, s in enumerate(sources)
    }
    came_from = {m: n for n, m in following.items() if m is not None}
    for n, (_, _, amount, least, rate) in enumerate(sources):
        given, carried = n, count + n
        arriving = {count + came_from[n]: one} if n in came_from else {}
        minus = {k: -v for k, v in arriving.items()}
        at_most({given: -one}, Fraction(0))
        at_most({carried: -one}, Fraction(0))
        at_most({given: -one}, -least * amount)
        at_most({given: one, carried: one, **minus}, amount)
        if following[n] is None:
            at_most({carried: one}, Fraction(0))
        else:
            at_most({carried: one, given: rate, **{k: rate * v for k, v in minus.items()}}, rate * amount)
    for year in {key[0] for key, _ in lines} | {s[1] for s in sources}:
        here = [n for n, s in enumerate(sources) if s[1] == year]
        needs = [(set(able), amount) for (line_year, able), amount in lines if line_year == year]
        total = sum((amount for _, amount in needs), Fraction(0))
        at_most(dict.fromkeys(here, one), total)
        for size in range(len(here) + 1):
            for group in combinations(here, size):
                captive = sum((amount for able, amount in needs if able <= set(group)), Fraction(0))
                at_most(dict.fromkeys(group, -one), -captive)
                # What a group may pay for at all bounds what it gives.
                reach = sum((amount for able, amount in needs if able & set(group)), Fraction(0))
                at_most(dict.fromkeys(group, one), reach)
    return _has_solution(system, 2 * count)


def _has_solution(system: list[Inequality], unknowns: int) -> bool:
    for unknown in range(unknowns):
        upper = [row for row in system if row[0][unknown] > 0]
        lower = [row for row in system if row[0][unknown] < 0]
        rest = {row for row in system if row[0][unknown] == 0}
        for coefficients, limit in upper:
            for others, other_limit in lower:
                a, b = coefficients[unknown], -others[unknown]
                merged = tuple(x / a + y / b for x, y in zip(coefficients, others, strict=True))
                rest.add(_scaled(merged, limit / a + other_limit / b))
        if any(limit < 0 and not any(row) for row, limit in rest):
            return False
        system = _tightest(rest)
    return all(limit >= 0 for _, limit in system)


def _scaled(row: tuple[Fraction, ...], limit: Fraction) -> Inequality:
    size = next((abs(v) for v in row if v), Fraction(1))
    return tuple(v / size for v in row), limit / size


def _tightest(system: set[Inequality]) -> list[Inequality]:
    found: dict[tuple[Fraction, ...], Fraction] = {}
    for row, limit in system:
        scaled, bound = _scaled(row, limit)
        if not any(scaled) and bound >= 0:
            continue
        found[scaled] = min(bound, found.get(scaled, bound))
    return list(found.items())
