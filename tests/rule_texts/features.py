"""What a batch of rounds exercises, so that agreement on it means something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from optalloc.workbook.grid import Tables
from tests.rule_texts.cells import COLUMNS, number, parts, world_of
from tests.rule_texts.oracle import Answer, best, evaluate

#: Every feature a batch of random rounds should have in a tenth of its rounds.
EXPECTED = frozenset(
    [
        "feasible", "infeasible", "binding rule", "rule without slack", "violated soft rule", "several optima",
        "one year, no year", "one year, named", "several years", "discount", "step other than 1",
        "decimal awards", "weighted", "lexicographic", "equal priorities", "tolerance", "several levels",
        "several sources", "least", "carry_over", "fractional carry_over", "carry needed", "source filter",
        "source !filter", "several regions", "three thirds", "category", "institution", "several tags",
        "mandatory", "excluded", "block grant", "variable award", "all or nothing", "start window", "profile",
        "zero share", "start not offered", "option", "variable option", "blank measure on option", "cofunding",
        "criterion min", "criterion filter", "criterion basis",
        *(f"criterion on {measure}" for measure in ("award", "accepted", "cofunding", "column")),
        *(f"rule on {measure}" for measure in ("award", "accepted", "cofunding", "column")),
        *(f"rule sense {sense}" for sense in (">=", "<=", "=")),
        *(f"rule of {of}" for of in ("blank", "total", "funds", "average", "attribute")),
        *(f"rule each {each}" for each in COLUMNS.values()),
        *(f"rule filter {column}" for column in COLUMNS),
        "rule per", "rule within", "rule within each", "rule penalty", "hard rule", "rule basis", "rule !filter",
        *(f"link {kind}" for kind in ("requires", "excludes", "all_or_none", "at_least", "at_most")),
        "positive synergy", "negative synergy", "synergy reached", "synergy discounted",
    ]
)  # fmt: skip


def _money(tables: Tables) -> set[str]:
    found = set()
    rows = tables["Sources"]
    for row in rows:
        carry_over = number(row.get("carry_over"))
        found |= {"least"} if number(row.get("least")) else set()
        found |= {"carry_over"} if carry_over else set()
        found |= {"fractional carry_over"} if carry_over and carry_over < 1 else set()
        for column in COLUMNS:
            found |= {"source filter"} if row.get(column) else set()
            found |= {"source !filter"} if "!" in str(row.get(column)) else set()
    return found | ({"several sources"} if len({row["source"] for row in rows}) > 1 else set())


def _projects(tables: Tables) -> set[str]:
    found = set()
    for row in tables["Projects"]:
        places = parts(row["region"])
        found |= {"several regions"} if len(places) > 1 else set()
        found |= {"three thirds"} if "0.333" in str(row["region"]) else set()
        found |= {column for column in ("category", "institution") if row.get(column)}
        found |= {"several tags"} if len(parts(row.get("tags"))) > 1 else set()
        found |= {str(row["status"])} & {"mandatory", "excluded"} if row.get("status") else set()
        least = number(row.get("min_award"))
        found |= {"all or nothing" if least is None else "block grant" if least == 0 else "variable award"}
        profile = parts(row.get("profile"))
        found |= {"profile"} if len(profile) > 1 else set()
        found |= {"zero share"} if "0" in profile else set()
        found |= {"cofunding"} if row.get("cofunding") is not None else set()
        found |= {"decimal awards"} if Fraction(str(row["max_award"])).denominator > 1 else set()
    for row in tables.get("Options", []):
        found |= {"option"} | ({"variable option"} if row.get("min_award") is not None else set())
        found |= {"blank measure on option"} if row.get("score") is None or row.get("people") is None else set()
    for work in world_of(tables).works:
        found |= {"start window"} if len(work.starts) > 1 else set()
    for work, row in zip(world_of(tables).works, tables["Projects"], strict=True):
        found |= {"start not offered"} if row.get("start_to") and row["start_to"] != work.starts[-1] else set()
    return found


def _measure(row: dict[str, object], own: object) -> str:
    measure = str(row.get("measure") or own)
    return measure if measure in {"award", "accepted", "cofunding"} else "column"


def _criteria(tables: Tables) -> set[str]:
    rows = tables["Criteria"]
    found = set()
    for row in rows:
        found.add(f"criterion on {_measure(row, row['criterion'])}")
        found |= {"criterion min"} if row.get("direction") == "min" else set()
        found |= {"criterion filter"} if any(row.get(column) for column in COLUMNS) else set()
        found |= {"criterion basis"} if row.get("basis") else set()
    levels = [row["priority"] for row in rows if row.get("priority") is not None]
    found |= {"equal priorities"} if len(set(levels)) < len(levels) else set()
    found |= {"several levels"} if len(set(levels)) > 1 else set()
    highest = max((number(level) or 0 for level in levels), default=0)
    earlier = [row for row in rows if number(row.get("priority")) != highest]
    found |= {"tolerance"} if any(row.get("tolerance") for row in earlier) else set()
    return found


def _rules(tables: Tables) -> set[str]:
    found = set()
    for row in tables.get("Rules", []):
        of = row.get("of") or "blank"
        found.add(f"rule of {of if of in {'blank', 'total', 'funds', 'average'} else 'attribute'}")
        found |= {f"rule on {_measure(row, None)}", f"rule sense {row['sense']}"}
        found |= {f"rule each {row['each']}"} if row.get("each") else set()
        found |= {f"rule filter {column}" for column in COLUMNS if row.get(column)}
        found |= {"rule !filter"} if any("!" in str(row.get(column)) for column in COLUMNS) else set()
        found |= {"rule per"} if row.get("per") and of == "blank" else set()
        found |= {"rule basis"} if row.get("basis") else set()
        within = {COLUMNS[column] for column in parts(row.get("within"))}
        found |= {"rule within"} if within else set()
        found |= {"rule within each"} if row.get("each") in within else set()
        found.add("hard rule" if row.get("penalty") is None else "rule penalty")
    return found


def _links(tables: Tables) -> set[str]:
    rows = tables.get("Links", [])
    found = {f"link {row['kind']}" for row in rows if row["kind"] != "synergy"}
    values = [number(row.get("value")) or 0 for row in rows if row["kind"] == "synergy"]
    return found | {"positive synergy" if value > 0 else "negative synergy" for value in values}


def _better(tables: Tables, answer: Answer) -> bool:
    """Whether the optimum would be better without the hard rules."""
    soft = [row for row in tables.get("Rules", []) if row.get("penalty") is not None]
    freed = best({**tables, "Rules": soft})
    return freed is not None and freed.optima > answer.optima


def _without_carrying(tables: Tables) -> Tables:
    return {**tables, "Sources": [{**row, "carry_over": None} for row in tables["Sources"]]}


def _outcome(tables: Tables, answer: Answer) -> set[str]:
    decisions = answer.optimal[0]
    result = evaluate(tables, decisions)
    found = {"feasible"} | ({"binding rule"} if _better(tables, answer) else set())
    if any(rule.penalty is None and rule.activity == rule.bound != 0 for rule in result.rules):
        found.add("rule without slack")
    found |= {"violated soft rule"} if any(rule.violation for rule in result.rules) else set()
    found |= {"several optima"} if len(answer.optimal) > 1 else set()
    found |= set() if evaluate(_without_carrying(tables), decisions).feasible else {"carry needed"}
    for row in tables.get("Links", []):
        if row["kind"] == "synergy" and set(parts(row["projects"])) <= set(decisions):
            found.add("synergy reached")
            world = world_of(tables)
            late = any(world.factor(decisions[project][1]) != 1 for project in parts(row["projects"]))
            found |= {"synergy discounted"} if late else set()
    return found


def features(tables: Tables, answer: Answer | None) -> set[str]:
    """Return the names of everything a round has in it, and of how its optimum stands."""
    settings = {str(row["setting"]): row["value"] for row in tables["Round"]}
    several = (number(settings.get("years")) or 1) > 1
    found = {"several years" if several else "one year, named" if "first_year" in settings else "one year, no year"}
    found |= {"lexicographic" if settings.get("method") == "lexicographic" else "weighted"}
    found |= {"discount"} if several and settings.get("discount") else set()
    found |= {"step other than 1"} if settings.get("step", 1) != 1 else set()
    found |= _money(tables) | _projects(tables) | _criteria(tables) | _rules(tables) | _links(tables)
    return found | ({"infeasible"} if answer is None else _outcome(tables, answer))


def shares(rounds: Iterable[tuple[Tables, Answer | None]]) -> dict[str, float]:
    """Return in which share of the rounds each feature occurs, the rarest first."""
    count: Counter[str] = Counter(dict.fromkeys(EXPECTED, 0))
    total = 0
    for tables, answer in rounds:
        total += 1
        count.update(features(tables, answer))
    return {name: times / total for name, times in sorted(count.items(), key=lambda item: item[1])}
