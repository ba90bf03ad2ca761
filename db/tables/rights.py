"""Permission policies: who spoke (the level), since when, and which set of terms they chose; grants: to whom.

Terms are kept as immutable sets named by the digest of their content: thousands of assets under one license
share one set, and a policy that changes points at another.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
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
    word,
)
from domain.rights import Decision, Layer, Level, LicenseFamily, Use

term_set = Table(
    "term_set",
    metadata,
    key(),
    Column("digest", Text, nullable=False, unique=True),
    created_at(),
)

term = Table(
    "term",
    metadata,
    key(),
    belongs_to("term_set_id", "term_set"),
    Column("position", Integer, nullable=False),
    *word("use", Use),
    # NULL: both layers.
    *word("layer", Layer, nullable=True),
    *word("decision", Decision),
    Column("attribution", Boolean, nullable=False, server_default=text("false")),
    Column("share_alike", Text),
    Column("territories", ARRAY(Text)),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("purpose", Text),
    Column("price_minor", Integer),
    Column("currency", Text),
    Column("exception", Text),
    Column("reaches_outputs", Boolean, nullable=False, server_default=text("false")),
    Column("sublicense", Boolean, nullable=False, server_default=text("false")),
    Column("royalty_bp", Integer),
    Column("route", Text),
    CheckConstraint("ends_on > starts_on", name="period"),
    CheckConstraint("(price_minor IS NULL) = (currency IS NULL)", name="price"),
    UniqueConstraint("term_set_id", "position"),
    Index("term_decision", "use", "decision", "term_set_id"),
)

policy = Table(
    "policy",
    metadata,
    key(),
    ref("policy"),
    *word("level", Level),
    # The asset, artist or version the policy speaks for; NULL for the platform default.
    Column("subject_id", Uuid),
    belongs_to("term_set_id", "term_set"),
    *word("license_family", LicenseFamily),
    Column("license", Text),
    Column("stated_as", Text),
    belongs_to("stated_by_id", "account", nullable=True),
    # The artist whose programs a rule on a version is for; NULL where a policy speaks to everybody.
    belongs_to("agent_id", "artist", nullable=True),
    created_at(),
    *history(),
    CheckConstraint("(level = 'PLATFORM') = (subject_id IS NULL)", name="subject"),
    CheckConstraint("(level = 'AGENT_RULE') = (agent_id IS NOT NULL)", name="agent"),
    one_open_row("policy", "level", "subject_id", among="agent_id IS NULL"),
    one_open_row("policy", "subject_id", "agent_id", among="agent_id IS NOT NULL", what="rule"),
    open_index("policy_subject", "subject_id", "level"),
    open_index("policy_family", "license_family", "subject_id"),
    open_index("policy_terms", "term_set_id", "subject_id"),
)

# `grant` is a word of SQL.
permission_grant = Table(
    "permission_grant",
    metadata,
    key(),
    ref("grant"),
    belongs_to("asset_id", "asset"),
    belongs_to("grantee_id", "artist"),
    belongs_to("term_set_id", "term_set"),
    belongs_to("granted_by_id", "account"),
    created_at(),
    *history(),
    one_open_row("permission_grant", "asset_id", "grantee_id", "term_set_id"),
    open_index("permission_grant_asset", "asset_id"),
    open_index("permission_grant_grantee", "grantee_id"),
)
