"""Erasing an account names nobody and ends no session: that has one rule, and it is not the database's."""

from alembic import op

revision = "0029"
down_revision = "0028"

_ERASE = """
    CREATE OR REPLACE FUNCTION erase_account(erased uuid, artists uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
      UPDATE account SET %(handle)s email = NULL, email_key = NULL, email_verified_at = NULL WHERE id = erased;
      DELETE FROM password WHERE account_id = erased;
      DELETE FROM mailed_code WHERE account_id = erased;
      DELETE FROM sign_in_flow WHERE account_id = erased;
      DELETE FROM identity WHERE account_id = erased;
      DELETE FROM former_handle WHERE account_id = erased OR artist_id = ANY (artists);
      DELETE FROM activity WHERE account_id = erased;
      %(sessions)s
      UPDATE agent_key SET revoked_at = coalesce(revoked_at, now()), name = 'left' WHERE account_id = erased;
      UPDATE artist_claim
      SET proof_address = '', state = CASE state WHEN 'OPEN' THEN 'REFUSED' ELSE state END,
          decided_at = coalesce(decided_at, now())
      WHERE account_id = erased;
      UPDATE contributor SET account_id = NULL WHERE account_id = erased;
      UPDATE tie SET ended_at = clock_timestamp() WHERE account_id = erased AND ended_at IS NULL;
      UPDATE ritual_presave SET is_named = false WHERE account_id = erased AND is_named;
    $$
"""

_BEFORE = {
    "handle": "handle = 'left-' || right(id::text, 12),",
    "sessions": "UPDATE session SET revoked_at = now() WHERE account_id = erased AND revoked_at IS NULL;",
}


def upgrade() -> None:
    """Let go what the serving role may not remove itself: what was counted of an account stays counted."""
    op.execute(_ERASE % {"handle": "", "sessions": ""})


def downgrade() -> None:
    """Let the function be as it was."""
    op.execute(_ERASE % _BEFORE)
