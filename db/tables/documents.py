"""Trusted documents: the operations whose texts were registered, and which clients name by their hash."""

from sqlalchemy import CheckConstraint, Column, Table, Text

from db.tables.columns import created_at, metadata

trusted_document = Table(
    "trusted_document",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("text", Text, nullable=False),
    created_at(),
    CheckConstraint("sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name="sha256"),
)
