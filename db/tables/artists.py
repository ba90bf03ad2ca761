"""Artists hold worlds and own assets; an artist without members is unclaimed."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Float,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from db.tables.assets import badges
from db.tables.columns import belongs_to, created_at, key, metadata, ref, version, word
from domain.artists import ArtistKind, SeedSource, Texture
from domain.themes import TOKENS

STRENGTHS = ("texture_opacity", "glow_strength", "grain")

artist = Table(
    "artist",
    metadata,
    key(),
    ref("artist"),
    Column("handle", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text(collation="C"), Computed("left(lower(name), 200)", persisted=True), nullable=False),
    *word("kind", ArtistKind),
    Column("claimed", Boolean, nullable=False),
    Column("tagline", Text),
    Column("bio", Text),
    # The three below point at rows that point back at the artist, so they are plain keys kept by the writers.
    Column("theme_id", Uuid),
    Column("visual_id", Uuid),
    Column("lead_hook_id", Uuid),
    created_at(),
    version(),
    CheckConstraint("char_length(name) <= 300", name="name"),
    CheckConstraint("char_length(bio) <= 4000", name="bio"),
    Index("artist_theme", "theme_id"),
    Index("artist_visual", "visual_id"),
    Index("artist_newest", "created_at", "id"),
    Index("artist_name", "name_key", "id"),
    Index("artist_skeleton", text("handle_skeleton(handle)")),
)

theme = Table(
    "theme",
    metadata,
    key(),
    ref("theme"),
    belongs_to("artist_id", "artist"),
    *word("seed_source", SeedSource),
    Column("seed_hue", Integer, nullable=False),
    Column("seed_saturation", Integer, nullable=False),
    Column("seed_lightness", Integer, nullable=False),
    *[Column(name, Text, nullable=False) for name in TOKENS],
    *[CheckConstraint(f"{name} ~ '^#[0-9a-f]{{6}}$'", name=name) for name in TOKENS],
    Column("is_extracted", Boolean, nullable=False, server_default=text("false")),
    Column("pattern", Text),
    *word("texture", Texture, default="NONE"),
    Column("texture_opacity", Float, nullable=False, server_default=text("0")),
    Column("typography", Text),
    Column("motion", Text),
    Column("glow_strength", Float),
    Column("grain", Float),
    Column("release_posture", Text),
    *badges(),
    created_at(),
    CheckConstraint("seed_hue BETWEEN 0 AND 359", name="seed_hue"),
    CheckConstraint("seed_saturation BETWEEN 0 AND 100", name="seed_saturation"),
    CheckConstraint("seed_lightness BETWEEN 0 AND 100", name="seed_lightness"),
    *[CheckConstraint(f"{name} BETWEEN 0 AND 1", name=name) for name in STRENGTHS],
    Index("theme_artist", "artist_id"),
)
