"""Clips: what people made from a hook and sent in."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, Table, func, text

from db.tables.columns import belongs_to, key, metadata, ref, word
from domain.clips import ClipState

_SHOWN = "state = 'APPROVED'"

clip = Table(
    "clip",
    metadata,
    key(),
    ref("clip"),
    belongs_to("hook_id", "hook"),
    # The ritual it is a part of; none where it was approved when that was over.
    belongs_to("ritual_id", "ritual", nullable=True),
    # Whose hook it is, and who decides.
    belongs_to("artist_id", "artist"),
    belongs_to("asset_id", "asset"),
    # The sound that was sent in: with another one the sample is no clip any more.
    belongs_to("media_id", "media"),
    # Whose sample it is, and which of their people sent it in.
    belongs_to("sender_id", "artist"),
    belongs_to("account_id", "account"),
    # The window of the hook as it was then, in the track.
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    *word("state", ClipState, default="PENDING"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    belongs_to("decided_by_id", "account", nullable=True),
    Column("decided_at", DateTime(timezone=True)),
    CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name="window"),
    CheckConstraint(
        "num_nonnulls(decided_by_id, decided_at) = CASE state WHEN 'PENDING' THEN 0 ELSE 2 END", name="decided"
    ),
    # What was decided against is not sent in again; what was taken back may be.
    Index("clip_once", "asset_id", "hook_id", unique=True, postgresql_where=text("state <> 'WITHDRAWN'")),
    Index("clip_of_hook", "hook_id", "created_at", "id", postgresql_where=text(_SHOWN)),
    Index(
        "clip_of_ritual",
        "ritual_id",
        "created_at",
        "id",
        postgresql_where=text(f"{_SHOWN} AND ritual_id IS NOT NULL"),
    ),
    Index("clip_to_artist", "artist_id", "created_at", "id"),
    Index("clip_of_sender", "sender_id", "created_at", "id"),
    Index("clip_newest", "created_at", "id", postgresql_where=text(_SHOWN)),
)
