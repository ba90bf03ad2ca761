"""Claims of artists nobody signs in for."""

from sqlalchemy import Column, DateTime, Index, Table, Text, text

from db.tables.columns import belongs_to, created_at, key, metadata, ref, word
from domain.claims import ClaimState

artist_claim = Table(
    "artist_claim",
    metadata,
    key(),
    ref("claim"),
    belongs_to("artist_id", "artist"),
    belongs_to("account_id", "account"),
    Column("proof_address", Text, nullable=False),
    *word("state", ClaimState, default="OPEN"),
    created_at(),
    Column("decided_at", DateTime(timezone=True)),
    Index(
        "artist_claim_open",
        "artist_id",
        "account_id",
        unique=True,
        postgresql_where=text("state = 'OPEN'"),
    ),
    Index("artist_claim_account", "account_id", "created_at", "id"),
)
