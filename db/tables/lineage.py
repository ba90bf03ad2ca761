"""Lineage: an edge says that a child is made from a parent; several edges between one pair are normal."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Integer,
    Numeric,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import INT4RANGE

from db.tables.columns import (
    belongs_to,
    created_at,
    history,
    key,
    metadata,
    one_open_row,
    open_index,
    ref,
    word,
)
from domain.lineage import EdgeKind, EdgeStatus, EvidenceSource, Registration

lineage_edge = Table(
    "lineage_edge",
    metadata,
    key(),
    ref("edge"),
    belongs_to("child_id", "asset"),
    belongs_to("parent_id", "asset"),
    *word("kind", EdgeKind),
    Column("child_start_ms", Integer),
    Column("child_end_ms", Integer),
    Column("parent_start_ms", Integer),
    Column("parent_end_ms", Integer),
    # None means the whole; a range makes "whole" a value, so that the constraint can compare it.
    Column(
        "child_window",
        INT4RANGE,
        Computed("int4range(child_start_ms, child_end_ms)", persisted=True),
        nullable=False,
    ),
    Column("note", Text),
    *word("status", EdgeStatus),
    *word("registration", Registration),
    Column("binding", Boolean, nullable=False),
    Column("child_is_older", Boolean, nullable=False),
    *word("evidence_source", EvidenceSource),
    Column("evidence_method", Text),
    Column("evidence_score", Numeric(4, 3)),
    belongs_to("asserted_by_id", "artist", nullable=True),
    Column("asserted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    created_at(),
    *history(),
    CheckConstraint("child_id <> parent_id", name="no_self"),
    CheckConstraint("child_start_ms >= 0 AND parent_start_ms >= 0", name="starts"),
    CheckConstraint("child_end_ms > coalesce(child_start_ms, 0)", name="child_window"),
    CheckConstraint("parent_end_ms > coalesce(parent_start_ms, 0)", name="parent_window"),
    CheckConstraint("evidence_score BETWEEN 0 AND 1", name="evidence_score"),
    one_open_row("lineage_edge", "child_id", "parent_id", "kind", "child_window"),
    open_index("lineage_edge_parents", "child_id", "created_at", "id"),
    open_index("lineage_edge_children", "parent_id", "created_at", "id"),
)
