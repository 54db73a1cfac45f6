"""The rule texts a third time: a round as plain tables, enumerated in exact arithmetic.

Written from the workbook contract and not from the code; it reads the cells itself, shares nothing with the reader, the
ledger or the model, and is as slow and obvious as it can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from optalloc.workbook.grid import Tables
from tests.oracle.payable import payable

Way = tuple[str | None, int | None, Fraction]
Decisions = dict[str, Way]
Cells = dict[str, Any]

DIMENSION_OF = {
    "sectors": "sector",
    "categories": "category",
    "regions": "region",
    "belts": "belt",
    "institutions": "institution",
    "tags": "tag",
    "years": "year",
}
COLUMN_OF = {dimension: column for column, dimension in DIMENSION_OF.items()}
NUMBER = Fraction


@dataclass(frozen=True)
class Member:
    """One rule member: left side, right side multiplied out, and how they compare."""

    rule: str
    member: str | None
    sense: str
    activity: Fraction
    bound: Fraction
    penalty: Fraction | None

    @property
    def violation(self) -> Fraction:
        over = self.activity - self.bound
        return {"<=": max(NUMBER(0), over), ">=": max(NUMBER(0), -over), "=": abs(over)}[self.sense]


@dataclass(frozen=True)
class Evaluation:
    """A set of decisions: whether it is a plan, and what it is worth."""

    feasible: bool
    levels: tuple[Fraction, ...]
    criteria: dict[str, Fraction]
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Answer:
    """The optimum: a value for each level, and one plan that reaches them."""

    levels: tuple[Fraction, ...]
    decisions: Decisions
    evaluation: Evaluation


def split(cell: object) -> list[str]:
    return [part.strip() for part in str(cell).split(";") if part.strip()] if cell not in (None, "") else []


def fraction(cell: object) -> Fraction:
    text = str(cell).strip()
    return NUMBER(text[:-1].strip()) / 100 if text.endswith("%") else NUMBER(text)


def adding_to_one(parts: list[Fraction]) -> list[Fraction]:
    return [*parts[:-1], 1 - sum(parts[:-1], NUMBER(0))]


class Oracle:
    """One round, read from its tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.settings: Cells = {str(row["setting"]): row["value"] for row in tables["Round"]}
        self.step = fraction(self.settings.get("step", 1))
        first = self.settings.get("first_year")
        count = int(str(self.settings.get("years") or 1))
        self.years: list[int | None] = [None] if first is None else [int(str(first)) + i for i in range(count)]
        rate = 1 + fraction(self.settings.get("discount") or 0)
        self.discount = {year: 1 / rate**number for number, year in enumerate(self.years)}
        self.projects: dict[str, Cells] = {str(row["project"]): row for row in tables["Projects"]}
        self.belt = {str(row["region"]): str(row["belt"]) for row in tables["Regions"]}
        self.options: dict[str, list[Cells]] = {}
        for row in tables.get("Options", []):
            self.options.setdefault(str(row["project"]), []).append(row)
        self.seen: dict[object, Fraction] = {}
        self.members_of: dict[str, list[str | None]] = {}
        self.shares = {name: self._shares(row) for name, row in self.projects.items()}
        self.profile = {
            name: adding_to_one([fraction(part) for part in split(row.get("profile"))]) or [NUMBER(1)]
            if row.get("profile") not in (None, "")
            else [NUMBER(1)]
            for name, row in self.projects.items()
        }

    @staticmethod
    def _shares(row: Cells) -> list[tuple[str, Fraction]]:
        text = str(row["region"])
        if ":" not in text:
            return [(text.strip(), NUMBER(1))]
        pairs = [part.split(":") for part in split(text)]
        parts = adding_to_one([fraction(share) for _, share in pairs])
        return [(region.strip(), part) for (region, _), part in zip(pairs, parts, strict=True)]

    # what a project can be given

    def is_block(self, name: str) -> bool:
        least = self.projects[name].get("min_award")
        return least is not None and fraction(least) == 0

    def starts(self, name: str) -> list[int | None]:
        if self.years == [None]:
            return [None]
        row = self.projects[name]
        first = int(row.get("start_from") or self.years[0])
        last = int(row.get("start_to") or first)
        end = self.years[-1]
        assert end is not None
        return [s for s in range(first, last + 1) if s + len(self.profile[name]) - 1 <= end]

    def ways(self, name: str) -> list[Way | None]:
        row = self.projects[name]
        status = row.get("status") or "candidate"
        found: list[Way | None] = [] if status == "mandatory" else [None]
        if status == "excluded":
            return found
        for option in [None, *self.options.get(name, [])]:
            cells = row if option is None else option
            most = fraction(cells["max_award"])
            least = most if cells.get("min_award") is None else fraction(cells["min_award"])
            amount = least if least > 0 else self.step
            while amount <= most:
                label = None if option is None else str(option["option"])
                found += [(label, start, amount) for start in self.starts(name)]
                amount += self.step
        return found

    # lines

    def passes(
        self, cells: Cells, name: str, region: str, year: int | None, *, skip: frozenset[str] = frozenset()
    ) -> bool:
        row = self.projects[name]
        have: dict[str, list[str]] = {
            "sector": [str(row["sector"])],
            "category": split(row.get("category")),
            "institution": split(row.get("institution")),
            "tag": split(row.get("tags")),
            "region": [region],
            "belt": [self.belt[region]],
            "year": [str(year)],
        }
        for column, dimension in DIMENSION_OF.items():
            if column in skip:
                continue
            wanted = [v for v in split(cells.get(column)) if not v.startswith("!")]
            unwanted = [v[1:].strip() for v in split(cells.get(column)) if v.startswith("!")]
            if wanted and not any(v in have[dimension] for v in wanted):
                return False
            if any(v in have[dimension] for v in unwanted):
                return False
        return True

    def value(self, name: str, way: Way, measure: str, basis: object) -> Fraction:
        option, _, award = way
        row = self.projects[name]
        cells = row
        if option is not None:
            cells = next(o for o in self.options[name] if str(o["option"]) == option)
        if measure == "award":
            return award
        if measure == "accepted":
            return NUMBER(0) if self.is_block(name) else NUMBER(1)
        figure = cells.get(measure)
        if figure is None:
            figure = row.get(measure)
        whole = NUMBER(0) if figure is None else fraction(figure)
        if measure == "cofunding" or basis == "award" or self.is_block(name):
            return whole * award / fraction(cells["max_award"])
        return whole

    def add_up(
        self, decisions: Decisions, measure: str, basis: object, cells: Cells, *, discounted: bool = False
    ) -> Fraction:
        filters = tuple((column, cells.get(column)) for column in DIMENSION_OF)
        total = NUMBER(0)
        for name, way in decisions.items():
            key = (name, way, measure, basis, filters, discounted)
            if key not in self.seen:
                self.seen[key] = self._adds(name, way, measure, basis, cells, discounted=discounted)
            total += self.seen[key]
        return total

    def _adds(self, name: str, way: Way, measure: str, basis: object, cells: Cells, *, discounted: bool) -> Fraction:
        total = NUMBER(0)
        value = self.value(name, way, measure, basis)
        for region, share in self.shares[name]:
            for offset, part in enumerate(self.profile[name]):
                year = None if way[1] is None else way[1] + offset
                if not self.passes(cells, name, region, year):
                    continue
                factor = self.discount[year] if discounted else NUMBER(1)
                if measure == "accepted":
                    total += value * share * factor
                    break
                total += value * share * part * factor
        return total

    # rules

    def members(self, rule: Cells) -> list[str | None]:
        each = rule.get("each")
        if not each:
            return [None]
        column = COLUMN_OF[str(each)]
        wanted = [v for v in split(rule.get(column)) if not v.startswith("!")]
        unwanted = [v[1:].strip() for v in split(rule.get(column)) if v.startswith("!")]
        names: set[str]
        regions = [r for r in self.belt if self._region_passes(rule, r)]
        if each == "sector":
            names = {str(row["sector"]) for row in self.tables["Sectors"]}
        elif each == "region":
            names = set(regions)
        elif each == "belt":
            names = {self.belt[r] for r in regions}
        elif each == "year":
            names = {str(year) for year in self.years}
        else:
            names = set()
            for name, row in self.projects.items():
                on_line = any(
                    self.passes(rule, name, region, None if start is None else start + offset)
                    for start in self.starts(name)
                    for region, _ in self.shares[name]
                    for offset in range(len(self.profile[name]))
                )
                if on_line:
                    names |= set(split(row.get("tags" if each == "tag" else str(each))))
        return [*sorted(n for n in names if (not wanted or n in wanted) and n not in unwanted)]

    def _region_passes(self, cells: Cells, region: str) -> bool:
        for column, value in (("regions", region), ("belts", self.belt[region])):
            wanted = [v for v in split(cells.get(column)) if not v.startswith("!")]
            unwanted = [v[1:].strip() for v in split(cells.get(column)) if v.startswith("!")]
            if (wanted and value not in wanted) or value in unwanted:
                return False
        return True

    def rule_members(self, decisions: Decisions) -> Iterator[Member]:
        for rule in self.tables.get("Rules", []):
            each = rule.get("each")
            name = str(rule["rule"])
            if name not in self.members_of:
                self.members_of[name] = self.members(rule)
            for member in self.members_of[name]:
                own = dict(rule)
                if each:
                    own[COLUMN_OF[str(each)]] = member
                measure, basis = str(rule["measure"]), rule.get("basis")
                activity = self.add_up(decisions, measure, basis, own)
                penalty = rule.get("penalty")
                yield Member(
                    str(rule["rule"]),
                    member,
                    str(rule["sense"]),
                    activity,
                    self._right_side(decisions, rule, own, measure, basis),
                    None if penalty is None else fraction(penalty),
                )

    def _right_side(self, decisions: Decisions, rule: Cells, own: Cells, measure: str, basis: object) -> Fraction:
        bound, of, per = fraction(rule["bound"]), rule.get("of"), rule.get("per")
        here = [region for region in self.belt if self._region_passes(own, region)]
        if of is None:
            return bound * self._attribute(str(per), here) if per else bound
        kept = {"years", *split(rule.get("within"))}
        kept = {COLUMN_OF.get(column, column) for column in kept}
        base = {column: own.get(column) for column in DIMENSION_OF if column in kept}
        if of == "funds":
            return bound * sum(
                (fraction(s["amount"]) for s in self.tables["Sources"] if self._is_fund(s, base)), NUMBER(0)
            )
        if of in ("total", "average"):
            whole = self.add_up(decisions, measure, basis, base)
            if of == "total":
                return bound * whole
            everywhere = [region for region in self.belt if self._region_passes(base, region)]
            return bound * whole / self._attribute(str(per), everywhere) * self._attribute(str(per), here)
        return bound * self._attribute(str(of), here)

    def _attribute(self, name: str, regions: list[str]) -> Fraction:
        return sum((fraction(row[name]) for row in self.tables["Regions"] if str(row["region"]) in regions), NUMBER(0))

    def _is_fund(self, source: Cells, base: Cells) -> bool:
        year = source.get("year")
        if base.get("years") and year is not None:
            wanted = split(base["years"])
            positive = [v for v in wanted if not v.startswith("!")]
            if (positive and str(year) not in positive) or f"!{year}" in wanted:
                return False
        universe: dict[str, set[str | None]] = {
            "sectors": {str(r["sector"]) for r in self.tables["Sectors"]},
            "regions": set(self.belt),
            "belts": set(self.belt.values()),
            "categories": {None, *(r.get("category") for r in self.projects.values())},
            "institutions": {None, *(r.get("institution") for r in self.projects.values())},
            "tags": {None, *(t for r in self.projects.values() for t in split(r.get("tags")))},
        }
        for column, values in universe.items():
            if base.get(column) and not any(
                _admits(base[column], value) and _admits(source.get(column), value) for value in values
            ):
                return False
        return True

    # plans

    def evaluate(self, decisions: Decisions, *, pay: bool = True) -> Evaluation:
        """Judge decisions; `levels` are in priority order. Without `pay` the sources are left out."""
        members = tuple(self.rule_members(decisions))
        kept = all(m.violation == 0 for m in members if m.penalty is None)
        accepted = {name for name in decisions if not self.is_block(name)}
        kept = kept and all(_link_holds(link, accepted) for link in self.tables.get("Links", []))
        criteria: dict[str, Fraction] = {}
        for row in self.tables["Criteria"]:
            name = str(row["criterion"])
            criteria[name] = self.add_up(
                decisions, str(row.get("measure") or name), row.get("basis"), row, discounted=True
            )
        for link in self.tables.get("Links", []):
            projects = split(link["projects"])
            if link["kind"] == "synergy" and accepted.issuperset(projects):
                starts = [decisions[p][1] for p in projects]
                last = max((s for s in starts if s is not None), default=self.years[0])
                criteria[str(link["criterion"])] += fraction(link["value"]) * self.discount[last]
        penalties = sum((m.penalty * m.violation for m in members if m.penalty is not None), NUMBER(0))
        levels = []
        for number, rows in enumerate(self._levels()):
            value = -penalties if number == 0 else NUMBER(0)
            for row in rows:
                weight = fraction(1 if row.get("weight") is None else row["weight"])
                sign = -1 if row.get("direction") == "min" else 1
                value += sign * weight * criteria[str(row["criterion"])]
            levels.append(value)
        feasible = kept and (not pay or self._payable(decisions))
        return Evaluation(feasible, tuple(levels), criteria, members)

    def _levels(self) -> list[list[Cells]]:
        rows: list[Cells] = list(self.tables["Criteria"])
        if (self.settings.get("method") or "weighted") == "weighted":
            return [rows]
        priorities = sorted({int(row["priority"]) for row in rows})
        return [[row for row in rows if int(row["priority"]) == priority] for priority in priorities]

    def _payable(self, decisions: Decisions) -> bool:
        lines: dict[tuple[int | None, tuple[int, ...]], Fraction] = {}
        sources = self.tables["Sources"]
        for name, (_, start, award) in decisions.items():
            for region, share in self.shares[name]:
                for offset, part in enumerate(self.profile[name]):
                    year = None if start is None else start + offset
                    amount = award * share * part
                    if not amount:
                        continue
                    able = tuple(
                        n
                        for n, s in enumerate(sources)
                        if self._source_year(s) == year
                        and self.passes(s, name, region, year, skip=frozenset({"years"}))
                    )
                    lines[year, able] = lines.get((year, able), NUMBER(0)) + amount
        return payable(
            list(lines.items()),
            [
                (
                    str(s["source"]),
                    self._source_year(s),
                    fraction(s["amount"]),
                    fraction(s.get("least") or 0),
                    fraction(s.get("carry_over") or 0),
                )
                for s in sources
            ],
        )

    def _source_year(self, source: Cells) -> int | None:
        year = source.get("year")
        return self.years[0] if year is None else int(str(year))

    def best(self) -> Answer | None:
        """Enumerate every decision; None if none is a plan."""
        names = list(self.projects)
        plans: list[tuple[Decisions, Evaluation]] = []
        for ways in product(*(self.ways(name) for name in names)):
            decisions = {name: way for name, way in zip(names, ways, strict=True) if way is not None}
            evaluation = self.evaluate(decisions, pay=False)
            if evaluation.feasible:
                plans.append((decisions, evaluation))
        optima = []
        first: tuple[Decisions, Evaluation] | None = None
        for number, rows in enumerate(self._levels()):
            plans.sort(key=lambda plan: -plan[1].levels[number])
            first = next((plan for plan in plans if self._payable(plan[0])), None)
            if first is None:
                return None
            optimum = first[1].levels[number]
            optima.append(optimum)
            tolerance = min(fraction(row.get("tolerance") or 0) for row in rows)
            last = number == len(self._levels()) - 1
            least = optimum if last else optimum - tolerance * abs(optimum)
            plans = [(d, e) for d, e in plans if e.levels[number] >= least]
        assert first is not None
        return Answer(tuple(optima), *first)


def _admits(cell: object, value: str | None) -> bool:
    wanted = [v for v in split(cell) if not v.startswith("!")]
    return (not wanted or value in wanted) and f"!{value}" not in split(cell)


def _link_holds(link: Cells, accepted: set[str]) -> bool:
    projects = split(link["projects"])
    count = sum(p in accepted for p in projects)
    kind = link["kind"]
    if kind == "requires":
        return projects[0] not in accepted or count == len(projects)
    if kind == "excludes":
        return count <= 1
    if kind == "all_or_none":
        return count in (0, len(projects))
    if kind == "at_least":
        return count >= int(link["k"])
    if kind == "at_most":
        return count <= int(link["k"])
    return True
