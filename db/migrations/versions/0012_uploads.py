"""Staged uploads, orphaned blobs, and jobs that come round."""

from alembic import op

revision = "0012"
down_revision = "0011"

_STATEMENTS = (
    """
    CREATE TABLE staged_upload (
        id uuid NOT NULL CONSTRAINT staged_upload_pkey PRIMARY KEY,
        asset_id uuid CONSTRAINT staged_upload_asset_id_fkey REFERENCES asset (id),
        artist_id uuid CONSTRAINT staged_upload_artist_id_fkey REFERENCES artist (id),
        account_id uuid NOT NULL CONSTRAINT staged_upload_account_id_fkey REFERENCES account (id),
        role text NOT NULL CONSTRAINT staged_upload_role_check
            CHECK (role IN ('MASTER', 'PREVIEW', 'COVER', 'LOOP', 'SOURCE')),
        sha256 text NOT NULL CONSTRAINT staged_upload_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        byte_size integer NOT NULL CONSTRAINT staged_upload_byte_size_check CHECK (byte_size > 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        finished_at timestamptz,
        cleared_at timestamptz,
        CONSTRAINT staged_upload_owner_check CHECK (num_nonnulls(asset_id, artist_id) = 1)
    )
    """,
    "CREATE INDEX staged_upload_account ON staged_upload (account_id) WHERE cleared_at IS NULL",
    "CREATE INDEX staged_upload_expired ON staged_upload (expires_at) WHERE cleared_at IS NULL",
    """
    CREATE TABLE orphan_blob (
        sha256 text NOT NULL CONSTRAINT orphan_blob_pkey PRIMARY KEY
            CONSTRAINT orphan_blob_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        byte_size bigint NOT NULL,
        found_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz,
        removed boolean NOT NULL DEFAULT false,
        CONSTRAINT orphan_blob_removed_check CHECK (NOT removed OR settled_at IS NOT NULL)
    )
    """,
    """
    CREATE UNIQUE INDEX job_comes_round ON job (kind)
    WHERE kind IN ('SWEEP_BLOBS') AND state IN ('READY', 'RUNNING')
    """,
    "GRANT SELECT, INSERT, UPDATE (finished_at, cleared_at) ON staged_upload TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (byte_size, found_at, settled_at, removed) ON orphan_blob TO casset_app",
)


def upgrade() -> None:
    """Make them; the serving role deletes none of it, and what was staged cannot become something else."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them; the bytes stay where they are."""
    op.execute("DROP INDEX job_comes_round")
    op.execute("DROP TABLE orphan_blob, staged_upload")
