"""What people say in rooms: messages, and what needs no word."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db.changes import record_changes
from db.messages import add_message, hold_message, hold_voice, pace_of, take_back
from db.rooms import add_room_event
from db.signals import add_room_signal
from domain.accounts import person_of
from domain.errors import NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.measures import SignalKind
from domain.messages import MESSAGES_A_MINUTE, REACTIONS_A_MINUTE, checked_message, much_said, refuse_haste
from domain.rooms import Reaction, RoomEventKind
from resolvers.context import Acting
from resolvers.rooms import hold_entered
from resolvers.writing import Outcome, done_once

_MOST = {RoomEventKind.MESSAGE: MESSAGES_A_MINUTE, RoomEventKind.REACTION: REACTIONS_A_MINUTE}


async def send_message(acting: Acting, room: Ref, text: str, idempotency_key: str | None) -> Ref:
    """Say something in a room one may enter.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or it is not for the viewer.
        Forbidden: a host muted them.
        TooSoon: they said much within a minute, or the room goes slowly.
        Invalid: it is no text of 1 to 1,000 characters.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)
    said = checked_message(text)

    async def work(connection: Any) -> Outcome:
        held = await _heard(connection, acting, room, RoomEventKind.MESSAGE)
        message = Ref(Kind.MESSAGE, acting.new_id())
        await record_changes(connection, [(held, "ROOM_MESSAGE", [message.id])])
        number = await add_room_event(connection, held, RoomEventKind.MESSAGE, account, {"message": str(message)})
        await add_message(connection, message.id, held, number, account, said)
        await add_room_signal(connection, acting.viewer, SignalKind.COMMENT, held)
        return {"message": str(message), "room": str(room)}

    request = {"room": str(room), "text": said}
    return parse_ref((await done_once(acting, "sendMessage", request, idempotency_key, work))["message"])


async def delete_message(acting: Acting, message: Ref, idempotency_key: str | None) -> Ref:
    """Take a message back, as whoever said it or as a host: it keeps its place and loses its words.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such message, or it is not the viewer's to take back.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await hold_message(connection, acting.viewer, message.id)
        if held is None:
            raise NotFound("There is no such message.", path=("message",))
        await take_back(connection, held, account)
        await record_changes(connection, [(held.room, "ROOM_MESSAGE_DELETED", [held.id])])
        # Who took it back is not told: whether it was a host is between them and whoever said it.
        said = {"message": str(message)}
        await add_room_event(connection, held.room, RoomEventKind.MESSAGE_DELETED, None, said)
        return {"message": str(message), "room": str(Ref(Kind.ROOM, held.room))}

    await done_once(acting, "deleteMessage", {"message": str(message)}, idempotency_key, work)
    return message


async def react(acting: Acting, room: Ref, reaction: Reaction, idempotency_key: str | None) -> None:
    """Say something without a word.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such room, or it is not for the viewer.
        Forbidden: a host muted them.
        TooSoon: they did it often within a minute.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await _heard(connection, acting, room, RoomEventKind.REACTION)
        await record_changes(connection, [(held, "ROOM_REACTION", [account])])
        await add_room_event(connection, held, RoomEventKind.REACTION, account, {"reaction": reaction.value})
        await add_room_signal(connection, acting.viewer, SignalKind.REACTION, held)
        return {"room": str(room)}

    request = {"room": str(room), "reaction": reaction.value}
    await done_once(acting, "react", request, idempotency_key, work)


async def _heard(connection: Any, acting: Acting, room: Ref, kind: RoomEventKind) -> UUID:
    """Lock a room in which the viewer may be heard now.

    Raises:
        NotFound: there is no such room, or it is not for them.
        Forbidden: a host muted them.
        TooSoon: they were heard enough for now.
    """
    heard = await hold_voice(connection, person_of(acting.viewer), kind, _MOST[kind])
    if heard is not None:
        raise much_said(heard)
    held = await hold_entered(connection, acting, room)
    refuse_haste(await pace_of(connection, acting.viewer, held.id, kind), _MOST[kind])
    return held.id
