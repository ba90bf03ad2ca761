"""Entitlements, and how each stood over time."""

from sqlalchemy import CheckConstraint, Index, Table, text

from db.tables.columns import belongs_to, created_at, history, key, metadata, one_open_row, ref, word
from domain.entitlements import EntitlementScope, EntitlementSource, EntitlementState

entitlement = Table(
    "entitlement",
    metadata,
    key(),
    ref("entitlement"),
    belongs_to("account_id", "account"),
    *word("scope", EntitlementScope),
    # What it is to: a world, or a release or a track.
    belongs_to("artist_id", "artist", nullable=True),
    belongs_to("asset_id", "asset", nullable=True),
    *word("source", EntitlementSource),
    *word("state", EntitlementState, default="ACTIVE"),
    created_at(),
    CheckConstraint(
        "(scope = 'CASSET') = (artist_id IS NOT NULL) AND (scope = 'CASSET') = (asset_id IS NULL)", name="subject"
    ),
    Index(
        "entitlement_open",
        "account_id",
        text("coalesce(artist_id, asset_id)"),
        "source",
        unique=True,
        postgresql_where=text("state <> 'REVOKED'"),
    ),
    Index("entitlement_account", "account_id", "created_at", "id"),
    Index("entitlement_subject", text("coalesce(artist_id, asset_id)"), postgresql_where=text("state = 'ACTIVE'")),
)

entitlement_standing = Table(
    "entitlement_standing",
    metadata,
    key(),
    belongs_to("entitlement_id", "entitlement"),
    *word("state", EntitlementState),
    *history(),
    one_open_row("entitlement_standing", "entitlement_id"),
)
