"""Receipts: what was answered to a permission check, and from which rows; chained per asking account, never changed."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text, UniqueConstraint

from db.tables.columns import belongs_to, created_at, key, metadata, ref

permission_receipt = Table(
    "permission_receipt",
    metadata,
    key(),
    ref("receipt"),
    belongs_to("account_id", "account"),
    belongs_to("asset_id", "asset"),
    Column("sequence", Integer, nullable=False),
    # The canonical JSON (RFC 8785) that was hashed, byte for byte.
    Column("body", Text, nullable=False),
    # The ids of the rows the answer was decided from, as canonical JSON; the body holds its digest.
    Column("facts", Text, nullable=False),
    Column("prev", Text),
    Column("hash", Text, nullable=False),
    created_at(),
    UniqueConstraint("account_id", "sequence"),
    CheckConstraint("sequence >= 1 AND (sequence = 1) = (prev IS NULL)", name="chain"),
)
