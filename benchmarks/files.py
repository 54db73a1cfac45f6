"""Reading, checking and writing a large round against the bare libraries on the same cells; prints a table row.

    .venv/bin/python benchmarks/files.py [--projects 100000] [--runs 3] [--folder FOLDER]
    .venv/bin/python benchmarks/files.py --part optalloc|libraries ROUND.xlsx PLAN.xlsx

A `loose` round is written and solved once, untimed. Then, in turn and each in a process of its own, optalloc reads and
checks the workbook and writes the plan workbook, and the libraries do the bare minimum: python-calamine takes every
cell of the same workbook as a Python value, xlsxwriter writes every cell of the plan workbook's tables (values, no
styles, no formulas) row by row in constant memory. Both run with the garbage collector paused. `--part` is one of these
processes; it prints one line of JSON. Its peak memory counts the plan that is written, not a search for it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import xlsxwriter
from python_calamine import CalamineWorkbook

from benchmarks.shapes import loose, write
from integrated_fund.collector import collector_paused
from optalloc.workbook.plan_reader import read_plan
from optalloc.workbook.plan_writer import write_plan
from optalloc.workbook.reading import read_and_check

ROOT = Path(__file__).parents[1]
STEPS = ("read", "write")

Cells = list[list[object]]


def optalloc_part(book: Path, plan_file: Path, output: Path) -> dict[str, float]:
    """Read and check a round, write its plan; return the seconds of both."""
    began = time.perf_counter()
    round_ = read_and_check(book).round
    read = time.perf_counter() - began
    assert round_ is not None
    plan = read_plan(plan_file)
    began = time.perf_counter()
    write_plan(plan, round_, output, force=True)
    return {"read": read, "write": time.perf_counter() - began}


def libraries_part(book: Path, plan_file: Path, output: Path) -> dict[str, float]:
    """Take every cell of a round's workbook, write every cell of a plan's tables; return the seconds of both."""
    with collector_paused():
        began = time.perf_counter()
        sheets = _cells_of(book)
        read = time.perf_counter() - began
        del sheets
        tables = _cells_of(plan_file)
        began = time.perf_counter()
        _write_cells(tables, output)
        return {"read": read, "write": time.perf_counter() - began}


def _cells_of(book: Path) -> dict[str, Cells]:
    opened = CalamineWorkbook.from_path(str(book))
    return {name: opened.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in opened.sheet_names}


def _write_cells(tables: dict[str, Cells], output: Path) -> None:
    with xlsxwriter.Workbook(str(output), {"constant_memory": True}) as book:
        for name, rows in tables.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, float):
                        sheet.write_number(number, column, value)
                    elif value != "":
                        sheet.write_string(number, column, str(value))


def measured(part: str, book: Path, plan_file: Path) -> dict[str, float]:
    """Run one part in a process of its own; return its seconds and the peak of its memory in MiB."""
    command = [sys.executable, __file__, "--part", part, str(book), str(plan_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _row(projects: int, runs: list[tuple[dict[str, float], dict[str, float]]]) -> str:
    def median(side: int, key: str) -> float:
        return statistics.median(run[side][key] for run in runs)

    def ratio(*steps: str) -> float:
        return statistics.median(sum(ours[s] for s in steps) / sum(bare[s] for s in steps) for ours, bare in runs)

    said = [
        f"read {median(side, 'read'):.1f} s, write {median(side, 'write'):.1f} s, {median(side, 'peak_mib'):.0f} MiB"
        for side in (0, 1)
    ]
    ratios = f"{ratio(*STEPS):.2f} (read {ratio('read'):.2f}, write {ratio('write'):.2f})"
    return f"| {projects:,} projects, workbook in, plan workbook out | {said[0]} | {said[1]} | {ratios} |"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="with --part: the round and its plan")
    parser.add_argument("--part", choices=["optalloc", "libraries"], help="one part alone, in this process")
    parser.add_argument("--projects", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where round and plan are kept for the next time")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if asked.part is not None:
            book, plan_file = asked.files
            part = optalloc_part if asked.part == "optalloc" else libraries_part
            seconds = part(book, plan_file, Path(scratch) / "written.xlsx")
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(json.dumps({**seconds, "peak_mib": peak}))
            return
        folder = asked.folder or Path(scratch)
        book, plan_file = folder / "round.xlsx", folder / "plan.xlsx"
        if not book.exists():
            with collector_paused():
                write(loose(asked.projects), folder, parquet=False)
        if not plan_file.exists():
            command = [sys.executable, str(ROOT / "cli.py"), "solve", str(book), "-o", str(plan_file), "--gap", "1%"]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        runs = [
            (measured("optalloc", book, plan_file), measured("libraries", book, plan_file)) for _ in range(asked.runs)
        ]
        print("| what | optalloc | libraries alone | ratio |\n| --- | --- | --- | --- |")
        print(_row(asked.projects, runs))


if __name__ == "__main__":
    main()
