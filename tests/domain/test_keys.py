"""Keys: what was spelled as one is one, and nothing else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.keys import ALPHABET, DRAWN, KeyMode, is_key, spelled

keys = st.builds(spelled, st.sampled_from(KeyMode), st.lists(st.sampled_from(ALPHABET), min_size=DRAWN, max_size=DRAWN))
KEY = spelled(KeyMode.LIVE, ALPHABET[:DRAWN])


@given(keys)
def test_a_key_has_its_form_and_its_check(key: str) -> None:
    assert re.fullmatch(r"cas_(live|test)_[0-9A-Za-z]{38}", key)
    assert is_key(key)


@given(keys, st.integers(0, 46), st.sampled_from(ALPHABET + "_- \n"))
def test_a_key_with_one_character_changed_is_none(key: str, at: int, character: str) -> None:
    changed = key[:at] + character + key[at + 1 :]
    assert is_key(changed) is (changed == key)


@pytest.mark.parametrize(
    "text",
    [
        KEY + "\n",
        " " + KEY,
        KEY.lower(),
        KEY.upper(),
        KEY.replace("live", "test"),
        KEY[:-1],
        KEY + "0",
        "cas_live_",
        "",
        "\ud800",
    ],
)
def test_what_was_cut_folded_or_moved_to_the_other_mode_is_none(text: str) -> None:
    assert not is_key(text)


def test_a_key_is_drawn_from_190_bits() -> None:
    assert len(set(ALPHABET)) ** DRAWN >= 2**190
