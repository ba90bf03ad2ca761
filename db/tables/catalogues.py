"""Where imported things came from: (source, ref) of the catalogue beside our own key."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, Uuid

from db.tables.columns import metadata

origin = Table(
    "origin",
    metadata,
    Column("source", Text, nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    PrimaryKeyConstraint("source", "source_ref"),
    Index("origin_asset", "asset_id"),
)
