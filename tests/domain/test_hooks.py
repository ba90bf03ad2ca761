"""The window of a hook: thirty seconds that lie in the media, or all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.hooks import FIRST_START_MS, HOOK_MS, hook_window


@given(st.integers(1, 10**7))
def test_a_hook_nobody_chose_fits_and_starts_as_late_as_it_may(duration_ms: int) -> None:
    start, end = hook_window(None, duration_ms)
    assert end is not None
    assert 0 <= start < end <= duration_ms
    assert end - start == min(HOOK_MS, duration_ms)
    assert start == FIRST_START_MS or end == duration_ms


@given(st.integers(-10, 10**6), st.integers(1, 10**6))
def test_a_chosen_start_is_kept_or_refused(start_ms: int, duration_ms: int) -> None:
    fits = start_ms >= 0 and (start_ms + HOOK_MS <= duration_ms or start_ms == 0)
    if fits:
        assert hook_window(start_ms, duration_ms) == (start_ms, min(start_ms + HOOK_MS, duration_ms))
    else:
        with pytest.raises(Invalid) as refused:
            hook_window(start_ms, duration_ms)
        assert refused.value.path == ("startMs",)
