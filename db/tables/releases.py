"""Releases: the detail of the asset kind, its versions, their ordered items and the CONTAINS view."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from db.tables.assets import detail_key
from db.tables.columns import belongs_to, created_at, key, metadata, ref, word
from domain.releases import ReleaseKind, ReleaseStatus, VersionState

release = Table(
    "release",
    metadata,
    detail_key(),
    *word("release_kind", ReleaseKind, nullable=True),
    *word("status", ReleaseStatus, default="DRAFT"),
    Column("current_version_id", Uuid),
    belongs_to("lead_hook_id", "hook", nullable=True),
    belongs_to("cover_id", "visual_world", nullable=True),
    Column("scheduled_for", DateTime(timezone=True)),
    Column("published_at", DateTime(timezone=True)),
    Column("upc", Text),
    Column("label", Text),
    Index("release_lead_hook", "lead_hook_id"),
    Index("release_cover", "cover_id"),
    Index("release_upc", "upc", postgresql_where=text("upc IS NOT NULL")),
)

release_version = Table(
    "release_version",
    metadata,
    key(),
    ref("version"),
    belongs_to("release_id", "release"),
    Column("number", Integer, nullable=False),
    *word("state", VersionState, default="DRAFT"),
    # What publishing copies; empty in a draft, frozen with the manifest.
    Column("title", Text),
    belongs_to("owner_id", "artist", nullable=True),
    Column("owner_name", Text),
    *word("release_kind", ReleaseKind, nullable=True),
    Column("upc", Text),
    Column("label", Text),
    Column("badges", ARRAY(Text)),
    # The edges upstream, and the items of releases it holds: rows that never change.
    Column("upstream", ARRAY(Uuid)),
    Column("previous_hash", Text),
    # The table of manifests refers back; this one is added after both are there.
    Column("manifest_hash", Text, ForeignKey("manifest.hash", use_alter=True)),
    belongs_to("published_by_id", "account", nullable=True),
    # Made by an import or a backfill, without a manifest of its own.
    Column("is_compatibility", Boolean, nullable=False, server_default=text("false")),
    Column("published_at", DateTime(timezone=True)),
    created_at(),
    UniqueConstraint("release_id", "number"),
    CheckConstraint("number >= 1", name="number"),
    Index(
        "release_version_out",
        "published_at",
        "id",
        postgresql_where=text("state = 'PUBLISHED' AND NOT is_compatibility"),
    ),
)

release_item = Table(
    "release_item",
    metadata,
    key(),
    ref("item"),
    belongs_to("version_id", "release_version"),
    belongs_to("asset_id", "asset"),
    Column("position", Integer, nullable=False),
    Column("title", Text),
    Column("badges", ARRAY(Text)),
    Column("media_sha256", Text),
    Column("hook_start_ms", Integer),
    Column("hook_end_ms", Integer),
    belongs_to("owner_id", "artist", nullable=True),
    Column("owner_name", Text),
    Column("isrc", Text),
    UniqueConstraint("version_id", "position"),
    CheckConstraint("position >= 1", name="position"),
    Index("release_item_asset", "asset_id", "id"),
)
