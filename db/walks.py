"""Walking lineage for one viewer: the steps, how assets look, where edges have their windows. All of one state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown, credit_stands, edge_ends_seen
from db.adjacency import IndexGround
from db.assets import current_id
from db.engine import Database
from db.following import index_of
from db.hops import HERE, Ground, ReadGround
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import AssetKind
from domain.windows import Window, stretch

LONG = 2_000
"""Assets of a walk; for longer ones lineage is kept in memory."""
_MET = tables.asset.alias()
_SHOWN = and_(allowed(tables.asset, Action.REACH, _MET), asset_shown(_MET, Exposure.FULL))
# Few rows of many ids are read ten times as fast as many rows.
_LOOKS = (
    select(_MET.c.kind, func.array_agg(_MET.c.id), func.array_agg(_MET.c.id).filter(_SHOWN))
    .where(_MET.c.id == any_(HERE))
    .group_by(_MET.c.kind)
)
_ASKED = func.unnest(HERE, type_=Uuid).table_valued("id", name="asked").render_derived()
_READ = tables.asset.alias()
_MAY_BE_READ = (
    select(_ASKED.c.id, _READ.c.id.label("now"))
    .join_from(_ASKED, _READ, _READ.c.id == current_id(_ASKED.c.id))
    .where(allowed(tables.asset, Action.READ, _READ), asset_shown(_READ, Exposure.FULL))
)
_CREDITED = select(tables.credit.c.asset_id).where(
    tables.credit.c.asset_id == any_(HERE),
    tables.credit.c.contributor_id == bindparam("contributor", type_=Uuid, required=True),
    credit_stands(tables.credit),
)
_KINDS = {kind.value: kind for kind in AssetKind}
_EDGE = tables.lineage_edge.alias()
_ENDS = ("child_start_ms", "child_end_ms", "parent_start_ms", "parent_end_ms")
_WINDOWS = select(_EDGE.c.id, *[_EDGE.c[name] for name in _ENDS]).where(_EDGE.c.id == any_(HERE), edge_ends_seen(_EDGE))


@dataclass(frozen=True, slots=True)
class Looks:
    """How assets look to the viewer.

    Attributes:
        kinds: of each.
        shown: those the viewer may meet, and is shown in full.
    """

    kinds: Mapping[UUID, AssetKind]
    shown: frozenset[UUID]


class WalkReader:
    """Reads what a walk comes by, for one viewer.

    Attributes:
        ground: the steps.
    """

    def __init__(self, connection: AsyncConnection, viewer: dict[str, object], ground: Ground) -> None:
        """Read over a connection, with the values of the viewer's parameters."""
        self.ground = ground
        self._connection = connection
        self._viewer = viewer

    async def looks(self, assets: Collection[UUID]) -> Looks:
        """How some assets look to the viewer, without those that are not there."""
        rows = (await self._connection.execute(_LOOKS, {**self._viewer, "here": list(assets)})).all()
        return Looks(
            {id_: _KINDS[kind] for kind, ids, _ in rows for id_ in ids},
            frozenset([id_ for _, _, shown in rows for id_ in shown or ()]),
        )

    async def windows(self, edges: Collection[UUID]) -> dict[UUID, tuple[Window | None, Window | None]]:
        """(child window, parent window) of some edges, by id, without those that have an end the viewer may not see."""
        rows = await self._connection.execute(_WINDOWS, {**self._viewer, "here": list(edges)})
        return {row[0]: (stretch(row[1], row[2]), stretch(row[3], row[4])) for row in rows}

    async def readable(self, assets: Sequence[UUID]) -> list[UUID]:
        """The ids some assets go by now, in their order; none unless all are there for the viewer, shown in full."""
        rows = await self._connection.execute(_MAY_BE_READ, {**self._viewer, "here": list(assets)})
        now = {row.id: row.now for row in rows}
        return [now[id_] for id_ in assets] if now.keys() == set(assets) else []

    async def credited(self, assets: Sequence[UUID], contributor: UUID) -> frozenset[UUID]:
        """Those of some assets on which a contributor is credited."""
        rows = await self._connection.execute(_CREDITED, {"here": list(assets), "contributor": contributor})
        return frozenset(rows.scalars())


@asynccontextmanager
async def walking(database: Database, viewer: Viewer, *, now: bool = True) -> AsyncIterator[WalkReader]:
    """Walk for a viewer, on one state: over what holds now, or over what held at the moments of the steps."""
    index, values = index_of(database), viewer_values(viewer)
    async with database.read(snapshot=True) as connection:
        found = await index.at(connection) if now else None
        ground: Ground = ReadGround(connection, values) if found is None else IndexGround(*found, connection, values)
        yield WalkReader(connection, values, ground)
    if now and found is None and ground.size > LONG:
        index.wanted(database)
