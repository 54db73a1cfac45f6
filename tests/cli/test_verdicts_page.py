"""The example of docs/verdicts.md is what the program prints."""

from __future__ import annotations

from pathlib import Path

from optalloc.workbook.grid import Tables
from tests.cli.run import Cli
from tests.support.tables import write_tables

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"

ROUND: Tables = {
    "Round": [{"setting": "title", "value": "Four projects"}, {"setting": "unit", "value": "million"}],
    "Sources": [{"source": "pool", "amount": 40}],
    "Sectors": [{"sector": "works"}],
    "Regions": [{"region": "gansu", "belt": "west"}, {"region": "hubei", "belt": "central"}],
    "Projects": [
        {"project": name, "sector": "works", "region": region, "max_award": award, "score": score}
        for name, region, award, score in (
            ("canal", "gansu", 10, 9),
            ("dam", "gansu", 10, 8),
            ("port", "hubei", 20, 14),
            ("school", "hubei", 15, 6),
        )
    ],
    "Criteria": [{"criterion": "score", "weight": 1}],
    "Rules": [{"rule": "west_ceiling", "measure": "award", "sense": "<=", "bound": 15, "belts": "west"}],
}


def shown(cli: Cli, folder: Path) -> str:
    """Return what `optalloc explain round.xlsx dam` prints, times left out."""
    ran = cli("explain", write_tables(ROUND, folder / "round.xlsx"), "dam")
    assert ran.code == 0
    lines = ["$ optalloc explain round.xlsx dam", *ran.out.splitlines()]
    return "\n".join(line.rstrip() for line in lines if not line.startswith("Time:")).rstrip()


def test_the_example_is_what_is_printed(cli: Cli, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = text.partition("<!-- example:begin -->\n```\n")[2].partition("\n```\n<!-- example:end -->")[0]
    assert example == shown(cli, tmp_path)
