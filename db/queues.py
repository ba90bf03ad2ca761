"""Where the queues of rooms live, what is heard now, and what may be heard by anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.accounts import handle_of
from db.arguments import Given, Reading
from db.assets import current_id
from db.engine import Database
from db.places import Computed, Stored, ToOne, Type, columns, refer
from db.verdicts import Unbound, read_territory
from db.viewers import viewer_values
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.queues import QueueState
from domain.rooms import RoomVisibility
from domain.windows import Window

_ITEMS, _ROOMS = bindparam("items", type_=ARRAY(Uuid)), bindparam("rooms", type_=ARRAY(Uuid))


class ByPlaying(Unbound):
    """`territory recorded`."""

    def read(self, given: Given) -> Reading:
        """Refuse a territory that is no code."""
        return None, {"territory": read_territory(given), "is_recorded": bool(given.get("recorded"))}


QUEUE_ITEM = Type(
    "QueueItem",
    tables.room_queue,
    {
        **columns(tables.room_queue, "position", "created_at", id="ref"),
        "handle": Stored(handle_of),
        "room": ToOne("Room", refer("room_id"), action=Action.READ),
        "track": ToOne("Track", lambda row, track, _: track.c.id == current_id(row.c.track_id)),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "decision": Computed(ByPlaying()),
        "rights": Computed(ByPlaying()),
    },
)


def _is_shown(track: Any) -> ColumnElement[bool]:
    return and_(allowed(tables.asset, Action.LIST, track), asset_shown(track, Exposure.FULL))


def _audible(track: Any, hook: Any, artist_id: Any) -> ColumnElement[bool]:
    """Whoever asks as nobody may hear it: the track is shown to everybody, or the room's artist shows its hook."""
    own_hook = and_(hook.c.id.is_not(None), track.c.owner_id == artist_id, allowed(tables.hook, Action.READ, hook))
    return or_(_is_shown(track), own_hook)


class Piece(NamedTuple):
    """What may be heard in a room: a track, or its hook alone.

    Attributes:
        title: of the track; None where it is not shown to everybody, such as before its release is out.
        duration_ms: how long it is heard; None where that is not known.
    """

    track: UUID
    hook: UUID | None
    title: str | None
    duration_ms: int | None


async def piece_of(connection: AsyncConnection, subject: Ref, artist_id: UUID) -> Piece | None:
    """A hook or a track that anybody may hear in a room of that artist; None where there is none."""
    track, detail, hook = (table.alias() for table in (tables.asset, tables.track, tables.hook))
    is_hook = subject.kind is Kind.HOOK
    its_hook = and_(hook.c.track_id == track.c.id, hook.c.id == (subject.id if is_hook else None))
    named = hook.c.id.is_not(None) if is_hook else track.c.id == current_id(literal(subject.id, Uuid))
    length = func.coalesce(hook.c.end_ms - hook.c.start_ms, detail.c.duration_ms)
    query = (
        select(track.c.id, hook.c.id, track.c.title, length, _is_shown(track))
        .join_from(detail, track, track.c.id == detail.c.id)
        .outerjoin(hook, its_hook)
        .where(named, _audible(track, hook, artist_id))
    )
    row = (await connection.execute(query, viewer_values(ANONYMOUS))).first()
    return None if row is None else Piece(row[0], row[1], row[2] if row[4] else None, row[3])


async def last_position(connection: AsyncConnection, room_id: UUID) -> tuple[int, int]:
    """How many wait in the queue of a held room, and the place of the last of all."""
    queued = tables.room_queue
    query = select(
        func.count().filter(queued.c.state == QueueState.QUEUED.value), func.coalesce(func.max(queued.c.position), 0)
    ).where(queued.c.room_id == room_id)
    count, position = (await connection.execute(query)).one()
    return count, position


async def add_queued(
    connection: AsyncConnection, queued_id: UUID, room_id: UUID, position: int, piece: Piece, account_id: UUID
) -> None:
    """Put a piece into the queue of a held room."""
    row = {"id": queued_id, "room_id": room_id, "position": position, "account_id": account_id}
    await connection.execute(insert(tables.room_queue).values(**row, track_id=piece.track, hook_id=piece.hook))


async def room_of_queued(connection: AsyncConnection, viewer: Viewer, queued_id: UUID) -> UUID | None:
    """The room in whose queue something waits that the viewer may take out; None where there is none."""
    queued = tables.room_queue.alias()
    query = select(queued.c.room_id).where(queued.c.id == queued_id, allowed(tables.room_queue, Action.WRITE, queued))
    return (await connection.execute(query, viewer_values(viewer))).scalar()


