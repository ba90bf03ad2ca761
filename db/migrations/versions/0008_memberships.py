"""Co-cassets and listeners: invites to hold an artist, and what opens the whole of a work to somebody."""

from alembic import op

revision = "0008"
down_revision = "0007"

_STATEMENTS = (
    "ALTER TABLE membership ADD COLUMN ref text GENERATED ALWAYS AS (typeid('member', id)) STORED NOT NULL",
    """
    CREATE TABLE membership_invite (
        id uuid NOT NULL CONSTRAINT membership_invite_pkey PRIMARY KEY,
        artist_id uuid NOT NULL CONSTRAINT membership_invite_artist_id_fkey REFERENCES artist (id),
        invited_by_id uuid NOT NULL CONSTRAINT membership_invite_invited_by_id_fkey REFERENCES account (id),
        role text NOT NULL CONSTRAINT membership_invite_role_check
            CHECK (role IN ('OWNER', 'EDITOR', 'CONTRIBUTOR', 'MEMBER')),
        secret_hash bytea NOT NULL CONSTRAINT membership_invite_secret_hash_key UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX membership_invite_artist ON membership_invite (artist_id) WHERE ended_at IS NULL",
    """
    CREATE TABLE entitlement (
        id uuid NOT NULL CONSTRAINT entitlement_pkey PRIMARY KEY,
        ref text GENERATED ALWAYS AS (typeid('entitlement', id)) STORED NOT NULL,
        account_id uuid NOT NULL CONSTRAINT entitlement_account_id_fkey REFERENCES account (id),
        scope text NOT NULL CONSTRAINT entitlement_scope_check CHECK (scope IN ('CASSET', 'RELEASE', 'TRACK')),
        artist_id uuid CONSTRAINT entitlement_artist_id_fkey REFERENCES artist (id),
        asset_id uuid CONSTRAINT entitlement_asset_id_fkey REFERENCES asset (id),
        source text NOT NULL CONSTRAINT entitlement_source_check
            CHECK (source IN ('PURCHASE', 'FREE_JOIN', 'REWARD', 'GRANT')),
        state text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT entitlement_state_check
            CHECK (state IN ('ACTIVE', 'SUSPENDED', 'REVOKED')),
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT entitlement_subject_check
            CHECK ((scope = 'CASSET') = (artist_id IS NOT NULL) AND (scope = 'CASSET') = (asset_id IS NULL))
    )
    """,
    """
    CREATE UNIQUE INDEX entitlement_open ON entitlement (account_id, coalesce(artist_id, asset_id), source)
    WHERE state <> 'REVOKED'
    """,
    "CREATE INDEX entitlement_account ON entitlement (account_id, created_at, id)",
    """
    CREATE TABLE entitlement_standing (
        id uuid NOT NULL CONSTRAINT entitlement_standing_pkey PRIMARY KEY,
        entitlement_id uuid NOT NULL
            CONSTRAINT entitlement_standing_entitlement_id_fkey REFERENCES entitlement (id),
        state text NOT NULL CONSTRAINT entitlement_standing_state_check
            CHECK (state IN ('ACTIVE', 'SUSPENDED', 'REVOKED')),
        valid tstzrange NOT NULL DEFAULT tstzrange(now(), NULL)
            CONSTRAINT entitlement_standing_valid_check CHECK (NOT isempty(valid)),
        known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL)
            CONSTRAINT entitlement_standing_known_check CHECK (NOT isempty(known)),
        CONSTRAINT entitlement_standing_one_open_row EXCLUDE USING gist (
            uuid_send(entitlement_id) WITH =, (valid * '(,)'::tstzrange) WITH &&
        ) WHERE (upper_inf(known))
    )
    """,
    """
    CREATE TRIGGER close_only AFTER UPDATE ON entitlement_standing FOR EACH ROW EXECUTE FUNCTION close_only()
    """,
    "GRANT SELECT, INSERT, UPDATE (ended_at) ON membership_invite TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (state) ON entitlement TO casset_app",
    "GRANT SELECT, INSERT, UPDATE (known) ON entitlement_standing TO casset_app",
)


def upgrade() -> None:
    """Make them; the serving role deletes none of it, and changes no code, role or source."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget them; whoever is a member stays one."""
    op.execute("DROP TABLE entitlement_standing, entitlement, membership_invite")
    op.execute("ALTER TABLE membership DROP COLUMN ref")
