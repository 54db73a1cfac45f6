"""What the page on diagnosis shows is what the command prints."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from optalloc.examples import EXAMPLES
from optalloc.study.diagnosis.authority import WEIGHTS, rank_of
from tests.cli.run import Cli
from tests.support.tables import write_tables

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"


def test_the_page_shows_what_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tables = EXAMPLES["small"]()
    assert tables["Rules"][0]["rule"] == "favoured_belts"
    tables["Rules"][0]["bound"] = Decimal("0.95")
    # The columns of the template, which has more of them.
    columns = ["rule", "title", "measure", "basis", "each", "per", "sense", "bound"]
    tables["Rules"] = [{c: row.get(c) for c in columns} | row for row in tables["Rules"]]
    write_tables(tables, tmp_path / "round.xlsx")
    monkeypatch.chdir(tmp_path)
    ran = Cli(monkeypatch, capsys)("diagnose", "round.xlsx")
    printed = "\n".join(line.rstrip() for line in ran.out.strip().splitlines())
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition("<!-- output:begin -->\n```\n$ optalloc diagnose round.xlsx\n")[2]
    assert shown.partition("\n```\n<!-- output:end -->")[0] == printed


def test_the_page_has_the_weights() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for rank, weight in WEIGHTS.items():
        assert f"| {rank} | {weight:,} |" in text
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in ("guideline", "regulation", "law"):
            for word in cells[2].replace(";", ",").split(","):
                assert rank_of(word.strip()) == cells[0], word
