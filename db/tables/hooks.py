"""Hooks are the windows people remember; visual worlds are the atmosphere around them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, text

from db.tables.assets import badges
from db.tables.columns import belongs_to, created_at, key, metadata, ref, version, word
from domain.artists import Texture
from domain.hooks import VisualState

hook = Table(
    "hook",
    metadata,
    key(),
    ref("hook"),
    belongs_to("track_id", "track"),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("caption", Text),
    belongs_to("theme_id", "theme", nullable=True),
    *badges(),
    created_at(),
    version(),
    CheckConstraint("start_ms >= 0 AND end_ms > start_ms AND end_ms - start_ms <= 30000", name="window"),
    Index("hook_track", "track_id", unique=True),
    Index("hook_theme", "theme_id"),
    Index("hook_newest", "created_at", "id"),
)

visual_world = Table(
    "visual_world",
    metadata,
    key(),
    ref("visual"),
    belongs_to("owner_id", "artist"),
    belongs_to("hook_id", "hook", nullable=True),
    # The image or the loop it shows; what is only words and a colour has none.
    belongs_to("source_id", "media", nullable=True),
    *word("state", VisualState, default="ACTIVE"),
    Column("title", Text),
    *word("texture", Texture, nullable=True),
    Column("colour", Text),
    Column("lyric_behaviour", Text),
    Column("motion", Text),
    *badges(),
    created_at(),
    version(),
    CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name="colour"),
    Index(
        "visual_world_hook",
        "hook_id",
        unique=True,
        postgresql_where=text("state = 'ACTIVE' AND hook_id IS NOT NULL"),
    ),
    Index("visual_world_source", "source_id", postgresql_where=text("source_id IS NOT NULL")),
    Index("visual_world_owner", "owner_id", "created_at", "id"),
)
