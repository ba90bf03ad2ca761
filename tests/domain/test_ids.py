"""References: what is written is read back, and whatever else is given is refused with BadInput and nothing else."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from domain.ids import Kind, Ref, parse_ref, parse_ref_of
from domain.resolution import Match, recognise


@given(st.sampled_from(Kind), st.integers(0, 2**128 - 1))
def test_a_reference_is_read_as_it_was_written(kind: Kind, number: int) -> None:
    ref = Ref(kind, UUID(int=number))
    assert parse_ref(str(ref)) == ref
    assert recognise(f" {ref} ") == (Match.ID, kind, ref.id)


@given(st.text(max_size=80) | st.from_regex(r"\A[a-z]{1,12}_[0-9a-z]{20,30}\Z"))
def test_what_is_no_reference_is_refused(text: str) -> None:
    try:
        ref = parse_ref(text)
    except BadInput:
        return
    assert str(ref) == text


@given(st.sampled_from(Kind), st.sampled_from(Kind))
def test_a_reference_of_another_kind_is_refused(kind: Kind, wanted: Kind) -> None:
    text = str(Ref(kind, UUID(int=7)))
    if kind is wanted:
        assert parse_ref_of(text, frozenset({wanted})).kind is kind
    else:
        with pytest.raises(BadInput, match="another kind"):
            parse_ref_of(text, frozenset({wanted}))


@given(st.text(max_size=100))
def test_recognising_never_fails(text: str) -> None:
    recognise(text)


@pytest.mark.parametrize(
    ("text", "match", "value"),
    [
        ("@Ada", Match.HANDLE, "ada"),
        ("ada.b-c", Match.HANDLE, "ada.b-c"),
        ("/ada", Match.ADDRESS, "ada"),
        ("https://casset.example/ada", Match.ADDRESS, "ada"),
        ("US-RC1-76-07839", Match.ISRC, "USRC17607839"),
        ("036000291452", Match.UPC, "036000291452"),
        ("A" * 64, Match.MEDIA_SHA256, "a" * 64),
        ("sha256:" + "b" * 64, Match.MEDIA_SHA256, "b" * 64),
        ("F27EC8DB-AF05-4F36-916E-3D57F91ECF5E", Match.MBID, "f27ec8db-af05-4f36-916e-3d57f91ecf5e"),
    ],
)
def test_every_form_of_reference_is_recognised(text: str, match: Match, value: str) -> None:
    found = recognise(text)
    assert found is not None
    assert (found.match, found.value) == (match, value)
