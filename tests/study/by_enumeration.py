"""Requirements and repairs by enumeration: read from the tables by the oracle, judged in exact arithmetic.

Nothing here knows the programme, the ledger or the solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil
from statistics import median

from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import Choice, Work, World, text, world_of
from tests.rule_texts.judging import ZERO, link_holds, members_of, needs_of, violation
from tests.rule_texts.paying import payable
from tests.rule_texts.search import Search

#: A requirement: kind, name, member.
Key = tuple[str, str, str | None]
Taken = tuple[Choice | None, ...]

#: Far more than all awards of a small round together.
PLENTY = Fraction(10**6)


def free(world: World) -> World:
    """Return a round that asks nothing: no hard rule, link or mandatory project."""
    works = tuple(replace(work, status="candidate") if work.status == "mandatory" else work for work in world.works)
    return replace(world, works=works, limits=(), ties=())


def vectors(world: World) -> Iterator[Taken]:
    """Yield every way to decide the projects of a round, its requirements apart."""
    yield from product(*Search(free(world)).choices)


def source_label(name: str, year: int | None) -> str:
    """Return a source's name in a conflict."""
    return name if year is None else f"{name}@{year}"


def can_be_kept(world: World, keys: Iterable[Key]) -> bool:
    """Return whether some decision keeps all of these requirements."""
    wanted = set(keys)
    members = [
        member
        for limit in world.limits
        for member in members_of(world, limit)
        if ("rule", limit.name, member.name) in wanted
    ]
    ties = [tie for tie in world.ties if ("link", tie.name, None) in wanted]
    must = {name for kind, name, _ in wanted if kind == "mandatory"}
    pools = []
    for pool in world.pools:
        label = source_label(pool.name, pool.year)
        least = pool.least * pool.amount if ("least", label, None) in wanted else ZERO
        amount = pool.amount if ("amount", label, None) in wanted else PLENTY
        pools.append(replace(pool, amount=amount, least=least / amount if amount else ZERO))
    for vector in vectors(world):
        taken = [(work, choice) for work, choice in zip(world.works, vector, strict=True) if choice is not None]
        if not must <= {work.name for work, _ in taken}:
            continue
        accepted = frozenset(work.name for work, _ in taken if not work.block)
        if not all(link_holds(tie, accepted) for tie in ties):
            continue
        sums = [[member.sides(world, work, choice) for work, choice in taken] for member in members]
        if any(
            violation(m.limit.sense, sum((a for a, _ in s), ZERO), m.constant + sum((b for _, b in s), ZERO))
            for m, s in zip(members, sums, strict=True)
        ):
            continue
        need: dict[tuple[int | None, frozenset[str]], Fraction] = {}
        for work, choice in taken:
            for key, money in needs_of(world, work, choice).items():
                need[key] = need.get(key, ZERO) + money
        if payable(pools, world.years, need):
            return True
    return False


_WEIGHT = {None: 1, "minutes": 2, "Guideline 7": 5, "Regulation 12": 20, "Budget Law": 1000}


def cheapest_repair(tables: Tables, more: int) -> Fraction | None:
    """Return the least cost of a repair of a round with one source and one year, its amount raised by `more` at most.

    Bounds that multiply awards or amounts move by any share, others by their grid (whole steps of the round, or ones);
    a share with `=` moves to what can be typed on its grid.
    """
    world = world_of(tables)
    step = world.works[0].step
    authority = {text(row["rule"]): text(row.get("authority")) for row in tables.get("Rules", [])}
    source_weight = _WEIGHT[text(tables["Sources"][0].get("authority"))]
    typical = Fraction(median(work.levels[0].max_award for work in world.works))
    least = {work.name: min(level.min_award for level in work.levels) for work in world.works}
    best: Fraction | None = None
    for vector in vectors(world):
        taken = [(work, choice) for work, choice in zip(world.works, vector, strict=True) if choice is not None]
        accepted = frozenset(work.name for work, _ in taken if not work.block)
        award = sum((choice.award for _, choice in taken), ZERO)
        cost = sum(
            (least[work.name] for work in world.works if work.status == "mandatory" and work.name not in accepted), ZERO
        )
        cost += sum(
            (sum((least[name] for name in tie.projects), ZERO) for tie in world.ties if not link_holds(tie, accepted)),
            ZERO,
        )
        short = max(ZERO, award - world.pools[0].amount)
        for extra in range(ceil(short / step), ceil(short / step) + more + 1):
            pool = replace(world.pools[0], amount=world.pools[0].amount + extra * step)
            now = replace(world, pools=(pool,))
            total: Fraction | None = cost + source_weight * extra * step
            for limit in now.limits:
                money = typical if limit.measure == "accepted" else Fraction(1)
                weight = _WEIGHT[authority[limit.name]] * money
                grid = step if limit.measure == "award" else Fraction(1)
                moved = _moved(now, limit.name, taken, grid)
                if total is None or moved is None:
                    total = None
                    break
                total += weight * moved
            if total is not None and (best is None or total < best):
                best = total
    return best


def _typed_share(sides: list[tuple[Fraction, Fraction]], bound: Fraction) -> Fraction | None:
    """Return the share that every activity is of its base, where it is one and the same that can be typed.

    On a grid: of the powers of ten the largest up to a two-hundredth of the bound, and a hundredth at most.
    """
    if any(activity and not base for activity, base in sides):
        return None
    shares = {activity / base for activity, base in sides if base} or {bound}
    grid = Fraction(1, 100)
    while grid * 200 > bound:
        grid /= 10
    return shares.pop() if len(shares) == 1 and all(not share % grid for share in shares) else None


def _moved(world: World, name: str, taken: list[tuple[Work, Choice]], grid: Fraction) -> Fraction | None:
    """Return by how much a rule's bound must move for a decision, on the left side where it moves most.

    None where no bound that can be typed would do.
    """
    limit = next(limit for limit in world.limits if limit.name == name)
    if limit.sense == "=" and limit.of in ("total", "average"):
        both = []
        for member in members_of(world, limit):
            sides = [member.sides(world, work, choice) for work, choice in taken]
            base = sum((right for _, right in sides), ZERO) / limit.bound
            both.append((sum((left for left, _ in sides), ZERO), base))
        to = _typed_share(both, limit.bound)
        return None if to is None else abs(to - limit.bound) * max(base for _, base in both)
    share = limit.of in ("total", "average", "funds")
    most, by = ZERO, ZERO
    for member in members_of(world, limit):
        sides = [member.sides(world, work, choice) for work, choice in taken]
        activity = sum((left for left, _ in sides), ZERO)
        bound = member.constant + sum((right for _, right in sides), ZERO)
        unit = bound / limit.bound
        most = max(most, unit)
        miss = violation(limit.sense, activity, bound)
        if miss:
            assert unit, "a bound that comes to nothing mends nothing"
            by = max(by, miss / unit if share else ceil(miss / unit / grid) * grid)
    return by * most


def with_cell(tables: Tables, sheet: str, cell: str, value: object) -> None:
    """Put a value in a cell of tables as `write_tables` lays them out; None empties the whole row of a link."""
    columns = list(dict.fromkeys(column for row in tables[sheet] for column in row))
    letter, row = cell.rstrip("0123456789"), int(cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    place = 0
    for character in letter:
        place = 26 * place + ord(character) - ord("A") + 1
    if value is None:
        del tables[sheet][row - 2]
    else:
        tables[sheet][row - 2][columns[place - 1]] = value
