"""Manifests that are signed late, more that is checked of them, and jobs that come round whatever their kind."""

from alembic import op

revision = "0020"
down_revision = "0019"

_STATEMENTS = (
    # What was published while there was no key is signed once there is one; nothing else of it ever changes.
    "DROP TRIGGER append_only ON manifest",
    """
    CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON manifest
    FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """,
    """
    CREATE FUNCTION signed_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.proof IS NOT NULL OR NEW.proof IS NULL OR to_jsonb(NEW) - 'proof' <> to_jsonb(OLD) - 'proof' THEN
        RAISE EXCEPTION 'a manifest is signed once, and never changes' USING ERRCODE = 'restrict_violation';
      END IF;
      RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER signed_once BEFORE UPDATE ON manifest FOR EACH ROW EXECUTE FUNCTION signed_once()",
    "GRANT UPDATE (proof) ON manifest TO casset_app",
    "ALTER TABLE manifest_check DROP CONSTRAINT manifest_check_kind_check",
    """
    ALTER TABLE manifest_check ADD CONSTRAINT manifest_check_kind_check
    CHECK (kind IN ('REGENERATION', 'SIGNATURE', 'LINEAGE', 'INCLUSION', 'SNAPSHOT'))
    """,
    "CREATE INDEX manifest_check_failed ON manifest_check (manifest_id, kind) WHERE NOT passed",
    # A job that comes round is about nothing but itself.
    "DROP INDEX job_comes_round",
    "CREATE UNIQUE INDEX job_comes_round ON job (kind) WHERE subject_id = id AND state IN ('READY', 'RUNNING')",
    """
    CREATE INDEX entitlement_subject ON entitlement ((coalesce(artist_id, asset_id)))
    WHERE state = 'ACTIVE'
    """,
)


def upgrade() -> None:
    """Let the serving role sign what nobody signed."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Keep what was signed late; what was found of lineage and of the log is forgotten."""
    op.execute("DROP INDEX entitlement_subject")
    op.execute("DROP INDEX job_comes_round")
    op.execute(
        "CREATE UNIQUE INDEX job_comes_round ON job (kind)"
        " WHERE kind IN ('SWEEP_BLOBS') AND state IN ('READY', 'RUNNING')"
    )
    op.execute("DROP INDEX manifest_check_failed")
    op.execute("DROP TRIGGER append_only ON manifest_check")
    op.execute("DELETE FROM manifest_check WHERE kind IN ('LINEAGE', 'INCLUSION')")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON manifest_check"
        " FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
    )
    op.execute("ALTER TABLE manifest_check DROP CONSTRAINT manifest_check_kind_check")
    op.execute(
        "ALTER TABLE manifest_check ADD CONSTRAINT manifest_check_kind_check"
        " CHECK (kind IN ('REGENERATION', 'SNAPSHOT', 'SIGNATURE'))"
    )
    op.execute("REVOKE UPDATE (proof) ON manifest FROM casset_app")
    op.execute("DROP TRIGGER signed_once ON manifest")
    op.execute("DROP FUNCTION signed_once")
    op.execute("DROP TRIGGER append_only ON manifest")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON manifest"
        " FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
    )
