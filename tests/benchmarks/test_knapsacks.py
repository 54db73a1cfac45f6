"""Knapsack files read, and what a knapsack's round is worth."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from benchmarks.knapsacks import Knapsack, knapsack_round, knapsacks_in, known_in, ours

_ONE = "3 2 11\n 7 5\n 6\n 4 3 2\n 1 2\n 3\n 5 4\n"
_SMALL = Knapsack("5.2", (10, 7, 4, 9, 3), ((5, 4, 1, 6, 2), (2, 3, 3, 1, 1)), (10, 6), 0)


def _written(folder: Path, text: str) -> Path:
    path = folder / "some.dat"
    path.write_text(text)
    return path


def test_a_file_of_one_problem(tmp_path: Path) -> None:
    (found,) = knapsacks_in(_written(tmp_path, _ONE))
    assert found == Knapsack("some", (7, 5, 6), ((4, 3, 2), (1, 2, 3)), (5, 4), 11)


def test_a_file_with_a_count_names_its_problems_by_size_and_position(tmp_path: Path) -> None:
    first, second = knapsacks_in(_written(tmp_path, f"2\n{_ONE}{_ONE.replace('11', '0')}"))
    assert (first.name, second.name) == ("2.3-00", "2.3-01")
    assert (first.known, second.known) == (11, 0)
    assert second.capacities == (5, 4)


@pytest.mark.parametrize("text", ["", "0", _ONE + "9", f"2\n{_ONE}", _ONE[:-2], "1 2.5 3", f"1\n{_ONE} 4"])
def test_other_layouts_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"laid out|ends early|no whole number"):
        knapsacks_in(_written(tmp_path, text))


def test_values_known_are_read_from_a_names_first_line(tmp_path: Path) -> None:
    text = "Name   Value\n\n5.100-00    24381\n5.100-01 24274\n\nName LP\n5.100-00   2.45e+04\n5.100-01 1\n"
    assert known_in(_written(tmp_path, text)) == {"5.100-00": 24381, "5.100-01": 24274}


def test_a_knapsacks_round_is_worth_its_best_filling() -> None:
    fillings = [
        sum(itertools.compress(_SMALL.profits, x))
        for x in itertools.product((0, 1), repeat=5)
        if all(sum(itertools.compress(row, x)) <= c for row, c in zip(_SMALL.weights, _SMALL.capacities, strict=True))
    ]
    found = ours(knapsack_round(_SMALL), 20)
    assert found["best"] == max(fillings)
    assert found["gap"] == 0
    assert found["status"] == "optimal"
