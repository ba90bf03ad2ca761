"""A ritual moves with time and never back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.rituals import OVER, RitualState, RitualTimes, checked_ritual, state_due

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
"""An hour before clocks are put forward in Europe: a day has 23 hours there, and ours has 24."""
MINUTES = st.integers(0, 500).map(lambda minutes: timedelta(minutes=minutes))
TIMES = RitualTimes(NOW + timedelta(minutes=60), NOW + timedelta(minutes=120), NOW + timedelta(minutes=240))
LAST = datetime.max.replace(tzinfo=UTC)
"""The end of all time, after which there is no minute."""
RANK = [RitualState.ANNOUNCED, RitualState.OPEN, RitualState.RELEASED, RitualState.MEMORY]


@given(st.lists(MINUTES, min_size=1, max_size=6).map(sorted), st.lists(st.booleans(), min_size=6, max_size=6))
def test_it_never_goes_back_whatever_moves_it_and_however_often(after: list[timedelta], outs: list[bool]) -> None:
    state, is_out = RitualState.ANNOUNCED, False
    for step, out in zip(after, outs, strict=False):
        is_out = is_out or out
        before, state = state, state_due(state, TIMES, NOW + step, is_out=is_out)
        if before in OVER:
            assert state is before
        elif state is not RitualState.CANCELLED:
            assert RANK.index(state) >= RANK.index(before)
        assert state_due(state, TIMES, NOW + step, is_out=is_out) is state


@given(MINUTES, st.booleans())
def test_one_late_look_leads_where_many_in_time_do(at: timedelta, is_out: bool) -> None:
    stepwise = RitualState.ANNOUNCED
    for moment in (TIMES.opens_at, TIMES.releases_at, TIMES.ends_at):
        if moment <= NOW + at:
            stepwise = state_due(stepwise, TIMES, moment, is_out=is_out)
    assert state_due(RitualState.ANNOUNCED, TIMES, NOW + at, is_out=is_out) is stepwise


def test_what_never_came_out_is_no_memory() -> None:
    assert state_due(RitualState.OPEN, TIMES, TIMES.ends_at, is_out=False) is RitualState.CANCELLED
    assert state_due(RitualState.RELEASED, TIMES, TIMES.ends_at, is_out=False) is RitualState.MEMORY


def hours(opens: float, releases: float, ends: float) -> RitualTimes:
    return RitualTimes(*[NOW + timedelta(hours=each) for each in (opens, releases, ends)])


@pytest.mark.parametrize(
    ("title", "times", "path"),
    [
        (" ", hours(1, 2, 3), "title"),
        ("x" * 201, hours(1, 2, 3), "title"),
        ("a\0b", hours(1, 2, 3), "title"),
        ("Night", hours(0, 2, 3), "opensAt"),
        ("Night", hours(-1, 2, 3), "opensAt"),
        ("Night", hours(24 * 366, 24 * 366 + 1, 24 * 366 + 2), "opensAt"),
        ("Night", hours(1, 1, 3), "releasesAt"),
        ("Night", hours(1, 2, 2), "endsAt"),
        ("Night", hours(1, 2, 24 * 32 + 1), "endsAt"),
        ("Night", RitualTimes(NOW + timedelta(hours=1), LAST, NOW + timedelta(hours=3)), "endsAt"),
        ("Night", RitualTimes(NOW + timedelta(hours=1), LAST, LAST), "endsAt"),
    ],
)
def test_a_ritual_that_makes_no_sense_is_refused(title: str, times: RitualTimes, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_ritual(title, times, NOW)
    assert refused.value.path == (path,)
