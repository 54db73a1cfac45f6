"""Whether payments exist: the sources of a round against the money its plan needs, decided exactly.

    used[f,t] = Σ_g pay[f,g,t],   Σ_f pay[f,g,t] = need[g,t]          g: the sources that may pay, by name
    used[f,t] >= least[f,t] · amount[f,t]
    carry[f,t] <= carry_over[f,t] · (amount[f,t] + carry[f,t-1] - used[f,t]), of at least 0; none in the last year

A small linear programme in fractions: phase one of the simplex method with Bland's rule (1977), which never cycles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tests.rule_texts.cells import Pool

#: (year, names of the sources that may pay) -> money needed.
Need = Mapping[tuple[int | None, frozenset[str]], Fraction]


def non_negative_solution(rows: Sequence[tuple[Mapping[str, Fraction], Fraction]]) -> dict[str, Fraction] | None:
    """Return x >= 0 with Σ coefficient · x = right side (>= 0) in every row, or None where there is none."""
    table: list[dict[str, Fraction]] = []
    right: list[Fraction] = []
    basis: list[str] = []
    for number, (coefficients, value) in enumerate(rows):
        assert value >= 0
        artificial = f"~{number:04d}"
        table.append({name: c for name, c in coefficients.items() if c} | {artificial: Fraction(1)})
        right.append(value)
        basis.append(artificial)
    cost: dict[str, Fraction] = {}
    for row in table:
        for name, c in row.items():
            if not name.startswith("~"):
                cost[name] = cost.get(name, Fraction(0)) + c
    while True:
        # Sum of the artificial variables falls along every column of positive cost; the first name enters (Bland).
        entering = min((name for name, c in cost.items() if c > 0), default=None)
        if entering is None:
            break
        ratio, _, leaving = min(
            (right[i] / row[entering], basis[i], i) for i, row in enumerate(table) if row.get(entering, 0) > 0
        )
        pivot = table[leaving].pop(entering)
        pivoted = {name: c / pivot for name, c in table[leaving].items()}
        for i, row in enumerate(table):
            if i == leaving or entering not in row:
                continue
            times = row.pop(entering)
            right[i] -= times * ratio
            for name, c in pivoted.items():
                changed = row.get(name, Fraction(0)) - times * c
                if changed:
                    row[name] = changed
                else:
                    row.pop(name, None)
        times = cost.pop(entering)
        for name, c in pivoted.items():
            if not name.startswith("~"):
                cost[name] = cost.get(name, Fraction(0)) - times * c
        table[leaving] = {name: c for name, c in pivoted.items() if not name.startswith("~")} | {entering: Fraction(1)}
        right[leaving], basis[leaving] = ratio, entering
    if any(value for name, value in zip(basis, right, strict=True) if name.startswith("~")):
        return None
    return dict(zip(basis, right, strict=True))


def payable(pools: Sequence[Pool], years: Sequence[int | None], need: Need) -> bool:
    """Return whether the pools can pay the need, each class by its own sources, with least and carry_over kept."""
    at = {(pool.name, pool.year): pool for pool in pools}
    classes = [key for key, money in need.items() if money > 0]
    if any(not names for _, names in classes):
        return False
    rows: list[tuple[dict[str, Fraction], Fraction]] = []
    one = Fraction(1)
    for year, names in classes:
        rows.append(({f"pay {name} {sorted(names)} {year}": one for name in names}, need[year, names]))
    for (name, year), pool in at.items():
        used = {f"pay {name} {sorted(names)} {when}": one for when, names in classes if when == year and name in names}
        if pool.least * pool.amount > 0:
            rows.append((used | {f"over least {name} {year}": -one}, pool.least * pool.amount))
        # What is not used (rest >= 0), and the part of it that moves on.
        rest = used | {f"rest {name} {year}": one}
        if year is not None and (name, year - 1) in at:
            rest[f"carry {name} {year - 1}"] = -one
        rows.append((rest, pool.amount))
        if year is not None and (name, year + 1) in at and year != years[-1]:
            moved = {f"carry {name} {year}": one, f"kept {name} {year}": one, f"rest {name} {year}": -pool.carry_over}
            rows.append((moved, Fraction(0)))
    return non_negative_solution(rows) is not None
