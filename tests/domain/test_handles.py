"""Handles: what may be chosen, and what would pass for another."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.handles import LONGEST_HANDLE, SHORTEST_HANDLE, checked_handle, skeleton

ALIKE = {"o": "0", "l": "1", "m": "rn", "w": "vv"}
chosen = st.from_regex(r"[a-z0-9]{3,8}([-_][a-z0-9]{1,6}){0,2}", fullmatch=True)


@given(chosen)
def test_a_handle_is_answered_as_it_is_kept(handle: str) -> None:
    try:
        kept = checked_handle(f" @{handle.upper()} ")
    except Invalid:
        return
    assert kept == handle
    assert checked_handle(kept) == kept


@given(chosen, st.sampled_from(sorted(ALIKE)), st.integers(0, 8))
def test_handles_that_look_alike_share_a_skeleton(handle: str, letter: str, at: int) -> None:
    honest = handle[:at] + letter + handle[at:]
    assert skeleton(honest) == skeleton(handle[:at] + ALIKE[letter] + handle[at:])


@given(st.text(max_size=40))
def test_only_ascii_of_the_right_length_is_taken(text: str) -> None:
    with suppress(Invalid):
        kept = checked_handle(text)
        assert kept.isascii()
        assert SHORTEST_HANDLE <= len(kept) <= LONGEST_HANDLE


@pytest.mark.parametrize(
    "text",
    [
        "admin",
        "Adm1n",
        "a-d-m-i-n",
        "ro0t",
        "supp0rt",
        "casset",
        "vvor1d",
        "rnoderator",
        "ｃａｓｓｅｔ",
        "\u212aelvin",
        "ſara",
    ],
)
def test_reserved_words_their_likes_and_letters_that_fold_into_ascii_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        checked_handle(text)
