"""The log over all events: its leaves, the hashes over them, and what was signed of it. Rows are only ever added."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from db.tables.columns import XID8, belongs_to, created_at, metadata

log_leaf = Table(
    "log_leaf",
    metadata,
    Column("number", BigInteger, autoincrement=False, nullable=False),
    belongs_to("event_id", "provenance_event"),
    # The hash of the event, and the hash of the leaf.
    Column("entry", LargeBinary, nullable=False),
    Column("hash", LargeBinary, Computed("sha256('\\x00'::bytea || entry)", persisted=True), nullable=False),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("event_id"),
    UniqueConstraint("entry"),
    CheckConstraint("number >= 0", name="number"),
)

log_node = Table(
    "log_node",
    metadata,
    Column("level", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "number"),
    CheckConstraint("level >= 1 AND number >= 0 AND length(hash) = 32", name="place"),
)

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger, autoincrement=False, nullable=False),
    Column("note", Text, nullable=False),
    # Every event of an older transaction has its leaf.
    Column("settled", XID8, nullable=False),
    created_at(),
    PrimaryKeyConstraint("size"),
)
