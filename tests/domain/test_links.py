"""Codes of share links: seven characters that nobody misreads, and what they say by themselves."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import Kind, Ref
from domain.links import LENGTH, SHARED, address_of, came_by, kind_of, spelled, visitor_of
from domain.resolution import Match, recognise

FIRSTS = {
    Kind.ARTIST: "159DHMRVZdhmqu",
    Kind.HOOK: "26AEJNSWaeinrv",
    Kind.RELEASE: "37BFKPTXbfjosw",
    Kind.ROOM: "48CGLQUYcgkptx",
    Kind.RITUAL: "yz",
}
"""As they are printed on posters."""
drawn = st.lists(st.integers(0, 2**32), min_size=LENGTH, max_size=LENGTH)


@given(st.sampled_from(SHARED), drawn)
def test_a_code_says_what_kind_of_thing_it_leads_to(kind: Kind, numbers: list[int]) -> None:
    code = spelled(kind, numbers)
    assert re.fullmatch("[1-9A-HJ-NP-Za-km-z]{7}", code)
    assert kind_of(code) is kind
    for text in (f"/s/{code}", f"https://casset.example/s/{code}"):
        assert recognise(text) == (Match.SHARE_LINK, kind, code)


@given(st.text(max_size=9))
def test_what_is_no_code_leads_nowhere(text: str) -> None:
    assert (kind_of(text) is None) == (re.fullmatch("[1-9A-HJ-NP-Za-km-z]{7}", text) is None)


def test_a_world_is_its_own_address_and_what_is_in_it_is_named_there() -> None:
    hook = Ref(Kind.HOOK, UUID(int=1))
    assert address_of("nova", Ref(Kind.ARTIST, UUID(int=1))) == "/nova"
    assert address_of("nova", hook) == f"/nova/hooks/{hook}"
    assert came_by("/nova", "2222222") == "/nova?via=2222222"


@pytest.mark.parametrize(("kind", "firsts"), FIRSTS.items())
def test_a_code_that_was_given_out_leads_where_it_always_did(kind: Kind, firsts: str) -> None:
    for first in firsts:
        assert kind_of(f"{first}222222") is kind


def test_a_visitor_is_the_same_for_one_thing_and_one_key_only() -> None:
    one = visitor_of(b"k" * 32, UUID(int=1), "address:192.0.2.1")
    others = {
        visitor_of(secret, UUID(int=subject), network)
        for secret, subject, network in (
            (b"l" * 32, 1, "address:192.0.2.1"),
            (b"k" * 32, 2, "address:192.0.2.1"),
            (b"k" * 32, 1, "address:192.0.2.2"),
        )
    }
    assert one == visitor_of(b"k" * 32, UUID(int=1), "address:192.0.2.1")
    assert (len(one), len(others | {one})) == (16, 4)
