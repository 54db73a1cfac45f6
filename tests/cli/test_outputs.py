"""What becomes of what a command writes: pipes that close, names that are no workbook's, plans without a place."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from optalloc.solve.solution import solution_of
from tests.cli.run import Cli
from tests.plan.test_verify import TABLES
from tests.support.tables import write_tables


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_tables(TABLES, tmp_path / "round.xlsx")


@pytest.mark.skipif(os.name == "nt", reason="pipes that break are a matter of POSIX")
@pytest.mark.parametrize("arguments", [["--help"], ["check", "BOOK"], ["solve", "BOOK", "--json"], ["nonsense"]])
def test_a_reader_that_goes_away_is_nobodys_fault(book: Path, arguments: list[str]) -> None:
    words = [str(book) if word == "BOOK" else word for word in arguments]
    read, write = os.pipe()
    os.close(read)  # who writes now writes to nobody
    to_err = arguments == ["nonsense"]
    try:
        ran = subprocess.run(
            [sys.executable, "-c", "from optalloc.cli.main import main; main()", *words],
            stdout=subprocess.PIPE if to_err else write,
            stderr=write if to_err else subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert ran.returncode == 141
    assert not (ran.stdout if to_err else ran.stderr)


@pytest.mark.parametrize("name", ["plan.txt", "plan", "plan.xlsm", "plan.xlsx.csv", "plan.xls"])
@pytest.mark.parametrize(
    ("command", "option"),
    [("solve", "-o"), ("prices", "--output"), ("explain", "-o"), ("check", "--annotate"), ("new", None)],
)
def test_a_name_that_is_no_workbooks_is_refused_before_anything_is_read(
    cli: Cli, tmp_path: Path, command: str, option: str | None, name: str
) -> None:
    output = tmp_path / name
    words = [command, output] if option is None else [command, tmp_path / "not_there.xlsx", option, output]
    ran = cli(*words, "--json")
    error = ran.document("error")["error"]
    assert (ran.code, error["code"]) == (2, "ending")
    assert "ends in .xlsx" in error["message"]
    assert not output.exists()


def test_a_marked_copy_is_named_like_its_workbook(cli: Cli, book: Path, tmp_path: Path) -> None:
    assert cli("check", book, "--annotate", tmp_path / "marked.XLSX").code == 0
    ran = cli("check", book.with_suffix(".xlsm"), "--annotate", tmp_path / "marked.xlsx", "--json")
    assert "ends in .xlsm" in ran.document("error")["error"]["message"]


@pytest.fixture
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("command", ["solve", "prices", "explain"])
def test_a_plan_whose_folder_vanished_meanwhile_is_kept(
    cli: Cli, book: Path, tmp_path: Path, kept_in: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    folder = tmp_path / "plans"
    folder.mkdir()

    def vanishing(*asked: object, **options: object) -> object:
        shutil.rmtree(folder, ignore_errors=True)
        return solution_of(*asked, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("optalloc.solve.overriding.solution_of", vanishing)
    ran = cli(command, book, "-o", folder / "plan.xlsx", "--json")
    error = ran.document("error")["error"]
    assert (ran.code, error["code"]) == (2, "folder_missing")
    (kept,) = kept_in.glob("optalloc-*/plan.xlsx")
    assert error["message"].endswith(f"Nothing is lost: it is kept in {kept}.")
    assert cli("verify", book, kept).code == 0


def test_a_disk_that_is_full_loses_no_plan(
    cli: Cli, book: Path, tmp_path: Path, kept_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tmp_path / "plan.xlsx"
    sync = os.fsync
    full = True

    def no_room(handle: int) -> None:
        nonlocal full
        if full:
            full = False
            raise OSError(errno.ENOSPC, "no space left")
        sync(handle)

    monkeypatch.setattr("optalloc.workbook.files.os.fsync", no_room)
    ran = cli("solve", book, "-o", plan)
    assert ran.code == 2
    told = re.sub(r"\s+", "", ran.err)
    assert "Thereisnoroomleft" in told
    (kept,) = kept_in.glob("optalloc-*/plan.xlsx")
    assert str(kept) in told
    assert not plan.exists()
    assert cli("verify", book, kept).code == 0


def test_where_nothing_can_be_written_both_reasons_are_told(
    cli: Cli, book: Path, tmp_path: Path, kept_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("optalloc.workbook.files.os.fsync", no_room)
    ran = cli("solve", book, "-o", tmp_path / "plan.xlsx", "--json")
    error = ran.document("error")["error"]
    assert (ran.code, error["code"]) == (2, "disk_full")
    assert error["message"].count("There is no room left") == 2
    assert not list(kept_in.glob("optalloc-*"))
