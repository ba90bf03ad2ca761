"""The log over all events, and chains that the database itself keeps."""

from alembic import op

revision = "0014"
down_revision = "0013"

_LOG = ("log_leaf", "log_node", "log_checkpoint")
_STATEMENTS = (
    # By this the log finds what was committed since it last looked.
    "ALTER TABLE provenance_event ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()",
    "CREATE INDEX provenance_event_xid ON provenance_event (xid)",
    """
    CREATE TABLE log_leaf (
        number bigint NOT NULL CONSTRAINT log_leaf_pkey PRIMARY KEY,
        event_id uuid NOT NULL CONSTRAINT log_leaf_event_id_fkey REFERENCES provenance_event (id)
            CONSTRAINT log_leaf_event_id_key UNIQUE,
        entry bytea NOT NULL CONSTRAINT log_leaf_entry_key UNIQUE,
        hash bytea GENERATED ALWAYS AS (sha256('\\x00'::bytea || entry)) STORED NOT NULL,
        CONSTRAINT log_leaf_number_check CHECK (number >= 0)
    )
    """,
    """
    CREATE TABLE log_node (
        level integer NOT NULL,
        number bigint NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT log_node_pkey PRIMARY KEY (level, number),
        CONSTRAINT log_node_place_check CHECK (level >= 1 AND number >= 0 AND length(hash) = 32)
    )
    """,
    """
    CREATE TABLE log_checkpoint (
        size bigint NOT NULL CONSTRAINT log_checkpoint_pkey PRIMARY KEY,
        note text NOT NULL,
        settled xid8 NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # An event names the one before it in its chain, and is hashed as it is written.
    """
    CREATE FUNCTION chained() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (
        SELECT FROM added
        LEFT JOIN provenance_event AS before
          ON before.subject_id = added.subject_id AND before.sequence = added.sequence - 1
        WHERE added.prev IS DISTINCT FROM before.hash
          OR added.hash <> encode(sha256(convert_to(added.body, 'UTF8')), 'hex')
      ) THEN
        RAISE EXCEPTION 'an event does not follow the one before it' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER chained AFTER INSERT ON provenance_event
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION chained()
    """,
    # Leaves have no gaps, and each is the hash of its event.
    """
    CREATE FUNCTION numbered() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      low bigint;
      high bigint;
      many bigint;
    BEGIN
      SELECT min(number), max(number), count(*) INTO low, high, many FROM added;
      IF high - low + 1 <> many
        OR low <> (SELECT coalesce(max(number), -1) + 1 FROM log_leaf WHERE number < low)
        OR EXISTS (
          SELECT FROM added JOIN provenance_event AS event ON event.id = added.event_id
          WHERE event.hash <> encode(added.entry, 'hex')
        )
      THEN
        RAISE EXCEPTION 'leaves are numbered without gaps' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER numbered AFTER INSERT ON log_leaf
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION numbered()
    """,
    *(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        for table in _LOG
    ),
    # Who plays replica goes past triggers, but not past these.
    *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only" for table in ("provenance_event", *_LOG)),
    "ALTER TABLE provenance_event ENABLE ALWAYS TRIGGER chained",
    "ALTER TABLE log_leaf ENABLE ALWAYS TRIGGER numbered",
    *(f"GRANT SELECT, INSERT ON {table} TO casset_app" for table in _LOG),
)


def upgrade() -> None:
    """Make them; what was recorded before is numbered when the log is first looked after."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget the log; the events and their chains stay."""
    op.execute("DROP TABLE log_checkpoint, log_node, log_leaf")
    op.execute("DROP TRIGGER chained ON provenance_event")
    op.execute("DROP FUNCTION numbered, chained")
    op.execute("ALTER TABLE provenance_event ENABLE TRIGGER append_only")
    op.execute("ALTER TABLE provenance_event DROP COLUMN xid")
