"""Where rooms live, and what happens in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    LargeBinary,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.accounts import handle_of
from db.arguments import Bound, Paging
from db.assets import current_id
from db.orders import JOINED, NEWEST, OLDEST, POSITION
from db.places import Computed, Page, Stored, ToOne, Type, belong, columns, refer
from db.queues import ByPlaying
from db.signals import ROOM_HEAT
from domain.rooms import Happening, RoomEventKind

_MARK = literal_column("'\\x726d'::bytea", LargeBinary)


def _place_of(room: Any, number: ColumnElement[Any]) -> ColumnElement[str]:
    """The mark after an event of a room, as `domain.rooms.mark_of` writes it."""
    sent = _MARK.concat(func.uuid_send(room.c.id, type_=LargeBinary))
    sent = sent.concat(func.uuid_send(room.c.epoch, type_=LargeBinary)).concat(func.int8send(number, type_=LargeBinary))
    return func.translate(func.encode(sent, literal_column("'base64'")), "+/=\n", "-_", type_=Text)


def _now_wears(row: Any, visual: Any, _: Bound) -> ColumnElement[bool]:
    """The atmosphere of the hook that is heard or of the track's, where it may be seen still; else the world's."""
    hook, worn, artist = tables.hook.alias(), tables.visual_world.alias(), tables.artist.alias()
    of_hook = (
        select(worn.c.id)
        .join_from(worn, hook, hook.c.id == worn.c.hook_id)
        .where(
            hook.c.track_id == row.c.now_track_id,
            worn.c.state == "ACTIVE",
            allowed(tables.visual_world, Action.READ, worn),
        )
        .correlate_except(worn, hook)
    )
    of_world = select(artist.c.visual_id).where(artist.c.id == row.c.artist_id).correlate_except(artist)
    return visual.c.id == func.coalesce(of_hook.scalar_subquery(), of_world.scalar_subquery())


def _of_viewer(name: str) -> Callable[[Any], ColumnElement[Any]]:
    """What a room knows of the viewer, in a column."""

    def value(room: Any) -> ColumnElement[Any]:
        person = tables.room_person.alias()
        mine = allowed(tables.room_person, Action.INSPECT, person)
        known = select(person.c[name]).where(person.c.room_id == room.c.id, mine)
        return known.correlate_except(person).scalar_subquery()

    return value


def _of_somebody(row: Any, room: Any, _: Bound) -> ColumnElement[bool]:
    """The room again, for whoever is signed in."""
    account = tables.account.alias()
    signed_in = exists().where(allowed(tables.account, Action.READ, account)).correlate_except(account)
    return and_(room.c.id == row.c.id, signed_in)


def _still(until: ColumnElement[Any]) -> ColumnElement[Any]:
    """A moment that is not past."""
    return case((until > func.now(), until))


def _waiting(row: Any, queued: Any, _: Bound) -> ColumnElement[bool]:
    return and_(queued.c.room_id == row.c.id, queued.c.state == "QUEUED")


ROOM = Type(
    "Room",
    tables.room,
    {
        **columns(tables.room, "title", "visibility", "slow_mode_seconds", id="ref"),
        "lastEvent": Stored(lambda room: _place_of(room, room.c.last_event_id), plain=True),
        "world": ToOne("World", refer("artist_id"), always=True),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "release": ToOne("Release", refer("release_id")),
        "heat": ROOM_HEAT,
        "now": ToOne("RoomNow", lambda row, now, _: and_(now.c.id == row.c.id, now.c.now_since.is_not(None))),
        "standing": ToOne("RoomStanding", _of_somebody),
        "messages": Page("RoomMessage", belong("room_id"), Paging({"NEWEST": NEWEST}, "NEWEST")),
        "members": Page("RoomGuest", belong("room_id"), Paging({"JOINED": JOINED}, "JOINED")),
        "heldBack": Page("RoomGuest", belong("room_id"), Paging({"OLDEST": OLDEST}, "OLDEST"), action=Action.LIST),
        "queue": Page("QueueItem", _waiting, Paging({"POSITION": POSITION}, "POSITION")),
        "firstBlocked": Computed(ByPlaying()),
        "present": Computed(),
    },
)

ROOM_NOW = Type(
    "RoomNow",
    tables.room,
    {
        "since": Stored(lambda room: room.c.now_since),
        "track": ToOne("Track", lambda row, track, _: track.c.id == current_id(row.c.now_track_id)),
        "hook": ToOne("Hook", refer("now_hook_id"), action=Action.READ),
        "visualWorld": ToOne("VisualWorld", _now_wears),
    },
)

ROOM_STANDING = Type(
    "RoomStanding",
    tables.room,
    {
        "isHost": Stored(lambda room: allowed(tables.room, Action.WRITE, room)),
        "joinedAt": Stored(_of_viewer("joined_at"), nullable=True),
        "mutedUntil": Stored(lambda room: _still(_of_viewer("muted_until")(room)), nullable=True),
    },
)


def _for_hosts(name: str) -> Callable[[Any], ColumnElement[Any]]:
    """What only hosts are told of somebody, in a column."""

    def value(person: Any) -> ColumnElement[Any]:
        room = tables.room.alias()
        hosted = exists().where(room.c.id == person.c.room_id, allowed(tables.room, Action.WRITE, room))
        return case((hosted.correlate_except(room), person.c[name]))

    return value


ROOM_GUEST = Type(
    "RoomGuest",
    tables.room_person,
    {
        **columns(tables.room_person, "joined_at", id="ref"),
        "handle": Stored(handle_of),
        "mutedUntil": Stored(lambda person: _still(_for_hosts("muted_until")(person)), nullable=True),
        "bannedAt": Stored(_for_hosts("banned_at"), nullable=True),
        "room": ToOne("Room", refer("room_id"), action=Action.READ),
    },
)

_ADD_EVENT = text("""
    WITH moved AS (
      UPDATE room SET last_event_id = last_event_id + 1 WHERE id = :room RETURNING id, last_event_id
    )
    INSERT INTO room_event (room_id, id, kind, account_id, payload)
    SELECT id, last_event_id, :kind, :account, CAST(:payload AS jsonb) FROM moved
    RETURNING id""").bindparams(bindparam("room", type_=Uuid), bindparam("account", type_=Uuid))


async def add_room_event(
    connection: AsyncConnection,
    room_id: UUID,
    kind: RoomEventKind,
    account_id: UUID | None,
    payload: Mapping[str, Any],
) -> int:
    """Let something happen in a room, in the writer's own transaction, and answer its number there.

    The room stays locked until the transaction ends, so that numbers have no gaps and come in the order of commits:
    write it last, and of several rooms in the order of their ids. Everybody who may read the room is told the same:
    nothing that depends on who looks belongs into the payload, and no words that somebody may take back:

        MESSAGE, MESSAGE_DELETED    message (id); the words of a message are joined when the event is read
        REACTION                    reaction
        NOW_CHANGED                 track, hook (ids or null), title, durationMs, since; {} where nothing is heard
        COMMENT                     comment (id), hook (id or null), positionMs
        COLLECTED                   entitlement or hook (id)
        RELEASE_PUBLISHED           release (id), title
        CLIP_APPROVED               clip (id)
        HEAT_CHANGED                heat
        PRESENCE                    joined: true, or false where they left
        FOLLOWED, SUPPORTED         nothing

    Args:
        connection: of the transaction.
        room_id: where it happens; the room exists.
        kind: anything but RESET.
        account_id: who did it, named by handle; None for nobody.
        payload: ids are TypeIDs, times RFC 3339.
    """
    values = {"room": room_id, "kind": kind.value, "account": account_id, "payload": orjson.dumps(payload).decode()}
    number: int = (await connection.execute(_ADD_EVENT, values)).scalar_one()
    return number


async def events_after(connection: AsyncConnection, room_id: UUID, after: int, first: int) -> list[Happening]:
    """The next events of a room in the order of their numbers; it asks nobody who they are."""
    event, room, account, message = (
        table.alias() for table in (tables.room_event, tables.room, tables.account, tables.room_message)
    )
    query = (
        select(
            room.c.epoch,
            event.c.id,
            event.c.kind,
            event.c.at,
            account.c.handle,
            event.c.payload,
            message.c.id.label("message_id"),
            message.c.text.label("said"),
        )
        .join_from(event, room, room.c.id == event.c.room_id)
        .outerjoin(account, account.c.id == event.c.account_id)
        .outerjoin(message, (message.c.room_id == event.c.room_id) & (message.c.event_id == event.c.id))
        .where(event.c.room_id == room_id, event.c.id > after)
        .order_by(event.c.id)
        .limit(first)
    )
    return [
        Happening(
            room_id,
            row.epoch,
            row.id,
            RoomEventKind(row.kind),
            row.at,
            row.handle,
            row.payload if row.message_id is None else {**row.payload, "text": row.said},
        )
        for row in await connection.execute(query)
    ]


async def last_events(connection: AsyncConnection, rooms: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, int]]:
    """The epoch of each room, and the number of the last thing that happened there."""
    room = tables.room
    query = select(room.c.id, room.c.epoch, room.c.last_event_id).where(
        room.c.id == any_(bindparam("rooms", list(rooms), type_=ARRAY(Uuid)))
    )
    return {row.id: (row.epoch, row.last_event_id) for row in await connection.execute(query)}


async def forget_events(connection: AsyncConnection, kept_for: timedelta, most: int) -> int:
    """Remove the oldest events, so many at most, but for what a ritual is still to remember; how many they were.

    Nothing of the last day goes, however short they are to be kept: the database itself sees to that.
    """
    removed: int = (await connection.execute(select(func.forget_events(kept_for, most)))).scalar_one()
    return removed
