"""Accounts sign in; memberships let them hold artists; sessions prove who asks."""

from sqlalchemy import Boolean, Column, DateTime, Index, LargeBinary, Table, Text, UniqueConstraint, text

from db.tables.columns import belongs_to, created_at, key, metadata, ref, word
from domain.accounts import Role

account = Table(
    "account",
    metadata,
    key(),
    ref("account"),
    Column("handle", Text, nullable=False, unique=True),
    created_at(),
)

membership = Table(
    "membership",
    metadata,
    key(),
    belongs_to("account_id", "account"),
    belongs_to("artist_id", "artist"),
    *word("role", Role),
    created_at(),
    Column("ended_at", DateTime(timezone=True)),
    Index(
        "membership_current",
        "account_id",
        "artist_id",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("membership_artist", "artist_id", postgresql_where=text("ended_at IS NULL")),
)

session = Table(
    "session",
    metadata,
    key(),
    belongs_to("account_id", "account"),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("loopback_only", Boolean, nullable=False),
    created_at(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    UniqueConstraint("secret_hash"),
)
