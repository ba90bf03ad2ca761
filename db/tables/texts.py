"""The texts and the numbers of a track: lyrics, what was heard in its sound, and what programs suggest for it."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Numeric, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.columns import belongs_to, created_at, key, metadata, ref, version, word
from domain.suggestions import SuggestionKind, SuggestionState

lyrics = Table(
    "lyrics",
    metadata,
    Column("track_id", Uuid, ForeignKey("track.id"), primary_key=True),
    Column("language", Text),
    # [[start ms, end ms, text, [[start ms, end ms, text] for each word]] for each line]
    Column("lines", JSONB, nullable=False),
    created_at(),
    version(),
)

music_analysis = Table(
    "music_analysis",
    metadata,
    Column("media_id", Uuid, ForeignKey("media.id"), primary_key=True),
    Column("duration_ms", Integer, nullable=False),
    Column("sample_rate", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    # Where it is heard at all; NULL in silence.
    Column("sound_start_ms", Integer),
    Column("sound_end_ms", Integer),
    Column("bpm", Numeric(7, 3)),
    Column("other_bpm", Numeric(7, 3)),
    Column("musical_key", Text),
    Column("energy", Numeric(5, 4)),
    Column("provider", Text, nullable=False),
    Column("provider_version", Text, nullable=False),
    Column("confidence", Numeric(5, 4), nullable=False),
    Column("error", Text),
    created_at(),
    CheckConstraint("bpm > 0", name="bpm"),
    CheckConstraint("energy BETWEEN 0 AND 1", name="energy"),
    CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
)

suggestion = Table(
    "suggestion",
    metadata,
    key(),
    ref("suggestion"),
    belongs_to("track_id", "track"),
    *word("kind", SuggestionKind),
    Column("start_ms", Integer),
    Column("end_ms", Integer),
    Column("caption", Text),
    Column("language", Text),
    # As in `lyrics`.
    Column("lines", JSONB),
    Column("hue", Integer),
    Column("saturation", Integer),
    Column("lightness", Integer),
    Column("provider", Text, nullable=False),
    Column("provider_version", Text, nullable=False),
    Column("confidence", Numeric(5, 4), nullable=False),
    *word("state", SuggestionState, default="OPEN"),
    belongs_to("answered_by_id", "account", nullable=True),
    Column("answered_at", DateTime(timezone=True)),
    created_at(),
    CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name="window"),
    CheckConstraint(
        "(kind = 'HOOK_WINDOW') = (start_ms IS NOT NULL AND end_ms IS NOT NULL)"
        " AND (kind = 'CAPTION') = (caption IS NOT NULL) AND (kind = 'TIMING') = (lines IS NOT NULL)"
        " AND num_nonnulls(hue, saturation, lightness) = CASE kind WHEN 'COLOURS' THEN 3 ELSE 0 END",
        name="content",
    ),
    Index("suggestion_track", "track_id", "created_at", "id"),
    # A program has one opinion of each kind at a time.
    Index(
        "suggestion_open",
        "track_id",
        "kind",
        "provider",
        unique=True,
        postgresql_where=text("state = 'OPEN'"),
    ),
)
