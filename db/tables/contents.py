"""What is known of the bytes of media that were uploaded: how they were read, their waveform, their previews."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from db.tables.columns import belongs_to, created_at, key, metadata, word
from domain.media import ContentState, Format

media_content = Table(
    "media_content",
    metadata,
    Column("media_id", Uuid, ForeignKey("media.id"), primary_key=True),
    *word("format", Format),
    *word("state", ContentState, default="RECEIVED"),
    Column("sample_rate", Integer),
    Column("channels", Integer),
    # Ten thousandths of full scale.
    Column("peaks", ARRAY(SmallInteger)),
    # SHA-256 of the decoded samples: equal for the same sound in another container.
    Column("pcm_sha256", Text),
    # What is handed out in place of the bytes that came: an image, drawn again.
    Column("shown_sha256", Text),
    # The colour a theme may grow from, read off an image; none where it is black, grey and white.
    Column("seed_hue", Integer),
    Column("seed_saturation", Integer),
    Column("seed_lightness", Integer),
    Column("fault", Text),
    created_at(),
    CheckConstraint("cardinality(peaks) = 500", name="peaks"),
    CheckConstraint("shown_sha256 ~ '^[0-9a-f]{64}$'", name="shown_sha256"),
    CheckConstraint("pcm_sha256 ~ '^[0-9a-f]{64}$'", name="pcm_sha256"),
    Index("media_content_pcm", "pcm_sha256", postgresql_where=text("pcm_sha256 IS NOT NULL")),
    CheckConstraint(
        "num_nonnulls(seed_hue, seed_saturation, seed_lightness) IN (0, 3) AND seed_hue BETWEEN 0 AND 359"
        " AND seed_saturation BETWEEN 0 AND 100 AND seed_lightness BETWEEN 0 AND 100",
        name="seed",
    ),
)

preview = Table(
    "preview",
    metadata,
    belongs_to("media_id", "media"),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("byte_size", Integer, nullable=False),
    created_at(),
    PrimaryKeyConstraint("media_id", "start_ms", "end_ms"),
    CheckConstraint("start_ms >= 0 AND end_ms > start_ms AND end_ms - start_ms <= 30000", name="window"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
)

# The newest signs audio tokens, the one before it is still good.
playback_key = Table(
    "playback_key",
    metadata,
    key(),
    Column("secret", LargeBinary, nullable=False),
    created_at(),
    CheckConstraint("octet_length(secret) >= 32", name="secret"),
    Index("playback_key_newest", "created_at", "id"),
)
