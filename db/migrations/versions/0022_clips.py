"""Clips: what people made from a hook and sent in; what rituals unlock, and what is said about them."""

from alembic import op

revision = "0022"
down_revision = "0021"

_TOLD = "'FOLLOWED', 'LIKED', 'SAVED', 'COMMENTED', 'RELEASE_PUBLISHED'"
_DECISIONS = "'CLIP_SENT', 'CLIP_APPROVED', 'CLIP_REJECTED', 'CLIP_REMOVED'"
_COUNTED = """
    CREATE OR REPLACE FUNCTION comment_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM tally_up(
        coalesce({subjects}), 'comments',
        (NEW.deleted_at IS NULL)::integer - coalesce(TG_OP = 'UPDATE' AND OLD.deleted_at IS NULL, false)::integer
      );
      RETURN NULL;
    END $$
    """
_STATEMENTS = (
    """
    CREATE TABLE clip (
        id uuid NOT NULL CONSTRAINT clip_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('clip', id)) STORED,
        hook_id uuid NOT NULL CONSTRAINT clip_hook_id_fkey REFERENCES hook (id),
        ritual_id uuid CONSTRAINT clip_ritual_id_fkey REFERENCES ritual (id),
        artist_id uuid NOT NULL CONSTRAINT clip_artist_id_fkey REFERENCES artist (id),
        asset_id uuid NOT NULL CONSTRAINT clip_asset_id_fkey REFERENCES asset (id),
        media_id uuid NOT NULL CONSTRAINT clip_media_id_fkey REFERENCES media (id),
        sender_id uuid NOT NULL CONSTRAINT clip_sender_id_fkey REFERENCES artist (id),
        account_id uuid NOT NULL CONSTRAINT clip_account_id_fkey REFERENCES account (id),
        start_ms integer NOT NULL,
        end_ms integer NOT NULL,
        state text NOT NULL DEFAULT 'PENDING' CONSTRAINT clip_state_check
            CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED', 'REMOVED', 'WITHDRAWN')),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        decided_by_id uuid CONSTRAINT clip_decided_by_id_fkey REFERENCES account (id),
        decided_at timestamptz,
        CONSTRAINT clip_window_check CHECK (start_ms >= 0 AND end_ms > start_ms),
        CONSTRAINT clip_decided_check
            CHECK (num_nonnulls(decided_by_id, decided_at) = CASE state WHEN 'PENDING' THEN 0 ELSE 2 END)
    )
    """,
    # What was decided against is not sent in again; what was taken back may be.
    "CREATE UNIQUE INDEX clip_once ON clip (asset_id, hook_id) WHERE state <> 'WITHDRAWN'",
    "CREATE INDEX clip_of_hook ON clip (hook_id, created_at, id) WHERE state = 'APPROVED'",
    """
    CREATE INDEX clip_of_ritual ON clip (ritual_id, created_at, id)
    WHERE state = 'APPROVED' AND ritual_id IS NOT NULL
    """,
    "CREATE INDEX clip_to_artist ON clip (artist_id, created_at, id)",
    "CREATE INDEX clip_of_sender ON clip (sender_id, created_at, id)",
    "CREATE INDEX clip_newest ON clip (created_at, id) WHERE state = 'APPROVED'",
    """
    GRANT SELECT, INSERT, UPDATE (state, ritual_id, asset_id, decided_by_id, decided_at) ON clip TO casset_app
    """,
    # The same sound in another container is found by it.
    "CREATE INDEX media_content_pcm ON media_content (pcm_sha256) WHERE pcm_sha256 IS NOT NULL",
    "ALTER TABLE activity DROP CONSTRAINT activity_kind_check",
    f"ALTER TABLE activity ADD CONSTRAINT activity_kind_check CHECK (kind IN ({_TOLD}, {_DECISIONS}))",
    """
    ALTER TABLE ritual
        ADD clips integer,
        ADD unlock_scope text CONSTRAINT ritual_unlock_scope_check
            CHECK (unlock_scope IN ('CASSET', 'RELEASE', 'TRACK')),
        ADD unlock_asset_id uuid CONSTRAINT ritual_unlock_asset_id_fkey REFERENCES asset (id),
        ADD CONSTRAINT ritual_unlock_check
            CHECK (coalesce(unlock_scope <> 'CASSET', false) = (unlock_asset_id IS NOT NULL)),
        DROP CONSTRAINT ritual_memory_check
    """,
    "UPDATE ritual SET clips = 0 WHERE state = 'MEMORY'",
    """
    ALTER TABLE ritual ADD CONSTRAINT ritual_memory_check
        CHECK (num_nonnulls(people, messages, reactions, clips, best_moments)
            = CASE state WHEN 'MEMORY' THEN 5 ELSE 0 END)
    """,
    "GRANT UPDATE (clips) ON ritual TO casset_app",
    """
    ALTER TABLE comment
        ADD ritual_id uuid CONSTRAINT comment_ritual_id_fkey REFERENCES ritual (id),
        DROP CONSTRAINT comment_subject_check,
        ADD CONSTRAINT comment_subject_check CHECK (num_nonnulls(artist_id, hook_id, ritual_id) = 1)
    """,
    """
    CREATE INDEX comment_of_ritual ON comment (ritual_id, created_at, id)
    WHERE ritual_id IS NOT NULL AND deleted_at IS NULL
    """,
    _COUNTED.format(subjects="NEW.artist_id, NEW.hook_id, NEW.ritual_id"),
)
_BACK = (
    "DELETE FROM tally USING comment WHERE subject_id = ritual_id",
    "DELETE FROM activity USING comment WHERE comment_id = comment.id AND ritual_id IS NOT NULL",
    "DELETE FROM comment WHERE ritual_id IS NOT NULL",
    _COUNTED.format(subjects="NEW.artist_id, NEW.hook_id"),
    """
    ALTER TABLE comment
        DROP ritual_id,
        ADD CONSTRAINT comment_subject_check CHECK (num_nonnulls(artist_id, hook_id) = 1)
    """,
    """
    ALTER TABLE ritual
        DROP clips,
        DROP unlock_scope,
        DROP unlock_asset_id,
        ADD CONSTRAINT ritual_memory_check CHECK (num_nonnulls(people, messages, reactions, best_moments)
            = CASE state WHEN 'MEMORY' THEN 4 ELSE 0 END)
    """,
    """
    DELETE FROM activity WHERE kind IN ('CLIP_SENT', 'CLIP_APPROVED', 'CLIP_REJECTED', 'CLIP_REMOVED')
    """,
    "ALTER TABLE activity DROP CONSTRAINT activity_kind_check",
    f"ALTER TABLE activity ADD CONSTRAINT activity_kind_check CHECK (kind IN ({_TOLD}))",
    "DROP INDEX media_content_pcm",
    "DROP TABLE clip",
)


def upgrade() -> None:
    """Make the table, and let rituals unlock something and be talked about."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget the clips, what rituals unlock and what was said about them."""
    for statement in _BACK:
        op.execute(statement)
