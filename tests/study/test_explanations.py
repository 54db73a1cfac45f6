"""Explanations against enumeration: where decisions turn, what the other one costs, who comes and goes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from optalloc.errors import WrongUse
from optalloc.plan.plan import stated
from optalloc.plan.verdicts import Explanation, Turn
from optalloc.solve.progress import Watch
from optalloc.study.verdicts.explanations import explained
from optalloc.workbook.grid import Tables
from tests.rule_texts.oracle import Answer, best
from tests.study.verdict_rounds import (
    explain,
    is_tolerant,
    plain_tables,
    solved,
    ways,
    with_awards,
    with_bonus,
    with_budget,
    with_cells,
)

HAIR = Decimal("0.001")


def _forced(tables: Tables, project: str, *, inside: bool) -> Answer | None:
    return best(with_cells(tables, project, status="mandatory" if inside else "excluded"))


def _is_block(tables: Tables, project: str) -> bool:
    return any(row["project"] == project and row.get("min_award") == 0 for row in tables["Projects"])


def _hold_other(tables: Tables, one: Explanation, now: Answer) -> None:
    """Hold cost, displacement and score of the other decision against enumeration."""
    verdict, otherwise = one.verdict, one.otherwise
    if not verdict.is_funded and (_is_block(tables, verdict.project) or verdict.cost is None):
        assert otherwise is None
        assert one.only_way == (verdict.cost is None)
        return
    other = _forced(tables, verdict.project, inside=not verdict.is_funded)
    assert one.only_way == (other is None)
    if other is None:
        assert otherwise is None
        assert one.score is None
        return
    assert otherwise is not None
    cost = stated(now.optima[0] - other.optima[0])
    assert cost >= 0 or verdict.status != "candidate"
    assert otherwise.low == otherwise.high == otherwise.found == cost
    chosen = {project for project, award in now.optimal[0].items() if award} if len(now.optimal) == 1 else None
    if chosen is not None and now.complete and other.complete:
        then = (chosen | set(otherwise.enters)) - set(otherwise.leaves)
        then = then - {verdict.project} if verdict.is_funded else then | {verdict.project}
        assert then in [set(plan) for plan in other.optimal]
    assert set(one.displaces) == set(otherwise.enters if verdict.is_funded else otherwise.leaves)
    if verdict.status != "candidate" or is_tolerant(tables) or _is_block(tables, verdict.project):
        assert one.score is None
        return
    assert one.score is not None
    assert one.score.proven
    moved = now.optima[0] - other.optima[0]
    assert one.score.at == one.score.held == stated(verdict.worth + (-moved if verdict.is_funded else moved))
    _turns_by_a_hair(tables, one)


def _turns_by_a_hair(tables: Tables, one: Explanation) -> None:
    """A hair more or less than where the score turns, enumeration decides this way or the other."""
    assert one.score is not None
    assert one.score.at is not None
    distance = stated(Fraction(one.score.at) - one.verdict.worth)
    for bonus, expected in ((distance - HAIR, False), (distance + HAIR, True)):
        answer = best(with_bonus(tables, one.verdict.project, bonus))
        assert answer is not None
        assert ways(answer, one.verdict.project) == {expected}


def _today(tables: Tables, one: Explanation) -> tuple[Fraction, Fraction]:
    """Return the award and the budget as they are."""
    project = one.verdict.project
    rows = [row for row in tables["Projects"] if row["project"] == project]
    rows += [row for row in tables.get("Options", []) if row["project"] == project]
    most = next(Fraction(str(row["max_award"])) for row in rows if row.get("option") == one.verdict.option)
    return most, sum((Fraction(str(row["amount"])) for row in tables["Sources"]), Fraction(0))


def _changes(tables: Tables, one: Explanation) -> list[tuple[Turn | None, Callable[[Fraction], Tables]]]:
    """Return the turns by award and by budget, each with the round at another amount."""
    most, budget = _today(tables, one)
    step = next((Fraction(str(row["value"])) for row in tables["Round"] if row["setting"] == "step"), Fraction(1))
    return [
        (one.award, lambda value: with_awards(tables, one.verdict.project, value / most, step)),
        (one.budget, lambda value: _with_sum(tables, value, budget, step)),
    ]


def _with_sum(tables: Tables, value: Fraction, budget: Fraction, step: Fraction) -> Tables:
    """Return a round with all sources in proportion, in whole steps, that add up to just this."""
    for more in range(len(tables["Sources"]) + 1):
        moved = with_budget(tables, (value + more * step) / budget, step)
        if sum((Fraction(str(row["amount"])) for row in moved["Sources"]), Fraction(0)) == value:
            return moved
    raise AssertionError(f"no budget adds up to {value}")


def _hold_turns(tables: Tables, one: Explanation, step: Fraction) -> int:
    """Hold awards and budgets where the decision turns against enumeration; return how many there are."""
    project, funded = one.verdict.project, one.verdict.is_funded
    count = 0
    wholes = _today(tables, one)
    for whole, (turn, change) in zip(wholes, _changes(tables, one), strict=True):
        if turn is None:
            continue
        count += 1
        assert turn.proven
        assert turn.at == turn.found
        assert turn.at is not None
        for value, expected in ((turn.held, funded), (turn.at, not funded)):
            answer = best(change(Fraction(value)))
            assert answer is not None, (project, value)
            assert expected in ways(answer, project), (project, value)
        assert abs(Fraction(turn.at - turn.held)) <= max(step, whole / 100) + step * len(tables["Sources"])
    return count


def _explains(seed: int, most: int) -> tuple[int, int]:
    """Explain some projects of a round; return how many, and how many turns by award or budget there were."""
    tables = plain_tables(seed)
    now = best(tables)
    found = solved(tables)
    assert (now is None) == (found is None)
    if now is None or found is None:
        return 0, 0
    step = Fraction(found[0].fund.round.step)
    names = sorted(str(row["project"]) for row in tables["Projects"])[:most]
    turns = 0
    for one in explained(*found, names, Watch()):
        assert sum((line.cost for line in one.costs), Fraction(0)) == (one.verdict.cost or 0)
        assert one.given_up is None
        assert set(one.alone) <= set(one.verdict.blocked_by)
        _hold_other(tables, one, now)
        turns += _hold_turns(tables, one, step)
    return len(names), turns


@pytest.mark.parametrize("batch", range(4))
def test_explanations_are_what_enumeration_finds(batch: int) -> None:
    found = [_explains(seed, 2) for seed in range(6 * batch, 6 * batch + 6)]
    assert sum(projects for projects, _ in found) >= 4


def test_awards_and_budgets_turn_somewhere() -> None:
    assert sum(_explains(seed, 1)[1] for seed in (0, 3, 7, 12, 15)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10))
def test_explanations_of_many_rounds(batch: int) -> None:
    found = [_explains(seed, 6) for seed in range(1000 + 12 * batch, 1012 + 12 * batch)]
    assert sum(projects for projects, _ in found) >= 12


# The way of large rounds, on small ones: never solved to the end, and never wrong.


def _explained_as_large(monkeypatch: pytest.MonkeyPatch, tables: Tables, most: int) -> tuple[Explanation, ...]:
    """Explain some projects of a round as if it were large and its plan had a gap; none where it has no plan."""
    monkeypatch.setattr("optalloc.study.verdicts.forced.CORE_FROM", 1)
    found = solved(tables)
    if found is None:
        return ()
    solution, certificate = found
    solution = replace(solution, request=replace(solution.request, gap=Decimal("0.2")))
    names = sorted(str(row["project"]) for row in tables["Projects"])[:most]
    return explained(solution, certificate, names, Watch())


def test_intervals_of_large_rounds_hold_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = wide = 0
    for seed in range(25):
        tables = plain_tables(seed)
        now = best(tables)
        for one in _explained_as_large(monkeypatch, tables, 3):
            assert now is not None
            other = _forced(tables, one.verdict.project, inside=not one.verdict.is_funded)
            if one.only_way:
                assert other is None
            if one.otherwise is None or other is None:
                continue
            seen += 1
            cost = now.optima[0] - other.optima[0]
            # Bounds of the linear relaxation are the solver's, to its tolerance.
            slack = Fraction(1, 10**6) * (1 + abs(now.optima[0]))
            assert one.otherwise.low is not None
            assert one.otherwise.low <= cost + slack
            assert one.otherwise.low >= 0 or one.verdict.status != "candidate"
            assert one.otherwise.high is not None
            assert one.otherwise.high >= cost - slack
            wide += one.otherwise.low < one.otherwise.high
            if one.score is not None:
                assert one.score.at is not None
                assert one.score.found is not None
                ends = sorted((Fraction(one.score.at), Fraction(one.score.held)))
                assert ends[0] <= one.score.found <= ends[1]
                moved = now.optima[0] - other.optima[0]
                turn = one.verdict.worth + (-moved if one.verdict.is_funded else moved)
                assert ends[0] - slack <= turn <= ends[1] + slack
    assert seen > 15
    assert wide >= 2


def _hold_brackets(tables: Tables, one: Explanation) -> tuple[int, int]:
    """Hold what a large round's awards and budgets are said to prove against enumeration; return how many turns are
    proven, and how many are found.
    """
    project, funded = one.verdict.project, one.verdict.is_funded
    count = [0, 0]
    for turn, change in _changes(tables, one):
        if turn is None:
            continue
        claims = [(turn.held, funded)]
        if turn.at is not None and turn.proven:
            claims.append((turn.at, not funded))
        count[0] += turn.proven
        count[1] += turn.at is not None and not turn.proven
        for value, expected in claims:
            answer = best(change(Fraction(value)))
            assert answer is not None, (project, value)
            assert ways(answer, project) == {expected} or value == turn.held == _today(tables, one)[turn is one.budget]
        if turn.at is not None:
            assert turn.found is not None
            order = [turn.held, turn.found, turn.at]
            assert order in (sorted(order), sorted(order, reverse=True))
    return count[0], count[1]


@pytest.mark.parametrize("batch", range(3))
def test_brackets_of_large_rounds_hold_the_truth(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    found = [
        _hold_brackets(tables, one)
        for tables in map(plain_tables, range(28 + 7 * batch, 35 + 7 * batch))
        for one in _explained_as_large(monkeypatch, tables, 4)
    ]
    assert sum(proven for proven, _ in found) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(6))
def test_brackets_of_many_large_rounds_hold_the_truth(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    found = [
        (*_hold_brackets(tables, one), _hold_obstacles(tables, one))
        for tables in map(plain_tables, range(2000 + 20 * batch, 2020 + 20 * batch))
        for one in _explained_as_large(monkeypatch, tables, 6)
    ]
    assert sum(proven for proven, _, _ in found) >= 15
    assert sum(obstacles for _, _, obstacles in found) >= 3


def _without(tables: Tables, one: Explanation, name: str) -> Tables:
    """Return a round without an obstacle."""
    changed = copy.deepcopy(tables)
    kind, _, rest = name.partition(" ")
    if kind == "rule":
        changed["Rules"] = [row for row in changed["Rules"] if row["rule"] != rest.partition(" [")[0]]
    elif kind == "link":
        changed["Links"] = [row for row in changed["Links"] if row["link"] != rest]
    elif kind == "mandatory":
        return with_cells(changed, rest, status=None)
    else:
        assert name.startswith("money of "), name
        project = one.verdict.project
        rows = [*changed["Projects"], *changed.get("Options", [])]
        most = max(Decimal(str(row["max_award"])) for row in rows if row["project"] == project)
        for label in name.removeprefix("money of ").split(", "):
            source, _, year = label.partition("@")
            for row in changed["Sources"]:
                if row["source"] == source and str(row.get("year") or year) == year:
                    row["amount"] = Decimal(str(row["amount"])) + most
    return changed


def _hold_obstacles(tables: Tables, one: Explanation) -> int:
    """Hold which obstacles alone are proven to keep a project out, or not to, against enumeration; return how many."""
    verdict = one.verdict
    if verdict.is_funded or verdict.status != "candidate" or _is_block(tables, verdict.project) or one.given_up:
        return 0
    if verdict.cost is None:
        return 0
    known = [name for name in verdict.blocked_by if name not in (*one.alone_found, *one.undecided)]
    for name in known:
        answer = best(_without(tables, one, name))
        assert answer is not None
        assert ways(answer, verdict.project) != {name not in one.alone}, name
    return len(known)


def test_obstacles_of_large_rounds_hold_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [
        (one.alone, _hold_obstacles(tables, one))
        for tables in map(plain_tables, range(20, 36))
        for one in _explained_as_large(monkeypatch, tables, 4)
    ]
    assert sum(known for _, known in held) >= 8
    assert any(alone for alone, _ in held)


# Obstacles, by hand.


def _round(**sheets: list[dict[str, object]]) -> Tables:
    """Three projects of 10 each, of scores 9, 8 and 5, and 25 to give."""
    place = {"sector": "s", "region": "r", "max_award": 10}
    tables: Tables = {
        "Round": [{"setting": "title", "value": "By hand"}, {"setting": "unit", "value": "million"}],
        "Sources": [{"source": "pool", "amount": 25}],
        "Sectors": [{"sector": "s"}],
        "Regions": [{"region": "r", "belt": "west"}],
        "Projects": [
            {"project": name, **place, "score": score, "status": None} for name, score in (("a", 9), ("b", 8), ("c", 5))
        ],
        "Criteria": [{"criterion": "score", "weight": 1}],
    }
    return tables | sheets


def test_money_alone_blocks() -> None:
    (one,) = explain(_round(), "c")
    assert one.verdict.blocked_by == one.alone == ("money of pool",)
    assert one.otherwise is not None
    assert one.otherwise.found == 3
    assert one.displaces == ("b",)
    assert one.score is not None
    assert one.score.at == 8
    assert one.budget is not None
    assert [one.budget.held, one.budget.at] == [29, 30]
    assert one.award is not None
    assert [one.award.held, one.award.at] == [6, 5]
    assert "Not funded: worth 5" in one.sentence
    assert "displaces b" in one.sentence


def test_a_budget_is_what_the_sources_add_up_to() -> None:
    sources: list[dict[str, object]] = [{"source": name, "amount": 7} for name in ("one", "two", "three")]
    (one,) = explain(_round(Sources=sources), "b")
    assert one.budget is not None
    # 20 of 21 would be 6.67 of each: 18 in whole steps.
    assert [one.budget.held, one.budget.at] == [21, 18]


def test_a_rule_alone_blocks() -> None:
    rules: list[dict[str, object]] = [
        {"rule": "places", "measure": "accepted", "sense": "<=", "bound": 2, "each": "region"}
    ]
    (one,) = explain(_round(Sources=[{"source": "pool", "amount": 100}], Rules=rules), "c")
    assert one.verdict.blocked_by == one.alone == ("rule places [r]",)
    assert one.budget is None
    assert one.award is None


def test_a_rule_and_money_both_block_and_neither_alone_lets_it_in() -> None:
    rules: list[dict[str, object]] = [{"rule": "places", "measure": "accepted", "sense": "<=", "bound": 2}]
    (one,) = explain(_round(Rules=rules), "c")
    assert set(one.verdict.blocked_by) == {"rule places", "money of pool"}
    assert one.alone == ()


@pytest.mark.parametrize(
    ("link", "blocked"),
    [
        ({"kind": "excludes", "projects": "a; c"}, ("link L",)),
        ({"kind": "at_most", "projects": "a; b; c", "k": 2}, ("link L",)),
    ],
)
def test_a_link_alone_blocks(link: dict[str, object], blocked: tuple[str, ...]) -> None:
    rich = [{"source": "pool", "amount": 100}]
    (one,) = explain(_round(Sources=rich, Links=[{"link": "L", **link}]), "c")
    assert one.verdict.blocked_by == one.alone == blocked


def test_a_link_to_a_project_that_is_out_blocks() -> None:
    enough = [{"source": "pool", "amount": 30}]
    tables = _round(Sources=enough, Links=[{"link": "L", "kind": "requires", "projects": "a; d"}])
    tables["Projects"].append({**tables["Projects"][0], "project": "d", "max_award": 1000, "score": 1})
    (one,) = explain(tables, "a")
    assert one.verdict.blocked_by == one.alone == ("link L",)
    assert one.only_way
    assert "no plan has it" in one.sentence


def test_a_mandatory_competitor_blocks() -> None:
    tables = with_cells(_round(), "c", status="mandatory")
    (one,) = explain(tables, "b")
    assert set(one.verdict.blocked_by) == {"money of pool", "mandatory c"}
    assert set(one.alone) == {"money of pool", "mandatory c"}
    (linked,) = explain(
        _round(
            Sources=[{"source": "pool", "amount": 100}],
            Projects=tables["Projects"],
            Links=[{"link": "L", "kind": "excludes", "projects": "b; c"}],
        ),
        "b",
    )
    assert set(linked.verdict.blocked_by) == {"link L", "mandatory c"}


def test_an_excluded_project_is_blocked_by_its_status() -> None:
    (one,) = explain(with_cells(_round(), "a", status="excluded"), "a")
    assert one.verdict.blocked_by == one.alone == ("status excluded",)
    assert [one.score, one.award, one.budget] == [None, None, None]
    assert one.otherwise is not None
    assert one.otherwise.low == one.otherwise.high == one.otherwise.found == -4
    assert one.displaces == ("c",)
    assert "forcing it in gains 4 and displaces c" in one.sentence


def test_leaving_out_a_mandatory_project_that_crowds_out_a_better_one_is_a_gain() -> None:
    (one,) = explain(with_cells(_round(), "c", status="mandatory"), "c")
    assert one.otherwise is not None
    assert one.otherwise.low == one.otherwise.high == one.otherwise.found == -3
    assert "leaving it out gains 3 and lets in b" in one.sentence


def test_a_project_that_is_funded_displaces_who_would_come() -> None:
    (one,) = explain(_round(), "a")
    assert one.verdict.decision == "funded"
    assert one.verdict.blocked_by == ()
    assert one.displaces == ("c",)
    assert one.otherwise is not None
    assert one.otherwise.found == 4
    assert one.score is not None
    assert one.score.at == 5
    assert "leaving it out costs 4 and lets in c" in one.sentence


def test_a_block_grant_is_cut_back_by_the_money() -> None:
    tables = with_cells(_round(), "b", min_award=0)
    (one,) = explain(tables, "b")
    assert one.verdict.decision == "cut back"
    assert one.verdict.award == 5
    assert one.verdict.blocked_by == one.alone == ("money of pool",)
    assert one.score is None


def test_an_obstacle_that_gives_a_block_grant_no_more_is_not_enough_alone() -> None:
    rules: list[dict[str, object]] = [{"rule": "cap", "measure": "award", "sense": "<=", "bound": 25}]
    (one,) = explain(with_cells(_round(Rules=rules), "b", min_award=0), "b")
    assert one.verdict.award == 5
    assert set(one.verdict.blocked_by) == {"rule cap", "money of pool"}
    assert one.alone == ()


def test_a_project_that_nobody_may_pay_for() -> None:
    tables = with_cells(_round(), "c", sector="t")
    tables["Sectors"].append({"sector": "t"})
    tables["Sources"][0]["sectors"] = "s"
    tables["Rules"] = [{"rule": "places", "measure": "accepted", "sense": "<=", "bound": 1}]
    (one,) = explain(tables, "c")
    assert one.verdict.cost is None
    assert one.verdict.blocked_by == ("rule places", "no source may pay")
    assert one.sentence == "Not funded: no source may pay for it."
    assert one.only_way
    assert one.costs == ()


def test_an_unknown_project_is_named_with_its_near_ones() -> None:
    tables = _round()
    tables["Projects"][2]["project"] = "culture"
    with pytest.raises(WrongUse, match=r"no project 'cultur'\. Did you mean culture\?"):
        explain(tables, "a", "cultur")
    with pytest.raises(WrongUse, match=r"no project 'zzz'\.$"):
        explain(tables, "zzz")


def test_a_stop_keeps_what_is_done() -> None:
    found = solved(_round())
    assert found is not None
    watch = Watch()
    watch.stop("interrupted")
    (one,) = explained(*found, ["c"], watch)
    assert one.verdict.blocked_by == ("money of pool",)
    assert one.costs
    assert [one.otherwise, one.score, one.budget] == [None, None, None]
    assert one.given_up == "stopped: interrupted"
