"""Rooms: who may enter, what happens there, and the place from which somebody goes on hearing of it."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.errors import BadInput, Invalid
from domain.texts import checked_text

LONGEST_TITLE = 200
SLOWEST_SECONDS = 6 * 60 * 60
"""How long people may be made to wait between two messages of theirs, at most."""
RESUMABLE_EVENTS, RESUMABLE_FOR = 1_000, timedelta(minutes=10)
"""How far back a stream goes on from a mark; before that, it starts afresh."""
KEPT_FOR = timedelta(days=7)
"""How long events are kept: longer than anything looks back. A ritual keeps its own until it is over."""


class RoomVisibility(StrEnum):
    """Who may enter a room."""

    PUBLIC = "PUBLIC"
    MEMBERS = "MEMBERS"
    SUPPORTERS = "SUPPORTERS"


class RoomEventKind(StrEnum):
    """What happens in a room."""

    PRESENCE = "PRESENCE"
    NOW_CHANGED = "NOW_CHANGED"
    MESSAGE = "MESSAGE"
    MESSAGE_DELETED = "MESSAGE_DELETED"
    REACTION = "REACTION"
    COMMENT = "COMMENT"
    FOLLOWED = "FOLLOWED"
    COLLECTED = "COLLECTED"
    SUPPORTED = "SUPPORTED"
    CLIP_APPROVED = "CLIP_APPROVED"
    RELEASE_PUBLISHED = "RELEASE_PUBLISHED"
    HEAT_CHANGED = "HEAT_CHANGED"
    RESET = "RESET"


STORED_EVENTS = tuple(kind for kind in RoomEventKind if kind is not RoomEventKind.RESET)
"""RESET is said to one client whose place is void, and happens in no room."""


class Reaction(StrEnum):
    """What people say without a word."""

    HEART = "HEART"
    FIRE = "FIRE"
    CLAP = "CLAP"
    WAVE = "WAVE"
    SPARK = "SPARK"
    TEARS = "TEARS"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a room, as it is told to everybody who may read the room.

    Attributes:
        id: its number; the numbers of a room have no gaps.
        handle: of the account that did it; None where nobody did, or nobody shall be named.
        payload: what is told of it, as JSON; `add_room_event` says what belongs there. Of a message that was deleted
            the `text` is null.
    """

    room: UUID
    epoch: UUID
    id: int
    kind: RoomEventKind
    at: datetime
    handle: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """The place after an event of a room. Numbers begin again with another epoch."""

    room: UUID
    epoch: UUID
    id: int


_TAG = b"rm"
_FORM = struct.Struct(">2s16s16sq")


def mark_of(mark: Mark) -> str:
    """Write a mark: a tag, the room, its epoch and the number, in base64 (RFC 4648 section 5), no padding."""
    data = _FORM.pack(_TAG, mark.room.bytes, mark.epoch.bytes, mark.id)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_mark(text: str, room: UUID) -> Mark:
    """Read a mark of that room. Whether the room still goes on from there is for whoever knows the room.

    Raises:
        BadInput: the text is no mark, or one of another room.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        tag, of, epoch, number = _FORM.unpack(data)
        mark = Mark(UUID(bytes=of), UUID(bytes=epoch), number)
        if tag != _TAG or number < 0 or text != mark_of(mark):  # base64 has more than one way to write the same
            raise ValueError(text)
    except (ValueError, binascii.Error, struct.error):
        raise BadInput("That is not a place in a room. Take it from an event, or from lastEvent.") from None
    if mark.room != room:
        raise BadInput("That is a place in another room.")
    return mark


def checked_title(title: str | None) -> str | None:
    """A title of at most 200 characters, or None.

    Raises:
        Invalid: it is longer, or holds what is no text.
    """
    return None if title is None else checked_text(title, LONGEST_TITLE, ("title",)) or None


def checked_slowness(seconds: int) -> int:
    """How many seconds lie between two messages of one person; 0 for none.

    Raises:
        Invalid: less than none, or more than six hours.
    """
    if not 0 <= seconds <= SLOWEST_SECONDS:
        raise Invalid(f"Slow mode takes from 0 to {SLOWEST_SECONDS} seconds.", path=("slowModeSeconds",))
    return seconds
