"""Small random rounds as plain tables, valid by the contract, over everything a round may have.

Most rounds are built round a hidden decision vector: sources and bounds are set just wide enough for it, so that rules
bind and yet a plan exists. Cases the texts leave open are not made.
"""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, prod

from hypothesis import strategies as st

from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import Choice, World, parts, world_of
from tests.rule_texts.judging import added, members_of, needs_of
from tests.rule_texts.oracle import Answer, best, evaluate

Row = dict[str, object]

MOST_VECTORS = 20_000
FIRST_YEARS = (2026, 2027, 2030)
SECTORS = ("education", "science", "talent")
REGIONS = ("beijing", "gansu", "sichuan", "hubei")
BELTS = ("east", "west", "central")
CATEGORIES = ("lab", "course")
INSTITUTIONS = ("inst_a", "inst_b")
TAGS = ("ai", "rural", "green")
PROFILES = {
    1: ("1",),
    2: ("0.5; 0.5", "0.7; 0.3", "0; 1", "1; 0", "0.25; 0.75"),
    3: ("0.5; 0.3; 0.2", "0.5; 0; 0.5", "0.333; 0.333; 0.333", "0; 0.4; 0.6"),
}
REGION_SHARES = {2: ("0.6", "0.4"), 3: ("0.333", "0.333", "0.333")}
EACHES = ("sector", "region", "belt", "category", "institution", "tag", "year")
COLUMN = {
    "sector": "sectors",
    "category": "categories",
    "region": "regions",
    "belt": "belts",
    "institution": "institutions",
    "tag": "tags",
}


def decimal_of(value: Fraction, digits: int) -> Decimal:
    """Return a value that has at most so many decimals as a Decimal."""
    scaled = value * 10**digits
    if scaled.denominator != 1:
        raise ValueError("too many decimals")
    number = Decimal(scaled.numerator).scaleb(-digits).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


