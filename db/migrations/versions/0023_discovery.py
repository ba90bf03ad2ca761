"""The feed: how much what goes on around something rose, and an index for each thing that is told or measured."""

from alembic import op

revision = "0023"
down_revision = "0022"

_STATEMENTS = (
    """
    ALTER TABLE participation
    ADD COLUMN rise double precision NOT NULL DEFAULT 0
        CONSTRAINT participation_rise_check CHECK (rise BETWEEN 0 AND 100)
    """,
    # What was measured before is not known to have risen; what is measured from now on says whether it did.
    "ALTER TABLE participation ALTER COLUMN rise DROP DEFAULT",
    "CREATE INDEX participation_rising ON participation (taken_at, rise, subject_id)",
    "CREATE INDEX ritual_now ON ritual (opens_at, id) WHERE state IN ('OPEN', 'RELEASED')",
    "CREATE INDEX ritual_soon ON ritual (opens_at, id) WHERE state = 'ANNOUNCED'",
    """
    CREATE INDEX release_version_out ON release_version (published_at, id)
    WHERE state = 'PUBLISHED' AND NOT is_compatibility
    """,
    # Who held an artist when they shared something, whether they still do or not.
    "CREATE INDEX membership_ever ON membership (artist_id, account_id)",
)


def upgrade() -> None:
    """Add the column and the indexes."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP INDEX membership_ever, release_version_out, ritual_soon, ritual_now")
    op.execute("ALTER TABLE participation DROP COLUMN rise")
