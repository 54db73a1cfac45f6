"""ASCII names of rows."""

from __future__ import annotations

from integrated_fund.names import ascii_name, distinct_names


def test_names_are_ascii_and_say_what_they_can() -> None:
    assert ascii_name("west_floor [gansu]") == "west_floor_gansu"
    assert ascii_name("西部") == "u897fu90e8"
    assert ascii_name("Ärzte 2") == "Arzte_2"
    assert ascii_name("[]") == "x"


def test_equal_names_are_told_apart_also_by_case() -> None:
    assert distinct_names(["a b", "a_b", "A B"]) == ["a_b", "a_b_2", "A_B_3"]
