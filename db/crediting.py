"""How credits and splits are written: the people they name found or made, what is taken back ended, history kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.assets import current_id
from db.history import change_row, end_row, holds_at, moment_under_locks, since
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import asset_ref
from domain.contributors import Acceptance, Pool
from domain.ids import Kind, Ref


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who is credited: a contributor, and whether the writer answers for them."""

    id: UUID
    is_own: bool


Parties = Mapping[Ref | str, Party]
"""By how they were named: a contributor, an artist, or a name."""


def _own(contributor: Any) -> ColumnElement[bool]:
    return func.coalesce(allowed(tables.contributor, Action.WRITE, contributor), false()).label("is_own")


def _on(of: UUID) -> ColumnElement[bool]:
    """The credit is on an asset, or on a visual world."""
    credit = tables.credit
    return or_(credit.c.asset_id == of, credit.c.visual_id == of)


async def contributors_of(
    connection: AsyncConnection, viewer: Viewer, of: UUID, contributors: Collection[Ref]
) -> Parties:
    """Some contributors, without those that the viewer may not see and a held asset or visual world does not name."""
    ids = literal([ref.id for ref in contributors], ARRAY(Uuid))
    asked = func.unnest(ids, type_=Uuid).table_valued("id", name="asked").render_derived()
    contributor = tables.contributor.alias()
    query = (
        select(asked.c.id.label("asked"), contributor.c.id, _own(contributor))
        .join_from(asked, contributor, contributor.c.id == current_id(asked.c.id))
        .where(
            or_(
                allowed(tables.contributor, Action.READ, contributor),
                allowed(tables.contributor, Action.WRITE, contributor),
                contributor.c.id.in_(select(tables.credit.c.contributor_id).where(_on(of))),
                contributor.c.id.in_(select(tables.split.c.contributor_id).where(tables.split.c.asset_id == of)),
            )
        )
    )
    rows = await connection.execute(query, viewer_values(viewer))
    return {Ref(Kind.CONTRIBUTOR, row.asked): Party(row.id, row.is_own) for row in rows}


async def artists_credited(
    connection: AsyncConnection, viewer: Viewer, artists: Collection[Ref], new_id: Callable[[], UUID]
) -> tuple[Parties, Mapping[UUID, str]]:
    """The contributors that some artists are, made where there are none; and the names of those that were made."""
    artist, contributor = tables.artist.alias(), tables.contributor.alias()
    # Locked in one order: an artist becomes one contributor, however many credit them at once.
    held = (
        select(artist.c.id, artist.c.name, allowed(tables.artist, Action.WRITE, artist).label("is_own"))
        .where(
            artist.c.id == any_(literal([ref.id for ref in artists], ARRAY(Uuid))),
            allowed(tables.artist, Action.READ, artist),
        )
        .order_by(artist.c.id)
        .with_for_update(key_share=True)
    )
    named = (await connection.execute(held, viewer_values(viewer))).all()
    query = (
        select(contributor.c.artist_id, contributor.c.id, _own(contributor))
        .where(contributor.c.artist_id == any_(literal([row.id for row in named], ARRAY(Uuid))))
        .order_by(contributor.c.created_at.desc(), contributor.c.id.desc())
    )
    rows = await connection.execute(query, viewer_values(viewer))
    known = {row.artist_id: Party(row.id, row.is_own) for row in rows}
    missing = {row.id: Party(new_id(), row.is_own) for row in named if row.id not in known}
    made = {missing[row.id].id: row.name for row in named if row.id in missing}
    written = [{"id": party.id, "name": made[party.id], "artist_id": id_} for id_, party in missing.items()]
    await _add_contributors(connection, written)
    return {Ref(Kind.ARTIST, id_): party for id_, party in {**known, **missing}.items()}, made


async def outsiders_named(
    connection: AsyncConnection, of: UUID, names: Collection[str], new_id: Callable[[], UUID]
) -> tuple[Parties, Mapping[UUID, str]]:
    """People outside by the names something held credits them by, made where it does not; and the names of those made.

    A name on one asset says nothing of the same name on another: whoever means the same person names the contributor.
    """
    contributor, credit = tables.contributor, tables.credit
    query = (
        select(contributor.c.name, contributor.c.id)
        .join_from(credit, contributor, contributor.c.id == credit.c.contributor_id)
        .where(
            _on(of),
            contributor.c.name == any_(literal(list(names), ARRAY(Text))),
            contributor.c.artist_id.is_(None),
            contributor.c.account_id.is_(None),
        )
        .order_by(credit.c.position.desc())
    )
    found = {row.name: row.id for row in await connection.execute(query)}
    made = {new_id(): name for name in names if name not in found}
    await _add_contributors(connection, [{"id": id_, "name": name, "artist_id": None} for id_, name in made.items()])
    found |= {name: id_ for id_, name in made.items()}
    return {name: Party(id_, is_own=False) for name, id_ in found.items()}, made


