"""The mutations of rooms: open one, come and go, say how it goes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from domain.errors import BadInput
from domain.ids import Kind, Ref, parse_ref_of
from domain.rooms import RoomVisibility
from graph.fields import DateTime, optional, stored
from graph.rooms import Room
from graph.studio.deeds import Act, Deed, key_field, key_of, via_field
from resolvers.context import Acting
from resolvers.rooms import (
    ban_from_room,
    join_room,
    leave_room,
    mute_in_room,
    open_room,
    set_room,
    unban_from_room,
)

_ROOMS = frozenset({Kind.ROOM})
_SUBJECTS = frozenset({Kind.ARTIST, Kind.HOOK, Kind.RELEASE})


@strawberry.type(description="The room as it is now.")
class RoomSuccess:
    """The payload of what is done with a room."""

    room: Room = stored("The room.")


@strawberry.type(description="Until when somebody is not heard.")
class MuteInRoomSuccess:
    """The payload."""

    room: Room = stored("The room.")
    muted_until: DateTime | None = stored("Until when; null where they are heard.")


@strawberry.input(description="What a room gathers around.")
class OpenRoomInput:
    """The input of `openRoom`."""

    subject: strawberry.ID = strawberry.field(description="The artist whose world it is, a hook, or a release.")
    title: str | None = optional("Its title, at most 200 characters.")
    visibility: RoomVisibility | None = optional("Who may enter; everyone where nothing is said.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What shall be otherwise. What is left out stays as it is.")
class SetRoomInput:
    """The input of `setRoom`."""

    room: strawberry.ID = strawberry.field(description="The room.")
    title: str | None = optional("Its title, at most 200 characters; null takes it away.")
    visibility: RoomVisibility | None = optional("Who may enter. Who may not any more is out within seconds.")
    slow_mode_seconds: int | None = optional(
        "How long everybody but hosts waits between two messages: 0 to 21,600 seconds."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which room.")
class RoomInput:
    """The input of `joinRoom` and `leaveRoom`, which nobody comes for by a link."""

    room: strawberry.ID = strawberry.field(description="The room.")
    via: str | None = via_field()
    idempotency_key: str | None = key_field()


@strawberry.input(description="Who shall not be heard, and for how long.")
class MuteInRoomInput:
    """The input of `muteInRoom`."""

    room: strawberry.ID = strawberry.field(description="A room you host.")
    handle: str = strawberry.field(description="The handle of whoever it is.")
    minutes: int = strawberry.field(description="For how many minutes, up to a week; 0 lets them be heard again.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Who may not come, or may again.")
class RoomGuestInput:
    """The input of `banFromRoom` and `unbanFromRoom`."""

    room: strawberry.ID = strawberry.field(description="A room you host.")
    handle: str = strawberry.field(description="The handle of whoever it is.")
    idempotency_key: str | None = key_field()


def _room_of(asked: Mapping[str, Any]) -> Ref:
    return parse_ref_of(asked["room"], _ROOMS)


def _open_room(asked: Mapping[str, Any]) -> Act:
    subject, key = parse_ref_of(asked["subject"], _SUBJECTS), key_of(asked)
    visibility = RoomVisibility(asked.get("visibility") or RoomVisibility.PUBLIC)
    title = asked.get("title")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await open_room(acting, subject, title, visibility, key)}

    return act


def _set_room(asked: Mapping[str, Any]) -> Act:
    room, key = _room_of(asked), key_of(asked)
    values = {column: asked[name] for name, column in _COLUMNS.items() if name in asked}
    for name, column in (("visibility", "visibility"), ("slowModeSeconds", "slow_mode_seconds")):
        if column in values and values[column] is None:
            raise BadInput(f"{name} cannot be taken away; leave it out where it stays as it is.")
    if "visibility" in values:
        values["visibility"] = RoomVisibility(values["visibility"]).value

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await set_room(acting, room, values, key)}

    return act


def _join_room(asked: Mapping[str, Any]) -> Act:
    room, key, via = _room_of(asked), key_of(asked), asked.get("via")

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await join_room(acting, room, key, via)}

    return act


def _leave_room(asked: Mapping[str, Any]) -> Act:
    room, key = _room_of(asked), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await leave_room(acting, room, key)}

    return act


def _mute_in_room(asked: Mapping[str, Any]) -> Act:
    room, handle, key = _room_of(asked), clean_text("handle", asked["handle"]), key_of(asked)
    minutes: int = asked["minutes"]

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": room, "mutedUntil": await mute_in_room(acting, room, handle, minutes, key)}

    return act


def _ban_from_room(asked: Mapping[str, Any]) -> Act:
    room, handle, key = _room_of(asked), clean_text("handle", asked["handle"]), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        await ban_from_room(acting, room, handle, key)
        return {"room": room}

    return act


def _unban_from_room(asked: Mapping[str, Any]) -> Act:
    room, handle, key = _room_of(asked), clean_text("handle", asked["handle"]), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        await unban_from_room(acting, room, handle, key)
        return {"room": room}

    return act


_COLUMNS = {"title": "title", "visibility": "visibility", "slowModeSeconds": "slow_mode_seconds"}
DEEDS = (
    Deed(
        "open_room",
        "Opens the room of a world, a hook or a release that is yours to change; one that is there stays as it is.",
        OpenRoomInput,
        RoomSuccess,
        _open_room,
    ),
    Deed("set_room", "Says how it goes in a room, as its host.", SetRoomInput, RoomSuccess, _set_room),
    Deed("join_room", "Joins a room you may enter.", RoomInput, RoomSuccess, _join_room),
    Deed("leave_room", "Leaves a room you joined.", RoomInput, RoomSuccess, _leave_room),
    Deed(
        "mute_in_room",
        "Lets nobody hear somebody in a room for a while, as its host.",
        MuteInRoomInput,
        MuteInRoomSuccess,
        _mute_in_room,
    ),
    Deed(
        "ban_from_room",
        "Sends somebody out of a room, as its host: to them it is not there any more.",
        RoomGuestInput,
        RoomSuccess,
        _ban_from_room,
    ),
    Deed(
        "unban_from_room",
        "Lets somebody come again who was sent out, as the host of the room.",
        RoomGuestInput,
        RoomSuccess,
        _unban_from_room,
    ),
)
