"""What counts for the measures: signals, no more of one person in a day than add anything, and the warmth of rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Numeric,
    Text,
    Uuid,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import Stored
from db.viewers import held, viewer_values
from domain.accounts import Viewer
from domain.measures import HEAT_HALVES, SATURATION, TENTH, WEIGHTS, SignalKind


@dataclass(frozen=True, slots=True)
class Around:
    """What something was done around: an artist's world, or something in it; the room it names warms."""

    artist: UUID
    hook: UUID | None = None
    release: UUID | None = None
    room: UUID | None = None


async def add_signal(
    connection: AsyncConnection,
    viewer: Viewer,
    kind: SignalKind,
    around: Around,
    apart: timedelta = timedelta(),
) -> None:
    """Note what somebody did, where it adds to a measure; write it last in a transaction.

    What is past the cap of the day adds nothing to any measure, ever: the first ones count. So it is not kept.

    Args:
        connection: of the transaction.
        viewer: a person who did it.
        kind: what they did.
        around: around what.
        apart: how long after the last one of its kind, there.
    """
    weight = WEIGHTS[kind]
    values = {
        **viewer_values(viewer),
        **asdict(around),
        "account": viewer.account,
        "kind": kind.value,
        "weight": weight.weight,
        "most": weight.a_day,
        "apart": apart.total_seconds(),
    }
    await connection.execute(_ADD, values)


async def add_signals(connection: AsyncConnection, accounts: Sequence[UUID], kind: SignalKind, around: Around) -> None:
    """Note what many people did at once, beside any room, as `add_signal` notes it of one: in one statement."""
    values = {**asdict(around), "accounts": list(accounts), "kind": kind.value, "most": WEIGHTS[kind].a_day}
    await connection.execute(_ADD_ALL, values)


async def add_room_signal(connection: AsyncConnection, viewer: Viewer, kind: SignalKind, room_id: UUID) -> None:
    """Note what somebody did in a room: it is done around what the room is about, too. Write it last."""
    room = tables.room
    query = select(room.c.artist_id, room.c.hook_id, room.c.release_id).where(room.c.id == room_id)
    row = (await connection.execute(query)).one()
    await add_signal(connection, viewer, kind, Around(row.artist_id, row.hook_id, row.release_id, room_id))


def _parameter(name: str, type_: Any) -> ColumnElement[Any]:
    return bindparam(name, type_=type_, required=True)


_ARTIST = _parameter("artist", Uuid)
_NOW: ColumnElement[Any] = func.clock_timestamp(type_=DateTime(timezone=True))
_TODAY = func.timezone("UTC", func.date_trunc("day", func.timezone("UTC", func.now())))


def _before(signal: Any) -> list[ColumnElement[bool]]:
    """Of the same kind, by the same person, at the same place."""
    return [signal.c.account_id == _parameter("account", Uuid), *_there(signal)]


def _there(signal: Any) -> list[ColumnElement[bool]]:
    """Of the same kind, at the same place."""
    named = [
        signal.c[f"{name}_id"].is_not_distinct_from(_parameter(name, Uuid)) for name in ("hook", "release", "room")
    ]
    return [signal.c.kind == _parameter("kind", Text), signal.c.artist_id == _ARTIST, *named]


def _cooled(weight: ColumnElement[Any], since: ColumnElement[Any], now: ColumnElement[Any]) -> ColumnElement[Any]:
    """What is left of a weight: half of it after each half-life."""
    seconds = func.greatest(func.extract("epoch", now - since), 0)
    return weight * func.power(cast(2, Float), -cast(seconds, Float) / HEAT_HALVES.total_seconds(), type_=Float)


