"""Accounts that are erased: nothing is left that says who somebody was."""

from alembic import op

revision = "0028"
down_revision = "0027"

_ERASE = """
    CREATE FUNCTION erase_account(erased uuid, artists uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
      UPDATE account
      SET handle = 'left-' || right(id::text, 12), email = NULL, email_key = NULL, email_verified_at = NULL
      WHERE id = erased;
      DELETE FROM password WHERE account_id = erased;
      DELETE FROM mailed_code WHERE account_id = erased;
      DELETE FROM sign_in_flow WHERE account_id = erased;
      DELETE FROM identity WHERE account_id = erased;
      DELETE FROM former_handle WHERE account_id = erased OR artist_id = ANY (artists);
      DELETE FROM activity WHERE account_id = erased;
      UPDATE session SET revoked_at = now() WHERE account_id = erased AND revoked_at IS NULL;
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


def upgrade() -> None:
    """Let an account be erased, by this one function alone: what was counted of it stays counted."""
    op.execute(_ERASE)
    op.execute("REVOKE ALL ON FUNCTION erase_account(uuid, uuid[]) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION erase_account(uuid, uuid[]) TO casset_app")


def downgrade() -> None:
    """Let nobody go."""
    op.execute("DROP FUNCTION erase_account(uuid, uuid[])")