async def _add_contributors(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await connection.execute(insert(tables.contributor), [dict(row) for row in rows])


async def credits_of(connection: AsyncConnection, of: UUID) -> Sequence[Any]:
    """All credits a held asset or visual world ever had: rows with those that were taken back."""
    return (await connection.execute(select(tables.credit).where(_on(of)))).all()


async def write_credits(
    connection: AsyncConnection,
    of: Ref,
    new: Sequence[Mapping[str, Any]],
    changed: Sequence[tuple[UUID, int, Acceptance]],
    ended: Sequence[UUID],
) -> None:
    """Write the credits of something held.

    Args:
        connection: of the transaction.
        of: the asset, or the visual world.
        new: rows, by column.
        changed: (id, position, acceptance) of credits that stand otherwise, or again.
        ended: credits that are taken back.
    """
    credit = tables.credit
    if ended:
        taken = update(credit).where(credit.c.id == any_(literal(list(ended), ARRAY(Uuid))))
        await connection.execute(taken.values(ended_at=func.now()))
    if changed:
        stands = update(credit).where(credit.c.id == bindparam("key")).values(ended_at=None)
        stands = stands.values(position=bindparam("place"), acceptance=bindparam("word"))
        rows = [{"key": id_, "place": position, "word": word.value} for id_, position, word in changed]
        await connection.execute(stands, rows)
    if new:
        named = {"visual_id" if of.kind is Kind.VISUAL else "asset_id": of.id}
        await connection.execute(insert(credit), [{**row, **named} for row in new])


async def splits_at(connection: AsyncConnection, asset_id: UUID, pool: Pool) -> tuple[datetime, Sequence[Any]]:
    """The moment from which on the shares of a held asset's pool are others, and the rows of those that hold now."""
    at = await moment_under_locks(connection)
    split = tables.split
    query = select(split).where(split.c.asset_id == asset_id, split.c.pool == pool.value, holds_at(split, at))
    return at, (await connection.execute(query.order_by(split.c.position))).all()


async def write_splits(
    connection: AsyncConnection,
    at: datetime,
    new: Sequence[Mapping[str, Any]],
    changed: Sequence[tuple[UUID, Mapping[str, Any]]],
    ended: Sequence[UUID],
    new_id: Callable[[], UUID],
) -> list[UUID]:
    """Write the shares of a held asset from a moment on.

    Args:
        connection: of the transaction.
        at: the moment.
        new: rows, by column.
        changed: (id, values) of shares that are others from then on.
        ended: shares that hold no longer.
        new_id: makes the ids of rows.

    Returns:
        The ids of the shares that somebody has to answer.
    """
    proposed = []
    for id_ in ended:
        await end_row(connection, tables.split, id_, at, new_id)
    for id_, values in changed:
        written = await change_row(connection, tables.split, id_, values, at, new_id)
        proposed += [written] if values["acceptance"] == Acceptance.PROPOSED.value else []
    for row in new:
        written = new_id()
        await connection.execute(insert(tables.split).values({"id": written, **row, **since(at)}))
        proposed += [written] if row["acceptance"] == Acceptance.PROPOSED.value else []
    return proposed


@dataclass(frozen=True, slots=True)
class Proposal:
    """A credit or a split that the writer answers, its asset held, or the artist whose visual world it is on.

    Attributes:
        ref: of the credit or split.
        of: what it is of: an asset, or a visual world.
        subject: whose chain tells it: the asset, or the artist.
        acceptance: how it stands; None where it stands no longer.
        at: the moment from which on it stands otherwise.
    """

    ref: Ref
    of: Ref
    subject: Ref
    acceptance: Acceptance | None
    at: datetime


async def hold_proposal(connection: AsyncConnection, viewer: Viewer, ref: Ref) -> Proposal | None:
    """Lock the subject of a credit or split that names the viewer; None where there is none, or it names others."""
    table = _ANSWERED[ref.kind]
    row = table.alias()
    found = await _hold_asset_of(connection, viewer, table, ref.id)
    if found is None and ref.kind is Kind.CREDIT:
        found = await _hold_artist_of(connection, viewer, ref.id)
    if found is None:
        return None
    at = await moment_under_locks(connection)
    stands = row.c.ended_at.is_(None) if ref.kind is Kind.CREDIT else holds_at(row, at)
    word = (await connection.execute(select(row.c.acceptance).where(row.c.id == ref.id, stands))).scalar()
    return Proposal(ref, *found, None if word is None else Acceptance(word), at)


async def _hold_asset_of(
    connection: AsyncConnection, viewer: Viewer, table: Table, id_: UUID
) -> tuple[Ref, Ref] | None:
    asset, row = tables.asset.alias(), table.alias()
    query = (
        select(asset.c.id, asset.c.kind)
        .join_from(row, asset, asset.c.id == row.c.asset_id)
        .where(row.c.id == id_, allowed(table, Action.WRITE, row))
        .with_for_update(of=asset, key_share=True)
    )
    found = (await connection.execute(query, viewer_values(viewer))).first()
    if found is None:
        return None
    of = asset_ref(found.kind, found.id)
    return of, of


async def _hold_artist_of(connection: AsyncConnection, viewer: Viewer, id_: UUID) -> tuple[Ref, Ref] | None:
    """The visual world that a credit is on, and the artist whose it is."""
    artist, visual, credit = tables.artist.alias(), tables.visual_world.alias(), tables.credit.alias()
    query = (
        select(visual.c.id, artist.c.id.label("artist"))
        .join_from(credit, visual, visual.c.id == credit.c.visual_id)
        .join(artist, artist.c.id == visual.c.owner_id)
        .where(credit.c.id == id_, allowed(tables.credit, Action.WRITE, credit))
        .with_for_update(of=artist, key_share=True)
    )
    found = (await connection.execute(query, viewer_values(viewer))).first()
    return None if found is None else (Ref(Kind.VISUAL, found.id), Ref(Kind.ARTIST, found.artist))


async def answer_proposal(
    connection: AsyncConnection, held: Proposal, acceptance: Acceptance, new_id: Callable[[], UUID]
) -> Ref:
    """Let a credit or split stand as its person says; a split goes by another id from then on."""
    table, values = _ANSWERED[held.ref.kind], {"acceptance": acceptance.value}
    if held.ref.kind is Kind.SPLIT:
        return Ref(Kind.SPLIT, await change_row(connection, table, held.ref.id, values, held.at, new_id))
    await connection.execute(update(table).where(table.c.id == held.ref.id).values(values))
    return held.ref


_ANSWERED = {Kind.CREDIT: tables.credit, Kind.SPLIT: tables.split}
