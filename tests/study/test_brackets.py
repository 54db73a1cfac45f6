"""Turns of contests whose bounds and plans are known everywhere: what is said to be proven is, and searches are few."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from optalloc.study.verdicts.contests import Contest, Half
from optalloc.study.verdicts.forced import GivenUp
from optalloc.study.verdicts.turning import SEARCHES, _Bracket

TODAY = 1000
distances = st.integers(0, 8).map(Fraction)


def _half(optimum: Fraction, above: Fraction, below: Fraction) -> Half:
    return Half(optimum + above, optimum - below, {})


def test_a_bound_between_two_plans_proves_nothing() -> None:
    inside, outside = _half(Fraction(10), Fraction(1), Fraction(0)), _half(Fraction(9), Fraction(2), Fraction(1))
    contest = Contest(inside, outside)
    assert contest.margin(inside=True) == 0
    assert contest.finds(inside=True)
    assert not contest.finds(inside=False)
    assert not contest.proves(inside=True)
    assert Contest(inside, Half(Fraction(9))).proves(inside=True)
    assert not Contest(inside, Half(Fraction(10))).proves(inside=True)
    assert Contest(inside, Half(None)).proves(inside=True)
    assert not Contest(Half(None), Half(None)).proves(inside=True)


@given(
    st.booleans(),
    st.booleans(),
    st.integers(0, 60),
    st.integers(1, 400),
    st.lists(st.tuples(distances, distances, distances, distances), min_size=1, max_size=7),
)
def test_what_a_bracket_proves_is_proven(
    funded: bool, grows: bool, ahead: int, slope: int, noise: list[tuple[Fraction, Fraction, Fraction, Fraction]]
) -> None:
    """The decision as it is now is worth `ahead` more today and less and less further on; bounds and plans lie anywhere
    about both."""
    searched: list[int] = []

    def contest(steps: int) -> Contest:
        now_above, now_below, other_above, other_below = noise[steps % len(noise)]
        now, other = Fraction(100), Fraction(100 - ahead) + Fraction(slope * abs(steps - TODAY), 1000)
        halves = {funded: _half(now, now_above, now_below), not funded: _half(other, other_above, other_below)}
        if steps == TODAY:
            return Contest(halves[True], halves[False])
        known = {half: halves[half].value for half in halves}

        def search(own: Contest, inside: bool) -> None:
            searched.append(steps)
            own.half(inside).value = known[inside]

        for half in halves.values():
            half.value, half.programme = None, (None, None)  # type: ignore[assignment]
        return Contest(halves[True], halves[False], search)

    bracket = _Bracket(funded, contest(TODAY), contest, TODAY, 2 * TODAY if grows else 0)
    try:
        turn = bracket.turn(Decimal)
    except GivenUp:
        assert contest(TODAY).finds(not funded)
        return
    assert len(searched) <= SEARCHES
    if turn is None:
        return
    assert turn.held == TODAY or contest(int(turn.held)).proves(funded)
    if turn.at is None or turn.found is None:
        assert turn.held != TODAY
        return
    assert contest(int(turn.found)).finds(not funded)
    assert turn.proven == contest(int(turn.at)).proves(not funded)
    distance = [abs(value - TODAY) for value in (turn.held, turn.found, turn.at)]
    assert distance == sorted(distance)
