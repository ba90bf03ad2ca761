"""Windows are sets of milliseconds; every law here says so against sets, and clear windows against trying each."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clearances import clear_windows
from domain.errors import Invalid
from domain.rights import Outcome, Use
from domain.verdicts import decide
from domain.windows import Window, checked_window, common, gaps, overlap, united
from tests.domain.facts_drawn import MEDIA_MS, asset, facts, questions

END = 40
ends = st.none() | st.integers(1, 12)
some = st.builds(lambda start, length: Window(start, length and start + length), st.integers(0, 20), ends)


def milliseconds(window: Window | None) -> set[int]:
    return set(range(END)) if window is None else set(range(window.start_ms, window.end_ms or END))


def covered(windows) -> set[int]:
    return set().union(*map(milliseconds, windows))


@given(some | st.none(), some | st.none())
def test_windows_overlap_where_they_share_a_millisecond(one, other):
    assert overlap(one, other) is bool(milliseconds(one) & milliseconds(other))


def test_the_end_is_not_part_of_a_window():
    assert not overlap(Window(0, 5), Window(5, 9))


@given(some, some)
def test_what_is_common_is_what_both_have(one, other):
    shared = common(one, other)
    assert (set() if shared is None else milliseconds(shared)) == milliseconds(one) & milliseconds(other)


@given(st.lists(some))
def test_united_windows_are_the_same_milliseconds_in_order_and_apart(windows):
    joined = united(windows)
    assert covered(joined) == covered(windows)
    for before, after in itertools.pairwise(joined):
        assert before.end_ms < after.start_ms


@given(st.lists(some), st.integers(0, 15), st.integers(0, 20))
def test_gaps_are_the_milliseconds_that_windows_leave_free(windows, start, length):
    free = gaps(windows, start, start + length)
    assert covered(free) == set(range(start, start + length)) - covered(windows)
    assert united(free) == free


def test_a_window_asked_for_is_cut_at_the_end_of_the_media():
    assert checked_window(10, 50, 30) == Window(10, 30)
    assert checked_window(10, None, 30) == Window(10, 30)
    assert checked_window(10, None) == Window(10, None)


@pytest.mark.parametrize(
    ("start", "end", "duration", "field"),
    [(-1, 5, None, "startMs"), (5, 5, None, "endMs"), (5, 4, None, "endMs"), (30, 40, 30, "startMs")],
)
def test_a_window_that_is_none_is_refused_by_the_name_of_its_field(start, end, duration, field):
    with pytest.raises(Invalid) as refused:
        checked_window(start, end, duration)
    assert refused.value.path == ("window", field)


@settings(deadline=None)
@given(facts(with_cycles=True), questions, st.integers(1, MEDIA_MS + 2), st.sampled_from(Use))
def test_clear_windows_are_those_that_are_allowed_when_asked_one_by_one(known, asked, length, use):
    asked = asked._replace(uses=frozenset({use}))
    first = asked.window.start_ms if asked.window else 0
    last = min(MEDIA_MS, (asked.window and asked.window.end_ms) or MEDIA_MS)
    length_here = min(length, last - first)
    clear = {
        start
        for start in range(first, last - length_here + 1)
        if all(
            verdict.outcome is Outcome.ALLOWED
            for verdict in decide(known, asked._replace(window=Window(start, start + length_here)))
        )
    }
    stretches = clear_windows(known, asked, length)
    starts = [range(window.start_ms, window.end_ms - length_here + 1) for window in stretches]
    assert [start for stretch in starts for start in stretch] == sorted(clear)
    for before, after in itertools.pairwise(starts):
        assert before.stop < after.start


@given(facts(), questions)
def test_media_of_unknown_length_has_no_clear_window(known, asked):
    parts = {id_: part._replace(duration_ms=None) for id_, part in known.parts.items()}
    assert clear_windows(type(known)(parts, known.bonds, known.statements), asked, 3) == ()
    assert clear_windows(known, asked._replace(asset=asset(30)), 3) == ()
