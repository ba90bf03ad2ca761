"""Where rooms are opened and changed, and who came, is not heard, or was sent out.

Who writes locks the room first and looks afterwards who they are there: who was sent out a moment ago is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.assets import current_id
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.rooms import RoomVisibility


class HeldRoom(NamedTuple):
    """A room under the writer's lock, with the columns that may be changed."""

    id: UUID
    artist: UUID
    values: Mapping[str, Any]


CHANGEABLE = ("title", "visibility", "slow_mode_seconds")


async def hold_room(connection: AsyncConnection, viewer: Viewer, room_id: UUID, action: Action) -> HeldRoom | None:
    """Lock a room the viewer may read, or host; None where there is none, or it is not for them."""
    room = tables.room.alias()
    here = room.c.id == room_id, allowed(tables.room, action, room)
    # Not FOR UPDATE: rows that name the room are written without a wait.
    lock = select(room.c.id).where(*here).with_for_update(of=room, key_share=True)
    if (await connection.execute(lock, viewer_values(viewer))).first() is None:
        return None
    # Whoever waited for the lock looks again: what a statement saw when it began may be over.
    row = (await connection.execute(select(room).where(*here), viewer_values(viewer))).mappings().first()
    return None if row is None else HeldRoom(row["id"], row["artist_id"], {name: row[name] for name in CHANGEABLE})


class RoomSubject(NamedTuple):
    """What a room gathers around: the row that names it, and the artist whose it is."""

    artist: UUID
    hook: UUID | None
    release: UUID | None


async def subject_of(connection: AsyncConnection, viewer: Viewer, subject: Ref) -> RoomSubject | None:
    """An artist, a hook or a release for which the viewer may open a room; None where there is none, or not theirs."""
    artist, hook, asset = tables.artist.alias(), tables.hook.alias(), tables.asset.alias()
    if subject.kind is Kind.ARTIST:
        query = select(artist.c.id).where(artist.c.id == subject.id, allowed(tables.artist, Action.WRITE, artist))
    elif subject.kind is Kind.HOOK:
        query = select(asset.c.owner_id).join_from(asset, hook, hook.c.track_id == asset.c.id)
        query = query.where(hook.c.id == subject.id, allowed(tables.asset, Action.WRITE, asset))
    else:
        current = asset.c.id == current_id(literal(subject.id, Uuid))
        query = select(asset.c.owner_id, asset.c.id).where(current, allowed(tables.asset, Action.WRITE, asset))
    row = (await connection.execute(query, viewer_values(viewer))).first()
    if row is None:
        return None
    of_hook = subject.id if subject.kind is Kind.HOOK else None
    return RoomSubject(row[0], of_hook, row[1] if subject.kind is Kind.RELEASE else None)


async def add_room(
    connection: AsyncConnection, room_id: UUID, subject: RoomSubject, title: str | None, visibility: RoomVisibility
) -> UUID | None:
    """Open the room of something; None where it has one."""
    row = {"id": room_id, "artist_id": subject.artist, "hook_id": subject.hook, "release_id": subject.release}
    added = insert(tables.room).values(**row, title=title, visibility=visibility.value).on_conflict_do_nothing()
    return (await connection.execute(added.returning(tables.room.c.id))).scalar()


async def room_of(connection: AsyncConnection, subject: RoomSubject) -> UUID:
    """The room that something has."""
    room = tables.room
    query = select(room.c.id).where(
        room.c.artist_id == subject.artist,
        room.c.hook_id.is_not_distinct_from(subject.hook),
        room.c.release_id.is_not_distinct_from(subject.release),
    )
    return (await connection.execute(query)).scalar_one()


async def rooms_of_release(connection: AsyncConnection, release_id: UUID, artist_id: UUID) -> list[UUID]:
    """The rooms of a release and of its world, in the order in which they are locked."""
    room = tables.room
    of_world = (room.c.artist_id == artist_id) & room.c.hook_id.is_(None) & room.c.release_id.is_(None)
    query = select(room.c.id).where((room.c.release_id == release_id) | of_world).order_by(room.c.id)
    return list((await connection.execute(query)).scalars())


async def update_room(connection: AsyncConnection, held: HeldRoom, values: Mapping[str, Any]) -> None:
    """Write new values to a held room."""
    await connection.execute(update(tables.room).where(tables.room.c.id == held.id).values(values))


async def _note(
    connection: AsyncConnection, new_id: UUID, held: HeldRoom, account_id: UUID, values: Mapping[str, Any], unless: Any
) -> bool:
    """Note something of somebody in a held room; False where `unless` is so of them already."""
    person = tables.room_person
    row = {"id": new_id, "room_id": held.id, "account_id": account_id}
    noted = insert(person).values(**row, **values)
    key = [person.c.account_id, person.c.room_id]
    noted = noted.on_conflict_do_update(index_elements=key, set_=dict(values), where=~unless)
    return (await connection.execute(noted.returning(person.c.id))).first() is not None


async def join(connection: AsyncConnection, new_id: UUID, held: HeldRoom, account_id: UUID) -> bool:
    """Let somebody be a member of a held room; False where they are."""
    joined = tables.room_person.c.joined_at
    return await _note(connection, new_id, held, account_id, {"joined_at": func.clock_timestamp()}, joined.is_not(None))


async def leave(connection: AsyncConnection, room_id: UUID, account_id: UUID) -> bool:
    """Let somebody be a member of a room no longer; False where they were none."""
    person = tables.room_person
    mine = person.c.room_id == room_id, person.c.account_id == account_id, person.c.joined_at.is_not(None)
    left = update(person).where(*mine).values(joined_at=None).returning(person.c.id)
    return (await connection.execute(left)).first() is not None


async def is_host(connection: AsyncConnection, viewer: Viewer, held: HeldRoom) -> bool:
    """Whether somebody hosts a held room."""
    room = tables.room.alias()
    query = select(room.c.id).where(room.c.id == held.id, allowed(tables.room, Action.WRITE, room))
    return (await connection.execute(query, viewer_values(viewer))).first() is not None


async def mute(
    connection: AsyncConnection, new_id: UUID, held: HeldRoom, account_id: UUID, until: datetime | None
) -> bool:
    """Let nobody hear somebody in a held room until then; None lets them be heard. False where that is so."""
    muted = tables.room_person.c.muted_until
    return await _note(connection, new_id, held, account_id, {"muted_until": until}, muted.is_not_distinct_from(until))


async def ban(connection: AsyncConnection, new_id: UUID, held: HeldRoom, account_id: UUID) -> bool:
    """Send somebody out of a held room; False where they were."""
    gone = {"banned_at": func.clock_timestamp(), "joined_at": None}
    return await _note(connection, new_id, held, account_id, gone, tables.room_person.c.banned_at.is_not(None))


async def unban(connection: AsyncConnection, room_id: UUID, account_id: UUID) -> bool:
    """Let somebody come again whom a host sent out; False where nobody did."""
    person = tables.room_person
    theirs = person.c.room_id == room_id, person.c.account_id == account_id, person.c.banned_at.is_not(None)
    back = update(person).where(*theirs).values(banned_at=None).returning(person.c.id)
    return (await connection.execute(back)).first() is not None
