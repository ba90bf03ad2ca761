"""Assets: one base table under one contract, one detail table per kind sharing its key, media and merges."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from db.tables.columns import (
    belongs_to,
    created_at,
    history,
    key,
    metadata,
    one_open_row,
    open_index,
    ref,
    version,
    word,
)
from domain.assets import AssetKind, AssetState, Badge, MediaRole, SampleSubkind

LISTED = text("state = 'PUBLIC'")


def detail_key() -> Column[Any]:
    """The key of a detail table: the asset's own."""
    return Column("id", Uuid, ForeignKey("asset.id"), primary_key=True)


def badges() -> tuple[Any, ...]:
    """How the work was made, as words of the badge vocabulary; information, never a ranking input."""
    listed = ", ".join(f"'{badge}'" for badge in Badge)
    return (
        Column("badges", ARRAY(Text), nullable=False, server_default=text("'{}'")),
        CheckConstraint(f"badges <@ ARRAY[{listed}]", name="badges"),
        CheckConstraint(
            "NOT (badges @> '{NO_AI_USED}' AND badges && '{AI_ASSISTED,GENERATED,GENERATED_VISUAL_WORLD}')"
            " AND NOT badges @> '{HUMAN_MADE,GENERATED}'",
            name="badges_agree",
        ),
    )


asset = Table(
    "asset",
    metadata,
    key(),
    ref("lower(kind)"),
    *word("kind", AssetKind),
    belongs_to("owner_id", "artist"),
    Column("title", Text, nullable=False),
    Column("title_key", Text(collation="C"), Computed("left(lower(title), 200)", persisted=True), nullable=False),
    *word("state", AssetState, default="PRIVATE"),
    # A scheduled release: people may see its title, cover, hook and room before it is published.
    Column("teased", Boolean, nullable=False, server_default=text("false")),
    *badges(),
    Column("made_on", Date),
    Column("derived_count", Integer, nullable=False, server_default=text("0")),
    created_at(),
    version(),
    CheckConstraint("char_length(title) <= 300", name="title"),
    CheckConstraint("made_on BETWEEN '0001-01-01' AND '9999-12-31'", name="made_on"),
    CheckConstraint("derived_count >= 0", name="derived_count"),
    CheckConstraint("NOT teased OR (kind = 'RELEASE' AND state = 'PRIVATE')", name="teased"),
    Index("asset_newest", "created_at", "id", postgresql_where=LISTED),
    Index("asset_title", "title_key", "id", postgresql_where=LISTED),
    Index("asset_most_derived", "derived_count", "id", postgresql_where=LISTED),
    Index("asset_owner_newest", "owner_id", "created_at", "id"),
    Index("asset_kind_newest", "kind", "created_at", "id", postgresql_where=LISTED),
)

asset_standing = Table(
    "asset_standing",
    metadata,
    key(),
    belongs_to("asset_id", "asset"),
    belongs_to("owner_id", "artist"),
    *word("state", AssetState),
    *history(),
    one_open_row("asset_standing", "asset_id"),
)

track = Table(
    "track",
    metadata,
    detail_key(),
    Column("duration_ms", Integer),
    Column("bpm", Numeric(7, 3)),
    Column("musical_key", Text),
    Column("isrc", Text),
    CheckConstraint("duration_ms > 0", name="duration_ms"),
    CheckConstraint("bpm > 0", name="bpm"),
    Index("track_isrc", "isrc", postgresql_where=text("isrc IS NOT NULL")),
)

sample = Table(
    "sample",
    metadata,
    detail_key(),
    *word("subkind", SampleSubkind, nullable=True),
    Column("duration_ms", Integer),
    Column("bpm", Numeric(7, 3)),
    Column("musical_key", Text),
    CheckConstraint("duration_ms > 0", name="duration_ms"),
    CheckConstraint("bpm > 0", name="bpm"),
)

instrument = Table("instrument", metadata, detail_key(), Column("family", Text), Column("format", Text))

media = Table(
    "media",
    metadata,
    key(),
    ref("media"),
    # Whose it is: an asset's, or an artist's for their world.
    belongs_to("asset_id", "asset", nullable=True),
    belongs_to("artist_id", "artist", nullable=True),
    *word("role", MediaRole),
    Column("sha256", Text, nullable=False),
    Column("mime_type", Text),
    Column("byte_size", Integer),
    Column("duration_ms", Integer),
    created_at(),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("byte_size >= 0", name="byte_size"),
    CheckConstraint("num_nonnulls(asset_id, artist_id) = 1", name="owner"),
    CheckConstraint("artist_id IS NULL OR role IN ('COVER', 'LOOP')", name="of_artist"),
    Index("media_asset", "asset_id", "created_at", "id"),
    Index("media_artist", "artist_id", "created_at", "id", postgresql_where=text("artist_id IS NOT NULL")),
    Index("media_sha256", "sha256"),
)

merge = Table(
    "merge",
    metadata,
    key(),
    Column("old_id", Uuid, nullable=False),
    Column("new_id", Uuid, nullable=False),
    *history(),
    CheckConstraint("old_id <> new_id", name="moves"),
    one_open_row("merge", "old_id"),
    open_index("merge_open", "old_id", postgresql_include=["new_id"]),
)
