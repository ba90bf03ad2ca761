"""Migrations: run at start, one starter at a time, with the rights of `casset_owner`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from db.engine import APP_ROLE

OWNER_ROLE = "casset_owner"
_LOCK = 0x63617373  # "cass": the advisory lock under which one process migrates while the others wait
_TIMID = {"lock_timeout": "5s", "statement_timeout": "10min", "application_name": "casset migrate"}


async def migrate(target: Mapping[str, Any], revision: str = "head") -> None:
    """Bring the database to a revision, making the two roles first where they are missing.

    Args:
        target: keyword arguments of `asyncpg.connect`, for a role that may create roles and extensions.
        revision: where to go.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(**target, server_settings=_TIMID),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
            await _make_roles(connection)
            await connection.commit()
            await connection.run_sync(_upgrade, revision)
            await connection.commit()
    finally:
        await engine.dispose()


async def _make_roles(connection: AsyncConnection) -> None:
    """`casset_owner` owns and migrates, `casset_app` serves; the role that connects may act as both."""
    for role in (OWNER_ROLE, APP_ROLE):
        known = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        if known is None:
            await connection.exec_driver_sql(f"CREATE ROLE {role} NOLOGIN")
        member = await connection.scalar(text("SELECT pg_has_role(current_user, :role, 'SET')"), {"role": role})
        if not member:
            await connection.exec_driver_sql(f"GRANT {role} TO current_user")
    for extension in ("btree_gist", "pg_trgm", "fuzzystrmatch"):
        await connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    allowed = await connection.exec_driver_sql(f"SELECT has_schema_privilege('{OWNER_ROLE}', 'public', 'CREATE')")
    if not allowed.scalar():
        await connection.exec_driver_sql(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER_ROLE}")


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, over a connection that is already there."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    connection.exec_driver_sql(f"SET ROLE {OWNER_ROLE}")
    command.upgrade(configuration(connection), revision)
    connection.exec_driver_sql("RESET ROLE")
