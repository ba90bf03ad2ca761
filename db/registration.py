"""How edges of lineage are written: both ends locked, no cycle closed, history kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, func, insert, literal, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.assets import current_id
from db.containment import contained
from db.history import change_row, end_row, holds_at, moment_under_locks, since
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import asset_ref
from domain.errors import Moved
from domain.ids import Ref
from domain.lineage import EdgeKind, EdgeStatus, EvidenceSource, Registration
from domain.registration import Side, Standing
from domain.windows import Window

LINEAGE_LOCK = 0x6C696E65  # "line"
"""Held by every writer of lineage from its cycle check to its commit: `pg_advisory_xact_lock(LINEAGE_LOCK)`."""
FEW = 100
"""Assets that are read in one go, where a way is looked for; behind more it is walked step by step."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of an edge, as its writer finds it."""

    ref: Ref
    owner: UUID
    made_on: date | None
    duration_ms: int | None
    is_edited: bool


@dataclass(frozen=True, slots=True)
class HeldEdge:
    """An edge under the writer's lock, with its ends, and the moment from which on it changes."""

    id: UUID
    kind: EdgeKind
    at: datetime
    child: End
    parent: End
    standing: Standing

    @property
    def sides(self) -> frozenset[Side]:
        """The ends that the writer may speak for."""
        return sides_of(self.child, self.parent)


def sides_of(child: End, parent: End) -> frozenset[Side]:
    """The ends that the writer may speak for."""
    edited = {Side.CHILD: child.is_edited, Side.PARENT: parent.is_edited}
    return frozenset(side for side, is_edited in edited.items() if is_edited)


async def hold_lineage(connection: AsyncConnection) -> datetime:
    """Keep other writers of lineage away until commit; the moment from which on what is written holds."""
    await connection.execute(select(func.pg_advisory_xact_lock(LINEAGE_LOCK)))
    return await moment_under_locks(connection)


async def hold_ends(connection: AsyncConnection, viewer: Viewer, assets: Sequence[UUID]) -> dict[UUID, End]:
    """Lock some assets the viewer may read; by the ids that were asked for, without those that are not there."""
    found = {}
    for asked in sorted(assets):
        asset, track, sample = tables.asset.alias(), tables.track.alias(), tables.sample.alias()
        query = (
            select(
                asset.c.id,
                asset.c.kind,
                asset.c.owner_id,
                asset.c.made_on,
                func.coalesce(track.c.duration_ms, sample.c.duration_ms).label("duration_ms"),
                allowed(tables.asset, Action.WRITE, asset).label("is_edited"),
            )
            .select_from(asset)
            .outerjoin(track, track.c.id == asset.c.id)
            .outerjoin(sample, sample.c.id == asset.c.id)
            .where(
                asset.c.id == current_id(literal(asked, Uuid)),
                allowed(tables.asset, Action.READ, asset),
                asset_shown(asset, Exposure.FULL),
            )
            .with_for_update(of=asset, key_share=True)
        )
        row = (await connection.execute(query, viewer_values(viewer))).first()
        if row is not None:
            ref = asset_ref(row.kind, row.id)
            found[asked] = End(ref, row.owner_id, row.made_on, row.duration_ms, row.is_edited)
    return found


async def hold_edge(connection: AsyncConnection, viewer: Viewer, edge_id: UUID, at: datetime) -> HeldEdge | None:
    """Lock an edge the viewer may read, with its ends; None where there is none, or no end of it is theirs to edit.

    Raises:
        Moved: the edge has changed since it went by that id.
    """
    edge = tables.lineage_edge
    row = (
        await connection.execute(select(edge, holds_at(edge, at).label("holds")).where(edge.c.id == edge_id))
    ).first()
    if row is None:
        return None
    ends = await hold_ends(connection, viewer, [row.child_id, row.parent_id])
    if len(ends) < len(Side) or not any(end.is_edited for end in ends.values()):
        return None
    if not row.holds:
        raise Moved("The edge has changed. Read it again.", path=("id",))
    standing = Standing(
        EdgeStatus(row.status), Registration(row.registration), row.binding, EvidenceSource(row.evidence_source)
    )
    return HeldEdge(row.id, EdgeKind(row.kind), at, ends[row.child_id], ends[row.parent_id], standing)


