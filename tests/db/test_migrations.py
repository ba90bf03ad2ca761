"""The migrated database is the one the tables describe, and the serving role can do no more than it should."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from db.engine import Database
from db.migrate import migrate
from db.migrations.running import configuration
from domain.ids import Kind, Ref

NUMBERS_AT_THE_EDGES = (0, 1, 31, 32, 2**64 - 1, 2**64, 2**127, 2**128 - 1, 0x0190F2C8A1B27C3D8E4F5A6B7C8D9E0F)


async def test_the_tables_and_the_migrations_agree(new_target: Any) -> None:
    target = new_target()
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(**target))

    def check(connection: Connection) -> None:
        command.check(configuration(connection))

    async with engine.connect() as connection:
        await connection.run_sync(check)
    await engine.dispose()


async def test_migrating_twice_changes_nothing(new_target: Any) -> None:
    await migrate(new_target())


async def test_the_database_spells_references_as_the_domain_does(database: Database) -> None:
    async with database.read() as connection:
        for number in NUMBERS_AT_THE_EDGES:
            spelled = await connection.execute(text("SELECT typeid('track', :id)"), {"id": UUID(int=number)})
            assert spelled.scalar() == str(Ref(Kind.TRACK, UUID(int=number)))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM asset",
        "UPDATE provenance_event SET hash = hash",
        "DELETE FROM provenance_event",
        "UPDATE lineage_edge SET note = 'x'",
        "UPDATE permission_grant SET valid = 'empty'",
        "UPDATE change SET kind = 'x'",
        "CREATE TABLE x (y int)",
        "TRUNCATE asset CASCADE",
        "UPDATE agent_key SET scopes = '{READ}'",
        "UPDATE mailed_code SET account_id = account_id",
        "UPDATE former_handle SET handle = 'x'",
        "UPDATE room_event SET payload = '{}'",
        "DELETE FROM room_event",
        "UPDATE room_message SET account_id = account_id",
    ],
)
async def test_the_serving_role_deletes_nothing_and_rewrites_no_history(database: Database, statement: str) -> None:
    with pytest.raises(Exception, match=r"permission denied|must be owner"):
        async with database.write() as connection:
            await connection.execute(text(statement))
