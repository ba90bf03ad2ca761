"""What every write leaves behind: the change log, the outbox, jobs and idempotency records."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.columns import XID8, belongs_to, created_at, key, metadata, ref, word
from domain.jobs import JobState


def log_position() -> tuple[Any, ...]:
    """The writing transaction and a running number: readers go in (xid, id) order, below the oldest open xid."""
    return (
        Column("xid", XID8, nullable=False, server_default=text("pg_current_xact_id()")),
        Column("id", BigInteger, Identity(always=True), nullable=False),
        PrimaryKeyConstraint("xid", "id"),
    )


change = Table(
    "change",
    metadata,
    *log_position(),
    Column("subject_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

outbox = Table(
    "outbox",
    metadata,
    *log_position(),
    Column("topic", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    created_at(),
)

job = Table(
    "job",
    metadata,
    key(),
    ref("job"),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid),
    belongs_to("owner_id", "artist", nullable=True),
    Column("payload", JSONB, nullable=False, server_default=text("'{}'")),
    *word("state", JobState, default="READY"),
    Column("run_after", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", DateTime(timezone=True)),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    # How many workers stopped without a word while they had it.
    Column("deaths", Integer, nullable=False, server_default=text("0")),
    Column("progress", Integer),
    Column("error", Text),
    created_at(),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    Index("job_due", "run_after", "id", postgresql_where=text("state IN ('READY', 'RUNNING')")),
    Index("job_dead", "finished_at", postgresql_where=text("state = 'DEAD'")),
    Index("job_owner", "owner_id", "created_at", "id", postgresql_where=text("owner_id IS NOT NULL")),
    # Of what comes round again and again, and is about nothing but itself, one waits or runs.
    Index(
        "job_comes_round",
        "kind",
        unique=True,
        postgresql_where=text("subject_id = id AND state IN ('READY', 'RUNNING')"),
    ),
)

idempotency = Table(
    "idempotency",
    metadata,
    belongs_to("account_id", "account"),
    Column("key", Text, nullable=False),
    Column("request_digest", Text, nullable=False),
    Column("outcome", JSONB, nullable=False),
    created_at(),
    PrimaryKeyConstraint("account_id", "key"),
)