class _Maker:
    """One round in the making."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.step = rng.choice([Decimal(1), Decimal(1), Decimal(1), Decimal("0.5"), Decimal(5), Decimal("0.1")])
        self.count = rng.choice([1, 1, 2, 2, 3])
        self.first = rng.choice(FIRST_YEARS) if self.count > 1 or rng.random() < 0.5 else None
        self.years = [] if self.first is None else [self.first + n for n in range(self.count)]
        self.lexicographic = rng.random() < 0.3
        self.sectors = list(SECTORS[: rng.randint(2, 3)])
        self.regions = list(REGIONS[: rng.randint(2, 4)])
        self.belts = {region: rng.choice(BELTS) for region in self.regions}
        self.tables: Tables = {}

    def likely(self, chance: float) -> bool:
        return self.rng.random() < chance

    def money(self, low: int, high: int) -> Decimal:
        """A whole number of steps."""
        return self.step * self.rng.randint(low, high)

    # Settings, regions, projects.

    def round_rows(self) -> list[Row]:
        rows: list[Row] = [{"setting": "title", "value": "A random round"}, {"setting": "unit", "value": "million"}]
        if self.step != 1 or self.likely(0.3):
            rows.append({"setting": "step", "value": self.step})
        if self.first is not None:
            rows.append({"setting": "first_year", "value": self.first})
        if self.count > 1:
            rows.append({"setting": "years", "value": self.count})
        if self.likely(0.7):
            rows.append({"setting": "discount", "value": self.rng.choice([Decimal("0.05"), Decimal("0.25")])})
        if self.lexicographic or self.likely(0.3):
            rows.append({"setting": "method", "value": "lexicographic" if self.lexicographic else "weighted"})
        return [*rows, {"setting": "gap", "value": 0}]

    def region_rows(self) -> list[Row]:
        return [
            {
                "region": region,
                "belt": belt,
                "population": self.rng.randint(1, 20),
                "gdp": Decimal(self.rng.randint(2, 60)) / 4,
            }
            for region, belt in self.belts.items()
        ]

    def project_rows(self) -> tuple[list[Row], list[Row]]:
        rng = self.rng
        with_options, with_cofunding = self.likely(0.4), self.likely(0.6)
        blank_cofunding = self.likely(0.3)
        projects: list[Row] = []
        options: list[Row] = []
        sizes: list[int] = []
        for number in range(rng.choice([3, 4, 5, 5, 6, 6])):
            row = self.project_row(f"p{number + 1}", with_cofunding, blank_cofunding)
            size = self._levels(row.get("min_award"), row["max_award"]) * self._starts(row)
            own: list[Row] = []
            block = row.get("min_award") == 0
            if with_options and not block and self.likely(0.5):
                own = [self.option_row(row, "small" if number % 2 else "large", with_cofunding)]
                size += self._levels(own[0].get("min_award"), own[0]["max_award"]) * self._starts(row)
            if prod([*sizes, size + 1]) > MOST_VECTORS:
                continue
            sizes.append(size + 1)
            projects.append(row)
            options += own
        return projects, options

    def _levels(self, least: object, most: object) -> int:
        assert isinstance(most, Decimal)
        if not isinstance(least, Decimal | int):
            return 1
        return int((most - least) / self.step) + (least != 0)

    def _starts(self, row: Row) -> int:
        if self.first is None:
            return 1
        start_from = row.get("start_from") or self.first
        start_to = row.get("start_to") or start_from
        assert isinstance(start_from, int)
        assert isinstance(start_to, int)
        return min(start_to, self.years[-1] + 1 - (len(parts(row.get("profile"))) or 1)) - start_from + 1

    def project_row(self, name: str, with_cofunding: bool, blank_cofunding: bool) -> Row:
        rng = self.rng
        row: Row = {"project": name, "sector": rng.choice(self.sectors), "region": self.where()}
        if self.likely(0.7):
            row["category"] = rng.choice(CATEGORIES)
        if self.likely(0.7):
            row["institution"] = rng.choice(INSTITUTIONS)
        if self.likely(0.7):
            row["tags"] = "; ".join(rng.sample(TAGS, rng.choice([1, 1, 2])))
        kind = rng.choice(["whole", "whole", "whole", "variable", "variable", "block"])
        if kind == "whole":
            row["max_award"] = self.money(4, 24)
        elif kind == "variable":
            least = rng.randint(2, 10)
            row["min_award"] = self.step * least
            row["max_award"] = self.step * (least + rng.randint(0, 4))
        else:
            row["min_award"] = 0
            row["max_award"] = self.money(2, 6)
        if kind != "block" and self.likely(0.15):
            row["status"] = rng.choice(["mandatory", "excluded"])
        elif self.likely(0.2):
            row["status"] = "candidate"
        self._when(row, kind == "block")
        row["score"] = Decimal(rng.randint(2, 40)) / 2
        row["people"] = rng.randint(0, 60)
        if with_cofunding:
            row["cofunding"] = None if blank_cofunding and self.likely(0.4) else self.money(0, 12)
        if row.get("status") == "excluded":
            # Whether a project that cannot be funded makes a member of `each` is left open by the texts.
            for column in ("category", "institution", "tags"):
                row.pop(column, None)
        return row

    def where(self) -> str:
        rng = self.rng
        if self.likely(0.7):
            return rng.choice(self.regions)
        size = 3 if len(self.regions) >= 3 and self.likely(0.25) else 2
        places = rng.sample(self.regions, size)
        shares = REGION_SHARES[size] if self.likely(0.8) or size == 3 else ("0.25", "0.75")
        return "; ".join(f"{place}:{share}" for place, share in zip(places, shares, strict=True))

    def _when(self, row: Row, block: bool) -> None:
        rng = self.rng
        if self.first is None:
            return
        length = rng.randint(1, self.count)
        if length > 1 or self.likely(0.2):
            row["profile"] = rng.choice(PROFILES[length])
            if row["profile"] == "1":
                row["profile"] = 1
        last = self.years[-1] - length + 1
        if self.likely(0.75):
            start = rng.randint(self.first, last)
            row["start_from"] = start
            if not block and self.likely(0.6):
                # One year too late on purpose now and then: that start is not offered.
                row["start_to"] = rng.randint(start, min(start + 1, self.years[-1]))

    def option_row(self, project: Row, name: str, with_cofunding: bool) -> Row:
        rng = self.rng
        row: Row = {"project": project["project"], "option": name}
        if self.likely(0.35):
            least = rng.randint(1, 8)
            row["min_award"] = self.step * least
            row["max_award"] = self.step * (least + rng.randint(0, 2))
        else:
            row["max_award"] = self.money(2, 24)
        row["score"] = Decimal(rng.randint(2, 40)) / 2 if self.likely(0.7) else None
        row["people"] = rng.randint(0, 60) if self.likely(0.5) else None
        if with_cofunding:
            row["cofunding"] = self.money(0, 12) if self.likely(0.5) else None
        return row

    # Filters.

    def values(self, dimension: str) -> list[str]:
        """Return the values that exist of a dimension."""
        projects = self.tables["Projects"]
        if dimension == "sector":
            return sorted({str(row["sector"]) for row in projects})
        if dimension in {"region", "belt"}:
            used = {part.split(":")[0] for row in projects for part in parts(row["region"])}
            found = sorted(region for region in used)
            return found if dimension == "region" else sorted({self.belts[region] for region in found})
        if dimension == "year":
            return [str(year) for year in self.years]
        column = "tags" if dimension == "tag" else dimension
        return sorted({value for row in projects for value in parts(row.get(column))})

    def filter_cell(self, dimension: str) -> str | None:
        """Return a filter cell that lets some but not all existing values pass, or None."""
        values = self.values(dimension)
        if len(values) < 2:
            return None
        if self.likely(0.35):
            unwanted = self.rng.choice(values)
            rows = self.tables["Projects"]
            everywhere = dimension == "tag" and all(unwanted in parts(row.get("tags")) for row in rows)
            return None if everywhere else f"!{unwanted}"
        return "; ".join(self.rng.sample(values, self.rng.randint(1, len(values) - 1)))

    def filters(self, dimensions: list[str], most: int) -> Row:
        """Return up to `most` filter columns; regions and belts never both."""
        row: Row = {}
        for dimension in self.rng.sample(dimensions, self.rng.randint(0, min(most, len(dimensions)))):
            column = "years" if dimension == "year" else COLUMN[dimension]
            if {"regions", "belts"} & row.keys() and column in {"regions", "belts"}:
                continue
            cell = self.filter_cell(dimension)
            if cell is not None:
                row[column] = cell
        return row

    def dimensions(self, *left_out: str) -> list[str]:
        years = ["year"] if self.count > 1 else []
        return [dimension for dimension in [*COLUMN, *years] if dimension not in left_out]

    # Criteria and links.

    def measures(self) -> list[str]:
        own = ["cofunding"] if any("cofunding" in row for row in self.tables["Projects"]) else []
        return ["award", "accepted", "people", *own, *own]

    def basis(self, measure: str) -> str | None:
        if measure not in {"score", "people"} or not self.likely(0.35):
            return None
        # "accepted" on a block grant, which has nothing to accept, is left open.
        blocks = any(row.get("min_award") == 0 for row in self.tables["Projects"])
        return "award" if blocks or self.likely(0.6) else "accepted"

    def criterion_rows(self) -> list[Row]:
        rng = self.rng
        rows: list[Row] = [{"criterion": "score"}]
        for number in range(rng.choice([0, 1, 1, 2])):
            measure = rng.choice(self.measures())
            # A cofunding cell left blank counts 0 in rules, and is an error in a criterion.
            if measure == "cofunding" and any(row.get("cofunding") is None for row in self.tables["Projects"]):
                measure = "award"
            own = measure == "people" and self.likely(0.5) and not any(row["criterion"] == "people" for row in rows)
            rows.append({"criterion": "people"} if own else {"criterion": f"extra{number + 1}", "measure": measure})
        for row in rows:
            main = row["criterion"] == "score"
            row["direction"] = rng.choice([None, "max"] if main else [None, "max", "min"])
            row["basis"] = self.basis(str(row.get("measure") or row["criterion"]))
            if not main and self.likely(0.6):
                row |= self.filters(self.dimensions(), 2)
            row["weight"] = Decimal(rng.randint(1, 8)) / (4 if not main else 2)
        if self.lexicographic:
            self._priorities(rows)
        rng.shuffle(rows)
        return rows

    def _priorities(self, rows: list[Row]) -> None:
        priorities = [self.rng.randint(1, 3) for _ in rows]
        tolerances = {p: self.rng.choice([None, Decimal("0.05"), Decimal("0.2")]) for p in range(1, 4)}
        for row, priority in zip(rows, priorities, strict=True):
            row["priority"] = priority
            row["tolerance"] = tolerances[priority]
            if priorities.count(priority) == 1:
                row["weight"] = self.rng.choice([None, 1])

    def linked(self, able: list[str], accepted: set[str], kind: str) -> list[str]:
        """Return projects for a link, mostly such that the hidden vector keeps it."""
        size = self.rng.randint(2, min(3, len(able)))
        members = self.rng.sample(able, size)
        # Accepted ones together, and a rejected one first, keep most kinds; excluded ones must not both be accepted.
        if self.likely(0.7):
            members.sort(key=lambda name: (name in accepted) == (kind == "requires"))
        if self.likely(0.5):
            members = members[:2]
        return members

    def link_rows(self, accepted: set[str]) -> list[Row]:
        rng = self.rng
        able = [str(row["project"]) for row in self.tables["Projects"] if row.get("min_award") != 0]
        rows: list[Row] = []
        kinds = ["requires", "excludes", "all_or_none", "at_least", "at_most", "synergy", "synergy", "synergy"]
        for number, kind in enumerate(rng.sample(kinds, rng.choice([0, 2, 3, 4, 5]) if len(able) > 1 else 0)):
            members = self.linked(able, accepted, kind)
            count = len(accepted & set(members))
            row: Row = {"link": f"l{number + 1}", "kind": kind, "projects": "; ".join(members)}
            if kind == "synergy":
                row["criterion"] = rng.choice(self.tables["Criteria"])["criterion"]
                row["value"] = Decimal(rng.choice([-20, -5, 5, 10, 30, 60])) / 2
            elif kind in {"at_least", "at_most"}:
                row["k"] = rng.randint(1, count) if kind == "at_least" and count else rng.randint(max(1, count), 3)
                if row["k"] > len(members) or (kind == "at_least" and count < row["k"]):  # type: ignore[operator]
                    continue
            holds = {
                "requires": members[0] not in accepted or count == len(members),
                "excludes": count <= 1,
                "all_or_none": count in {0, len(members)},
            }
            # Links that contradict each other are an error of the round: the hidden vector keeps all of them.
            if holds.get(kind, True):
                rows.append(row)
        return rows

    # The hidden decision vector, sources and rules.

    def witness(self, world: World) -> dict[str, Choice]:
        share = self.rng.choice([0.4, 0.6, 0.8])
        found = {}
        for work in world.works:
            ways = list(work.choices())
            if work.status != "excluded" and (work.status == "mandatory" or self.likely(share)):
                found[work.name] = self.rng.choice(ways)
        return found

    def source_rows(self) -> list[Row]:
        """Return sources without amounts yet."""
        rng = self.rng
        rows: list[Row] = []
        for number in range(rng.randint(1, 4)):
            general = number == 0 and self.likely(0.8)
            filters = {} if general else self.filters(self.dimensions("year"), 2)
            carry_over = rng.choice([None, Decimal("0.5"), Decimal(1), Decimal("0.3")])
            first = rng.randrange(self.count) if self.likely(0.15) else 0
            years: list[int | None] = [*self.years[first:]] or [None]
            for year in years:
                row: Row = {"source": f"s{number + 1}"}
                if year is not None and (self.count > 1 or self.likely(0.6)):
                    row["year"] = year
                if carry_over is not None and (self.count > 1 or self.likely(0.1)):
                    row["carry_over"] = carry_over
                rows.append(row | filters)
        return rows

    def fund(self, taken: dict[str, Choice], tight: float, most: int) -> None:
        """Set the amounts of the sources so that the hidden vector can be paid, with at most so many steps to spare."""
        rng = self.rng
        rows = self.tables["Sources"]
        for row in rows:
            row["amount"] = Decimal(1)
        world = world_of(self.tables)
        works = {work.name: work for work in world.works}
        load = dict.fromkeys(((pool.name, pool.year) for pool in world.pools), Fraction(0))
        for name, choice in taken.items():
            for (year, able), money in needs_of(world, works[name], choice).items():
                if able:
                    load[rng.choice(sorted(able)), year] += money
        step = Fraction(self.step)
        used = dict(load)
        for pool in world.pools:
            # Now and then some of a year's money comes from the year before, less what does not move on.
            key = (pool.name, pool.year)
            last = (pool.name, None if pool.year is None else pool.year - 1)
            before = next((other for other in world.pools if (other.name, other.year) == last), None)
            if before is not None and before.carry_over and load[key] and self.likely(0.6):
                moved = load[key] * Fraction(rng.choice(["1/2", "1"]))
                load[last] += moved / before.carry_over
                load[key] -= moved
        for row, pool in zip(rows, world.pools, strict=True):
            key = (pool.name, pool.year)
            spare = Fraction(0) if self.likely(tight) else step * rng.randint(0, most)
            amount = max(step * ceil((load[key] + spare) / step), step)
            row["amount"] = decimal_of(amount, 3)
            share = used[key] / amount
            if self.likely(0.3):
                row["least"] = min(Decimal(floor(share * 20)) / 20, Decimal(1))
                if not row["least"]:
                    row["least"] = rng.choice([None, Decimal(0)])
            if self.likely(0.02):
                row["least"] = Decimal("0.5")

    def rule_shape(self, name: str) -> Row:
        """Return a rule without its bound."""
        rng = self.rng
        measure = rng.choice(["award", "award", "accepted", "score", "people", self.measures()[-1]])
        row: Row = {"rule": name, "measure": measure, "basis": self.basis(measure)}
        each = rng.choice([None, None, *EACHES])
        projects = self.tables["Projects"]
        column = "tags" if each == "tag" else each
        if each == "year" and self.first is None:
            each = None
        if each in {"category", "institution", "tag"}:
            if not self.values(each):
                each = None
            elif measure == "accepted" and any(p.get(str(column)) and p.get("min_award") == 0 for p in projects):
                # Whether lines that can only be paid, not accepted, make a member is left open.
                row["measure"] = "award"
        left_out: list[str] = ["region"] if each == "belt" else []
        if each in {"category", "institution", "tag"} and any("0" in parts(p.get("profile")) for p in projects):
            left_out.append("year")
        of = rng.choice([None, None, "total", "total", "funds", "average", "attribute"])
        if of == "funds" and row["measure"] != "award":
            of = "total"
        row |= self.filters(self.dimensions(*left_out), 2)
        if each is not None:
            row["each"] = each
        self._base(row, of, each)
        row["sense"] = rng.choice([">=", ">=", "<=", "<=", "="])
        if self.likely(0.6 if row["sense"] == "=" else 0.15):
            row["penalty"] = Decimal(rng.randint(1, 12)) / 4
        if of in {"total", "average"} and each is None and not row.keys() & set(COLUMN.values()):
            row |= {"sectors": str(projects[0]["sector"])}
        return row

    def _base(self, row: Row, of: str | None, each: str | None) -> None:
        rng = self.rng
        attribute = rng.choice(["population", "gdp"])
        if of == "attribute":
            row["of"] = attribute
        elif of is not None:
            row["of"] = of
        if of == "average" or (of is None and self.likely(0.3)):
            row["per"] = attribute
        if of in {"total", "funds", "average"}:
            able = [column for column in COLUMN.values() if column in row]
            if each is not None and each != "year" and COLUMN[each] not in able:
                able.append(COLUMN[each])
            if of == "funds":
                # Blank values make sources "admitting" a filter an open case.
                able = [column for column in able if column in {"sectors", "regions", "belts"}]
                if {"regions", "belts"} <= set(able):
                    able.remove("belts")
            if able and self.likely(0.6):
                row["within"] = "; ".join(rng.sample(able, rng.randint(1, min(2, len(able)))))

    def rule_row(self, name: str, taken: dict[str, Choice], forced: bool) -> Row | None:
        """Return a rule the hidden vector keeps closely, or None where the shape is of no use."""
        row = self.rule_shape(name)
        world = world_of({**self.tables, "Rules": [{**row, "bound": 1}]})
        limit = world.limits[0]
        ratios = []
        works = [(work, taken[work.name]) for work in world.works if work.name in taken]
        anything = False
        for member in members_of(world, limit):
            sides = [member.sides(world, work, choice) for work, choice in works]
            left = sum((side for side, _ in sides), Fraction(0))
            right = member.constant + sum((side for _, side in sides), Fraction(0))
            anything = anything or any(
                added(world, work, choice, limit.measure, limit.basis, member.where)
                for work in world.works
                for choice in work.choices()
            )
            if right > 0:
                ratios.append(left / right)
        if not ratios or not anything:
            return None
        sense = row["sense"]
        loose = self.rng.choice([Fraction(1), Fraction(1), Fraction(1), Fraction(9, 10)])
        closest = {">=": min(ratios) * loose, "<=": max(ratios) / loose}
        ratio = closest.get(str(sense)) if sense != "=" else self.rng.choice(ratios)
        assert ratio is not None
        if not forced:
            ratio *= self.rng.choice([Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(11, 10), Fraction(3, 2)])
        bound = self._bound(str(sense), ratio, exact=row.get("penalty") is None and forced)
        if bound is None or (bound == 0 and sense == ">="):
            return None
        row["bound"] = bound
        return row

    def _bound(self, sense: str, ratio: Fraction, exact: bool) -> Decimal | None:
        digits = 2 if ratio < 3 else 1
        scaled = ratio * 10**digits
        if sense == "=" and exact:
            return decimal_of(ratio, 4) if (ratio * 10**4).denominator == 1 else None
        whole = floor(scaled) if sense == ">=" else ceil(scaled)
        return decimal_of(Fraction(whole, 10**digits), digits)

    def _excludes(self, rule: Row, rival: Answer | None) -> bool:
        """Whether a rule is hard and forbids the best plan there is without rules (True where there is none)."""
        if rival is None:
            return True
        return rule.get("penalty") is None and not evaluate({**self.tables, "Rules": [rule]}, rival.optimal[0]).feasible

    # The whole.

    def make(self) -> Tables:
        rng = self.rng
        self.tables = {"Round": self.round_rows(), "Sources": [], "Sectors": [{"sector": s} for s in self.sectors]}
        self.tables["Regions"] = self.region_rows()
        projects, options = self.project_rows()
        self.tables["Projects"] = projects
        if options:
            self.tables["Options"] = options
        self.tables["Criteria"] = self.criterion_rows()
        self.tables["Sources"] = self.source_rows()
        for row in self.tables["Sources"]:
            row["amount"] = Decimal(1)
        forced = self.likely(0.85)
        taken = self.witness(world_of(self.tables))
        self.fund(taken, rng.choice([0.2, 0.8]), rng.choice([4, 8, 20, 40]))
        accepted = {name for name in taken if next(p for p in projects if p["project"] == name).get("min_award") != 0}
        links = self.link_rows(accepted)
        if links:
            self.tables["Links"] = links
        rival = best(self.tables) if self.likely(0.7) else None
        rules: list[Row] = []
        for number in range(rng.choice([1, 2, 3, 4, 5])):
            rows = (self.rule_row(f"r{number + 1}", taken, forced) for _ in range(6))
            rule = next((row for row in rows if row and (number > 1 or self._excludes(row, rival))), None)
            rules += [] if rule is None else [rule]
        if rules:
            self.tables["Rules"] = rules
        return self.tables


def random_tables(rng: random.Random) -> Tables:
    """Return a small random round."""
    while True:
        tables = _Maker(rng).make()
        if tables["Projects"]:
            return tables


def tables_strategy() -> st.SearchStrategy[Tables]:
    """Return small random rounds for hypothesis; they shrink towards fewer and simpler rows."""
    return st.randoms(use_true_random=False).map(random_tables)
