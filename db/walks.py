"""Walking lineage, one hop at a time: what some assets are made of, or what is made of them.

All hops of a walk read one state. Nothing here is hidden or cut: an edge somebody may not hear of is not walked, an
asset they may not see is a step like any other, and what it is told as is decided where it is shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, and_, any_, bindparam, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import (
    Action,
    Exposure,
    allowed,
    asset_shown,
    credit_stands,
    edge_ends_seen,
    edge_told,
    stood,
    viewer_values,
)
from db.assets import current_id
from db.containment import contained
from db.engine import Database
from domain.accounts import Viewer
from domain.assets import AssetKind
from domain.lineage import StepKind
from domain.windows import Window, stretch

_HERE = bindparam("here", type_=ARRAY(Uuid), required=True)
_KINDS = bindparam("kinds", type_=ARRAY(Text), required=True)
_STATUSES = bindparam("statuses", type_=ARRAY(Text), required=True)


class Hop(NamedTuple):
    """One edge, or a release and an item it holds (under the item's id), from the near end to the far one."""

    id: UUID
    near: UUID
    far: UUID
    kind: StepKind


@dataclass(frozen=True, slots=True)
class Steps:
    """Which way is walked, along what, and when.

    Attributes:
        upwards: to what things are made of; otherwise to what is made of them.
        kinds: of the steps that are taken.
        statuses: of the edges among them.
        moment: (valid at, known at); None for now.
    """

    upwards: bool
    kinds: Collection[str]
    statuses: Collection[str]
    moment: tuple[datetime, datetime] | None = None


def _statement(*, upwards: bool, now: bool) -> Any:
    edge, item = tables.lineage_edge.alias(), contained()
    near, far = (edge.c.child_id, edge.c.parent_id) if upwards else (edge.c.parent_id, edge.c.child_id)
    stored = select(edge.c.id, near.label("near"), far.label("far"), edge.c.kind).where(
        near == any_(_HERE),
        edge.c.kind == any_(_KINDS),
        edge.c.status == any_(_STATUSES),
        edge_told(edge),
        stood(edge, now=now),
    )
    ends = (item.c.release_id, item.c.asset_id) if upwards else (item.c.asset_id, item.c.release_id)
    contains = literal(StepKind.CONTAINS.value, Text)
    held = select(item.c.id, ends[0].label("near"), ends[1].label("far"), contains).where(
        ends[0] == any_(_HERE), contains == any_(_KINDS)
    )
    return union_all(stored, held).order_by("id")


_STEPS = {kind.value: kind for kind in StepKind}
_STATEMENTS = {(up, now): _statement(upwards=up, now=now) for up in (True, False) for now in (True, False)}


_MET = tables.asset.alias()
_LOOKS = select(
    _MET.c.id,
    _MET.c.kind,
    and_(allowed(tables.asset, Action.REACH, _MET), asset_shown(_MET, Exposure.FULL)).label("shown"),
).where(_MET.c.id == any_(_HERE))
_ASKED = func.unnest(_HERE, type_=Uuid).table_valued("id", name="asked").render_derived()
_READ = tables.asset.alias()
_MAY_BE_READ = (
    select(_ASKED.c.id, _READ.c.id.label("now"))
    .join_from(_ASKED, _READ, _READ.c.id == current_id(_ASKED.c.id))
    .where(allowed(tables.asset, Action.READ, _READ), asset_shown(_READ, Exposure.FULL))
)
_CREDITED = select(tables.credit.c.asset_id).where(
    tables.credit.c.asset_id == any_(_HERE),
    tables.credit.c.contributor_id == bindparam("contributor", type_=Uuid, required=True),
    credit_stands(tables.credit),
)


_EDGE = tables.lineage_edge.alias()
_ENDS = ("child_start_ms", "child_end_ms", "parent_start_ms", "parent_end_ms")
_WINDOWS = select(_EDGE.c.id, *[_EDGE.c[name] for name in _ENDS]).where(
    _EDGE.c.id == any_(_HERE), edge_ends_seen(_EDGE)
)


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
    """Reads hops for one viewer, all of one state."""

    def __init__(self, connection: AsyncConnection, viewer: Viewer) -> None:
        """Read over a connection."""
        self._connection = connection
        self._viewer = viewer_values(viewer)

    async def hops(self, here: Sequence[UUID], steps: Steps) -> list[Hop]:
        """All steps from some assets, in the order of their ids."""
        values: dict[str, Any] = {
            **self._viewer,
            "here": list(here),
            "kinds": list(steps.kinds),
            "statuses": list(steps.statuses),
        }
        if steps.moment is not None:
            values |= {"valid_at": steps.moment[0], "known_at": steps.moment[1]}
        rows = await self._connection.execute(_STATEMENTS[steps.upwards, steps.moment is None], values)
        return [Hop(id_, near, far, _STEPS[kind]) for id_, near, far, kind in rows.all()]

    async def looks(self, assets: Collection[UUID]) -> Looks:
        """How some assets look to the viewer, without those that are not there."""
        rows = (await self._connection.execute(_LOOKS, {**self._viewer, "here": list(assets)})).all()
        return Looks({row.id: AssetKind(row.kind) for row in rows}, frozenset(row.id for row in rows if row.shown))

    async def windows(self, steps: Collection[UUID]) -> dict[UUID, tuple[Window | None, Window | None]]:
        """(child window, parent window) of some edges, by id, without those that have an end the viewer may not see."""
        rows = await self._connection.execute(_WINDOWS, {**self._viewer, "here": list(steps)})
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
async def walking(database: Database, viewer: Viewer) -> AsyncIterator[WalkReader]:
    """Read hops for a viewer, all of one state."""
    async with database.read(snapshot=True) as connection:
        yield WalkReader(connection, viewer)
