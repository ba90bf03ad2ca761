"""How assets are made and kept: their owner held, the detail row of their kind, and how they stood over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Text, Uuid, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.assets import HeldAsset, current_id
from db.engine import Database
from db.history import change_rows, holds_at, moment_under_locks, since
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import AssetState
from domain.ids import Kind, Ref
from domain.releases import ReleaseStatus, VersionState

DETAILS: Mapping[Kind, Table] = {
    Kind.TRACK: tables.track,
    Kind.SAMPLE: tables.sample,
    Kind.INSTRUMENT: tables.instrument,
    Kind.RELEASE: tables.release,
}


_KEPT: Mapping[Kind, Table] = {
    Kind.ARTIST: tables.artist,
    Kind.VISUAL: tables.visual_world,
    Kind.VERSION: tables.release_version,
}
"""Where what is no asset lives."""


@dataclass(frozen=True, slots=True)
class NewAsset:
    """An asset to write: its columns and those of its detail row.

    Attributes:
        ref: its reference.
        values: the columns of the base row.
        details: the columns of the detail row.
        standing: the id of the row that says how it stands.
        version: the id of a release's first draft; None for other kinds.
    """

    ref: Ref
    values: Mapping[str, Any]
    details: Mapping[str, Any]
    standing: UUID
    version: UUID | None = None


async def writable(database: Database, viewer: Viewer, subject: Ref) -> Ref | None:
    """An asset, artist, visual world or version the viewer may change, as it goes by now; None where there is none."""
    table = _KEPT.get(subject.kind, tables.asset)
    row = table.alias()
    query = select(row.c.id).where(row.c.id == current_id(literal(subject.id, Uuid)), allowed(table, Action.WRITE, row))
    async with database.read() as connection:
        found = (await connection.execute(query, viewer_values(viewer))).scalar()
    return None if found is None else Ref(subject.kind, found)


async def hold_owner(connection: AsyncConnection, viewer: Viewer, artist_id: UUID) -> bool:
    """Keep an artist the viewer may make something for; False where there is none, or it is not theirs."""
    artist = tables.artist.alias()
    query = (
        select(artist.c.id)
        .where(artist.c.id == artist_id, allowed(tables.artist, Action.WRITE, artist))
        .with_for_update(read=True, key_share=True)
    )
    return (await connection.execute(query, viewer_values(viewer))).first() is not None


async def add_asset(connection: AsyncConnection, new: NewAsset) -> None:
    """Write an asset with everything that it is not without, in one statement."""
    owner, kind = new.values["owner_id"], new.ref.kind
    standing = {"id": new.standing, "asset_id": new.ref.id, "owner_id": owner, "state": new.values["state"]}
    written = [
        _insert(tables.asset, {"id": new.ref.id, "kind": kind.value.upper(), **new.values}),
        _insert(DETAILS[kind], {"id": new.ref.id, **new.details}),
    ]
    if new.version is not None:
        written.append(_insert(tables.release_version, {"id": new.version, "release_id": new.ref.id, "number": 1}))
    last = _insert(tables.asset_standing, standing)
    await connection.execute(last.add_cte(*[each.cte(f"made_{each.table.name}") for each in written]))


def _insert(table: Table, values: Mapping[str, Any]) -> Any:
    return insert(table).values({name: literal(value, table.c[name].type) for name, value in values.items()})


async def details_of(connection: AsyncConnection, asset: Ref) -> Mapping[str, Any]:
    """The detail row of a held asset, by column."""
    table = DETAILS[asset.kind]
    row = (await connection.execute(select(table).where(table.c.id == asset.id))).mappings().first()
    return dict(row or {})


async def write_details(connection: AsyncConnection, asset: Ref, values: Mapping[str, Any]) -> None:
    """Write new values to the detail row of a held asset."""
    table = DETAILS[asset.kind]
    await connection.execute(update(table).where(table.c.id == asset.id).values(values))


async def standing_of(database: Database, viewer: Viewer, asset_id: UUID) -> tuple[UUID, AssetState] | None:
    """The id an asset goes by, and its state; None where there is none, or it is not the viewer's to change."""
    asset = tables.asset.alias()
    query = select(asset.c.id, asset.c.state).where(
        asset.c.id == current_id(literal(asset_id, Uuid)), allowed(tables.asset, Action.WRITE, asset)
    )
    async with database.read() as connection:
        row = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else (row.id, AssetState(row.state))


async def change_state(
    connection: AsyncConnection, held: HeldAsset, state: AssetState, new_id: Callable[[], UUID]
) -> None:
    """Let a held asset stand otherwise from now on; that it stood as it did until now stays known."""
    await change_states(connection, {held.ref.id: held.owner}, state, new_id)


async def change_states(
    connection: AsyncConnection, owners: Mapping[UUID, UUID], state: AssetState, new_id: Callable[[], UUID]
) -> None:
    """Let held assets, with their owners, stand otherwise from now on."""
    at = await moment_under_locks(connection)
    standing = tables.asset_standing
    query = select(standing.c.id, standing.c.asset_id).where(standing.c.asset_id.in_(owners), holds_at(standing, at))
    known = (await connection.execute(query)).all()
    values = {"state": literal(state.value, Text)}
    await change_rows(connection, standing, [row.id for row in known], values, at, new_id)
    rows = [
        {"id": new_id(), "asset_id": asset, "owner_id": owner, "state": state.value, **since(at)}
        for asset, owner in owners.items()
        if asset not in {row.asset_id for row in known}
    ]
    for row in rows:
        await connection.execute(insert(standing).values(row))


async def end_release(connection: AsyncConnection, release_id: UUID, status: ReleaseStatus) -> None:
    """A held release that was out is archived, or withdrawn with its version; what was published stays as it was."""
    release, version = tables.release, tables.release_version
    await connection.execute(update(release).where(release.c.id == release_id).values(status=status.value))
    if status is ReleaseStatus.WITHDRAWN:
        was_out = (version.c.release_id == release_id) & (version.c.state == VersionState.PUBLISHED.value)
        await connection.execute(update(version).where(was_out).values(state=VersionState.WITHDRAWN.value))
