"""Uploads that go to the store by themselves, and stored bytes that nothing names."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Index, Integer, Table, Text, text

from db.tables.columns import belongs_to, created_at, key, metadata, moment, word
from domain.assets import MediaRole

# Its id is the one its media will have.
staged_upload = Table(
    "staged_upload",
    metadata,
    key(),
    belongs_to("asset_id", "asset", nullable=True),
    belongs_to("artist_id", "artist", nullable=True),
    belongs_to("account_id", "account"),
    *word("role", MediaRole),
    # What its sender says of it; a worker looks.
    Column("sha256", Text, nullable=False),
    Column("byte_size", Integer, nullable=False),
    created_at(),
    moment("expires_at"),
    Column("finished_at", DateTime(timezone=True)),
    # When what lay in the store under its name was taken away.
    Column("cleared_at", DateTime(timezone=True)),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("byte_size > 0", name="byte_size"),
    CheckConstraint("num_nonnulls(asset_id, artist_id) = 1", name="owner"),
    Index("staged_upload_account", "account_id", postgresql_where=text("cleared_at IS NULL")),
    Index("staged_upload_expired", "expires_at", postgresql_where=text("cleared_at IS NULL")),
)

# A row stays: what was taken away, and when, can be read afterwards.
orphan_blob = Table(
    "orphan_blob",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("byte_size", BigInteger, nullable=False),
    Column("found_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    # When it was one no more: something named it, or it was removed.
    Column("settled_at", DateTime(timezone=True)),
    Column("removed", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("NOT removed OR settled_at IS NOT NULL", name="removed"),
)
