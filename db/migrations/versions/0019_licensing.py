"""Quotes, machine payments and what keys asked."""

from alembic import op

revision = "0019"
down_revision = "0018"

_STATEMENTS = (
    """
    CREATE TABLE license_quote (
        id uuid NOT NULL CONSTRAINT license_quote_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('quote', id)) STORED NOT NULL,
        account_id uuid NOT NULL CONSTRAINT license_quote_account_id_fkey REFERENCES account (id),
        key_id uuid CONSTRAINT license_quote_key_id_fkey REFERENCES agent_key (id),
        asset_id uuid NOT NULL CONSTRAINT license_quote_asset_id_fkey REFERENCES asset (id),
        owner_id uuid NOT NULL CONSTRAINT license_quote_owner_id_fkey REFERENCES artist (id),
        grantee_id uuid NOT NULL CONSTRAINT license_quote_grantee_id_fkey REFERENCES artist (id),
        uses text[] NOT NULL,
        territory text,
        purpose text,
        bound_to text NOT NULL,
        price_minor integer,
        currency text,
        amount text,
        offer_digest text NOT NULL,
        grants jsonb NOT NULL,
        body text NOT NULL,
        proof text,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT license_quote_price_check CHECK ((price_minor IS NULL) = (currency IS NULL))
    )
    """,
    "CREATE INDEX license_quote_account ON license_quote (account_id, created_at, id)",
    """
    CREATE TABLE machine_payment (
        id uuid NOT NULL CONSTRAINT machine_payment_pkey PRIMARY KEY,
        quote_id uuid NOT NULL CONSTRAINT machine_payment_quote_id_fkey REFERENCES license_quote (id),
        account_id uuid NOT NULL CONSTRAINT machine_payment_account_id_fkey REFERENCES account (id),
        method text NOT NULL CONSTRAINT machine_payment_method_check CHECK (method IN ('EVM', 'TEST', 'FREE')),
        state text NOT NULL
            CONSTRAINT machine_payment_state_check CHECK (state IN ('SUBMITTED', 'SETTLED', 'FAILED')),
        network text,
        payer text,
        amount text NOT NULL,
        reference text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz,
        CONSTRAINT machine_payment_settled_check CHECK ((state = 'SETTLED') = (settled_at IS NOT NULL)),
        CONSTRAINT machine_payment_method_reference_key UNIQUE (method, reference)
    )
    """,
    "CREATE UNIQUE INDEX machine_payment_quote ON machine_payment (quote_id) WHERE state <> 'FAILED'",
    """
    CREATE TABLE license (
        id uuid NOT NULL CONSTRAINT license_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('license', id)) STORED NOT NULL,
        quote_id uuid NOT NULL CONSTRAINT license_quote_id_key UNIQUE
            CONSTRAINT license_quote_id_fkey REFERENCES license_quote (id),
        payment_id uuid NOT NULL CONSTRAINT license_payment_id_fkey REFERENCES machine_payment (id),
        account_id uuid NOT NULL CONSTRAINT license_account_id_fkey REFERENCES account (id),
        asset_id uuid NOT NULL CONSTRAINT license_asset_id_fkey REFERENCES asset (id),
        owner_id uuid NOT NULL CONSTRAINT license_owner_id_fkey REFERENCES artist (id),
        grantee_id uuid NOT NULL CONSTRAINT license_grantee_id_fkey REFERENCES artist (id),
        body text NOT NULL,
        proof text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX license_owner ON license (owner_id, created_at, id)",
    "CREATE INDEX license_grantee ON license (grantee_id, created_at, id)",
    """
    CREATE TABLE license_grant (
        license_id uuid NOT NULL CONSTRAINT license_grant_license_id_fkey REFERENCES license (id),
        grant_id uuid NOT NULL CONSTRAINT license_grant_grant_id_fkey REFERENCES permission_grant (id),
        CONSTRAINT license_grant_pkey PRIMARY KEY (license_id, grant_id)
    )
    """,
    """
    CREATE TABLE access_grant (
        id uuid NOT NULL CONSTRAINT access_grant_pkey PRIMARY KEY,
        license_id uuid NOT NULL CONSTRAINT access_grant_license_id_fkey REFERENCES license (id),
        account_id uuid NOT NULL CONSTRAINT access_grant_account_id_fkey REFERENCES account (id),
        track_id uuid NOT NULL CONSTRAINT access_grant_track_id_fkey REFERENCES asset (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX access_grant_open ON access_grant (account_id, track_id, expires_at)",
    """
    CREATE TABLE agent_use (
        id uuid NOT NULL CONSTRAINT agent_use_pkey PRIMARY KEY,
        ref text NOT NULL GENERATED ALWAYS AS (typeid('use', id)) STORED,
        artist_id uuid NOT NULL CONSTRAINT agent_use_artist_id_fkey REFERENCES artist (id),
        asset_id uuid NOT NULL CONSTRAINT agent_use_asset_id_fkey REFERENCES asset (id),
        account_id uuid NOT NULL CONSTRAINT agent_use_account_id_fkey REFERENCES account (id),
        key_id uuid CONSTRAINT agent_use_key_id_fkey REFERENCES agent_key (id),
        kind text NOT NULL CONSTRAINT agent_use_kind_check
            CHECK (kind IN ('READ', 'CHECK', 'QUOTE', 'LICENSE', 'ACCESS', 'DERIVE')),
        uses text[] NOT NULL DEFAULT '{}',
        decision text CONSTRAINT agent_use_decision_check
            CHECK (decision IN ('ALLOWED', 'LICENSE_REQUIRED', 'CONTACT_OWNER', 'UNKNOWN', 'DENIED')),
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX agent_use_artist ON agent_use (artist_id, created_at, id)",
    """
    CREATE TABLE payment_claim (
        key text NOT NULL CONSTRAINT payment_claim_pkey PRIMARY KEY,
        value jsonb,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE request_claim (
        account_id uuid NOT NULL CONSTRAINT request_claim_account_id_fkey REFERENCES account (id),
        key text NOT NULL,
        fingerprint text NOT NULL,
        lease_until timestamptz NOT NULL,
        status integer,
        headers jsonb,
        body text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT request_claim_pkey PRIMARY KEY (account_id, key),
        CONSTRAINT request_claim_answered_check
            CHECK ((status IS NULL) = (body IS NULL) AND (status IS NULL) = (headers IS NULL))
    )
    """,
    "GRANT SELECT, INSERT ON license_quote, license, license_grant, access_grant, agent_use TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (state, settled_at) ON machine_payment TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (value) ON payment_claim TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (fingerprint, lease_until, status, headers, body) ON request_claim TO casset_app",
)


def upgrade() -> None:
    """Make them; what was quoted, paid and licensed is never rewritten by who serves."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE request_claim, payment_claim, agent_use, access_grant, license_grant, license")
    op.execute("DROP TABLE machine_payment, license_quote")
