"""Where what people say in rooms lives, and how fast they may be heard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.accounts import handle_of
from db.places import Stored, ToOne, Type, columns, refer
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.messages import MINUTE, Pace
from domain.rooms import RoomEventKind

ROOM_MESSAGE = Type(
    "RoomMessage",
    tables.room_message,
    {
        **columns(tables.room_message, "text", "created_at", "deleted_at", id="ref"),
        "handle": Stored(handle_of),
        "room": ToOne("Room", refer("room_id"), action=Action.READ),
    },
)


async def hold_voice(connection: AsyncConnection, account_id: UUID, kind: RoomEventKind, most: int) -> timedelta | None:
    """Let an account be heard once at a time, in whichever rooms: what it is counted by stands still.

    Where it was heard too often anyhow, nothing is held, and answered is how long ago the first of these was: of a
    hundred requests a second, few wait for each other.
    """
    event = tables.room_event.alias()
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"voice/{account_id}", 0)).cast(Text)
    oldest = _recent(event, account_id, kind, func.min(event.c.at))
    query = select(case((_recent(event, account_id, kind, func.count()) < most, lock)), func.clock_timestamp() - oldest)
    held, ago = (await connection.execute(query)).one()
    return None if held is not None else ago or timedelta(0)


def _recent(event: Any, account_id: UUID | None, kind: RoomEventKind, told: ColumnElement[Any]) -> ColumnElement[Any]:
    """Something about how an account was heard within the last minute."""
    heard = select(told).where(
        event.c.account_id == account_id, event.c.kind == kind.value, event.c.at > func.clock_timestamp() - MINUTE
    )
    return heard.correlate_except(event).scalar_subquery()


async def pace_of(connection: AsyncConnection, viewer: Viewer, room_id: UUID, kind: RoomEventKind) -> Pace:
    """How somebody was heard, for a room: exactly where their voice and the room are held."""
    room, person, event = (table.alias() for table in (tables.room, tables.room_person, tables.room_event))
    slow = func.make_interval(0, 0, 0, 0, 0, 0, room.c.slow_mode_seconds)
    said_here = select(func.max(event.c.at)).where(
        event.c.account_id == viewer.account,
        event.c.kind == RoomEventKind.MESSAGE.value,
        event.c.room_id == room.c.id,
        event.c.at > func.clock_timestamp() - slow,
    )
    query = (
        select(
            func.clock_timestamp(),
            allowed(tables.room, Action.WRITE, room),
            person.c.muted_until,
            room.c.slow_mode_seconds,
            case((literal(kind is RoomEventKind.MESSAGE), said_here.correlate(room).scalar_subquery())),
            _recent(event, viewer.account, kind, func.count()),
            _recent(event, viewer.account, kind, func.min(event.c.at)),
        )
        .select_from(room)
        .outerjoin(person, (person.c.room_id == room.c.id) & (person.c.account_id == viewer.account))
        .where(room.c.id == room_id)
    )
    return Pace(*(await connection.execute(query, viewer_values(viewer))).one())


async def add_message(
    connection: AsyncConnection, message_id: UUID, room_id: UUID, event_id: int, account_id: UUID, text: str
) -> None:
    """Keep what somebody said in a held room."""
    row = {"id": message_id, "room_id": room_id, "event_id": event_id, "account_id": account_id, "text": text}
    await connection.execute(insert(tables.room_message).values(row))


class HeldMessage(NamedTuple):
    """A message under the writer's lock."""

    id: UUID
    room: UUID


async def hold_message(connection: AsyncConnection, viewer: Viewer, message_id: UUID) -> HeldMessage | None:
    """Lock a message the viewer may take back; None where there is none, or it is not theirs."""
    message = tables.room_message.alias()
    query = (
        select(message.c.id, message.c.room_id)
        .where(message.c.id == message_id, allowed(tables.room_message, Action.WRITE, message))
        .with_for_update(of=message)
    )
    row: Any = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else HeldMessage(row.id, row.room_id)


async def take_back(connection: AsyncConnection, held: HeldMessage, account_id: UUID) -> None:
    """Let a held message keep its place and lose its words."""
    message = tables.room_message
    gone = {"text": None, "deleted_at": func.clock_timestamp(), "deleted_by_id": account_id}
    await connection.execute(update(message).where(message.c.id == held.id).values(gone))
