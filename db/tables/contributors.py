"""Contributors are credited parties; credits say what they did, splits what share they hold."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
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
from domain.contributors import Acceptance, CreditRole, Pool

# Role codes follow DDEX.

contributor = Table(
    "contributor",
    metadata,
    key(),
    ref("contributor"),
    Column("name", Text, nullable=False),
    Column("name_key", Text(collation="C"), Computed("left(lower(name), 200)", persisted=True), nullable=False),
    belongs_to("artist_id", "artist", nullable=True),
    belongs_to("account_id", "account", nullable=True),
    Column("ipi", Text),
    Column("isni", Text),
    created_at(),
    CheckConstraint("char_length(name) BETWEEN 1 AND 300", name="name"),
    Index("contributor_artist", "artist_id"),
    Index("contributor_account", "account_id"),
)

credit = Table(
    "credit",
    metadata,
    key(),
    ref("credit"),
    # What was done: something for an asset, or for a visual world.
    belongs_to("asset_id", "asset", nullable=True),
    belongs_to("visual_id", "visual_world", nullable=True),
    belongs_to("contributor_id", "contributor"),
    *word("role", CreditRole),
    Column("instrument", Text),
    *word("acceptance", Acceptance, default="PROPOSED"),
    Column("position", Integer, nullable=False),
    created_at(),
    # When the owner took it back; the same credit may stand again.
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("num_nonnulls(asset_id, visual_id) = 1", name="subject"),
    UniqueConstraint(
        "asset_id", "visual_id", "contributor_id", "role", "instrument", postgresql_nulls_not_distinct=True
    ),
    Index("credit_asset", "asset_id", "position", "id"),
    Index("credit_visual", "visual_id", "position", "id", postgresql_where=text("visual_id IS NOT NULL")),
    Index("credit_contributor", "contributor_id", "created_at", "id"),
)

split = Table(
    "split",
    metadata,
    key(),
    ref("split"),
    belongs_to("asset_id", "asset"),
    belongs_to("contributor_id", "contributor"),
    *word("pool", Pool),
    Column("basis_points", Integer, nullable=False),
    *word("acceptance", Acceptance, default="PROPOSED"),
    Column("position", Integer, nullable=False),
    *history(),
    CheckConstraint("basis_points BETWEEN 1 AND 10000", name="basis_points"),
    one_open_row("split", "asset_id", "pool", "contributor_id"),
    open_index("split_asset", "asset_id", "position", "id"),
)