async def way_up(connection: AsyncConnection, starts: Collection[UUID], goal: UUID) -> list[UUID]:
    """A way from one of some assets up to another it is made of, both included; empty where there is none.

    Rejected edges are no way; the items of a release are. It is looked for from both ends at once, where less is
    waiting: what is new has nothing made of it yet, and what is a root is made of nothing.
    """
    # Mostly there are few on one side, and one look at all of them is enough.
    row = (await connection.execute(_FEW, {"starts": list(starts), "goal": [goal]})).one()
    above, below = (found or [] for found in row)
    if (len(above) < FEW and goal not in above) or (len(below) < FEW and not set(starts) & set(below)):
        return []
    came = {_UP: {start: start for start in starts}, _DOWN: {goal: goal}}
    waiting = {_UP: list(starts), _DOWN: [goal]}
    while waiting[_UP] and waiting[_DOWN]:
        ahead, behind = (_UP, _DOWN) if len(waiting[_UP]) <= len(waiting[_DOWN]) else (_DOWN, _UP)
        rows = await connection.execute(ahead, {"here": waiting[ahead]})
        waiting[ahead] = []
        for near, far in sorted(tuple(row) for row in rows):
            if far in came[ahead]:
                continue
            came[ahead][far] = near
            if far in came[behind]:
                return [*_traced(came[_UP], far)[::-1], *_traced(came[_DOWN], far)[1:]]
            waiting[ahead].append(far)
    return []


def _traced(came: Mapping[UUID, UUID], here: UUID) -> list[UUID]:
    """From where a walk has come back to its start."""
    way = [here]
    while came[way[-1]] != way[-1]:
        way.append(came[way[-1]])
    return way


_HERE = bindparam("here", type_=ARRAY(Uuid))


def _stands(edge: Any) -> ColumnElement[bool]:
    """An edge that nobody ended: who holds the lock of lineage sees those written after their transaction began."""
    return and_(func.upper_inf(edge.c.known), func.upper_inf(edge.c.valid))


def _neighbours(here: Any, *, upwards: bool) -> Any:
    """(near, far) of the steps from what is `here`."""
    edge, item = tables.lineage_edge.alias(), contained()
    ends = [edge.c.child_id, edge.c.parent_id], [item.c.release_id, item.c.asset_id]
    (near, far), (holding, held) = ends if upwards else [pair[::-1] for pair in ends]
    stored = select(near.label("near"), far.label("far")).where(
        near == here, _stands(edge), edge.c.status != "REJECTED"
    )
    return union_all(stored, select(holding, held).where(holding == here))


def _few(starts: Any, *, upwards: bool) -> Any:
    """Some assets and what is above or below them, a few at most."""
    here = select(func.unnest(starts).label("id")).cte("above" if upwards else "below", recursive=True)
    step = _neighbours(here.c.id, upwards=upwards).lateral("step")
    reached = here.union(select(step.c.far).select_from(here.join(step, true())))
    few = select(reached.c.id).limit(FEW).subquery()
    return select(func.array_agg(few.c.id)).scalar_subquery()


_STARTS, _GOAL = (bindparam(name, type_=ARRAY(Uuid), required=True) for name in ("starts", "goal"))
_FEW = select(_few(_STARTS, upwards=True), _few(_GOAL, upwards=False))
_UP, _DOWN = (_neighbours(any_(_HERE), upwards=upwards) for upwards in (True, False))


async def edge_between(
    connection: AsyncConnection, child: UUID, parent: UUID, kind: EdgeKind, window: Window | None
) -> UUID | None:
    """The edge of a kind that stands between two assets for a stretch of the child, to a writer of lineage."""
    edge = tables.lineage_edge
    start, end = (None, None) if window is None else window
    query = select(edge.c.id).where(
        edge.c.child_id == child,
        edge.c.parent_id == parent,
        edge.c.kind == kind.value,
        edge.c.child_window == func.int4range(start, end),
        _stands(edge),
    )
    return (await connection.execute(query)).scalar()


async def add_edge(connection: AsyncConnection, held: HeldEdge, values: Mapping[str, Any]) -> None:
    """Write an edge that holds from its moment on; `values` are what is told of it beside its ends and its standing."""
    row = {
        "id": held.id,
        "child_id": held.child.ref.id,
        "parent_id": held.parent.ref.id,
        "kind": held.kind.value,
        "evidence_source": held.standing.declared_by.value,
        "asserted_at": held.at,
        "created_at": held.at,
        **_columns(held.standing),
        **since(held.at),
        **values,
    }
    await connection.execute(insert(tables.lineage_edge).values(row))


async def change_edge(
    connection: AsyncConnection, held: HeldEdge, standing: Standing, new_id: Callable[[], UUID]
) -> UUID:
    """Let an edge stand otherwise from now on; the id of the row that says so."""
    return await change_row(connection, tables.lineage_edge, held.id, _columns(standing), held.at, new_id)


def _columns(standing: Standing) -> dict[str, Any]:
    return {
        "status": standing.status.value,
        "registration": standing.registration.value,
        "binding": standing.binding,
    }


async def end_edge(connection: AsyncConnection, held: HeldEdge, new_id: Callable[[], UUID]) -> None:
    """Let an edge no longer hold."""
    await end_row(connection, tables.lineage_edge, held.id, held.at, new_id)
