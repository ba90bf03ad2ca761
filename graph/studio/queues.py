"""The mutations of the queue of a room, and of what is heard there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.ids import Kind, parse_ref_of
from graph.fields import optional, stored
from graph.rooms import QueueItem, Room
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.queues import Wanted, play_now, queue_in_room, remove_from_queue

_ROOMS, _ITEMS = frozenset({Kind.ROOM}), frozenset({Kind.QUEUED})
_PIECES = frozenset({Kind.HOOK, Kind.TRACK})


@strawberry.type(description="What waits at the end of the queue now.")
class QueueInRoomSuccess:
    """The payload."""

    item: QueueItem = stored("Its place.")


@strawberry.type(description="The room with its queue as it is now.")
class QueueSuccess:
    """The payload of what changes what is heard, or will be."""

    room: Room = stored("The room.")


@strawberry.input(description="What to play later.")
class QueueInRoomInput:
    """The input of `queueInRoom`."""

    room: strawberry.ID = strawberry.field(description="A room you host.")
    piece: strawberry.ID = strawberry.field(
        description="A hook or a track that everybody may hear, or a hook of a release of yours that is to come."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="What not to play after all.")
class RemoveFromQueueInput:
    """The input of `removeFromQueue`."""

    item: strawberry.ID = strawberry.field(description="A place in the queue of a room you host.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What is to be heard from now on.")
class PlayNowInput:
    """The input of `playNow`."""

    room: strawberry.ID = strawberry.field(description="A room you host.")
    piece: strawberry.ID | None = optional(
        "A place in its queue, or a hook or a track that everybody may hear; what waits first where it is left out, "
        "and silence where it is null."
    )
    idempotency_key: str | None = key_field()


def _queue_in_room(asked: Mapping[str, Any]) -> Act:
    room, piece, key = parse_ref_of(asked["room"], _ROOMS), parse_ref_of(asked["piece"], _PIECES), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"item": await queue_in_room(acting, room, piece, key)}

    return act


def _remove_from_queue(asked: Mapping[str, Any]) -> Act:
    item, key = parse_ref_of(asked["item"], _ITEMS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await remove_from_queue(acting, item, key)}

    return act


def _play_now(asked: Mapping[str, Any]) -> Act:
    room, key, named = parse_ref_of(asked["room"], _ROOMS), key_of(asked), asked.get("piece")
    piece = None if named is None else parse_ref_of(named, _PIECES | _ITEMS)
    wanted = Wanted(piece, silence=named is None and "piece" in asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await play_now(acting, room, wanted, key)}

    return act


DEEDS = (
    Deed(
        "queue_in_room",
        "Puts a hook or a track at the end of the queue, as the host of a room.",
        QueueInRoomInput,
        QueueInRoomSuccess,
        _queue_in_room,
    ),
    Deed(
        "remove_from_queue",
        "Takes something out of the queue, as the host of a room.",
        RemoveFromQueueInput,
        QueueSuccess,
        _remove_from_queue,
    ),
    Deed(
        "play_now",
        "Lets a room hear something from now on, as its host, and then what waits in its queue. Whoever is there hears "
        "it at the same place.",
        PlayNowInput,
        QueueSuccess,
        _play_now,
    ),
)
