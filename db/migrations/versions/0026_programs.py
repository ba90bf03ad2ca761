"""The book of what programs paid."""

from alembic import op

revision = "0026"
down_revision = "0025"

_STATEMENTS = (
    """
    CREATE TABLE ledger_entry (
        id uuid NOT NULL CONSTRAINT ledger_entry_pkey PRIMARY KEY,
        payment_id uuid NOT NULL CONSTRAINT ledger_entry_payment_id_fkey REFERENCES machine_payment (id),
        position integer NOT NULL,
        pool text CONSTRAINT ledger_entry_pool_check CHECK (pool IN ('MASTER', 'PUBLISHING')),
        contributor_id uuid CONSTRAINT ledger_entry_contributor_id_fkey REFERENCES contributor (id),
        artist_id uuid CONSTRAINT ledger_entry_artist_id_fkey REFERENCES artist (id),
        amount bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ledger_entry_party_check CHECK (num_nonnulls(contributor_id, artist_id) = num_nonnulls(pool)),
        CONSTRAINT ledger_entry_side_check CHECK ((pool IS NULL) = (amount < 0) AND amount <> 0),
        CONSTRAINT ledger_entry_payment_id_position_key UNIQUE (payment_id, position)
    )
    """,
    "CREATE INDEX ledger_entry_contributor ON ledger_entry (contributor_id, created_at, id)",
    "CREATE INDEX ledger_entry_artist ON ledger_entry (artist_id, created_at, id)",
    """
    CREATE FUNCTION balanced_payment() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT sum(amount) FROM ledger_entry WHERE payment_id = NEW.payment_id) <> 0 THEN
            RAISE EXCEPTION 'the entries of a payment do not balance' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION balanced_payment()
    """,
    "GRANT SELECT, INSERT ON ledger_entry TO casset_app",
)


def upgrade() -> None:
    """Make it; a line is never rewritten by who serves, and those of a payment balance."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget it."""
    op.execute("DROP TABLE ledger_entry")
    op.execute("DROP FUNCTION balanced_payment")
