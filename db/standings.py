"""How lineage edges stood over time, as it is known now: one row for each stretch of time in which nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select

from db import tables
from db.access import edge_told
from db.engine import Database
from db.viewers import viewer_values
from domain.accounts import Viewer

_NOW, _THEN = tables.lineage_edge.alias(), tables.lineage_edge.alias()
_EDGES = bindparam("edges", type_=ARRAY(Uuid), required=True)
_SAME = ("child_id", "parent_id", "kind", "child_window")
"""What makes two rows speak of one edge."""
_STATEMENT = (
    select(
        _NOW.c.id.label("edge"),
        _THEN.c.status,
        func.lower(_THEN.c.valid).label("since"),
        func.upper(_THEN.c.valid).label("until"),
        _THEN.c.evidence_source,
        _THEN.c.evidence_method,
        _THEN.c.evidence_score,
        _THEN.c.asserted_at,
        _THEN.c.asserted_by_id,
    )
    .where(
        _NOW.c.id == any_(_EDGES),
        *[_THEN.c[name] == _NOW.c[name] for name in _SAME],
        func.upper_inf(_THEN.c.known),
        edge_told(_THEN),
    )
    .order_by(_NOW.c.id, func.lower(_THEN.c.valid), _THEN.c.id)
)


async def standings_of(database: Database, viewer: Viewer, edges: Sequence[UUID]) -> Sequence[Any]:
    """(edge, status, since, until, evidence …) of some edges, each oldest first, as far as the viewer may hear."""
    async with database.read() as connection:
        return (await connection.execute(_STATEMENT, {**viewer_values(viewer), "edges": list(edges)})).all()
