"""A clip goes where its artist and its sender let it, and never back; what is sent in is sound of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets import AssetState
from domain.clips import LONGEST_MS, STEPS, ClipState, Sound, check_step, checked_sound
from domain.errors import Invalid, Moved
from domain.media import ContentState

MEDIA = UUID(int=7)
SOUND = Sound(AssetState.UNLISTED, True, MEDIA, ContentState.READY, 30_000, is_anothers=False)


@given(st.lists(st.sampled_from(ClipState), max_size=12))
def test_what_everybody_hears_was_approved_once_and_what_was_decided_against_stays_so(asked: list[ClipState]) -> None:
    state, was = ClipState.PENDING, [ClipState.PENDING]
    for to in asked:
        try:
            check_step(state, to)
        except Moved:
            assert to not in STEPS[state]
            continue
        state = to
        was.append(to)
    assert len(set(was)) == len(was), "it never comes again to where it was"
    if ClipState.REMOVED in was:
        assert ClipState.APPROVED in was
    for over in (ClipState.REJECTED, ClipState.REMOVED, ClipState.WITHDRAWN):
        assert over not in was[:-1], "nothing follows"


@given(st.integers(1, LONGEST_MS), st.sampled_from([AssetState.UNLISTED, AssetState.PUBLIC, AssetState.ARCHIVED]))
def test_sound_of_ones_own_that_is_short_enough_is_taken(duration_ms: int, state: AssetState) -> None:
    assert checked_sound(replace(SOUND, duration_ms=duration_ms, state=state)) == MEDIA


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"state": AssetState.PRIVATE}, Invalid),
        ({"state": AssetState.WITHDRAWN}, Invalid),
        ({"is_credited": False}, Invalid),
        ({"media": None, "content": None}, Invalid),
        ({"content": ContentState.REFUSED}, Invalid),
        ({"content": ContentState.RECEIVED, "duration_ms": None}, Moved),
        ({"duration_ms": LONGEST_MS + 1}, Invalid),
        ({"is_anothers": True}, Invalid),
    ],
)
def test_what_is_no_clip_is_refused(values: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        checked_sound(replace(SOUND, **values))
    assert refused.value.path == ("asset",)  # type: ignore[attr-defined]  # both errors have one
