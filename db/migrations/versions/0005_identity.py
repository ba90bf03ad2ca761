"""Identity: passwords, mail, sign-ins, keys of programs, handles that do not pass for others, claims of artists."""

from alembic import op

revision = "0005"
down_revision = "0004"

_KINDS = (
    "'ASSET_CREATED', 'ASSET_UPDATED', 'MEDIA_ATTACHED', 'HOOK_CHANGED', 'LINEAGE_CHANGED', 'ASSET_MERGED', "
    "'RELEASE_CREATED', 'VERSION_CREATED', 'MANIFEST_GENERATED', 'MANIFEST_SIGNED', 'MANIFEST_ANCHORED', "
    "'RELEASE_PUBLISHED', 'RELEASE_WITHDRAWN', 'CONTRIBUTORS_UPDATED', 'PERMISSIONS_CHANGED', "
    "'DERIVATIVE_REGISTERED', 'LICENSE_GRANTED', 'ACCESS_GRANTED', 'ANCHOR_VERIFIED'"
)
_STATEMENTS = (
    # As skeleton() in domain/handles.py.
    """
    CREATE FUNCTION handle_skeleton(handle text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(translate(handle, '01-_.', 'ol'), 'm', 'rn'), 'w', 'vv')
    """,
    "CREATE INDEX account_skeleton ON account (handle_skeleton(handle))",
    "CREATE INDEX artist_skeleton ON artist (handle_skeleton(handle))",
    """
    CREATE TABLE former_handle (
        handle text NOT NULL CONSTRAINT former_handle_pkey PRIMARY KEY,
        account_id uuid CONSTRAINT former_handle_account_id_fkey REFERENCES account (id),
        artist_id uuid CONSTRAINT former_handle_artist_id_fkey REFERENCES artist (id),
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT former_handle_holder_check CHECK (num_nonnulls(account_id, artist_id) = 1)
    )
    """,
    "CREATE INDEX former_handle_skeleton ON former_handle (handle_skeleton(handle))",
    "ALTER TABLE account ADD COLUMN email text, ADD COLUMN email_key text, ADD COLUMN email_verified_at timestamptz",
    "CREATE UNIQUE INDEX account_email_verified ON account (email_key) WHERE email_verified_at IS NOT NULL",
    "CREATE INDEX account_email ON account (email_key)",
    """
    CREATE TABLE password (
        account_id uuid NOT NULL CONSTRAINT password_pkey PRIMARY KEY
            CONSTRAINT password_account_id_fkey REFERENCES account (id),
        encoded text NOT NULL,
        set_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE mailed_code (
        id uuid NOT NULL CONSTRAINT mailed_code_pkey PRIMARY KEY,
        account_id uuid NOT NULL CONSTRAINT mailed_code_account_id_fkey REFERENCES account (id),
        purpose text NOT NULL
            CONSTRAINT mailed_code_purpose_check CHECK (purpose IN ('RESET_PASSWORD', 'VERIFY_EMAIL')),
        secret_hash bytea NOT NULL CONSTRAINT mailed_code_secret_hash_key UNIQUE,
        email_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX mailed_code_account ON mailed_code (account_id) WHERE used_at IS NULL",
    "ALTER TABLE session ADD COLUMN signed_in_at timestamptz NOT NULL DEFAULT now()",
    "UPDATE session SET signed_in_at = created_at",
    "CREATE INDEX session_account ON session (account_id) WHERE revoked_at IS NULL",
    """
    CREATE TABLE agent_key (
        id uuid NOT NULL CONSTRAINT agent_key_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('key', id)) STORED NOT NULL,
        account_id uuid NOT NULL CONSTRAINT agent_key_account_id_fkey REFERENCES account (id),
        artist_id uuid CONSTRAINT agent_key_artist_id_fkey REFERENCES artist (id),
        name text NOT NULL,
        mode text NOT NULL CONSTRAINT agent_key_mode_check CHECK (mode IN ('LIVE', 'TEST')),
        scopes text[] NOT NULL CONSTRAINT agent_key_scopes_check CHECK (
            scopes <> '{}' AND scopes <@ ARRAY[
                'READ', 'CHECK', 'LICENSE', 'DERIVE', 'BUNDLE', 'ASSETS_WRITE', 'LINEAGE_WRITE'
            ]
        ),
        secret_hash bytea NOT NULL CONSTRAINT agent_key_secret_hash_key UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        last_used_at timestamptz,
        replaced_by_id uuid CONSTRAINT agent_key_replaced_by_id_fkey REFERENCES agent_key (id),
        CONSTRAINT agent_key_written_for_an_artist_check CHECK (
            artist_id IS NOT NULL OR NOT scopes && ARRAY['ASSETS_WRITE', 'LINEAGE_WRITE']
        )
    )
    """,
    "CREATE INDEX agent_key_account ON agent_key (account_id, created_at, id)",
    "CREATE INDEX agent_key_artist ON agent_key (artist_id, created_at, id)",
    """
    CREATE TABLE artist_claim (
        id uuid NOT NULL CONSTRAINT artist_claim_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('claim', id)) STORED NOT NULL,
        artist_id uuid NOT NULL CONSTRAINT artist_claim_artist_id_fkey REFERENCES artist (id),
        account_id uuid NOT NULL CONSTRAINT artist_claim_account_id_fkey REFERENCES account (id),
        proof_address text NOT NULL,
        state text NOT NULL DEFAULT 'OPEN'
            CONSTRAINT artist_claim_state_check CHECK (state IN ('OPEN', 'APPROVED', 'REFUSED')),
        created_at timestamptz NOT NULL DEFAULT now(),
        decided_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX artist_claim_open ON artist_claim (artist_id, account_id) WHERE state = 'OPEN'",
    "CREATE INDEX artist_claim_account ON artist_claim (account_id, created_at, id)",
    "ALTER TABLE artist ADD COLUMN bio text CONSTRAINT artist_bio_check CHECK (char_length(bio) <= 4000)",
    "ALTER TABLE provenance_event DROP CONSTRAINT provenance_event_kind_check",
    f"""
    ALTER TABLE provenance_event ADD CONSTRAINT provenance_event_kind_check
        CHECK (kind IN ({_KINDS}, 'ARTIST_CREATED', 'ARTIST_UPDATED', 'ARTIST_CLAIMED'))
    """,
    "GRANT SELECT, INSERT, UPDATE ON password TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (used_at) ON mailed_code TO casset_app",
    # What a key allows is said once.
    "GRANT SELECT, INSERT, UPDATE (expires_at, revoked_at, last_used_at, replaced_by_id) ON agent_key TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (proof_address, state, decided_at) ON artist_claim TO casset_app",
    "GRANT SELECT, INSERT ON former_handle TO casset_app",
)


def upgrade() -> None:
    """Make them; the serving role deletes none of it."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget who anybody is; what was told of artists stays, and must be gone before."""
    op.execute("ALTER TABLE provenance_event DROP CONSTRAINT provenance_event_kind_check")
    op.execute(f"ALTER TABLE provenance_event ADD CONSTRAINT provenance_event_kind_check CHECK (kind IN ({_KINDS}))")
    op.execute("ALTER TABLE artist DROP COLUMN bio")
    op.execute("DROP TABLE artist_claim, agent_key, mailed_code, password, former_handle")
    op.execute("DROP INDEX session_account")
    op.execute("ALTER TABLE session DROP COLUMN signed_in_at")
    op.execute("ALTER TABLE account DROP COLUMN email, DROP COLUMN email_key, DROP COLUMN email_verified_at")
    op.execute("DROP INDEX account_skeleton, artist_skeleton")
    op.execute("DROP FUNCTION handle_skeleton")
