"""Dividing a pool: exact to the minor unit, and fair to one unit."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.contributors import WHOLE, divided

CUTS = st.sets(st.integers(1, WHOLE - 1), max_size=30)


@given(st.integers(0, 10**15), CUTS)
def test_the_parts_of_an_amount_are_the_amount_and_none_is_a_unit_off(amount: int, cuts: set[int]) -> None:
    shares = [end - start for start, end in pairwise([0, *sorted(cuts), WHOLE])]
    parts = divided(amount, shares)
    assert sum(parts) == amount
    assert all(abs(part * WHOLE - amount * share) < WHOLE for part, share in zip(parts, shares, strict=True))


@given(st.integers(0, 10**6), CUTS)
def test_who_holds_more_gets_no_less(amount: int, cuts: set[int]) -> None:
    shares = [end - start for start, end in pairwise([0, *sorted(cuts), WHOLE])]
    by_share = sorted(zip(shares, divided(amount, shares), strict=True))
    assert all(less[1] <= more[1] for less, more in pairwise(by_share) if less[0] < more[0])
