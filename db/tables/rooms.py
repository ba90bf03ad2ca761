"""Rooms: people inside the weather of a song. Only the row lives here so far."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from db.tables.columns import belongs_to, created_at, key, metadata, ref, word
from domain.rooms import RoomVisibility

room = Table(
    "room",
    metadata,
    key(),
    ref("room"),
    belongs_to("artist_id", "artist"),
    belongs_to("hook_id", "hook", nullable=True),
    belongs_to("release_id", "release", nullable=True),
    Column("title", Text),
    *word("visibility", RoomVisibility, default="PUBLIC"),
    created_at(),
    CheckConstraint("num_nonnulls(hook_id, release_id) <= 1", name="subject"),
    Index("room_world", "artist_id", unique=True, postgresql_where="hook_id IS NULL AND release_id IS NULL"),
    Index("room_hook", "hook_id", unique=True, postgresql_where="hook_id IS NOT NULL"),
    Index("room_release", "release_id", unique=True, postgresql_where="release_id IS NOT NULL"),
)
