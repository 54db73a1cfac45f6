"""Limits and honesty: a stopped search says so, keeps its plan, and never claims more than it proved."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from integrated_fund.fund import Fund
from optalloc.examples.generator import generate
from optalloc.plan.verify import verify
from optalloc.solve.manifest import Request
from optalloc.solve.planning import NoPlan, plan_of
from optalloc.solve.progress import Progress, Watch
from tests.solve.test_second_solver import middling_round
from tests.support.tables import round_of, write_tables


@pytest.fixture(scope="module")
def tight() -> Fund:
    return Fund(round_of(generate(400, seed=3, tightness=1.0)))


def test_a_time_limit_is_kept_and_said(tight: Fund) -> None:
    began = time.monotonic()
    result = plan_of(tight, Watch(4.0))
    assert time.monotonic() - began < 12
    if isinstance(result, NoPlan):
        assert result.status == "unknown"
    else:
        assert result.status == ("feasible" if result.manifest["stopped"] else "optimal")
        assert verify(tight.round, result).ok


def test_no_time_at_all_is_no_plan(tight: Fund) -> None:
    result = plan_of(tight, Watch(0.0))
    assert isinstance(result, NoPlan)
    assert result.status == "unknown"


def test_ctrl_c_keeps_the_best_plan(tmp_path: Path) -> None:
    """A first Ctrl-C ends the search with its plan: written, marked as stopped, exit code 4."""
    book = write_tables(generate(1500, seed=3, tightness=1.0), tmp_path / "round.xlsx")
    plan = tmp_path / "plan.xlsx"
    command = [sys.executable, "cli.py", "solve", str(book), "-o", str(plan), "--gap", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as running:
        time.sleep(20)
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=30)
    document = json.loads(printed)
    assert running.returncode == 4
    assert document["status"] in ("feasible", "unknown")
    if document["status"] == "feasible":
        assert document["manifest"]["stopped"] == "interrupted"
        assert document["bound"] >= document["objective"]
        assert plan.exists()
    else:
        assert not plan.exists()


def test_progress_only_gets_better() -> None:
    heard: list[Progress] = []
    plan_of(Fund(middling_round(3)), Watch(60, heard.append))
    best = [p.best for p in heard if p.best is not None]
    assert best
    assert best == sorted(best)


def test_a_search_without_memory_keeps_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory runs out in the last stage, after acceptances and exact awards have given a plan."""

    def greedy(*_: object) -> bool:
        raise MemoryError

    monkeypatch.setattr("optalloc.solve.direct._whole", greedy)
    fund = Fund(round_of(generate(400, seed=3, tightness=0)))
    result = plan_of(fund, Watch(), Request(Decimal(0), "direct"))
    assert not isinstance(result, NoPlan)
    assert result.manifest["stopped"] == "memory"
    assert result.status == "feasible"
    assert verify(fund.round, result).ok


@pytest.mark.parametrize("asked_twice", [False, True])
def test_interrupted_between_two_runs_a_search_keeps_its_plan(
    monkeypatch: pytest.MonkeyPatch, asked_twice: bool
) -> None:
    watch = Watch()

    def interrupt(*_: object) -> bool:
        if asked_twice:
            watch.stop("interrupted")
        raise KeyboardInterrupt

    monkeypatch.setattr("optalloc.solve.direct._whole", interrupt)
    fund = Fund(round_of(generate(400, seed=3, tightness=0)))
    if asked_twice:
        with pytest.raises(KeyboardInterrupt):
            plan_of(fund, watch, Request(Decimal(0), "direct"))
        return
    result = plan_of(fund, watch, Request(Decimal(0), "direct"))
    assert not isinstance(result, NoPlan)
    assert (result.status, result.manifest["stopped"]) == ("feasible", "interrupted")
    assert verify(fund.round, result).ok


def test_ties_that_memory_does_not_suffice_to_break_keep_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("optalloc.solve.tie_break._decide_acceptances", greedy)
    result = plan_of(Fund(middling_round(3)), Watch(60), Request(Decimal(0)))
    assert not isinstance(result, NoPlan)
    assert (result.status, result.manifest["stopped"]) == ("optimal", "memory")
    tie_break = result.manifest["tie_break"]
    assert isinstance(tie_break, dict)
    assert (tie_break["complete"], tie_break["reason"]) == (False, "it was stopped: memory")


def test_a_system_without_room_for_a_thread_is_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    result = plan_of(Fund(middling_round(3)), Watch(60))
    assert isinstance(result, NoPlan)
    assert (result.status, result.manifest["stopped"]) == ("unknown", "memory")
