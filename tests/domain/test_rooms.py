"""Places in rooms, what may be said there, and what playing something there is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput, Forbidden, Invalid, TooSoon
from domain.messages import MESSAGES_A_MINUTE, Pace, checked_message, refuse_haste
from domain.queues import uses_of_playing
from domain.rights import Use
from domain.rooms import Mark, RoomVisibility, mark_of, read_mark

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOM, OTHER, EPOCH = UUID(int=1), UUID(int=2), UUID(int=3)
FLUENT = Pace(NOW, is_host=False, muted_until=None, slow_mode_seconds=0, said_here_at=None, recent=0, oldest=None)


@given(st.uuids(), st.uuids(), st.integers(0, 2**63 - 1))
def test_a_mark_leads_back_to_its_place_and_to_no_other_room(room: UUID, epoch: UUID, number: int) -> None:
    mark = Mark(room, epoch, number)
    text = mark_of(mark)
    assert read_mark(text, room) == mark
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    with pytest.raises(BadInput, match="another room"):
        read_mark(text, UUID(int=room.int ^ 1))


@given(st.text() | st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")))
def test_anything_else_is_no_mark(text: str) -> None:
    with pytest.raises(BadInput):
        read_mark(text, ROOM)


def test_a_mark_before_the_beginning_and_another_spelling_are_refused() -> None:
    good = mark_of(Mark(ROOM, EPOCH, 7))
    for text in (mark_of(Mark(ROOM, EPOCH, -1)), good + "=", good[:-1], good.replace("A", "a", 1), ""):
        with pytest.raises(BadInput):
            read_mark(text, ROOM)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "\u200b\u2060",
        "x" * 1001,
        "a\0b",
        "a\x1bb",
        "half \ud800",
        *[f"turn {chr(sign)} round" for sign in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))],
    ],
)
def test_what_is_no_message(text: str) -> None:
    with pytest.raises(Invalid):
        checked_message(text)


def test_a_message_is_what_was_written_in_one_spelling() -> None:
    assert (
        checked_message("  e\u0301 \n\tshalom \u05e9\u05dc\u05d5\u05dd \u200f ")
        == "é \n\tshalom \u05e9\u05dc\u05d5\u05dd \u200f"
    )
    assert checked_message("🫶🏽") == "🫶🏽"
    # A thousand letters are a thousand, however they were spelled.
    assert checked_message("e\u0301" * 1000) == "é" * 1000


def test_people_are_heard_as_often_as_the_room_has_it() -> None:
    refuse_haste(FLUENT, MESSAGES_A_MINUTE)
    past = NOW - timedelta(seconds=1)
    refuse_haste(replaced(muted_until=past, slow_mode_seconds=1, said_here_at=past), MESSAGES_A_MINUTE)
    refuse_haste(replaced(is_host=True, slow_mode_seconds=9, said_here_at=NOW), MESSAGES_A_MINUTE)
    with pytest.raises(Forbidden):
        refuse_haste(replaced(muted_until=NOW + timedelta(microseconds=1)), MESSAGES_A_MINUTE)
    for pace, seconds in (
        (replaced(recent=20, oldest=NOW - timedelta(seconds=59.5)), 1),
        (replaced(recent=20, oldest=NOW, is_host=True), 60),
        (replaced(slow_mode_seconds=30, said_here_at=NOW - timedelta(seconds=10)), 20),
    ):
        with pytest.raises(TooSoon) as refused:
            refuse_haste(pace, MESSAGES_A_MINUTE)
        assert refused.value.seconds == seconds


def replaced(**values: object) -> Pace:
    named = {name: getattr(FLUENT, name) for name in Pace.__slots__}
    return Pace(**{**named, **values})


def test_hearing_together_is_no_use_and_money_or_a_recording_is() -> None:
    for visibility in (RoomVisibility.PUBLIC, RoomVisibility.MEMBERS):
        assert uses_of_playing(visibility, is_recorded=False) == set()
        assert uses_of_playing(visibility, is_recorded=True) == {Use.SYNC}
    assert uses_of_playing(RoomVisibility.SUPPORTERS, is_recorded=False) == {Use.COMMERCIAL_USE}
    assert uses_of_playing(RoomVisibility.SUPPORTERS, is_recorded=True) == {Use.COMMERCIAL_USE, Use.SYNC}
