"""Where lineage edges live.

Of an edge with an end the viewer may not see, only the kind and the status are told: counts hold, nothing leaks.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, true

from db import tables
from db.access import Exposure, edge_ends_seen
from db.history import held_until
from db.places import Computed, Inline, Stored, ToOne, Type, column, columns, refer


def _shown(row: Any, exposure: Exposure) -> ColumnElement[bool]:
    return true() if exposure is Exposure.STUB else edge_ends_seen(row)


def _window(end: str) -> Inline:
    """A window of one end; null means the whole."""
    table = tables.lineage_edge
    return Inline(
        "TimeWindow",
        columns(table, startMs=f"{end}_start_ms", endMs=f"{end}_end_ms"),
        present=lambda row: row.c[f"{end}_start_ms"].is_not(None) | row.c[f"{end}_end_ms"].is_not(None),
    )


_EVIDENCE = {"source": "evidence_source", "method": "evidence_method", "score": "evidence_score"}

LINEAGE_EDGE = Type(
    "LineageEdge",
    tables.lineage_edge,
    {
        "id": column(tables.lineage_edge, "ref", plain=True, exposure=Exposure.STUB),
        "kind": column(tables.lineage_edge, "kind", plain=True, exposure=Exposure.STUB),
        "status": column(tables.lineage_edge, "status", plain=True, exposure=Exposure.STUB),
        "child": ToOne("Asset", refer("child_id"), exposure=Exposure.STUB),
        "parent": ToOne("Asset", refer("parent_id"), exposure=Exposure.STUB),
        **columns(tables.lineage_edge, "registration", "child_is_older", "note", "binding", "created_at"),
        "childWindow": _window("child"),
        "parentWindow": _window("parent"),
        "evidence": Inline("Evidence", columns(tables.lineage_edge, "asserted_at", **_EVIDENCE)),
        "assertedBy": ToOne("Artist", refer("asserted_by_id")),
        "heldUntil": Stored(held_until, nullable=True),
        "history": Computed(),
    },
    shown=_shown,
)
