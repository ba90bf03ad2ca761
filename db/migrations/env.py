"""Alembic's entry: runs the revisions on the connection that `db.migrate` hands over."""

from alembic import context
from sqlalchemy.dialects.postgresql.base import ischema_names

from db.tables import metadata
from db.tables.columns import XID8

# SQLAlchemy cannot yet read this type back, which comparing the tables with the database needs.
ischema_names["xid8"] = XID8

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
