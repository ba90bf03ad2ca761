"""What a creator takes back: credits end, and the items of a draft, but of nothing that was published, are replaced.

A repeated request is recognised in one step.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_STATEMENTS = (
    "ALTER TABLE credit ADD COLUMN ended_at timestamptz",
    "CREATE INDEX contributor_account ON contributor (account_id)",
    """
    CREATE FUNCTION drafts_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM release_version WHERE id = OLD.version_id AND state <> 'DRAFT') THEN
        RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    """
    CREATE TRIGGER drafts_only BEFORE UPDATE OR DELETE ON release_item
    FOR EACH ROW EXECUTE FUNCTION drafts_only()
    """,
    "GRANT DELETE ON release_item TO casset_app",
    # Each statement in it has a snapshot of its own: what is read after the wait was committed meanwhile.
    """
    CREATE FUNCTION recall_outcome(account uuid, wanted text) RETURNS TABLE (request_digest text, outcome jsonb)
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended(account || '/' || wanted, 0));
      RETURN QUERY SELECT known.request_digest, known.outcome FROM idempotency AS known
                   WHERE known.account_id = account AND known.key = wanted;
    END $$
    """,
)


def upgrade() -> None:
    """Let the serving role empty drafts, and nothing else."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Let items be changed, and never deleted; who was credited once is credited again."""
    op.execute("DROP FUNCTION recall_outcome")
    op.execute("REVOKE DELETE ON release_item FROM casset_app")
    op.execute("DROP TRIGGER drafts_only ON release_item")
    op.execute("DROP FUNCTION drafts_only")
    op.execute("DROP INDEX contributor_account")
    op.execute("ALTER TABLE credit DROP COLUMN ended_at")
