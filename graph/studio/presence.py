"""The mutations of presence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import strawberry

from domain.errors import BadInput
from domain.ids import Kind, Ref, parse_ref_of
from graph.fields import stored
from graph.rooms import Room
from graph.studio.deeds import Act, Deed
from resolvers.context import Acting
from resolvers.presence import heartbeat, step_out
from subscriptions.presence import BEAT_EVERY

_CONNECTION = re.compile(r"[A-Za-z0-9_-]{1,64}")


@strawberry.type(description="You are seen in the room.")
class HeartbeatSuccess:
    """The payload."""

    room: Room | None = stored("The room, with who is in it now.")
    again_seconds: int = stored("After how many seconds the next heartbeat is due.")


@strawberry.input(description="That you are in a room.")
class HeartbeatInput:
    """The input of `heartbeat`."""

    room: strawberry.ID = strawberry.field(description="The room.")
    connection: str = strawberry.field(
        description="Your name for this tab or device, such as a random UUID: 1 to 64 letters, digits, - and _."
    )


@strawberry.type(description="You are seen there no more, unless by another tab.")
class StepOutSuccess:
    """The payload."""

    left: bool = stored("Always true: whoever was not there is not there now.")


@strawberry.input(description="That you are in a room no more.")
class StepOutInput:
    """The input of `stepOut`."""

    room: strawberry.ID = strawberry.field(description="The room.")
    connection: str = strawberry.field(description="The name of the tab or device that its heartbeats had.")


def _read(asked: Mapping[str, Any]) -> tuple[Ref, str]:
    connection: str = asked["connection"]
    if not _CONNECTION.fullmatch(connection):
        raise BadInput("A connection is named by 1 to 64 letters, digits, - and _.")
    return parse_ref_of(asked["room"], frozenset({Kind.ROOM})), connection


def _heartbeat(asked: Mapping[str, Any]) -> Act:
    room, connection = _read(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"room": await heartbeat(acting, room, connection), "againSeconds": BEAT_EVERY}

    return act


def _step_out(asked: Mapping[str, Any]) -> Act:
    room, connection = _read(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        await step_out(acting, room, connection)
        return {"left": True}

    return act


DEEDS = (
    Deed(
        "heartbeat",
        "Keeps you seen in a room: send it as you enter and every 15 seconds. Who is not signed in is counted and not "
        "named; without heartbeats somebody is gone within 45 seconds.",
        HeartbeatInput,
        HeartbeatSuccess,
        _heartbeat,
    ),
    Deed(
        "step_out",
        "Takes a tab out of a room at once, rather than when its heartbeats stop.",
        StepOutInput,
        StepOutSuccess,
        _step_out,
    ),
)
