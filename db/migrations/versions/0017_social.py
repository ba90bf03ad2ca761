"""What people do around a song: follows, likes, saves, comments, share links, signals, the inbox."""

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
