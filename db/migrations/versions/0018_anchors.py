"""Anchored proofs: batches of manifest hashes and the transactions that carry their roots."""

from alembic import op

revision = "0018"
down_revision = "0017"

_STATEMENTS = (
    """
    CREATE TABLE anchor_batch (
        id uuid NOT NULL CONSTRAINT anchor_batch_pkey PRIMARY KEY,
        network text NOT NULL,
        contract text NOT NULL,
        root text NOT NULL CONSTRAINT anchor_batch_root_check CHECK (root ~ '^0x[0-9a-f]{64}$'),
        size integer NOT NULL CONSTRAINT anchor_batch_size_check CHECK (size >= 1),
        state text NOT NULL DEFAULT 'PREPARED' CONSTRAINT anchor_batch_state_check
            CHECK (state IN ('PREPARED', 'SUBMITTED', 'MINED', 'CONFIRMED', 'FAILED', 'MISMATCH')),
        transaction text,
        block_number bigint,
        block_hash text,
        timestamped_at timestamptz,
        reorganised integer NOT NULL DEFAULT 0,
        note text,
        created_at timestamptz NOT NULL DEFAULT now(),
        changed_at timestamptz NOT NULL DEFAULT now(),
        checked_at timestamptz,
        CONSTRAINT anchor_batch_stamp_check CHECK (
            num_nulls(transaction, block_number, block_hash, timestamped_at)
            = CASE WHEN state IN ('MINED', 'CONFIRMED', 'MISMATCH') THEN 0 ELSE 4 END)
    )
    """,
    """
    CREATE INDEX anchor_batch_under_way ON anchor_batch (created_at, id)
    WHERE state IN ('PREPARED', 'SUBMITTED', 'MINED')
    """,
    """
    CREATE TABLE anchor (
        id uuid NOT NULL CONSTRAINT anchor_pkey PRIMARY KEY CONSTRAINT anchor_id_fkey REFERENCES manifest (id),
        account_id uuid NOT NULL CONSTRAINT anchor_account_id_fkey REFERENCES account (id),
        asked_at timestamptz NOT NULL DEFAULT now(),
        batch_id uuid CONSTRAINT anchor_batch_id_fkey REFERENCES anchor_batch (id),
        leaf_index integer,
        hashes text[],
        CONSTRAINT anchor_place_check CHECK (num_nulls(batch_id, leaf_index, hashes) IN (0, 3))
    )
    """,
    "CREATE INDEX anchor_waiting ON anchor (asked_at, id) WHERE batch_id IS NULL",
    "CREATE UNIQUE INDEX anchor_batch_leaf ON anchor (batch_id, leaf_index)",
    """
    CREATE TABLE anchor_transaction (
        hash text NOT NULL CONSTRAINT anchor_transaction_pkey PRIMARY KEY
            CONSTRAINT anchor_transaction_hash_check CHECK (hash ~ '^0x[0-9a-f]{64}$'),
        batch_id uuid NOT NULL CONSTRAINT anchor_transaction_batch_id_fkey REFERENCES anchor_batch (id),
        sender text NOT NULL,
        nonce bigint NOT NULL,
        gas bigint NOT NULL,
        per_gas bigint NOT NULL,
        tip bigint NOT NULL,
        raw bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        dropped_at timestamptz,
        CONSTRAINT anchor_transaction_one_batch
            EXCLUDE USING gist (sender WITH =, nonce WITH =, batch_id WITH <>)
    )
    """,
    "CREATE INDEX anchor_transaction_batch ON anchor_transaction (batch_id, created_at)",
    # What was given up is counted every few seconds, wherever somebody watches.
    "CREATE INDEX job_dead ON job (finished_at) WHERE state = 'DEAD'",
    """
    GRANT SELECT, INSERT, UPDATE (
        state, transaction, block_number, block_hash, timestamped_at, reorganised, note, changed_at, checked_at
    ) ON anchor_batch TO casset_app
    """,
    "GRANT SELECT, INSERT, UPDATE (account_id, asked_at, batch_id, leaf_index, hashes) ON anchor TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (sent_at, dropped_at) ON anchor_transaction TO casset_app",
)


def upgrade() -> None:
    """Make them; what was signed stays as it was signed, and nothing of it is deleted."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them; the chain does not."""
    op.execute("DROP INDEX job_dead")
    op.execute("DROP TABLE anchor_transaction, anchor, anchor_batch")
