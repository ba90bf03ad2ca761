"""Uploaded media: what was read in them, previews cut from them, the key of audio tokens; jobs their owners watch."""

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENTS = (
    """
    ALTER TABLE job
        ADD COLUMN ref text GENERATED ALWAYS AS (typeid('job', id)) STORED NOT NULL,
        ADD COLUMN owner_id uuid CONSTRAINT job_owner_id_fkey REFERENCES artist (id),
        ADD COLUMN deaths integer NOT NULL DEFAULT 0,
        ADD COLUMN progress integer CONSTRAINT job_progress_check CHECK (progress BETWEEN 0 AND 100),
        ADD COLUMN finished_at timestamptz
    """,
    "CREATE INDEX job_owner ON job (owner_id, created_at, id) WHERE owner_id IS NOT NULL",
    """
    CREATE TABLE media_content (
        media_id uuid NOT NULL CONSTRAINT media_content_pkey PRIMARY KEY
            CONSTRAINT media_content_media_id_fkey REFERENCES media (id),
        format text NOT NULL CONSTRAINT media_content_format_check
            CHECK (format IN ('WAV', 'MP3', 'FLAC', 'AAC', 'M4A', 'OGG', 'PNG', 'JPEG', 'WEBP', 'OTHER')),
        state text NOT NULL DEFAULT 'RECEIVED'
            CONSTRAINT media_content_state_check CHECK (state IN ('RECEIVED', 'READY', 'REFUSED')),
        sample_rate integer,
        channels integer,
        peaks smallint[] CONSTRAINT media_content_peaks_check CHECK (cardinality(peaks) = 500),
        pcm_sha256 text CONSTRAINT media_content_pcm_sha256_check CHECK (pcm_sha256 ~ '^[0-9a-f]{64}$'),
        shown_sha256 text CONSTRAINT media_content_shown_sha256_check CHECK (shown_sha256 ~ '^[0-9a-f]{64}$'),
        fault text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE preview (
        media_id uuid NOT NULL CONSTRAINT preview_media_id_fkey REFERENCES media (id),
        start_ms integer NOT NULL,
        end_ms integer NOT NULL,
        sha256 text NOT NULL CONSTRAINT preview_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        mime_type text NOT NULL,
        byte_size integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT preview_pkey PRIMARY KEY (media_id, start_ms, end_ms),
        CONSTRAINT preview_window_check CHECK (start_ms >= 0 AND end_ms > start_ms AND end_ms - start_ms <= 30000)
    )
    """,
    """
    CREATE TABLE playback_key (
        id uuid NOT NULL CONSTRAINT playback_key_pkey PRIMARY KEY,
        secret bytea NOT NULL CONSTRAINT playback_key_secret_check CHECK (octet_length(secret) >= 32),
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX playback_key_newest ON playback_key (created_at, id)",
    # Two random UUIDs of PostgreSQL's strong generator: 244 bits.
    """
    INSERT INTO playback_key (id, secret)
    SELECT gen_random_uuid(), uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    """,
    "GRANT SELECT, INSERT, UPDATE ON media_content TO casset_app",
    "GRANT SELECT, INSERT ON preview TO casset_app",
    "GRANT SELECT ON playback_key TO casset_app",
)


def upgrade() -> None:
    """Make them; the serving role deletes none of it, and cannot make a key."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them; the bytes stay where they are."""
    op.execute("DROP TABLE playback_key, preview, media_content")
    op.execute("DROP INDEX job_owner")
    op.execute(
        "ALTER TABLE job DROP COLUMN ref, DROP COLUMN owner_id, DROP COLUMN deaths, DROP COLUMN progress,"
        " DROP COLUMN finished_at"
    )
