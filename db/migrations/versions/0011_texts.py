"""Lyrics and how they are found, what was heard in a sound, and what programs suggest."""

from alembic import op

revision = "0011"
down_revision = "0010"

_STATEMENTS = (
    """
    CREATE TABLE lyrics (
        track_id uuid NOT NULL CONSTRAINT lyrics_pkey PRIMARY KEY
            CONSTRAINT lyrics_track_id_fkey REFERENCES track (id),
        language text,
        lines jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        version integer NOT NULL DEFAULT 1
    )
    """,
    "ALTER TABLE search_entry ADD COLUMN lyrics tsvector",
    "CREATE INDEX search_entry_lyrics ON search_entry USING gin (lyrics) WHERE lyrics IS NOT NULL",
    """
    CREATE TABLE music_analysis (
        media_id uuid NOT NULL CONSTRAINT music_analysis_pkey PRIMARY KEY
            CONSTRAINT music_analysis_media_id_fkey REFERENCES media (id),
        duration_ms integer NOT NULL,
        sample_rate integer NOT NULL,
        channels integer NOT NULL,
        sound_start_ms integer,
        sound_end_ms integer,
        bpm numeric(7, 3) CONSTRAINT music_analysis_bpm_check CHECK (bpm > 0),
        other_bpm numeric(7, 3),
        musical_key text,
        energy numeric(5, 4) CONSTRAINT music_analysis_energy_check CHECK (energy BETWEEN 0 AND 1),
        provider text NOT NULL,
        provider_version text NOT NULL,
        confidence numeric(5, 4) NOT NULL
            CONSTRAINT music_analysis_confidence_check CHECK (confidence BETWEEN 0 AND 1),
        error text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE suggestion (
        id uuid NOT NULL CONSTRAINT suggestion_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('suggestion', id)) STORED NOT NULL,
        track_id uuid NOT NULL CONSTRAINT suggestion_track_id_fkey REFERENCES track (id),
        kind text NOT NULL
            CONSTRAINT suggestion_kind_check CHECK (kind IN ('HOOK_WINDOW', 'CAPTION', 'TIMING', 'COLOURS')),
        start_ms integer,
        end_ms integer,
        caption text,
        language text,
        lines jsonb,
        hue integer,
        saturation integer,
        lightness integer,
        provider text NOT NULL,
        provider_version text NOT NULL,
        confidence numeric(5, 4) NOT NULL
            CONSTRAINT suggestion_confidence_check CHECK (confidence BETWEEN 0 AND 1),
        state text NOT NULL DEFAULT 'OPEN'
            CONSTRAINT suggestion_state_check CHECK (state IN ('OPEN', 'APPLIED', 'DISMISSED', 'REPLACED')),
        answered_by_id uuid CONSTRAINT suggestion_answered_by_id_fkey REFERENCES account (id),
        answered_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT suggestion_window_check CHECK (start_ms >= 0 AND end_ms > start_ms),
        CONSTRAINT suggestion_content_check CHECK (
            (kind = 'HOOK_WINDOW') = (start_ms IS NOT NULL AND end_ms IS NOT NULL)
            AND (kind = 'CAPTION') = (caption IS NOT NULL) AND (kind = 'TIMING') = (lines IS NOT NULL)
            AND num_nonnulls(hue, saturation, lightness) = CASE kind WHEN 'COLOURS' THEN 3 ELSE 0 END)
    )
    """,
    "CREATE INDEX suggestion_track ON suggestion (track_id, created_at, id)",
    "CREATE UNIQUE INDEX suggestion_open ON suggestion (track_id, kind, provider) WHERE state = 'OPEN'",
    "GRANT SELECT, INSERT, UPDATE (language, lines, version) ON lyrics TO casset_app",
    "GRANT SELECT, INSERT, UPDATE ON music_analysis TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (state, answered_by_id, answered_at) ON suggestion TO casset_app",
)


def upgrade() -> None:
    """Make them; the serving role deletes none of it, and never changes what was suggested."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE suggestion, music_analysis, lyrics")
    op.execute("ALTER TABLE search_entry DROP COLUMN lyrics")
