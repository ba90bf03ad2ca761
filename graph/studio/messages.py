"""The mutations of what people say in rooms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.errors import TooSoon
from domain.ids import Kind, parse_ref_of
from domain.rooms import Reaction
from graph.fields import stored
from graph.rooms import Room, RoomMessage
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.messages import delete_message, react, send_message

_ROOMS, _MESSAGES = frozenset({Kind.ROOM}), frozenset({Kind.MESSAGE})


@strawberry.type(description="The message as everybody in the room reads it.")
class MessageSuccess:
    """The payload of what says something, or takes it back."""

    said: RoomMessage = stored("The message.")


@strawberry.type(description="The room as it is now.")
class ReactSuccess:
    """The payload."""

    room: Room = stored("The room.")


@strawberry.input(description="What to say, and where.")
class SendMessageInput:
    """The input of `sendMessage`."""

    room: strawberry.ID = strawberry.field(description="A room you may enter.")
    text: str = strawberry.field(
        description="1 to 1,000 characters, lines among them. Signs that turn the direction of text are refused."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to take back.")
class DeleteMessageInput:
    """The input of `deleteMessage`."""

    message: strawberry.ID = strawberry.field(description="A message of yours, or one in a room you host.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to say without a word, and where.")
class ReactInput:
    """The input of `react`."""

    room: strawberry.ID = strawberry.field(description="A room you may enter.")
    reaction: Reaction = strawberry.field(description="What it says.")
    idempotency_key: str | None = key_field()


def _send_message(asked: Mapping[str, Any]) -> Act:
    room, key = parse_ref_of(asked["room"], _ROOMS), key_of(asked)
    text: str = asked["text"]

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"said": await send_message(acting, room, text, key)}

    return act


def _delete_message(asked: Mapping[str, Any]) -> Act:
    message, key = parse_ref_of(asked["message"], _MESSAGES), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"said": await delete_message(acting, message, key)}

    return act


def _react(asked: Mapping[str, Any]) -> Act:
    room, key = parse_ref_of(asked["room"], _ROOMS), key_of(asked)
    reaction = Reaction(asked["reaction"])

    async def act(acting: Acting) -> Mapping[str, Any]:
        await react(acting, room, reaction, key)
        return {"room": room}

    return act


DEEDS = (
    Deed(
        "send_message",
        "Says something in a room. At most 20 messages a minute, and fewer where the room goes slowly.",
        SendMessageInput,
        MessageSuccess,
        _send_message,
        (TooSoon,),
    ),
    Deed(
        "delete_message",
        "Takes a message back: it keeps its place and loses its words.",
        DeleteMessageInput,
        MessageSuccess,
        _delete_message,
    ),
    Deed(
        "react",
        "Says something in a room without a word, at most 60 times a minute.",
        ReactInput,
        ReactSuccess,
        _react,
        (TooSoon,),
    ),
)