async def next_queued(connection: AsyncConnection, room_id: UUID, queued_id: UUID | None) -> tuple[UUID, Ref] | None:
    """What waits first in the queue of a held room, or is named and waits there, and the hook or track it is."""
    queued = tables.room_queue
    query = (
        select(queued.c.id, queued.c.track_id, queued.c.hook_id)
        .where(queued.c.room_id == room_id, queued.c.state == QueueState.QUEUED.value)
        .order_by(queued.c.position, queued.c.id)
        .limit(1)
    )
    row = (await connection.execute(query if queued_id is None else query.where(queued.c.id == queued_id))).first()
    if row is None:
        return None
    return row.id, Ref(Kind.TRACK, row.track_id) if row.hook_id is None else Ref(Kind.HOOK, row.hook_id)


async def end_queued(connection: AsyncConnection, queued_id: UUID, state: QueueState) -> bool:
    """Take something out of the queue of a held room; False where it waits no longer."""
    queued = tables.room_queue
    waits = queued.c.id == queued_id, queued.c.state == QueueState.QUEUED.value
    done = update(queued).where(*waits).values(state=state.value).returning(queued.c.id)
    return (await connection.execute(done)).first() is not None


async def play(connection: AsyncConnection, room_id: UUID, piece: Piece | None) -> datetime | None:
    """Let a piece be heard in a held room from now on, or nothing; since when."""
    room = tables.room
    heard = {
        "now_track_id": None if piece is None else piece.track,
        "now_hook_id": None if piece is None else piece.hook,
        "now_since": None if piece is None else func.clock_timestamp(),
    }
    changed = update(room).where(room.c.id == room_id).values(heard).returning(room.c.now_since)
    return (await connection.execute(changed)).scalar_one()


async def hold_playing(connection: AsyncConnection, room_id: UUID, since: datetime) -> UUID | None:
    """Lock a room, in nobody's name, that still hears what it began to hear then; the artist whose it is."""
    room = tables.room
    lock = select(room.c.artist_id).where(room.c.id == room_id, room.c.now_since == since)
    return (await connection.execute(lock.with_for_update(key_share=True))).scalar()


@dataclass(frozen=True, slots=True)
class Queued:
    """Something that waits in a queue, as its hosts ask whether it may be played there.

    Attributes:
        artist: whose room it is.
        window: of the hook; None where the whole track is played.
        is_audible: anybody may hear it.
    """

    id: UUID
    room: UUID
    artist: UUID
    visibility: RoomVisibility
    track: UUID
    window: Window | None
    is_audible: bool


async def queued_of(
    database: Database, viewer: Viewer, *, items: Sequence[UUID] = (), rooms: Sequence[UUID] = ()
) -> Sequence[Queued]:
    """Some of what waits, or all that waits in some rooms, as it will be played; only where the viewer is a host."""
    queued, room, track, hook = (table.alias() for table in (tables.room_queue, tables.room, tables.asset, tables.hook))
    hosted = allowed(tables.room, Action.WRITE, room)
    waits = and_(queued.c.room_id == any_(_ROOMS), queued.c.state == QueueState.QUEUED.value)
    query = (
        select(
            queued.c.id,
            queued.c.room_id,
            room.c.artist_id,
            room.c.visibility,
            current_id(queued.c.track_id).label("track_id"),
            hook.c.start_ms,
            hook.c.end_ms,
        )
        .join_from(queued, room, room.c.id == queued.c.room_id)
        .outerjoin(hook, hook.c.id == queued.c.hook_id)
        .where(or_(queued.c.id == any_(_ITEMS), waits), hosted)
        .order_by(queued.c.room_id, queued.c.position, queued.c.id)
    )
    audible = (
        select(queued.c.id)
        .join_from(queued, room, room.c.id == queued.c.room_id)
        .join(track, track.c.id == current_id(queued.c.track_id))
        .outerjoin(hook, hook.c.id == queued.c.hook_id)
        .where(queued.c.id == any_(_ITEMS), _audible(track, hook, room.c.artist_id))
    )
    async with database.read(snapshot=True) as connection:
        asked = {"items": list(items), "rooms": list(rooms)}
        rows = (await connection.execute(query, {**viewer_values(viewer), **asked})).all()
        found: Mapping[str, Any] = {"items": [row.id for row in rows]}
        heard = set((await connection.execute(audible, {**viewer_values(ANONYMOUS), **found})).scalars())
    return [
        Queued(
            row.id,
            row.room_id,
            row.artist_id,
            RoomVisibility(row.visibility),
            row.track_id,
            None if row.start_ms is None else Window(row.start_ms, row.end_ms),
            row.id in heard,
        )
        for row in rows
    ]
