"""Provenance events: append-only, hash-chained per subject."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, Table, Text, UniqueConstraint, Uuid

from db.tables.columns import belongs_to, key, metadata, ref, word
from domain.provenance import EventKind

provenance_event = Table(
    "provenance_event",
    metadata,
    key(),
    ref("event"),
    Column("subject_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    *word("kind", EventKind),
    Column("at", DateTime(timezone=True), nullable=False),
    belongs_to("actor_id", "account", nullable=True),
    # The canonical JSON (RFC 8785) that was hashed, byte for byte.
    Column("body", Text, nullable=False),
    Column("prev", Text),
    Column("hash", Text, nullable=False),
    UniqueConstraint("subject_id", "sequence"),
    CheckConstraint("sequence >= 1 AND (sequence = 1) = (prev IS NULL)", name="chain"),
)
