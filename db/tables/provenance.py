"""Provenance events: append-only, hash-chained per subject."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, UniqueConstraint, Uuid, text

from db.tables.columns import XID8, belongs_to, key, metadata, moment, ref, word
from domain.provenance import EventKind

provenance_event = Table(
    "provenance_event",
    metadata,
    key(),
    ref("event"),
    Column("subject_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    *word("kind", EventKind),
    moment("at"),
    belongs_to("actor_id", "account", nullable=True),
    # The canonical JSON (RFC 8785) that was hashed, byte for byte.
    Column("body", Text, nullable=False),
    Column("prev", Text),
    Column("hash", Text, nullable=False),
    # The transaction that wrote it.
    Column("xid", XID8, nullable=False, server_default=text("pg_current_xact_id()")),
    UniqueConstraint("subject_id", "sequence"),
    CheckConstraint("sequence >= 1 AND (sequence = 1) = (prev IS NULL)", name="chain"),
    Index("provenance_event_xid", "xid"),
)
