"""Receipts of permission checks, chained per asking account; children are counted by edges that nobody ended."""

from alembic import op

revision = "0004"
down_revision = "0003"

_COUNT = """
    CREATE OR REPLACE FUNCTION count_derived() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE asset SET derived_count = counted.children
      FROM (
        SELECT touched.parent_id, count(DISTINCT edge.child_id)::int AS children
        FROM (SELECT DISTINCT parent_id FROM touched_edge) AS touched
        LEFT JOIN lineage_edge AS edge
          ON edge.parent_id = touched.parent_id AND edge.binding AND upper_inf(edge.known) AND {holds}
        GROUP BY touched.parent_id
      ) AS counted
      WHERE asset.id = counted.parent_id AND asset.derived_count <> counted.children;
      RETURN NULL;
    END $$
"""


_KEYS = {
    "asset_standing": "uuid_send(asset_id) WITH =",
    "lineage_edge": "uuid_send(child_id) WITH =, uuid_send(parent_id) WITH =, kind WITH =, child_window WITH =",
    "merge": "uuid_send(old_id) WITH =",
    "permission_grant": "uuid_send(asset_id) WITH =, uuid_send(grantee_id) WITH =, uuid_send(term_set_id) WITH =",
    "policy": "level WITH =, uuid_send(subject_id) WITH =",
    "split": "uuid_send(asset_id) WITH =, pool WITH =, uuid_send(contributor_id) WITH =",
}


def _constrain(valid: str) -> None:
    for table, keys in _KEYS.items():
        op.execute(f"""
            ALTER TABLE {table}
            DROP CONSTRAINT {table}_one_open_row,
            ADD CONSTRAINT {table}_one_open_row EXCLUDE USING gist ({keys}, {valid} WITH &&) WHERE (upper_inf(known))
        """)


def upgrade() -> None:
    """Make the table; the serving role adds to it and reads it, and rows are never changed."""
    # Over an expression: what holds now is never looked for in the index of a constraint, statistics or not.
    _constrain("(valid * '(,)'::tstzrange)")
    # A writer that waited for others writes rows that begin after its transaction did.
    op.execute(_COUNT.format(holds="upper_inf(edge.valid)"))
    op.execute("""
        CREATE TABLE permission_receipt (
            id uuid NOT NULL CONSTRAINT permission_receipt_pkey PRIMARY KEY,
            ref text GENERATED ALWAYS AS (typeid('receipt', id)) STORED NOT NULL,
            account_id uuid NOT NULL CONSTRAINT permission_receipt_account_id_fkey REFERENCES account (id),
            asset_id uuid NOT NULL CONSTRAINT permission_receipt_asset_id_fkey REFERENCES asset (id),
            sequence integer NOT NULL,
            body text NOT NULL,
            facts text NOT NULL,
            prev text,
            hash text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT permission_receipt_account_id_sequence_key UNIQUE (account_id, sequence),
            CONSTRAINT permission_receipt_chain_check CHECK (sequence >= 1 AND (sequence = 1) = (prev IS NULL))
        )
    """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON permission_receipt
        FOR EACH STATEMENT EXECUTE FUNCTION append_only()
    """)
    op.execute("GRANT SELECT, INSERT ON permission_receipt TO casset_app")


def downgrade() -> None:
    """Forget them."""
    _constrain("valid")
    op.execute("DROP TABLE permission_receipt")
    op.execute(_COUNT.format(holds="edge.valid @> now()"))
