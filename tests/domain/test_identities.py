"""What ties another house's answer to a flow, what is believed of it, and what follows from it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput, Invalid, Moved, SignInNeeded
from domain.handles import checked_handle
from domain.identities import (
    MOST_IDENTITIES,
    Step,
    check_room_for_identity,
    check_way_left,
    checked_place,
    checked_provider,
    handles_for,
    is_answer_to,
    proofs_of,
    vouched,
    what_follows,
)

HOUSE = "https://id.example"
ADA, BO = UUID(int=1), UUID(int=2)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
CLAIMS = st.dictionaries(st.sampled_from(["sub", "name", "email", "email_verified", "iss"]), JSON)
WRITTEN = st.text(st.sampled_from("/\\.:@?#%a2fF\t\n\r <>é\u2028\u0000"), max_size=12)
"""Texts in which a browser and a reader may see different hosts."""


@given(st.text(), st.text())
def test_only_the_secret_of_a_flow_knows_its_state(secret: str, other: str) -> None:
    proofs = proofs_of(secret)
    assert is_answer_to(secret, proofs.state)
    assert is_answer_to(other, proofs.state) == (other == secret)
    assert not is_answer_to(secret, proofs.nonce)
    assert len(set(proofs)) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", proof) for proof in proofs)


@given(st.text() | WRITTEN | WRITTEN.map(lambda text: "/" + text))
def test_a_place_is_on_this_host_however_it_is_read(text: str) -> None:
    try:
        place = checked_place(text)
    except BadInput:
        return
    assert place == text
    # As the URL standard has it: a backslash is a slash, tabs and line ends are not there, blanks around fall off.
    seen = re.sub(r"[\t\n\r]", "", text.strip()).replace("\\", "/")
    for read in (text, seen):
        assert urlsplit(urljoin("https://here.example/api/", read))[:2] == ("https", "here.example")
    assert all("\x21" <= letter <= "\x7e" for letter in text), "nothing in it ends a header"


@given(CLAIMS)
def test_whatever_a_house_says_is_read_or_refused(claims: dict[str, Any]) -> None:
    try:
        who = vouched(HOUSE, claims)
    except SignInNeeded:
        return
    assert who.issuer == HOUSE
    assert who.subject == claims["sub"]
    assert who.email is not None or not who.email_verified
    assert not who.email_verified or str(claims["email_verified"]).lower() == "true"


@pytest.mark.parametrize(
    ("said", "verified"),
    [(True, True), ("true", True), (False, False), ("false", False), (1, False), (None, False)],
)
def test_an_address_is_verified_where_it_is_said_to_be(said: Any, verified: bool) -> None:
    claims = {"sub": "x", "email": "ada@example.com", "email_verified": said}
    assert vouched(HOUSE, claims).email_verified is verified


@given(st.none() | st.text(), st.text("0123456789abcdef", min_size=6, max_size=6))
def test_there_is_a_handle_for_everybody(name: str | None, tail: str) -> None:
    handles = list(handles_for(name, tail))
    assert handles
    assert handles[-1] == f"someone-{tail}"
    assert [checked_handle(handle) for handle in handles] == handles


WAYS: list[tuple[UUID | None, UUID | None, UUID | None, Step | type[Exception]]] = [
    (None, None, None, Step.JOIN),
    (None, None, ADA, Step.JOIN),
    (ADA, None, None, Step.ENTER),
    (ADA, None, BO, Step.ENTER),
    (ADA, ADA, ADA, Step.ENTER),
    (ADA, ADA, None, Step.ENTER),
    (None, ADA, ADA, Step.LINK),
    (None, ADA, None, SignInNeeded),
    (None, ADA, BO, SignInNeeded),
    (BO, ADA, ADA, Moved),
    (BO, ADA, BO, Moved),
    (BO, ADA, None, Moved),
]


@pytest.mark.parametrize(("linked", "begun_by", "signed_in", "expected"), WAYS)
def test_what_follows_when_somebody_comes_back(
    linked: UUID | None, begun_by: UUID | None, signed_in: UUID | None, expected: Any
) -> None:
    if isinstance(expected, Step):
        assert what_follows(linked, begun_by, signed_in) is expected
    else:
        with pytest.raises(expected):
            what_follows(linked, begun_by, signed_in)


@given(st.integers(1, MOST_IDENTITIES), st.booleans())
def test_one_way_to_sign_in_is_always_left(identities: int, has_password: bool) -> None:
    if identities - 1 + has_password:
        check_way_left(identities, has_password=has_password)
    else:
        with pytest.raises(Moved):
            check_way_left(identities, has_password=has_password)


def test_an_account_is_linked_to_so_many() -> None:
    check_room_for_identity(MOST_IDENTITIES - 1)
    with pytest.raises(Invalid):
        check_room_for_identity(MOST_IDENTITIES)


@given(st.text(max_size=40))
def test_a_providers_name_needs_no_quoting_in_an_address(name: str) -> None:
    try:
        assert checked_provider(name) == name
    except Invalid:
        return
    assert re.fullmatch(r"[a-z0-9-]+", name)
