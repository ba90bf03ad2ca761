"""What happened in rooms is forgotten after a while. The serving role deletes no history: it may ask for the old."""

from alembic import op

revision = "0025"
down_revision = "0024"

_STATEMENTS = (
    "CREATE INDEX room_event_age ON room_event (at)",
    # Nothing of the last day goes, whatever is asked for, nor what a ritual is still to remember.
    """
    CREATE FUNCTION forget_events(kept_for interval, most integer) RETURNS integer
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
      WITH gone AS (
        DELETE FROM room_event WHERE (room_id, id) IN (
          SELECT room_id, id FROM room_event AS event
          WHERE at < now() - greatest(kept_for, interval '1 day') AND NOT EXISTS (
            SELECT FROM ritual
            WHERE ritual.room_id = event.room_id AND ritual.opens_at <= event.at
              AND ritual.state NOT IN ('MEMORY', 'CANCELLED')
          )
          ORDER BY at LIMIT most
        ) RETURNING id
      )
      SELECT count(*)::integer FROM gone
    $$
    """,
    "REVOKE ALL ON FUNCTION forget_events(interval, integer) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION forget_events(interval, integer) TO casset_app",
)


def upgrade() -> None:
    """Let what is old be removed; what was said is kept in rows of its own."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Keep whatever happened."""
    op.execute("DROP FUNCTION forget_events(interval, integer)")
    op.execute("DROP INDEX room_event_age")
