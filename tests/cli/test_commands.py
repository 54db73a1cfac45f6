"""The commands as a user calls them: documents, tables, exit codes, files."""

from __future__ import annotations

import copy
import signal
from pathlib import Path

import pytest

from optalloc.solve.core.cores import CoreSearch
from optalloc.solve.core.groups import NoState
from optalloc.solve.record import CERTIFIED
from optalloc.solve.solvers.highs import SolverError
from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


def _changed(tmp_path: Path, sheet: str, row: int, **cells: object) -> Path:
    tables: Tables = copy.deepcopy(TABLES)
    tables[sheet][row].update(cells)
    return write_tables(tables, tmp_path / "changed.xlsx")


def test_new_check_solve_verify(cli: Cli, tmp_path: Path) -> None:
    book, plan = tmp_path / "r.xlsx", tmp_path / "p.xlsx"
    assert cli("new", book).code == 0
    assert cli("check", book).code == 0
    solved = cli("solve", book, "-o", plan)
    assert solved.code == 0
    assert "Optimal" in solved.out
    verified = cli("verify", book, plan)
    assert verified.code == 0
    assert "Verified" in verified.out


def test_the_solve_document(cli: Cli, book: Path) -> None:
    ran = cli("solve", book, "--json")
    document = ran.document("solve")
    assert (ran.code, document["status"], document["gap"]) == (0, "optimal", 0)
    awards = {row["project"]: row for row in document["awards"]}
    assert awards["P3"]["award"] == 30
    assert sum(awards["P1"]["years"].values()) == sum(awards["P1"]["sources"].values()) == awards["P1"]["award"]
    assert {row["member"] for row in document["rules"] if row["rule"] == "head"} == {"a", "b"}
    assert [row["carried"] is None for row in document["sources"]] == [False, True, False]


def test_set_changes_a_cell_for_one_run(cli: Cli, book: Path, tmp_path: Path) -> None:
    base = cli("solve", book, "--json").document("solve")
    plan = tmp_path / "p.xlsx"
    more = cli("solve", book, "--json", "--set", "Sources.pool@2030.amount=*1.5", "-o", plan).document("solve")
    assert [row["amount"] for row in more["sources"]] == [150, 60, 40]
    assert more["objective"] >= base["objective"]
    assert more["manifest"]["sets"] == ["Sources.pool@2030.amount=*1.5"]
    # verify applies the change too.
    assert cli("verify", book, plan).code == 0
    both = cli("solve", book, "--json", "--set", "Sources.pool.amount=+10").document("solve")
    assert [row["amount"] for row in both["sources"]] == [110, 70, 40]


@pytest.mark.parametrize(
    "change",
    ["Sources.pol.amount=1", "Sorces.pool.amount=1", "Sources.pool.amont=1", "nonsense", "Sources.pool.amount=*x"],
)
def test_a_change_that_names_nothing_is_wrong_use(cli: Cli, book: Path, change: str) -> None:
    ran = cli("solve", book, "--json", "--set", change)
    assert ran.code == 2
    assert ran.document("error")["error"]["code"] in ("unknown_key", "change")


def test_a_changed_cell_gets_the_same_message_as_a_typed_one(cli: Cli, book: Path) -> None:
    document = cli("solve", book, "--json", "--set", "Sources.west.amount=10.5").document("solve")
    assert document["status"] == "invalid"
    assert [(p["sheet"], p["cell"]) for p in document["problems"] if p["severity"] == "error"] == [("Sources", "C4")]


def test_an_invalid_workbook(cli: Cli, tmp_path: Path) -> None:
    book = _changed(tmp_path, "Projects", 0, max_award="sixty", region="nowhere")
    checked = cli("check", book, "--json")
    assert checked.code == 2
    errors = [p for p in checked.document("check")["problems"] if p["severity"] == "error"]
    assert {(p["sheet"], p["cell"], p["found"]) for p in errors} == {
        ("Projects", "D2", "sixty"),
        ("Projects", "C2", "nowhere"),
    }
    solved = cli("solve", book, "--json", "-o", tmp_path / "p.xlsx")
    assert (solved.code, solved.document("solve")["status"]) == (2, "invalid")
    assert not (tmp_path / "p.xlsx").exists()


def test_a_round_without_a_plan(cli: Cli, tmp_path: Path) -> None:
    book = _changed(tmp_path, "Rules", 2, rule="too_many", sense=">=", bound=6, penalty=None)
    assert cli("check", book).code == 0
    ran = cli("solve", book, "--json")
    assert (ran.code, ran.document("solve")["status"]) == (3, "infeasible")
    told = cli("solve", book)
    assert told.code == 3
    assert "too_many" in told.err


