"""What lineage in memory follows: which edges and which contents of releases were written, in the change log."""

from alembic import op

revision = "0015"
down_revision = "0014"

_WRITTEN = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE touched uuid[];
    BEGIN
      SELECT array_agg(DISTINCT id) INTO touched FROM ({ids}) AS written (id);
      IF touched IS NOT NULL THEN
        INSERT INTO change (subject_id, kind, ids) VALUES (touched[1], '{kind}', touched);
      END IF;
      RETURN NULL;
    END $$
"""
_FUNCTIONS = {
    "edges_written": ("EDGES_WRITTEN", "SELECT id FROM written"),
    "items_written": (
        "CONTENTS_WRITTEN",
        # What stands in a draft is held by nothing yet.
        """
        SELECT release.id FROM written
        JOIN release_version AS version ON version.id = written.version_id
        JOIN release ON release.id = version.release_id AND release.current_version_id = version.id
        """,
    ),
    "contents_turned": (
        "CONTENTS_WRITTEN",
        """
        SELECT written.id FROM written JOIN replaced USING (id)
        WHERE written.current_version_id IS DISTINCT FROM replaced.current_version_id
        """,
    ),
}
_TRIGGERS = (
    ("lineage_edge", "INSERT", "edges_written"),
    ("lineage_edge", "UPDATE", "edges_written"),
    ("release_item", "INSERT", "items_written"),
    ("release_item", "UPDATE", "items_written"),
    ("release_item", "DELETE", "items_written"),
    ("release", "UPDATE", "contents_turned"),
)


def upgrade() -> None:
    """One line of the log for each statement, whoever writes it: nobody can forget to tell."""
    for name, (kind, ids) in _FUNCTIONS.items():
        op.execute(_WRITTEN.format(name=name, kind=kind, ids=ids))
    for table, event, function in _TRIGGERS:
        tables = "OLD TABLE AS written" if event == "DELETE" else "NEW TABLE AS written"
        if function == "contents_turned":
            tables += " OLD TABLE AS replaced"
        op.execute(
            f"CREATE TRIGGER {function}_{event.lower()} AFTER {event} ON {table} REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    """Tell no more."""
    for table, event, function in _TRIGGERS:
        op.execute(f"DROP TRIGGER {function}_{event.lower()} ON {table}")
    for name in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
