"""The two ways from a round to its programme, Pyomo objects or sparse pieces, hold row for row and column by column."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyomo.environ as pyo
import pytest

from integrated_fund.fund import COMPACT_FROM, CompactFund, Fund, fund_for_solving
from integrated_fund.round import Round
from optalloc.examples import EXAMPLES
from optalloc.examples.generator import generate
from optalloc.plan.plan import Plan
from optalloc.solve.arrays import Arrays, Row, arrays_of
from optalloc.solve.manifest import Request
from optalloc.solve.planning import fund_for, plan_of
from optalloc.solve.progress import Watch
from optalloc.solve.solvers.highs import write_model
from tests.rule_texts.rounds import random_tables
from tests.support.tables import round_of

BATCH = 60


class _Row(NamedTuple):
    coefficients: dict[str, float]
    lower: float
    upper: float


class _Column(NamedTuple):
    lower: float
    upper: float
    integer: bool
    decision: bool
    levels: tuple[float, ...]


def _rows(arrays: Arrays) -> dict[str, _Row]:
    """Return the rows by name, coefficients by the name of the column. No entry is 0 or stands twice."""
    names, matrix = arrays.column_names, arrays.matrix.tocsr()
    found = {}
    for number, name in enumerate(arrays.row_names):
        part = slice(matrix.indptr[number], matrix.indptr[number + 1])
        columns, data = matrix.indices[part].tolist(), matrix.data[part].tolist()
        coefficients = {names[column]: value for column, value in zip(columns, data, strict=True)}
        assert len(coefficients) == len(columns)
        assert all(data)
        found[name] = _Row(coefficients, float(arrays.row_lower[number]), float(arrays.row_upper[number]))
    assert len(found) == matrix.shape[0]
    return found


def _columns(arrays: Arrays) -> dict[str, _Column]:
    vectors = (arrays.column_lower, arrays.column_upper, arrays.integer, arrays.decision)
    columns = zip(*(vector.tolist() for vector in vectors), map(tuple, arrays.levels.T.tolist()), strict=True)
    found = dict(zip(arrays.column_names, map(_Column._make, columns), strict=True))
    assert len(found) == arrays.matrix.shape[1]
    return found


def _decisions(arrays: Arrays) -> list[tuple[str | None, str | None]]:
    names = arrays.column_names
    return [
        (names[accept] if accept >= 0 else None, names[extra] if extra >= 0 else None)
        for accept, extra in zip(arrays.accept.tolist(), arrays.extra.tolist(), strict=True)
    ]


def _rules(arrays: Arrays) -> dict[str, str]:
    return {rule: arrays.row_names[row] for rule, row in arrays.rule_rows.items()}


def _agree(readable: Arrays, compact: Arrays) -> None:
    assert _rows(readable) == _rows(compact)
    assert _columns(readable) == _columns(compact)
    assert _decisions(readable) == _decisions(compact)
    assert _rules(readable) == _rules(compact)
    # The order is one too, so that a solver goes the same way.
    assert list(readable.row_names) == list(compact.row_names)
    assert list(readable.column_names) == list(compact.column_names)
    assert readable.local.tolist() == compact.local.tolist()


def _both(round_: Round) -> tuple[Arrays, Arrays]:
    return arrays_of(Fund(round_)), arrays_of(Fund(round_, compact=True))


@pytest.mark.parametrize("batch", range(5))
def test_random_rounds_are_the_same_either_way(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        _agree(*_both(round_of(random_tables(random.Random(seed)))))


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_are_the_same_either_way(name: str) -> None:
    _agree(*_both(round_of(EXAMPLES[name]())))


def test_a_wrong_coefficient_in_any_piece_is_seen() -> None:
    round_ = round_of(generate(300, seed=5))
    readable = arrays_of(Fund(round_))
    for number in range(len(Fund(round_, compact=True).rows)):
        fund = Fund(round_, compact=True)
        assert fund.rows[number].matrix.nnz, fund.rows[number].name
        fund.rows[number].matrix.data[-1] *= 1 + 1e-9
        with pytest.raises(AssertionError):
            _agree(readable, arrays_of(fund))
    fund = Fund(round_, compact=True)
    fund.level_coefficients[0, -1] += 1e-9
    with pytest.raises(AssertionError):
        _agree(readable, arrays_of(fund))


def test_a_wrong_bound_in_any_piece_is_seen() -> None:
    round_ = round_of(generate(300, seed=5))
    readable = arrays_of(Fund(round_))
    for number in range(len(Fund(round_, compact=True).decisions)):
        fund = Fund(round_, compact=True)
        fund.decisions[number].upper[0] += 1
        with pytest.raises(AssertionError):
            _agree(readable, arrays_of(fund))


def test_the_same_plan_either_way() -> None:
    round_ = round_of(EXAMPLES["small"]())
    plans = [plan_of(Fund(round_, compact=compact), Watch()) for compact in (False, True)]
    readable, compact = plans
    assert isinstance(readable, Plan)
    assert isinstance(compact, Plan)
    assert readable == compact


def test_a_compact_model_has_nothing_for_each_project() -> None:
    fund = Fund(round_of(generate(300, seed=5)), compact=True)
    found = {component.name for component in fund.model.component_objects((pyo.Var, pyo.Constraint))}
    sources = {"pay", "carry", "class_paid", "source", "source_least", "source_carry"}
    assert found == {"zero", "cell", "rule", "short", "over", *sources}


def test_a_compact_fund_says_what_it_has_not() -> None:
    fund = Fund(round_of(EXAMPLES["small"]()), compact=True)
    project = fund.ledger.projects[0].project
    for asked in (fund.accepted, fund.award):
        with pytest.raises(CompactFund, match="formulate"):
            asked(project)
    with pytest.raises(CompactFund, match="formulate"):
        plan_of(fund, Watch(), Request(solver="scip"))


def test_decisions_and_local_rows() -> None:
    """The project side of the programme, constraints of one's own included."""
    fund = Fund(round_of(EXAMPLES["small"]()))
    first, second = (project.project for project in fund.ledger.projects[:2])
    fund.model.mine = pyo.Constraint(expr=fund.accepted(first) + fund.accepted(second) <= 1)
    fund.model.cellular = pyo.Constraint(expr=fund.accepted(first) <= fund.cells.terms(0)[0])
    arrays = arrays_of(fund)
    prefixes = tuple(name.split("_")[0] for name in arrays.column_names)
    assert [prefix in ("accept", "extra", "together") for prefix in prefixes] == arrays.decision.tolist()
    local = dict(zip(arrays.row_names, arrays.local.tolist(), strict=True))
    assert local.pop("mine")
    assert not local.pop("cellular")
    blocks = ("one_choice_", "extra_only_if_accepted_", "link_", "together_")
    assert {name: name.startswith(blocks) for name in local} == local


