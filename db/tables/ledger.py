"""The book of what programs paid: what came in, and who is owed which part of it."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, UniqueConstraint

from db.tables.columns import belongs_to, created_at, key, metadata, word
from domain.contributors import Pool

ledger_entry = Table(
    "ledger_entry",
    metadata,
    key(),
    belongs_to("payment_id", "machine_payment"),
    Column("position", Integer, nullable=False),
    # NULL: what came in.
    *word("pool", Pool, nullable=True),
    # Who is owed: a contributor, or else the artist who owns what was paid for.
    belongs_to("contributor_id", "contributor", nullable=True),
    belongs_to("artist_id", "artist", nullable=True),
    # In the units of what settles it; all of a payment are 0 together, which a trigger holds at the end of its
    # transaction.
    Column("amount", BigInteger, nullable=False),
    created_at(),
    CheckConstraint("num_nonnulls(contributor_id, artist_id) = num_nonnulls(pool)", name="party"),
    CheckConstraint("(pool IS NULL) = (amount < 0) AND amount <> 0", name="side"),
    UniqueConstraint("payment_id", "position"),
    Index("ledger_entry_contributor", "contributor_id", "created_at", "id"),
    Index("ledger_entry_artist", "artist_id", "created_at", "id"),
)
