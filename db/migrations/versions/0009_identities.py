"""Signing in with another house, and invites that are looked at and withdrawn."""

from alembic import op

revision = "0009"
down_revision = "0008"

_STATEMENTS = (
    """
    CREATE TABLE identity (
        id uuid NOT NULL CONSTRAINT identity_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('identity', id)) STORED NOT NULL,
        account_id uuid NOT NULL CONSTRAINT identity_account_id_fkey REFERENCES account (id),
        provider text NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        email text,
        created_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX identity_linked ON identity (issuer, subject) WHERE ended_at IS NULL",
    "CREATE INDEX identity_account ON identity (account_id, created_at, id) WHERE ended_at IS NULL",
    """
    CREATE TABLE sign_in_flow (
        id uuid NOT NULL CONSTRAINT sign_in_flow_pkey PRIMARY KEY,
        provider text NOT NULL,
        secret_hash bytea NOT NULL CONSTRAINT sign_in_flow_secret_hash_key UNIQUE,
        account_id uuid CONSTRAINT sign_in_flow_account_id_fkey REFERENCES account (id),
        place text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "ALTER TABLE membership_invite ADD COLUMN ref text GENERATED ALWAYS AS (typeid('invite', id)) STORED NOT NULL",
    "GRANT SELECT, INSERT, UPDATE (ended_at) ON identity TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (used_at) ON sign_in_flow TO casset_app",
)


def upgrade() -> None:
    """Make them; the serving role deletes none of it, and lets no identity become another account's."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them; who had no other way to sign in asks for a password by mail."""
    op.execute("ALTER TABLE membership_invite DROP COLUMN ref")
    op.execute("DROP TABLE sign_in_flow, identity")
