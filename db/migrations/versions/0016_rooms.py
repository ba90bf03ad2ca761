"""Rooms: events, messages, people, the queue."""

from alembic import op

revision = "0016"
down_revision = "0015"

_STATEMENTS = (
    """
    ALTER TABLE room
        ADD epoch uuid NOT NULL DEFAULT gen_random_uuid(),
        ADD last_event_id bigint NOT NULL DEFAULT 0
            CONSTRAINT room_last_event_id_check CHECK (last_event_id >= 0),
        ADD slow_mode_seconds integer NOT NULL DEFAULT 0
            CONSTRAINT room_slow_mode_seconds_check CHECK (slow_mode_seconds BETWEEN 0 AND 21600),
        ADD now_track_id uuid CONSTRAINT room_now_track_id_fkey REFERENCES track (id),
        ADD now_hook_id uuid CONSTRAINT room_now_hook_id_fkey REFERENCES hook (id),
        ADD now_since timestamptz,
        ADD CONSTRAINT room_now_check CHECK (
            (now_track_id IS NULL) = (now_since IS NULL) AND (now_hook_id IS NULL OR now_track_id IS NOT NULL)
        )
    """,
    """
    CREATE TABLE room_event (
        room_id uuid NOT NULL CONSTRAINT room_event_room_id_fkey REFERENCES room (id),
        id bigint NOT NULL,
        kind text NOT NULL CONSTRAINT room_event_kind_check CHECK (kind IN (
            'PRESENCE', 'NOW_CHANGED', 'MESSAGE', 'MESSAGE_DELETED', 'REACTION', 'COMMENT', 'FOLLOWED', 'COLLECTED',
            'SUPPORTED', 'CLIP_APPROVED', 'RELEASE_PUBLISHED', 'HEAT_CHANGED'
        )),
        account_id uuid CONSTRAINT room_event_account_id_fkey REFERENCES account (id),
        payload jsonb NOT NULL DEFAULT '{}',
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CONSTRAINT room_event_pkey PRIMARY KEY (room_id, id)
    )
    """,
    "CREATE INDEX room_event_pace ON room_event (account_id, kind, at) WHERE account_id IS NOT NULL",
    """
    CREATE TABLE room_message (
        id uuid NOT NULL CONSTRAINT room_message_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('message', id)) STORED,
        room_id uuid NOT NULL CONSTRAINT room_message_room_id_fkey REFERENCES room (id),
        event_id bigint NOT NULL,
        account_id uuid NOT NULL CONSTRAINT room_message_account_id_fkey REFERENCES account (id),
        text text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        deleted_at timestamptz,
        deleted_by_id uuid CONSTRAINT room_message_deleted_by_id_fkey REFERENCES account (id),
        CONSTRAINT room_message_text_check CHECK ((text IS NULL) = (deleted_at IS NOT NULL)),
        CONSTRAINT room_message_room_id_event_id_key UNIQUE (room_id, event_id)
    )
    """,
    "CREATE INDEX room_message_newest ON room_message (room_id, created_at, id)",
    """
    CREATE TABLE room_person (
        id uuid NOT NULL CONSTRAINT room_person_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('guest', id)) STORED,
        room_id uuid NOT NULL CONSTRAINT room_person_room_id_fkey REFERENCES room (id),
        account_id uuid NOT NULL CONSTRAINT room_person_account_id_fkey REFERENCES account (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        joined_at timestamptz,
        muted_until timestamptz,
        banned_at timestamptz,
        CONSTRAINT room_person_account_id_room_id_key UNIQUE (account_id, room_id)
    )
    """,
    "CREATE INDEX room_person_member ON room_person (room_id, joined_at, id) WHERE joined_at IS NOT NULL",
    """
    CREATE INDEX room_person_held_back ON room_person (room_id, created_at, id)
    WHERE banned_at IS NOT NULL OR muted_until IS NOT NULL
    """,
    """
    CREATE TABLE room_queue (
        id uuid NOT NULL CONSTRAINT room_queue_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('queued', id)) STORED,
        room_id uuid NOT NULL CONSTRAINT room_queue_room_id_fkey REFERENCES room (id),
        position integer NOT NULL,
        track_id uuid NOT NULL CONSTRAINT room_queue_track_id_fkey REFERENCES track (id),
        hook_id uuid CONSTRAINT room_queue_hook_id_fkey REFERENCES hook (id),
        account_id uuid NOT NULL CONSTRAINT room_queue_account_id_fkey REFERENCES account (id),
        state text NOT NULL DEFAULT 'QUEUED'
            CONSTRAINT room_queue_state_check CHECK (state IN ('QUEUED', 'PLAYED', 'REMOVED')),
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX room_queue_waiting ON room_queue (room_id, position, id) WHERE state = 'QUEUED'",
    # Told after the commit, as every notification is: what was rolled back is never heard of.
    """
    CREATE FUNCTION room_event_told() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('room_event', NEW.room_id || ' ' || NEW.id);
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER room_event_told AFTER INSERT ON room_event
    FOR EACH ROW EXECUTE FUNCTION room_event_told()
    """,
    "GRANT SELECT, INSERT ON room_event TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (text, deleted_at, deleted_by_id) ON room_message TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (joined_at, muted_until, banned_at) ON room_person TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (state, position) ON room_queue TO casset_app",
)


def upgrade() -> None:
    """Make them; what happened in a room is only added to, and of a message only the words may go."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them; the rooms stay."""
    op.execute("DROP TABLE room_queue, room_person, room_message, room_event")
    op.execute("DROP FUNCTION room_event_told()")
    for name in ("now_since", "now_hook_id", "now_track_id", "slow_mode_seconds", "last_event_id", "epoch"):
        op.execute(f"ALTER TABLE room DROP COLUMN {name}")