@pytest.mark.parametrize("reason", ["time limit", "memory"])
def test_a_search_stopped_without_a_plan_states_its_bound(
    cli: Cli, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """The prices are found, then time or memory runs out: no plan, no file, and a bound with its certificate."""
    best = cli("solve", book, "--json", "--gap", "0").document("solve")["objective"]

    def stop(search: CoreSearch) -> None:
        if reason == "memory":
            raise MemoryError
        search.record.watch.stop("time limit")

    monkeypatch.setattr("optalloc.solve.core.cores._growing_cores", stop)
    plan = tmp_path / "p.xlsx"
    ran = cli("solve", book, "--json", "--method", "core", "-o", plan)
    document = ran.document("solve")
    assert (ran.code, document["status"]) == (4, "unknown")
    assert not plan.exists()
    assert (document["objective"], document["gap"], document["awards"]) == (None, None, None)
    assert document["bound"] >= best
    manifest = document["manifest"]
    assert manifest["stopped"] == reason
    assert reason in manifest["reason"]
    (level,) = manifest["levels"]
    assert (level["bound"], level["optimum"]) == (document["bound"], None)
    assert level["bound_by"] == CERTIFIED
    assert float(manifest["certificate"]["bound"]) == document["bound"]
    told = cli("solve", book, "--method", "core")
    assert told.code == 4
    assert f"no plan can be worth more than {document['bound']:,.2f}"[:-1] in " ".join(told.err.split())


def test_files_are_kept_unless_forced(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "p.xlsx"
    plan.write_text("mine")
    ran = cli("solve", book, "-o", plan, "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, "exists")
    assert plan.read_text() == "mine"
    assert cli("solve", book, "-o", plan, "--force").code == 0
    assert cli("solve", book, "-o", book, "--force", "--json").document("error")["error"]["code"] == "is_input"


def test_a_plan_of_another_round_and_a_broken_plan(cli: Cli, book: Path, tmp_path: Path) -> None:
    plan = tmp_path / "p.xlsx"
    cli("solve", book, "-o", plan)
    other = _changed(tmp_path, "Sources", 0, amount=101)
    ran = cli("verify", other, plan, "--json")
    assert (ran.code, ran.document("verify")["ok"]) == (5, False)
    assert cli("verify", book, book).code == 2


def test_the_model_in_words_and_as_a_file(cli: Cli, book: Path, tmp_path: Path) -> None:
    document = cli("model", book, "--json").document("model")
    assert {row["row"] for row in document["rows"]} == {"west", "head_a", "head_b", "soft"}
    shown = cli("model", book, "--write", tmp_path / "m.lp")
    assert "45 % of the total" in shown.out
    text = (tmp_path / "m.lp").read_text()
    assert all(name in text for name in ("west:", "head_a:", "soft:"))
    assert cli("model", book, "--write", tmp_path / "m.mps").code == 0
    assert cli("model", book, "--write", tmp_path / "m.txt").code == 2


def test_another_solver_reaches_the_same_optimum(cli: Cli, book: Path) -> None:
    highs = cli("solve", book, "--json").document("solve")
    scip = cli("solve", book, "--json", "--solver", "scip").document("solve")
    assert scip["objective"] == highs["objective"]
    assert cli("solve", book, "--json", "--solver", "nosuch").document("error")["error"]["code"] == "solver"


@pytest.mark.parametrize("arguments", [[], ["solve"], ["solve", "x.xlsx", "--nonsense"], ["nonsense"]])
def test_wrong_use(cli: Cli, arguments: list[str]) -> None:
    ran = cli(*arguments, "--json")
    assert ran.code == 2
    assert ran.document("error")["error"]["code"] == "usage"


@pytest.mark.parametrize("gap", ["2", "-1", "x", "NaN", "%", "0.01%%", "1e-10", "1e-400"])
def test_a_gap_that_is_no_share(cli: Cli, book: Path, gap: str) -> None:
    assert cli("solve", book, "--json", f"--gap={gap}").document("error")["error"]["code"] == "gap"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--time-limit", "0"], "time_limit"),
        (["--time-limit", "-3"], "usage"),
        (["--time-limit", "nan"], "usage"),
        (["--method", "core", "--solver", "scip"], "method"),
        (["--method", "cores"], "usage"),
    ],
)
def test_options_that_cannot_be_followed(cli: Cli, book: Path, tmp_path: Path, arguments: list[str], code: str) -> None:
    ran = cli("solve", book, "--json", "-o", tmp_path / "p.xlsx", *arguments)
    assert (ran.code, ran.document("error")["error"]["code"]) == (2, code)
    assert not (tmp_path / "p.xlsx").exists()


@pytest.mark.parametrize("where", ["optalloc.workbook.reader.open_workbook", "optalloc.solve.planning.fund_for"])
def test_memory_that_runs_out_before_the_search_is_one_sentence(
    cli: Cli, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(where, greedy)
    ran = cli("solve", book, "-o", tmp_path / "p.xlsx")
    assert ran.code == 2
    assert "not enough memory" in " ".join(ran.err.split())
    assert ran.err.count("\n") <= 2
    assert not (tmp_path / "p.xlsx").exists()


@pytest.mark.parametrize("where", ["optalloc.workbook.reader.open_workbook", "optalloc.solve.planning.fund_for"])
def test_ctrl_c_before_the_search_ends_at_once(
    cli: Cli, book: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(where, interrupted)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as a new process has it
    ran = cli("solve", book, "--json")
    assert (ran.code, ran.document("error")["error"]["code"]) == (4, "interrupted")


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (None, "the linear relaxation has no solution"),
        (NoState("a group of linked projects has no state"), "a group of linked projects has no state"),
        (SolverError("HiGHS ended with status kUnknown"), "the solver failed: HiGHS ended with status kUnknown"),
    ],
)
def test_where_the_core_way_cannot_go_the_direct_way_does_and_the_manifest_says_why(
    cli: Cli, book: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None, says: str
) -> None:
    best = cli("solve", book, "--json", "--gap", "0").document("solve")["objective"]

    def cannot(*_: object, **__: object) -> None:
        if trouble is not None:
            raise trouble

    place = "Pricing" if isinstance(trouble, NoState) else "priced"
    monkeypatch.setattr(f"optalloc.solve.core.cores.{place}", cannot)
    ran = cli("solve", book, "--json", "--method", "core")
    document = ran.document("solve")
    assert (ran.code, document["objective"]) == (0, best)
    assert document["manifest"]["levels"][0]["way"] == f"core, then direct ({says})"


def test_help_has_examples(cli: Cli) -> None:
    for command in ("new", "check", "solve", "verify", "model"):
        ran = cli(command, "--help")
        assert ran.code == 0
        assert "Example" in ran.out
