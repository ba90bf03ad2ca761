"""Manifests, what checking them found, and what publishing copies into a version beside its own row and its items."""

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid, text

from db.tables.columns import belongs_to, created_at, key, metadata, word
from domain.assets import MediaRole
from domain.contributors import Acceptance, CreditRole, Pool
from domain.manifests import CheckKind
from domain.rights import Level

manifest = Table(
    "manifest",
    metadata,
    # The key of the version it is of.
    Column("id", Uuid, ForeignKey("release_version.id"), primary_key=True),
    # `sha256:` and the digest of the body: its id and its address.
    Column("hash", Text, nullable=False, unique=True),
    # The canonical bytes, which are UTF-8.
    Column("body", Text, nullable=False),
    # JSON; NULL where nobody signed.
    Column("proof", Text),
    created_at(),
    CheckConstraint("hash = 'sha256:' || encode(sha256(convert_to(body, 'UTF8')), 'hex')", name="hash"),
)

manifest_check = Table(
    "manifest_check",
    metadata,
    key(),
    belongs_to("manifest_id", "manifest"),
    *word("kind", CheckKind),
    Column("passed", Boolean, nullable=False),
    # What was found instead.
    Column("found", Text),
    created_at(),
    Index("manifest_check_newest", "manifest_id", "kind", "created_at", "id"),
    Index("manifest_check_failed", "manifest_id", "kind", postgresql_where=text("NOT passed")),
)


def _copied(name: str, table: str) -> Column[Any]:
    """The row that was copied, or what it is about: a part of the key."""
    return Column(name, Uuid, ForeignKey(f"{table}.id"), primary_key=True)


version_credit = Table(
    "version_credit",
    metadata,
    _copied("version_id", "release_version"),
    _copied("credit_id", "credit"),
    belongs_to("asset_id", "asset"),
    belongs_to("contributor_id", "contributor"),
    Column("name", Text, nullable=False),
    Column("ipi", Text),
    Column("isni", Text),
    *word("role", CreditRole),
    Column("instrument", Text),
    *word("acceptance", Acceptance),
    Column("position", Integer, nullable=False),
)

version_split = Table(
    "version_split",
    metadata,
    _copied("version_id", "release_version"),
    _copied("split_id", "split"),
    belongs_to("asset_id", "asset"),
    belongs_to("contributor_id", "contributor"),
    Column("name", Text, nullable=False),
    *word("pool", Pool),
    Column("basis_points", Integer, nullable=False),
    *word("acceptance", Acceptance),
    Column("position", Integer, nullable=False),
    CheckConstraint("basis_points BETWEEN 1 AND 10000", name="basis_points"),
)

version_policy = Table(
    "version_policy",
    metadata,
    _copied("version_id", "release_version"),
    _copied("asset_id", "asset"),
    _copied("policy_id", "policy"),
    *word("level", Level),
    belongs_to("term_set_id", "term_set"),
    Column("license", Text),
)

version_media = Table(
    "version_media",
    metadata,
    _copied("version_id", "release_version"),
    _copied("asset_id", "asset"),
    _copied("media_id", "media"),
    *word("role", MediaRole),
    Column("sha256", Text, nullable=False),
    Column("mime_type", Text),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
)
