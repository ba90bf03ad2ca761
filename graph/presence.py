"""The SDL of presence: who is in a room now."""

from __future__ import annotations

import strawberry

from graph.fields import described, stored
from resolvers.presence import PresenceKind

described(
    PresenceKind,
    SNAPSHOT="Who is there as you begin to listen: `came` names them.",
    CHANGE="Who came and who left since you were told before.",
    SUMMARY="So many came and left that they are counted only: ask `Room.present` for names.",
)


@strawberry.type(description="Somebody in a room.")
class RoomPerson:
    """Somebody with an account."""

    handle: str = stored("Their handle.")


@strawberry.type(description="Who is in a room now: one person however many tabs are open.")
class RoomPresence:
    """A crowd."""

    count: int = stored("How many are there.")
    anonymous: int = stored("How many of them are not signed in, and not named.")
    people: list[RoomPerson] = stored("The others by handle, at most 100 of them.")


@strawberry.type(description="Who is in a room, as it changes. What changes within a moment is told together.")
class PresenceChange:
    """A step."""

    kind: PresenceKind = stored("What is told.")
    count: int = stored("How many are there now.")
    anonymous: int = stored("How many of them are not signed in, and not named.")
    came: list[RoomPerson] = stored("Who came, by handle, at most 100 of them.")
    left: list[RoomPerson] = stored("Who left, by handle, at most 100 of them.")
