"""Anchored proofs: batches of manifest hashes and the transactions that carry their roots."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
