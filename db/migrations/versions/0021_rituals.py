"""Rituals: a time around one hook or release, who was there before it was out, and what is remembered."""

from alembic import op

revision = "0021"
down_revision = "0020"

_STATEMENTS = (
    """
    CREATE TABLE ritual (
        id uuid NOT NULL CONSTRAINT ritual_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('ritual', id)) STORED,
        artist_id uuid NOT NULL CONSTRAINT ritual_artist_id_fkey REFERENCES artist (id),
        hook_id uuid CONSTRAINT ritual_hook_id_fkey REFERENCES hook (id),
        release_id uuid CONSTRAINT ritual_release_id_fkey REFERENCES release (id),
        room_id uuid NOT NULL CONSTRAINT ritual_room_id_fkey REFERENCES room (id),
        announced_by_id uuid NOT NULL CONSTRAINT ritual_announced_by_id_fkey REFERENCES account (id),
        title text NOT NULL,
        state text NOT NULL DEFAULT 'ANNOUNCED' CONSTRAINT ritual_state_check
            CHECK (state IN ('ANNOUNCED', 'OPEN', 'RELEASED', 'MEMORY', 'CANCELLED')),
        opens_at timestamptz NOT NULL,
        releases_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        presave_count integer NOT NULL DEFAULT 0 CONSTRAINT ritual_presave_count_check CHECK (presave_count >= 0),
        people integer,
        messages integer,
        reactions integer,
        best_moments timestamptz[],
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ritual_subject_check CHECK (num_nonnulls(hook_id, release_id) = 1),
        CONSTRAINT ritual_times_check CHECK (opens_at < releases_at AND releases_at < ends_at),
        CONSTRAINT ritual_memory_check CHECK (num_nonnulls(people, messages, reactions, best_moments)
            = CASE state WHEN 'MEMORY' THEN 4 ELSE 0 END),
        CONSTRAINT ritual_one_at_a_time EXCLUDE USING gist
            (uuid_send(artist_id) WITH =, tstzrange(opens_at, ends_at) WITH &&) WHERE (state <> 'CANCELLED')
    )
    """,
    "CREATE INDEX ritual_soonest ON ritual (opens_at, id)",
    "CREATE INDEX ritual_of_artist ON ritual (artist_id, opens_at, id)",
    "CREATE INDEX ritual_of_release ON ritual (release_id) WHERE release_id IS NOT NULL",
    """
    CREATE TABLE ritual_presave (
        id uuid NOT NULL CONSTRAINT ritual_presave_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('presave', id)) STORED,
        ritual_id uuid NOT NULL CONSTRAINT ritual_presave_ritual_id_fkey REFERENCES ritual (id),
        account_id uuid NOT NULL CONSTRAINT ritual_presave_account_id_fkey REFERENCES account (id),
        position integer NOT NULL CONSTRAINT ritual_presave_position_check CHECK (position > 0),
        is_named boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        proof jsonb,
        CONSTRAINT ritual_presave_account_id_ritual_id_key UNIQUE (account_id, ritual_id),
        CONSTRAINT ritual_presave_ritual_id_position_key UNIQUE (ritual_id, position)
    )
    """,
    """
    GRANT SELECT, INSERT, UPDATE (state, presave_count, people, messages, reactions, best_moments, version)
    ON ritual TO casset_app
    """,
    "GRANT SELECT, INSERT, UPDATE (is_named, proof) ON ritual_presave TO casset_app",
)


def upgrade() -> None:
    """Make the tables, and say what the application may write in them."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE ritual_presave, ritual")
