"""Grants: what the owner of an asset allows one artist."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; the serving role adds to it, reads it, and closes its rows."""
    op.execute("""
        CREATE TABLE permission_grant (
            id uuid NOT NULL CONSTRAINT permission_grant_pkey PRIMARY KEY,
            ref text GENERATED ALWAYS AS (typeid('grant', id)) STORED NOT NULL,
            asset_id uuid NOT NULL CONSTRAINT permission_grant_asset_id_fkey REFERENCES asset (id),
            grantee_id uuid NOT NULL CONSTRAINT permission_grant_grantee_id_fkey REFERENCES artist (id),
            term_set_id uuid NOT NULL CONSTRAINT permission_grant_term_set_id_fkey REFERENCES term_set (id),
            granted_by_id uuid NOT NULL CONSTRAINT permission_grant_granted_by_id_fkey REFERENCES account (id),
            created_at timestamptz NOT NULL DEFAULT now(),
            valid tstzrange NOT NULL DEFAULT tstzrange(now(), NULL)
                CONSTRAINT permission_grant_valid_check CHECK (NOT isempty(valid)),
            known tstzrange NOT NULL DEFAULT tstzrange(now(), NULL)
                CONSTRAINT permission_grant_known_check CHECK (NOT isempty(known)),
            CONSTRAINT permission_grant_one_open_row EXCLUDE USING gist (
                uuid_send(asset_id) WITH =, uuid_send(grantee_id) WITH =, uuid_send(term_set_id) WITH =, valid WITH &&
            ) WHERE (upper_inf(known))
        )
    """)
    op.execute("CREATE INDEX permission_grant_asset ON permission_grant (asset_id) WHERE upper_inf(known)")
    op.execute("CREATE INDEX permission_grant_grantee ON permission_grant (grantee_id) WHERE upper_inf(known)")
    op.execute("""
        CREATE TRIGGER close_only AFTER UPDATE ON permission_grant FOR EACH ROW EXECUTE FUNCTION close_only()
    """)
    op.execute("GRANT SELECT, INSERT, UPDATE (known) ON permission_grant TO casset_app")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE permission_grant")