def _adding() -> Any:
    signal, today, lately = tables.signal, tables.signal.alias(), tables.signal.alias()
    done = select(func.count()).where(*_before(today), today.c.at >= _TODAY).correlate_except(today).scalar_subquery()
    since = _NOW - func.make_interval(0, 0, 0, 0, 0, 0, _parameter("apart", Float))
    again = exists().where(*_before(lately), lately.c.at > since).correlate_except(lately)
    written = select(
        _parameter("kind", Text),
        _parameter("account", Uuid),
        held(_ARTIST),
        _ARTIST,
        *[_parameter(name, Uuid) for name in ("hook", "release", "room")],
    ).where(done < _parameter("most", Integer), ~again)
    columns = ["kind", "account_id", "own", "artist_id", "hook_id", "release_id", "room_id"]
    kept = insert(signal).from_select(columns, written).returning(signal.c.room_id, signal.c.own, signal.c.at).cte()
    warmth, there = tables.warmth, tables.signal.alias()
    # In a room the day counts for the whole room, whatever hooks it was about.
    mine = there.c.account_id == _parameter("account", Uuid), there.c.kind == _parameter("kind", Text)
    in_room = select(func.count()).where(*mine, there.c.room_id == _parameter("room", Uuid), there.c.at >= _TODAY)
    warmed = select(kept.c.room_id, _parameter("weight", Float), kept.c.at).where(
        kept.c.room_id.is_not(None), ~kept.c.own, in_room.scalar_subquery() < _parameter("most", Integer)
    )
    added = upsert(warmth).from_select(["room_id", "weight", "at"], warmed)
    new = added.excluded
    return added.on_conflict_do_update(
        index_elements=[warmth.c.room_id],
        set_={
            "weight": _cooled(warmth.c.weight, warmth.c.at, new.at) + new.weight,
            "at": func.greatest(warmth.c.at, new.at),
        },
    )


_ADD = _adding()


def _adding_all() -> Any:
    signal, today, membership = tables.signal, tables.signal.alias(), tables.membership.alias()
    people = func.unnest(_parameter("accounts", ARRAY(Uuid)), type_=Uuid).table_valued("id", name="people")
    person = people.render_derived()
    own = exists().where(
        membership.c.artist_id == _ARTIST, membership.c.account_id == person.c.id, membership.c.ended_at.is_(None)
    )
    # Found once for all of them, however many they are.
    capped = (
        select(today.c.account_id)
        .where(*_there(today), today.c.at >= _TODAY)
        .group_by(today.c.account_id)
        .having(func.count() >= _parameter("most", Integer))
    )
    written = select(
        _parameter("kind", Text),
        person.c.id,
        own.correlate_except(membership),
        _ARTIST,
        *[_parameter(name, Uuid) for name in ("hook", "release", "room")],
    ).where(person.c.id.not_in(capped))
    columns = ["kind", "account_id", "own", "artist_id", "hook_id", "release_id", "room_id"]
    return insert(signal).from_select(columns, written)


_ADD_ALL = _adding_all()


def _heat_of(weight: ColumnElement[Any]) -> ColumnElement[float]:
    """The law of `domain.measures.heat`, over what is left of all that was done."""
    return cast(func.round(cast(100 * (1 - func.exp(-weight / SATURATION)), Numeric), 1), Float)


def _heat(room: Any) -> ColumnElement[float]:
    warmth = tables.warmth.alias()
    left = select(_cooled(warmth.c.weight, warmth.c.at, func.now())).where(warmth.c.room_id == room.c.id)
    return _heat_of(func.coalesce(left.correlate_except(warmth).scalar_subquery(), literal(0.0)))


ROOM_HEAT = Stored(_heat)


class HeatChange(NamedTuple):
    """A room that stands at another tenth of the way to 100 than it was last told."""

    room: UUID
    heat: float
    tenth: int
    former: int


async def heat_changes(connection: AsyncConnection, most: int) -> list[HeatChange]:
    """Rooms that became warmer or cooler, the longest unchanged first."""
    warmth = tables.warmth
    heat = _heat_of(_cooled(warmth.c.weight, warmth.c.at, func.now()))
    tenth = cast(func.floor(heat / TENTH), Integer)
    query = select(warmth.c.room_id, heat, tenth, warmth.c.told).where(tenth != warmth.c.told)
    return [HeatChange(*row) for row in await connection.execute(query.order_by(warmth.c.at).limit(most))]


async def note_heat(connection: AsyncConnection, change: HeatChange) -> bool:
    """Note that a room is told how warm it is; False where somebody else told it meanwhile."""
    warmth = tables.warmth
    known = warmth.c.room_id == change.room, warmth.c.told == change.former
    query = update(warmth).where(*known).values(told=change.tenth).returning(warmth.c.room_id)
    return (await connection.execute(query)).first() is not None
