"""Accounts sign in; memberships let them hold artists; sessions prove who asks.

Of what is secret only hashes are kept, in tables of their own.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from db.tables.columns import belongs_to, created_at, key, metadata, moment, ref, word
from domain.accounts import CodePurpose, Role

account = Table(
    "account",
    metadata,
    key(),
    ref("account"),
    Column("handle", Text, nullable=False, unique=True),
    Column("email", Text),
    Column("email_key", Text),
    Column("email_verified_at", DateTime(timezone=True)),
    created_at(),
    # Anybody may say an address is theirs; it is that of one account once it was shown to be.
    Index(
        "account_email_verified",
        "email_key",
        unique=True,
        postgresql_where=text("email_verified_at IS NOT NULL"),
    ),
    Index("account_email", "email_key"),
    Index("account_skeleton", text("handle_skeleton(handle)")),
)

password = Table(
    "password",
    metadata,
    Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
    Column("encoded", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

mailed_code = Table(
    "mailed_code",
    metadata,
    key(),
    belongs_to("account_id", "account"),
    *word("purpose", CodePurpose),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("email_key", Text, nullable=False),
    created_at(),
    moment("expires_at"),
    Column("used_at", DateTime(timezone=True)),
    UniqueConstraint("secret_hash"),
    Index("mailed_code_account", "account_id", postgresql_where=text("used_at IS NULL")),
)

former_handle = Table(
    "former_handle",
    metadata,
    Column("handle", Text, primary_key=True),
    belongs_to("account_id", "account", nullable=True),
    belongs_to("artist_id", "artist", nullable=True),
    created_at(),
    CheckConstraint("num_nonnulls(account_id, artist_id) = 1", name="holder"),
    Index("former_handle_skeleton", text("handle_skeleton(handle)")),
)

membership = Table(
    "membership",
    metadata,
    key(),
    ref("member"),
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
    Index("membership_ever", "artist_id", "account_id"),
)

session = Table(
    "session",
    metadata,
    key(),
    belongs_to("account_id", "account"),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("loopback_only", Boolean, nullable=False),
    created_at(),
    Column("signed_in_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    moment("expires_at"),
    Column("revoked_at", DateTime(timezone=True)),
    UniqueConstraint("secret_hash"),
    Index("session_account", "account_id", postgresql_where=text("revoked_at IS NULL")),
)
