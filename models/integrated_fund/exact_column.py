r"""Exact numbers by the million: a column of fractions held as arrays of integers.

    value[i] = numerators[i] / denominators[which[i]]

Numerators are 64-bit integers; where a number, or what a product or a sum of them could come to, does not fit, they are
Python's integers of any size in an array of objects. Sizes are looked at before every operation, so nothing overflows
unseen. Shares and amounts have one denominator for the whole column (a power of ten), values for each step of award
as many as there are largest awards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal, Inexact, Rounded, localcontext
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, overload

import numpy as np
import numpy.typing as npt

#: int64, or Python's integers in an array of objects.
Integers = npt.NDArray[Any]
Index = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FITS = 2**63
#: Integers below this are doubles exactly, so that one division of two of them is rounded correctly.
_DOUBLE = 2**53
_LIMB = 32
_EXACT = Context(prec=100, traps=[Inexact, Rounded])


class ExactColumn(Sequence[Fraction]):
    """Fractions, one for each row. Nothing in it changes.

    Attributes:
        numerators: shape (rows,); int64, or objects where 64 bits are too few.
        denominators: positive integers.
        which: position in `denominators` by row, shape (rows,); None where there is one denominator.
    """

    def __init__(self, numerators: Integers, denominators: Sequence[int] = (1,), which: Index | None = None) -> None:
        self.numerators = _narrowed(numerators)
        table = tuple(denominators) or (1,)
        if which is not None:
            code = {denominator: number for number, denominator in enumerate(dict.fromkeys(table))}
            if len(code) < len(table):
                which = np.array([code[denominator] for denominator in table], dtype=np.int64)[which]
                table = tuple(code)
        self.denominators = table
        self.which = None if which is None or len(table) == 1 else which.astype(np.int32)

    @classmethod
    def of(cls, values: Iterable[Fraction | Decimal | int]) -> ExactColumn:
        """Return values as a column."""
        fractions = [Fraction(value) for value in values]
        code = {denominator: number for number, denominator in enumerate({f.denominator: None for f in fractions})}
        common = lcm(*code)
        if common < _DOUBLE:
            return cls(_integers([f.numerator * (common // f.denominator) for f in fractions]), (common,))
        which = np.array([code[f.denominator] for f in fractions], dtype=np.int64)
        return cls(_integers([f.numerator for f in fractions]), tuple(code), which)

    @classmethod
    def of_decimals(cls, values: Sequence[Decimal]) -> ExactColumn:
        """Return decimals as a column with one power of ten below them all: `of`, faster."""
        with localcontext(_EXACT):
            try:
                # An exact sum has the exponent of its finest term.
                exponent = sum(values, Decimal(0)).as_tuple().exponent
                digits = max(0, -int(exponent))
                scaled = [int(value.scaleb(digits)) for value in values] if digits else [int(value) for value in values]
            except (Inexact, Rounded):  # hundreds of digits
                return cls.of(values)
        return cls(_integers(scaled), (10**digits,))

    @classmethod
    def constant(cls, value: Fraction | int, rows: int) -> ExactColumn:
        """Return one value in every row."""
        one = cls.of([value])
        return cls(np.broadcast_to(one.numerators, (rows,)), one.denominators)

    def __len__(self) -> int:
        return len(self.numerators)

    @overload
    def __getitem__(self, row: int | np.integer[Any]) -> Fraction: ...
    @overload
    def __getitem__(self, row: slice) -> ExactColumn: ...
    def __getitem__(self, row: int | np.integer[Any] | slice) -> Fraction | ExactColumn:
        if isinstance(row, slice):
            return ExactColumn(self.numerators[row], self.denominators, None if self.which is None else self.which[row])
        denominator = self.denominators[0 if self.which is None else int(self.which[row])]
        return Fraction(int(self.numerators[row]), denominator)

    def __iter__(self) -> Iterator[Fraction]:
        if self.which is None:
            denominator = self.denominators[0]
            return (Fraction(numerator, denominator) for numerator in self.numerators.tolist())
        pairs = zip(self.numerators.tolist(), self.which.tolist(), strict=True)
        return (Fraction(numerator, self.denominators[code]) for numerator, code in pairs)

    @property
    def nonzero(self) -> Mask:
        """Which rows are not 0, shape (rows,)."""
        return np.asarray(self.numerators != 0, dtype=np.bool_)

    @cached_property
    def floats(self) -> Floats:
        """The values as the nearest doubles (half to even), shape (rows,): what `float` makes of each Fraction.

        Raises:
            OverflowError: a value is beyond all doubles.
        """
        fine = np.array([denominator < _DOUBLE for denominator in self.denominators], dtype=np.bool_)
        if _size(self.numerators) < _DOUBLE and bool(fine.all()):
            divisors = self._by_row(np.array(self.denominators, dtype=np.float64))
            return np.asarray(self.numerators / divisors, dtype=np.float64)
        return np.array([n / d for n, d in self._pairs()], dtype=np.float64)  # rounded correctly for any size

    def distinct(self) -> set[Fraction]:
        """Return the values that occur."""
        return set(self.coded()[0])

    def coded(self) -> tuple[list[Fraction], npt.NDArray[np.int64]]:
        """Return values that occur, few of them twice, and the place of each row's value among them."""
        if self.which is None and self.numerators.dtype != object:
            found, code = np.unique(self.numerators, return_inverse=True)
            return [Fraction(n, self.denominators[0]) for n in found.tolist()], code.reshape(-1)
        number: dict[tuple[int, int], int] = {}
        codes = [number.setdefault(pair, len(number)) for pair in self._pairs()]
        return [Fraction(n, d) for n, d in number], np.array(codes, dtype=np.int64)

    def take(self, rows: Index) -> ExactColumn:
        """Return the values of these rows, in this order."""
        return ExactColumn(self.numerators[rows], self.denominators, None if self.which is None else self.which[rows])

    def times(self, other: ExactColumn | Integers) -> ExactColumn:
        """Return the products row by row, not reduced."""
        if not isinstance(other, ExactColumn):
            other = ExactColumn(other)
        numerators = _products(self.numerators, other.numerators)
        if self.which is None or other.which is None:
            denominators = [one * two for one in self.denominators for two in other.denominators]
            return ExactColumn(numerators, denominators, self.which if other.which is None else other.which)
        pair = self.which.astype(np.int64) * len(other.denominators) + other.which
        found, which = np.unique(pair, return_inverse=True)
        pairs = [divmod(number, len(other.denominators)) for number in found.tolist()]
        return ExactColumn(
            numerators, [self.denominators[a] * other.denominators[b] for a, b in pairs], which.reshape(-1)
        )

    def scaled(self, factor: Fraction) -> ExactColumn:
        """Return the values times a number."""
        numerators = _products(self.numerators, _integers([factor.numerator]))
        return ExactColumn(numerators, [d * factor.denominator for d in self.denominators], self.which)

    def divided_by(self, divisors: Integers) -> ExactColumn:
        """Return the values divided by positive integers row by row, in lowest terms.

        Raises:
            ZeroDivisionError: a divisor is 0.
        """
        if not divisors.all():
            raise ZeroDivisionError("a value divided by 0")
        found, code = np.unique(divisors, return_inverse=True)
        fractions = ExactColumn(np.ones(len(self), dtype=np.int64), found.tolist(), code.reshape(-1))
        return self.times(fractions).reduced()

    def reduced(self) -> ExactColumn:
        """Return the same values in lowest terms."""
        if self.numerators.dtype != object and _size(self.numerators) < _FITS and max(self.denominators) < _FITS:
            denominators = self._by_row(np.array(self.denominators, dtype=np.int64))
            common = np.gcd(self.numerators, denominators)
            found, which = np.unique(denominators // common, return_inverse=True)
            return ExactColumn(self.numerators // common, found.tolist(), which.reshape(-1))
        return ExactColumn.of(self)

    def with_rows(self, rows: Index, values: ExactColumn) -> ExactColumn:
        """Return the same values but for some rows, which have new ones; `rows` has the shape of `values`."""
        if not len(rows):
            return self
        kind = object if object in (self.numerators.dtype, values.numerators.dtype) else np.int64
        numerators = self.numerators.astype(kind)
        numerators[rows] = values.numerators
        which = np.zeros(len(self), dtype=np.int64) if self.which is None else self.which.astype(np.int64)
        which[rows] = len(self.denominators) + (0 if values.which is None else values.which)
        return ExactColumn(numerators, (*self.denominators, *values.denominators), which)

    def floor(self) -> npt.NDArray[np.int64]:
        """Return the greatest whole numbers that are not greater, shape (rows,).

        Raises:
            OverflowError: one of them does not fit into 64 bits.
        """
        column = self if self.which is None else self.on_one_denominator()
        divisor = column.denominators[0]
        if divisor == 1:
            return column.numerators.astype(np.int64)
        numerators = column.numerators if divisor < _FITS else column.numerators.astype(object)
        return np.asarray(numerators // divisor).astype(np.int64)

    def on_one_denominator(self) -> ExactColumn:
        """Return the same values over one denominator, the least that all denominators divide."""
        common = lcm(*self.denominators)
        return self if self.which is None else ExactColumn(self.over(common), (common,))

    def over(self, denominator: int) -> Integers:
        """Return the numerators over a multiple of every denominator, shape (rows,)."""
        factors = _integers([denominator // own for own in self.denominators])
        return _products(self.numerators, factors if self.which is None else factors[self.which])

    def sum_by(self, groups: Index, size: int) -> ExactColumn:
        """Return the sums of the rows of each group (0 … size - 1), shape (size,). `groups` has shape (rows,)."""
        column = self.on_one_denominator()
        return ExactColumn(_sums(column.numerators, groups, size), column.denominators)

    def sums_over(self, groups: Index, members: Mask) -> list[Fraction]:
        """Return for each set of groups the sum of the rows in it.

        Shapes: `groups` (rows,), `members` (sets, groups). Rows of one group and one denominator are added first.
        """
        many = len(self.denominators)
        keys = groups.astype(np.int64) * many + (0 if self.which is None else self.which)
        if members.shape[1] * many <= max(4 * len(self), 2**16):
            sums = _sums(self.numerators, keys, members.shape[1] * many)
            keys = np.flatnonzero(sums != 0)
            sums = sums[keys]
        else:
            keys, place = np.unique(keys, return_inverse=True)
            sums = _sums(self.numerators, place.reshape(-1), len(keys))
        group, which = np.divmod(keys, many)
        common, factors = _joined(self.denominators)
        found = []
        for inside in members:
            own = inside[group]
            found.append(Fraction(_over(_sums(sums[own], which[own], many).tolist(), factors), common))
        return found

    def _by_row(self, by_denominator: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return by_denominator if self.which is None else by_denominator[self.which]

    def _pairs(self) -> Iterator[tuple[int, int]]:
        numerators = self.numerators.tolist()
        if self.which is None:
            return ((numerator, self.denominators[0]) for numerator in numerators)
        return zip(numerators, [self.denominators[code] for code in self.which.tolist()], strict=True)


def _joined(denominators: Sequence[int]) -> tuple[int, list[list[tuple[int, int]]]]:
    """Return a common denominator, and what neighbours' numerators are multiplied by to join them pair by pair.

    Thousands of denominators have a common one of thousands of digits; joined by twos, few numbers are that long.
    """
    level = list(denominators)
    factors = []
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2], strict=False))  # an odd one out is joined later
        commons = [lcm(one, other) for one, other in pairs]
        factors.append([(c // one, c // other) for c, (one, other) in zip(commons, pairs, strict=True)])
        level = commons + level[2 * len(pairs) :]
    return level[0], factors


def _over(numerators: list[int], factors: list[list[tuple[int, int]]]) -> int:
    """Return the numerator, over the common denominator, of a sum with one numerator for each denominator."""
    for pairs in factors:
        many = 2 * len(pairs)
        ones, others, rest = numerators[:many:2], numerators[1:many:2], numerators[many:]
        numerators = [
            one * factor + other * its_factor
            for one, other, (factor, its_factor) in zip(ones, others, pairs, strict=True)
        ] + rest
    return numerators[0]


def running_sums(values: Integers) -> Integers:
    """Return the sums of the first, the first two, … values, whatever their size."""
    fits = values.dtype != object and _size(values) * len(values) < _FITS
    return np.cumsum(values if fits else values.astype(object))


def _integers(values: Sequence[int]) -> Integers:
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        found = np.empty(len(values), dtype=object)
        found[:] = values
        return found


def _narrowed(values: Integers) -> Integers:
    """Return integers as int64 where all of them fit."""
    if values.dtype != object:
        return values if values.dtype == np.int64 else values.astype(np.int64)
    return _integers(values.tolist())


def _size(values: Integers) -> int:
    """Return the largest absolute value."""
    if not len(values):
        return 0
    if values.dtype == object:
        return int(max(abs(value) for value in values.tolist()))
    return max(abs(int(values.min())), abs(int(values.max())))


def _products(one: Integers, other: Integers) -> Integers:
    if one.dtype != object and other.dtype != object and _size(one) * _size(other) < _FITS:
        return one * other
    return _narrowed(one.astype(object) * other.astype(object))


def _sums(values: Integers, groups: Index, size: int) -> Integers:
    """Return the sum of each group, whatever the size of the sums."""
    if values.dtype != object and _size(values) * len(values) < _FITS:
        sums = np.zeros(size, dtype=np.int64)
        np.add.at(sums, groups, values)
        return sums
    # Each number in limbs of 32 bits (the highest one signed): sums of fewer than 2^31 of them fit.
    if len(values) >= 2**31:
        raise OverflowError(f"{len(values)} numbers are more than can be added up")
    total = np.zeros(size, dtype=object)
    shift = 0
    while True:
        last = values.dtype != object and _size(values) < 2**_LIMB
        limb = values if last else values & (2**_LIMB - 1)
        sums = np.zeros(size, dtype=np.int64)
        np.add.at(sums, groups, limb.astype(np.int64))
        total += sums.astype(object) << shift
        if last:
            return _narrowed(total)
        values = _narrowed(values >> _LIMB)
        shift += _LIMB
