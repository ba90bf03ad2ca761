"""Migrations: run at start, one starter at a time, with the rights of `casset_owner`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from db.engine import APP_ROLE
from domain.errors import Unavailable

OWNER_ROLE = "casset_owner"
_LOCK = 0x63617373  # "cass": the advisory lock under which one process migrates while the others wait
_REVISIONS = Path(__file__).with_name("migrations") / "versions"
_TIMID = {"lock_timeout": "5s", "statement_timeout": "10min", "application_name": "casset migrate"}


async def migrate(target: Mapping[str, Any]) -> None:
    """Bring the database to the newest revision, making the two roles first where they are missing.

    Args:
        target: keyword arguments of `asyncpg.connect`, for a role that may create roles and extensions.

    Raises:
        Unavailable: the database does not let us in, or is not there.
    """
    try:
        if await _is_newest(target):
            return
    except (OSError, asyncpg.exceptions.PostgresError, asyncpg.exceptions.InterfaceError) as error:
        raise Unavailable(f"The database does not let us in: {error}.") from None
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
            await connection.run_sync(_upgrade)
            await connection.commit()
    except (OSError, asyncpg.exceptions.InterfaceError, DBAPIError) as error:
        if isinstance(error, DBAPIError) and not error.connection_invalidated:
            raise
        raise Unavailable("The database went away while it was made ready. Start again.") from None
    finally:
        await engine.dispose()


async def _is_newest(target: Mapping[str, Any]) -> bool:
    """Whether nothing is to be done, which is known without alembic."""
    newest = max(path.stem for path in _REVISIONS.glob("*.py")).partition("_")[0]
    connection = await asyncpg.connect(**target)
    try:
        return bool(await connection.fetchval("SELECT version_num FROM alembic_version") == newest)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return False
    finally:
        await connection.close()


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


def _upgrade(connection: Connection) -> None:
    # Alembic takes half a second to import: a start that finds nothing to migrate does not wait for it.
    from db.migrations.running import upgrade  # noqa: PLC0415  # see above

    connection.exec_driver_sql(f"SET ROLE {OWNER_ROLE}")
    upgrade(connection)
    connection.exec_driver_sql("RESET ROLE")
