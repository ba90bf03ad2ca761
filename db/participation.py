"""Where snapshots of participation live, and what they are taken from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Interval,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import ToOne, Type, columns
from domain.ids import Kind
from domain.measures import EARLY, ENERGY_HALVES, FORGOTTEN_AFTER, Share, Signal, SignalKind, Visit

PARTICIPATION_SNAPSHOT = Type(
    "ParticipationSnapshot",
    tables.participation,
    columns(
        tables.participation,
        *("energy", "rise", "early_motion", "trusted_circulation", "participants", "formula", "taken_at"),
    ),
)


def _latest(row: Any, snapshot: Any, _: object) -> Any:
    known = tables.participation.alias()
    newest = select(known.c.id).where(known.c.subject_id == row.c.id).order_by(known.c.taken_at.desc()).limit(1)
    return snapshot.c.id == newest.correlate_except(known).scalar_subquery()


PARTICIPATION = ToOne("ParticipationSnapshot", _latest)
"""The latest snapshot of a release, a hook or an artist."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured.

    Attributes:
        kind: an artist for their world, a hook, or a release.
        artist: whose it is.
        out_at: since when it is there for others; None where it is not yet.
    """

    kind: Kind
    id: UUID
    artist: UUID
    out_at: datetime | None


_REMEMBERED = literal(ENERGY_HALVES * FORGOTTEN_AFTER, Interval)
_ID = bindparam("id", type_=Uuid, required=True)


async def measured_lately(connection: AsyncConnection, at: datetime) -> list[Measured]:
    """All that anything was done around before a moment that still added to a measure then."""
    signal, hook, release, item = (
        table.alias() for table in (tables.signal, tables.hook, tables.release, tables.release_item)
    )
    artist, asset, version = (table.alias() for table in (tables.artist, tables.asset, tables.release_version))
    lately = signal.c.at <= at, signal.c.at > literal(at, DateTime(timezone=True)) - _REMEMBERED, ~signal.c.own
    out_at = (
        select(func.min(version.c.published_at)).where(version.c.release_id == asset.c.id).correlate_except(version)
    ).scalar_subquery()
    named = union(
        select(signal.c.release_id.label("id")).where(*lately, signal.c.release_id.is_not(None)),
        select(release.c.id)
        .join_from(signal, hook, hook.c.id == signal.c.hook_id)
        .join(item, item.c.asset_id == hook.c.track_id)
        .join(release, release.c.current_version_id == item.c.version_id)
        .where(*lately),
    ).subquery()
    around = select(signal.c.artist_id).where(*lately)
    queries: Mapping[Kind, Any] = {
        Kind.ARTIST: select(artist.c.id, artist.c.id.label("artist_id"), artist.c.created_at.label("out_at")).where(
            artist.c.id.in_(around)
        ),
        Kind.HOOK: select(hook.c.id, asset.c.owner_id.label("artist_id"), hook.c.created_at.label("out_at"))
        .join_from(hook, asset, asset.c.id == hook.c.track_id)
        .where(hook.c.id.in_(select(signal.c.hook_id).where(*lately))),
        Kind.RELEASE: select(asset.c.id, asset.c.owner_id.label("artist_id"), out_at.label("out_at")).where(
            asset.c.id.in_(select(named.c.id))
        ),
    }
    found = []
    for kind, query in queries.items():
        rows = await connection.execute(query)
        found += [Measured(kind, row.id, row.artist_id, row.out_at) for row in rows]
    return found


def around_release(row: Any, release_id: Any) -> ColumnElement[bool]:
    """What is around a release, or around a hook of what its current version holds."""
    return or_(row.c.release_id == release_id, row.c.hook_id == any_(_hooks_of_release(release_id)))


def leads_around_release(link: Any, release_id: Any) -> ColumnElement[bool]:
    """Whether a link leads to a release, or to a hook of what its current version holds."""
    return _led_to(link) == any_(func.array_prepend(release_id, _hooks_of_release(release_id), type_=ARRAY(Uuid)))


def _led_to(link: Any) -> ColumnElement[Any]:
    """What a link leads to, as the index of links has it."""
    return func.coalesce(*[link.c[f"{kind}_id"] for kind in ("artist", "hook", "release", "room", "ritual")])


def _hooks_of_release(release_id: Any) -> Any:
    hook, item, release = (table.alias() for table in (tables.hook, tables.release_item, tables.release))
    hooks = (
        select(hook.c.id)
        .join_from(release, item, item.c.version_id == release.c.current_version_id)
        .join(hook, hook.c.track_id == item.c.asset_id)
        .where(release.c.id == release_id)
        .correlate_except(hook, item, release)
    )
    # As an array they are looked up by the index of what is around hooks.
    return func.array(hooks.scalar_subquery(), type_=ARRAY(Uuid))


def _around(row: Any, of: Measured) -> ColumnElement[bool]:
    match of.kind:
        case Kind.ARTIST:
            around: ColumnElement[bool] = row.c.artist_id == of.id
        case Kind.HOOK:
            around = row.c.hook_id == of.id
        case _:
            around = around_release(row, literal(of.id, Uuid))
    return around


async def signals_around(connection: AsyncConnection, of: Measured, at: datetime) -> list[Signal]:
    """What people did around something before a moment, as far as it added to a measure then.

    Who follows an artist follows their works.
    """
    row = tables.signal
    around = _around(row, of)
    if of.kind is Kind.RELEASE:
        around = or_(around, (row.c.artist_id == of.artist) & (row.c.kind == SignalKind.FOLLOW.value))
    counts = row.c.at > literal(at, DateTime(timezone=True)) - _REMEMBERED
    if of.out_at is not None:
        counts = or_(counts, row.c.at <= literal(of.out_at + EARLY, DateTime(timezone=True)))
    query = select(row.c.kind, row.c.account_id, row.c.at, row.c.own).where(around, counts, row.c.at <= at)
    return [Signal(SignalKind(kind), account, at, own) for kind, account, at, own in await connection.execute(query)]


def _into_world(link: Any, artist: UUID) -> ColumnElement[bool]:
    """Whether a link leads to the world of an artist, or to anything in it."""
    hook, asset, room, ritual = (each.alias() for each in (tables.hook, tables.asset, tables.room, tables.ritual))
    hooks = select(hook.c.id).join_from(hook, asset, asset.c.id == hook.c.track_id).where(asset.c.owner_id == artist)
    return or_(
        link.c.artist_id == artist,
        link.c.hook_id.in_(hooks),
        link.c.release_id.in_(select(tables.asset.c.id).where(tables.asset.c.owner_id == artist)),
        link.c.room_id.in_(select(room.c.id).where(room.c.artist_id == artist)),
        link.c.ritual_id.in_(select(ritual.c.id).where(ritual.c.artist_id == artist)),
    )


def _leads(link: Any, of: Measured) -> ColumnElement[bool]:
    match of.kind:
        case Kind.ARTIST:
            leads = _into_world(link, of.id)
        case Kind.HOOK:
            leads = _led_to(link) == of.id
        case _:
            leads = leads_around_release(link, literal(of.id, Uuid))
    return leads


async def links_to(connection: AsyncConnection, of: Measured, at: datetime) -> tuple[list[Share], list[Visit]]:
    """The links to something, or into the world where it is one, and who came by each for the first time, by then."""
    link, account, came, member = (
        table.alias() for table in (tables.share_link, tables.account, tables.share_visitor, tables.membership)
    )
    own = exists().where(
        member.c.account_id == link.c.account_id,
        member.c.artist_id == of.artist,
        member.c.created_at <= link.c.created_at,
        func.coalesce(member.c.ended_at > link.c.created_at, true()),
    )
    query = (
        select(link.c.id, link.c.account_id, account.c.created_at.label("since"), link.c.created_at, own.label("own"))
        .join_from(link, account, account.c.id == link.c.account_id)
        .where(_leads(link, of), link.c.created_at <= at)
    )
    shares = [
        Share(row.id, row.account_id, row.since, row.created_at, row.own) for row in await connection.execute(query)
    ]
    ids = bindparam("links", [share.link for share in shares], type_=ARRAY(Uuid))
    others = came.c.link_id == any_(ids), ~came.c.own, came.c.at <= at
    visits = select(came.c.link_id, came.c.visitor, came.c.at).where(*others)
    return shares, [Visit(row.link_id, row.visitor, row.at) for row in await connection.execute(visits)]


async def add_snapshots(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what was measured; of one thing and moment once."""
    if rows:
        await connection.execute(upsert(tables.participation).values(list(rows)).on_conflict_do_nothing())
