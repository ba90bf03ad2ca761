"""Links to rituals, and who was brought by a link."""

from alembic import op

revision = "0024"
down_revision = "0023"

_NAMED = "artist_id, hook_id, release_id, room_id"


def _shares(named: str) -> None:
    """Let links lead to what is named, one of it each, be told apart by it and counted with it."""
    op.execute("DROP INDEX share_link_once, share_link_subject")
    op.execute("ALTER TABLE share_link DROP CONSTRAINT share_link_subject_check")
    op.execute(f"ALTER TABLE share_link ADD CONSTRAINT share_link_subject_check CHECK (num_nonnulls({named}) = 1)")
    op.execute(f"CREATE UNIQUE INDEX share_link_once ON share_link (account_id, coalesce({named}))")
    op.execute(f"CREATE INDEX share_link_subject ON share_link (coalesce({named}))")
    subject = ", ".join(f"NEW.{name}" for name in named.split(", "))
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION share_counted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM tally_up(coalesce({subject}), 'shares', 1);
          RETURN NULL;
        END $$
        """
    )


def upgrade() -> None:
    """Let links lead to rituals, and keep who was brought: nothing of that is ever changed."""
    op.execute("ALTER TABLE share_link ADD ritual_id uuid CONSTRAINT share_link_ritual_id_fkey REFERENCES ritual (id)")
    _shares(f"{_NAMED}, ritual_id")
    op.execute(
        """
        CREATE TABLE referral (
            account_id uuid NOT NULL CONSTRAINT referral_account_id_fkey REFERENCES account (id),
            artist_id uuid NOT NULL CONSTRAINT referral_artist_id_fkey REFERENCES artist (id),
            bringer_id uuid NOT NULL CONSTRAINT referral_bringer_id_fkey REFERENCES account (id),
            link_id uuid NOT NULL CONSTRAINT referral_link_id_fkey REFERENCES share_link (id),
            at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT referral_pkey PRIMARY KEY (account_id, artist_id),
            CONSTRAINT referral_bringer_id_check CHECK (bringer_id <> account_id)
        )
        """
    )
    op.execute("CREATE INDEX referral_of_link ON referral (link_id)")
    op.execute("GRANT SELECT, INSERT ON referral TO casset_app")


def downgrade() -> None:
    """Forget who was brought, and the links to rituals."""
    op.execute("DROP TABLE referral")
    op.execute("DELETE FROM share_visitor USING share_link WHERE link_id = id AND ritual_id IS NOT NULL")
    op.execute("DELETE FROM share_link WHERE ritual_id IS NOT NULL")
    _shares(_NAMED)
    op.execute("ALTER TABLE share_link DROP ritual_id")
