"""What wears an atmosphere, a theme, or a hook that leads: hooks, artists with their worlds, and releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Uuid, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Insert

from db import tables
from db.access import Action, allowed
from db.assets import current_id
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.ids import Kind, Ref


@dataclass(frozen=True, slots=True)
class Wearer:
    """What wears something, under the writer's lock.

    Attributes:
        ref: the hook, the artist or the release.
        teller: whose chain tells of it: the track of the hook, the artist, or the release.
        owner: the artist whose it is.
        version: of the artist, or of the asset that was locked.
    """

    ref: Ref
    teller: Ref
    owner: UUID
    version: int


_ROWS: Mapping[Kind, Table] = {Kind.HOOK: tables.hook, Kind.ARTIST: tables.artist, Kind.RELEASE: tables.release}


async def hold_wearer(connection: AsyncConnection, viewer: Viewer, ref: Ref) -> Wearer | None:
    """Lock what wears something and the viewer may change; None where it is not there, or not theirs.

    The lock is on the row whose chain tells of it: the artist, or the asset.
    """
    named = current_id(literal(ref.id, Uuid))
    if ref.kind is Kind.ARTIST:
        artist = tables.artist.alias()
        query = select(artist.c.id, artist.c.id.label("owner_id"), artist.c.version).where(
            artist.c.id == named, allowed(tables.artist, Action.WRITE, artist)
        )
        row = (await connection.execute(query.with_for_update(), viewer_values(viewer))).first()
        return None if row is None else Wearer(ref, ref, row.owner_id, row.version)
    asset, hook, kind = tables.asset.alias(), tables.hook.alias(), Kind.TRACK if ref.kind is Kind.HOOK else ref.kind
    query = select(asset.c.id, asset.c.owner_id, asset.c.version)
    if ref.kind is Kind.HOOK:
        query = query.add_columns(hook.c.id.label("wears"))
        query = query.join_from(asset, hook, hook.c.track_id == asset.c.id).where(hook.c.id == named)
    else:
        query = query.add_columns(asset.c.id.label("wears"))
        query = query.where(asset.c.id == named, asset.c.kind == kind.value.upper())
    query = query.where(allowed(tables.asset, Action.WRITE, asset)).with_for_update(of=asset)
    row = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else Wearer(Ref(ref.kind, row.wears), Ref(kind, row.id), row.owner_id, row.version)


async def wear(connection: AsyncConnection, wearer: Wearer, column: str, worn: UUID | None, *made: Insert) -> int:
    """Let a held wearer point at something, made in the same statement, and move its version on.

    Returns:
        The version it has now: of the hook, of the artist, or of the asset that the release is.
    """
    table = _ROWS[wearer.ref.kind]
    steps: list[Any] = list(made)
    if wearer.ref.kind is Kind.RELEASE:
        steps.append(update(table).where(table.c.id == wearer.ref.id).values({column: worn}))
        values: dict[str, Any] = {}
        table = tables.asset
    else:
        values = {column: worn}
    moved = update(table).where(table.c.id == wearer.ref.id).values({**values, "version": table.c.version + 1})
    whole = moved.returning(table.c.version).add_cte(*[step.cte(f"step_{number}") for number, step in enumerate(steps)])
    return int((await connection.execute(whole)).scalar_one())
