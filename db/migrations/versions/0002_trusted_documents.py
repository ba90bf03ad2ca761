"""Trusted documents, by the SHA-256 of their text."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; the serving role adds to it and reads it."""
    op.execute("""
        CREATE TABLE trusted_document (
            sha256 text NOT NULL CONSTRAINT trusted_document_pkey PRIMARY KEY,
            text text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT trusted_document_sha256_check CHECK (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
        )
    """)
    op.execute("GRANT SELECT, INSERT ON trusted_document TO casset_app")


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP TABLE trusted_document")
