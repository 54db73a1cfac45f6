"""The answers of the worked example are what the program says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.run import Cli

PAGE = Path(__file__).parents[2] / "docs" / "worked-example.md"


def _shown(block: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    inner = text.partition(f"<!-- {block}:begin -->\n```\n")[2].partition(f"\n```\n<!-- {block}:end -->")[0]
    return inner.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("block", ["explain", "floor"])
def test_the_answers(cli: Cli, tmp_path: Path, block: str) -> None:
    book = tmp_path / "round.xlsx"
    assert cli("new", book, "--example", "national").code == 0
    command, *lines = _shown(block)
    words = command.removeprefix("$ optalloc ").split()
    printed = cli(*(book if word == "round.xlsx" else word for word in words)).out.splitlines()
    assert len(lines) > 3
    for line in lines:
        assert line == "…" or line in printed