def test_a_variable_fixed_by_hand_stays_so() -> None:
    fund = Fund(round_of(EXAMPLES["small"]()))
    project = next(p.project for p in fund.ledger.projects if p.status == "candidate" and not p.is_block_grant)
    column = fund.awards.accepted(project)[0]
    for value in (0, 1):
        fund.variables[column].fix(value)
        plan = plan_of(fund, Watch())
        assert isinstance(plan, Plan)
        assert any(award.project == project for award in plan.awards) == bool(value)


def test_the_same_model_file_either_way(tmp_path: Path) -> None:
    for ending in ("lp", "mps"):
        texts = []
        for number, arrays in enumerate(_both(round_of(EXAMPLES["small"]()))):
            path = tmp_path / f"{number}.{ending}"
            write_model(arrays, arrays.levels[0], str(path))
            texts.append(path.read_text("utf-8"))
        assert texts[0] == texts[1]
        assert "one_choice" in texts[0]


def test_rows_added_to_the_arrays() -> None:
    arrays = arrays_of(Fund(round_of(EXAMPLES["small"]()), compact=True))
    rows, columns = arrays.matrix.shape
    one, other = np.zeros(columns), np.zeros(columns)
    one[[0, columns - 1]] = 2.0, -1.0
    other[3] = 0.5
    longer = arrays.with_rows([Row("one", one, -np.inf, 1.0), Row("other", other, 0.25, np.inf)])
    assert longer.matrix.shape == (rows + 2, columns)
    assert abs(longer.matrix[:rows] - arrays.matrix).sum() == 0
    assert longer.matrix[rows:].toarray().tolist() == [one.tolist(), other.tolist()]
    assert longer.row_lower[rows:].tolist() == [-np.inf, 0.25]
    assert longer.row_upper[rows:].tolist() == [1.0, np.inf]
    assert [*longer.row_names[:rows]] == [*arrays.row_names]
    assert [*longer.row_names[rows:]] == ["one", "other"]
    assert longer.local[rows:].tolist() == [False, False]


def test_large_rounds_are_compact_for_highs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    round_ = round_of(EXAMPLES["small"]())
    assert len(Fund(round_).ledger.choices) <= COMPACT_FROM
    assert not fund_for_solving(round_).compact
    monkeypatch.setattr("integrated_fund.fund.COMPACT_FROM", 5)
    assert fund_for_solving(round_).compact
    assert fund_for(round_, None).compact
    assert fund_for(round_, "HiGHS").compact
    assert not fund_for(round_, "scip").compact
