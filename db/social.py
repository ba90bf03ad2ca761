"""What people do around a song: where it is done, what they follow, like and save, and how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.arguments import Filter, Paging
from db.assets import current_id
from db.orders import LATEST, NAME, NEWEST
from db.places import Page, Stored, belong
from db.viewers import VIEWER_ACCOUNT, viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.social import TieKind


def counted(name: str) -> Stored:
    """How many there are of something that is counted where it is written."""

    def value(row: Any) -> ColumnElement[int]:
        tally = tables.tally.alias()
        known = select(tally.c[name]).where(tally.c.subject_id == row.c.id).correlate_except(tally)
        return func.coalesce(known.scalar_subquery(), 0, type_=Integer)

    return Stored(value)


def tied(kind: TieKind, column: str) -> Stored:
    """Whether the viewer is tied to the row so."""

    def value(row: Any) -> ColumnElement[bool]:
        tie = tables.tie.alias()
        mine = and_(tie.c.kind == kind.value, tie.c[column] == row.c.id, allowed(tables.tie, Action.REACH, tie))
        return exists().where(mine).correlate_except(tie)

    return Stored(value)


def tied_to(kind: TieKind, column: str) -> Any:
    """The rows that the viewer, who is the row at hand, is tied to so."""

    def on(row: Any, target: Any, _: object) -> ColumnElement[bool]:
        tie = tables.tie.alias()
        mine = tie.c.account_id == row.c.id, tie.c.kind == kind.value, allowed(tables.tie, Action.REACH, tie)
        return target.c.id.in_(select(tie.c[column]).where(*mine).correlate_except(tie))

    return on


_UNREAD = Filter(lambda activity, only: or_(~only, activity.c.read_at.is_(None)), Boolean())
INBOX = Page(
    "Activity",
    belong("account_id"),
    Paging({"LATEST": LATEST}, "LATEST", {"unreadOnly": _UNREAD}),
    action=Action.LIST,
)


def _unread(account: Any) -> ColumnElement[int]:
    activity = tables.activity.alias()
    told = select(func.count()).where(activity.c.account_id == account.c.id, activity.c.read_at.is_(None))
    return told.correlate_except(activity).scalar_subquery()


UNREAD = Stored(_unread)
FOLLOWING = Page("Artist", tied_to(TieKind.FOLLOW, "artist_id"), Paging({"NAME": NAME}, "NAME"), action=Action.LIST)
SAVED_HOOKS = Page("Hook", tied_to(TieKind.SAVE, "hook_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.READ)
SHARE_LINKS = Page("ShareLink", belong("account_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST)
"""What the viewer, who is the row at hand, is told, follows, keeps and shares."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is done: a world, or a hook or a ritual in it.

    Attributes:
        subject: the artist, the hook or the ritual.
        artist: whose it is.
        logged: what the change log names: the artist, the track of the hook, or the ritual.
        hook: the hook, or the one the ritual is around.
        release: the release the ritual is around.
        start_ms: where the hook begins in its track; 0 of a world.
        end_ms: where it ends.
        room: where it is heard of: the room of the hook or of the ritual; where a hook has none and everybody may see
            it, or of a world, the room of the world. None where there is none, or where the viewer is not to be heard.
    """

    subject: Ref
    artist: UUID
    logged: UUID
    hook: UUID | None
    release: UUID | None
    start_ms: int
    end_ms: int
    room: UUID | None

    @property
    def touched(self) -> list[UUID]:
        """What the change log names beside that."""
        return [] if self.hook is None else [self.hook]


_SUBJECT = bindparam("subject", type_=Uuid, required=True)


async def place_of(connection: AsyncConnection, viewer: Viewer, subject: Ref) -> Place | None:
    """The world of an artist, or a hook or a ritual the viewer may read; None where it is not there for them."""
    row = (await connection.execute(_PLACES[subject.kind], {**viewer_values(viewer), "subject": subject.id})).first()
    if row is None:
        return None
    around = (row.artist_id, row.logged_id, row.hook_id, row.release_id)
    return Place(Ref(subject.kind, row.id), *around, row.start_ms, row.end_ms, row.room_id)


def _asked(row: Any) -> ColumnElement[bool]:
    return row.c.id == current_id(_SUBJECT)


def _world_room(artist_id: ColumnElement[Any]) -> ColumnElement[Any]:
    room = tables.room.alias()
    of_world = room.c.artist_id == artist_id, room.c.hook_id.is_(None), room.c.release_id.is_(None)
    return select(room.c.id).where(*of_world, ~_silenced(room)).correlate_except(room).scalar_subquery()


def _silenced(room: Any) -> ColumnElement[bool]:
    """The viewer was sent out of a room, or is muted there: what they do elsewhere is not heard of in it either."""
    person = tables.room_person.alias()
    held_back = or_(person.c.banned_at.is_not(None), person.c.muted_until > func.now())
    mine = person.c.room_id == room.c.id, person.c.account_id == VIEWER_ACCOUNT
    return exists().where(*mine, held_back).correlate_except(person)


def _world_place() -> Any:
    artist = tables.artist.alias()
    return select(
        artist.c.id,
        artist.c.id.label("artist_id"),
        artist.c.id.label("logged_id"),
        null().label("hook_id"),
        null().label("release_id"),
        literal(0).label("start_ms"),
        literal(0).label("end_ms"),
        _world_room(artist.c.id).label("room_id"),
    ).where(_asked(artist), allowed(tables.artist, Action.READ, artist))


def _hook_place() -> Any:
    hook, asset, room = tables.hook.alias(), tables.asset.alias(), tables.room.alias()
    of_hook = room.c.hook_id == hook.c.id
    own = select(room.c.id).where(of_hook, ~_silenced(room)).correlate_except(room).scalar_subquery()
    has_none = ~exists().where(of_hook).correlate_except(room)
    beside = case(((asset.c.state == "PUBLIC") & has_none, _world_room(asset.c.owner_id)))
    return (
        select(
            hook.c.id,
            asset.c.owner_id.label("artist_id"),
            asset.c.id.label("logged_id"),
            hook.c.id.label("hook_id"),
            null().label("release_id"),
            hook.c.start_ms,
            hook.c.end_ms,
            func.coalesce(own, beside).label("room_id"),
        )
        .join_from(hook, asset, asset.c.id == hook.c.track_id)
        .where(_asked(hook), allowed(tables.hook, Action.READ, hook))
    )


def _ritual_place() -> Any:
    ritual, room = tables.ritual.alias(), tables.room.alias()
    own = select(room.c.id).where(room.c.id == ritual.c.room_id, ~_silenced(room)).correlate_except(room)
    return select(
        ritual.c.id,
        ritual.c.artist_id,
        ritual.c.id.label("logged_id"),
        ritual.c.hook_id,
        ritual.c.release_id,
        literal(0).label("start_ms"),
        literal(0).label("end_ms"),
        own.scalar_subquery().label("room_id"),
    ).where(ritual.c.id == _SUBJECT, allowed(tables.ritual, Action.READ, ritual))


_PLACES = {Kind.ARTIST: _world_place(), Kind.HOOK: _hook_place(), Kind.RITUAL: _ritual_place()}


async def is_followed(connection: AsyncConnection, artist_id: UUID) -> bool:
    """Whether anybody follows an artist."""
    tie = tables.tie
    query = select(exists().where(tie.c.artist_id == artist_id, tie.c.ended_at.is_(None)))
    return bool((await connection.execute(query)).scalar())


async def bind_tie(
    connection: AsyncConnection, id_: UUID, account_id: UUID, kind: TieKind, place: Place
) -> bool | None:
    """Tie somebody to a place; whether that is for the first time, None where they were tied already."""
    tie = tables.tie
    subject = {"artist_id" if kind is TieKind.FOLLOW else "hook_id": place.subject.id}
    row = {"id": id_, "account_id": account_id, "kind": kind.value, **subject}
    query = (
        upsert(tie)
        .values(row)
        .on_conflict_do_update(
            index_elements=[tie.c.account_id, tie.c.kind, func.coalesce(tie.c.artist_id, tie.c.hook_id)],
            set_={"ended_at": null()},
            where=tie.c.ended_at.is_not(None),
        )
        .returning(tie.c.id)
    )
    written = (await connection.execute(query)).scalar()
    return None if written is None else written == id_


async def end_tie(connection: AsyncConnection, account_id: UUID, kind: TieKind, subject: Ref) -> bool:
    """Untie somebody; False where they were not tied."""
    tie = tables.tie
    query = (
        update(tie)
        .where(
            tie.c.account_id == account_id,
            tie.c.kind == kind.value,
            func.coalesce(tie.c.artist_id, tie.c.hook_id) == subject.id,
            tie.c.ended_at.is_(None),
        )
        .values(ended_at=func.now())
        .returning(tie.c.id)
    )
    return (await connection.execute(query)).first() is not None
