"""Invites to hold an artist. The key of one is that of the membership it leads to; of its code the hash is kept."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, LargeBinary, Table, UniqueConstraint, Uuid, text

from db.tables.columns import belongs_to, created_at, key, metadata, moment, ref, word
from domain.accounts import Role

membership_invite = Table(
    "membership_invite",
    metadata,
    key(),
    ref("invite"),
    belongs_to("artist_id", "artist"),
    Column("invited_by_id", Uuid, ForeignKey("account.id"), nullable=False),
    *word("role", Role),
    Column("secret_hash", LargeBinary, nullable=False),
    created_at(),
    moment("expires_at"),
    # It was accepted or withdrawn, or who sent it owns the artist no longer.
    Column("ended_at", DateTime(timezone=True)),
    UniqueConstraint("secret_hash"),
    Index("membership_invite_artist", "artist_id", postgresql_where=text("ended_at IS NULL")),
)
