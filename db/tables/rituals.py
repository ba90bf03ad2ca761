"""Rituals, and who was there before what they are about was out."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from db.tables.columns import belongs_to, clocked, created_at, key, metadata, moment, ref, version, word
from domain.entitlements import EntitlementScope
from domain.rituals import RitualState

ritual = Table(
    "ritual",
    metadata,
    key(),
    ref("ritual"),
    belongs_to("artist_id", "artist"),
    belongs_to("hook_id", "hook", nullable=True),
    belongs_to("release_id", "release", nullable=True),
    belongs_to("room_id", "room"),
    belongs_to("announced_by_id", "account"),
    Column("title", Text, nullable=False),
    *word("state", RitualState, default="ANNOUNCED"),
    moment("opens_at"),
    moment("releases_at"),
    moment("ends_at"),
    Column("presave_count", Integer, nullable=False, server_default=text("0")),
    # What those get who waited, once it is out: the world, or a release or a track of it.
    *word("unlock_scope", EntitlementScope, nullable=True),
    belongs_to("unlock_asset_id", "asset", nullable=True),
    # What it came to, counted once when it was over.
    Column("people", Integer),
    Column("messages", Integer),
    Column("reactions", Integer),
    Column("clips", Integer),
    Column("best_moments", ARRAY(DateTime(timezone=True))),
    version(),
    created_at(),
    CheckConstraint("num_nonnulls(hook_id, release_id) = 1", name="subject"),
    CheckConstraint("opens_at < releases_at AND releases_at < ends_at", name="times"),
    CheckConstraint(
        "num_nonnulls(people, messages, reactions, clips, best_moments) = CASE state WHEN 'MEMORY' THEN 5 ELSE 0 END",
        name="memory",
    ),
    CheckConstraint("presave_count >= 0", name="presave_count"),
    CheckConstraint("coalesce(unlock_scope <> 'CASSET', false) = (unlock_asset_id IS NOT NULL)", name="unlock"),
    # An artist has one at a time.
    ExcludeConstraint(
        (text("uuid_send(artist_id)"), "="),
        (text("tstzrange(opens_at, ends_at)"), "&&"),
        where=text("state <> 'CANCELLED'"),
        using="gist",
        name="ritual_one_at_a_time",
    ),
    Index("ritual_of_artist", "artist_id", "opens_at", "id"),
    Index("ritual_soonest", "opens_at", "id"),
    Index("ritual_now", "opens_at", "id", postgresql_where=text("state IN ('OPEN', 'RELEASED')")),
    Index("ritual_soon", "opens_at", "id", postgresql_where=text("state = 'ANNOUNCED'")),
    Index("ritual_of_release", "release_id", postgresql_where=text("release_id IS NOT NULL")),
)

ritual_presave = Table(
    "ritual_presave",
    metadata,
    key(),
    ref("presave"),
    belongs_to("ritual_id", "ritual"),
    belongs_to("account_id", "account"),
    # In the order of arrival, from 1, without gaps: written under the lock of the ritual.
    Column("position", Integer, nullable=False),
    # Whether they agreed to be named.
    Column("is_named", Boolean, nullable=False),
    clocked("created_at"),
    # What they can show for it, signed once the ritual is a memory.
    Column("proof", JSONB),
    UniqueConstraint("account_id", "ritual_id"),
    UniqueConstraint("ritual_id", "position"),
    CheckConstraint("position > 0", name="position"),
)
