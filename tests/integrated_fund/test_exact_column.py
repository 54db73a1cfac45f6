"""Exact columns against plain fractions, at the borders of 64 bits too."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrated_fund.exact_column import ExactColumn

BORDERS = [0, 1, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1, 2**63, 2**64, 10**30]
integers = st.one_of(
    st.integers(-1000, 1000),
    st.integers(-(2**70), 2**70),
    st.sampled_from([sign * border for border in BORDERS for sign in (1, -1)]),
)
denominators = st.one_of(st.integers(1, 40), st.sampled_from([10**4, 103**5, 2**53 + 1, 2**63 - 1, 10**25]))
fractions = st.builds(Fraction, integers, denominators)
decimals = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9),
    st.sampled_from([Decimal("1E+5"), Decimal("2.500"), Decimal("1E-20"), Decimal("1E+120"), Decimal(0)]),
)
small = st.builds(Fraction, st.integers(-(10**6), 10**6), st.integers(1, 50))
rows = st.one_of(st.lists(small, max_size=12), st.lists(fractions, max_size=12))


def columns(values: list[Fraction]) -> list[ExactColumn]:
    """The same values in the forms a column can have."""
    of = ExactColumn.of(values)
    numerators = np.array([value.numerator * 6 for value in values], dtype=object)
    unreduced = ExactColumn(numerators, [value.denominator * 6 for value in values] or (1,), np.arange(len(values)))
    return [of, unreduced, of.reduced(), of.on_one_denominator()]


@given(rows)
def test_the_values_come_back(values: list[Fraction]) -> None:
    for column in columns(values):
        assert list(column) == values
        assert [column[row] for row in range(len(column))] == values
        assert list(column[1:]) == values[1:]
        assert column.distinct() == set(values)
        assert column.nonzero.tolist() == [value != 0 for value in values]


@given(rows)
def test_floats_are_the_nearest(values: list[Fraction]) -> None:
    for column in columns(values):
        assert column.floats.tolist() == [float(value) for value in values]


@given(st.lists(decimals, max_size=12))
def test_decimals(values: list[Decimal]) -> None:
    assert list(ExactColumn.of_decimals(values)) == [Fraction(value) for value in values]


@given(st.data(), rows)
def test_rows_are_taken(data: st.DataObject, values: list[Fraction]) -> None:
    places = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=20)) if values else []
    for column in columns(values):
        assert list(column.take(np.array(places, dtype=np.int64))) == [values[place] for place in places]


@given(st.data(), rows)
def test_products(data: st.DataObject, values: list[Fraction]) -> None:
    many = len(values)
    others = data.draw(st.lists(st.one_of(small, fractions), min_size=many, max_size=many))
    whole = data.draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=many, max_size=many))
    factor = data.draw(fractions)
    divisors = data.draw(
        st.lists(st.one_of(st.integers(1, 9), st.integers(1, 2**63 - 1)), min_size=many, max_size=many)
    )
    for column in columns(values):
        for other in columns(others):
            assert list(column.times(other)) == [a * b for a, b in zip(values, others, strict=True)]
        products = column.times(np.array(whole, dtype=np.int64))
        assert list(products) == [a * b for a, b in zip(values, whole, strict=True)]
        assert list(column.scaled(factor)) == [value * factor for value in values]
        quotients = column.divided_by(np.array(divisors, dtype=np.int64))
        assert list(quotients) == [a / b for a, b in zip(values, divisors, strict=True)]


@given(st.data(), rows)
def test_some_rows_replaced(data: st.DataObject, values: list[Fraction]) -> None:
    places = data.draw(st.lists(st.integers(0, len(values) - 1), unique=True)) if values else []
    others = data.draw(st.lists(fractions, min_size=len(places), max_size=len(places)))
    expected = list(values)
    for place, other in zip(places, others, strict=True):
        expected[place] = other
    for column, replacing in zip(columns(values), columns(others), strict=True):
        assert list(column.with_rows(np.array(places, dtype=np.int64), replacing)) == expected


@given(rows)
def test_whole_parts(values: list[Fraction]) -> None:
    whole = [floor(value) for value in values]
    for column in columns(values):
        if all(-(2**63) <= number < 2**63 for number in whole):
            assert column.floor().tolist() == whole
        else:
            with pytest.raises(OverflowError):
                column.floor()


@given(st.data(), rows)
def test_sums(data: st.DataObject, values: list[Fraction]) -> None:
    size = data.draw(st.integers(1, 5))
    many = len(values)
    groups = data.draw(st.lists(st.integers(0, size - 1), min_size=many, max_size=many))
    sets = data.draw(st.lists(st.lists(st.booleans(), min_size=size, max_size=size), min_size=1, max_size=4))
    by_group = [sum((v for v, g in zip(values, groups, strict=True) if g == n), Fraction(0)) for n in range(size)]
    own = np.array(groups, dtype=np.int64)
    for column in columns(values):
        assert list(column.sum_by(own, size)) == by_group
        assert column.sums_over(own, np.array(sets, dtype=np.bool_)) == [
            sum((value for value, inside in zip(by_group, members, strict=True) if inside), Fraction(0))
            for members in sets
        ]


def test_a_sum_beyond_64_bits_of_numbers_that_fit() -> None:
    for value in (2**62, -(2**62), 2**63 - 1, -(2**63), 2**40):
        column = ExactColumn(np.full(1000, value, dtype=np.int64))
        assert column.numerators.dtype == np.int64
        assert list(column.sum_by(np.zeros(1000, dtype=np.int64), 1)) == [1000 * value]


def test_what_fits_stays_in_64_bits() -> None:
    column = ExactColumn(np.array([10**6, -(10**6)])).times(np.array([10**12, 10**12]))
    assert column.numerators.dtype == np.int64
    beyond = column.times(column)
    assert beyond.numerators.dtype == object
    assert list(beyond) == [10**36, 10**36]


def test_a_constant() -> None:
    column = ExactColumn.constant(Fraction(-7, 3), 4)
    assert list(column) == [Fraction(-7, 3)] * 4
    assert column.floats.tolist() == [-7 / 3] * 4


def test_nothing_is_divided_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        ExactColumn.of([1, 2]).divided_by(np.array([3, 0]))
