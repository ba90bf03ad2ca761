"""What a test wrote is met by no other: its database is handed on only if it is then as it was made."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from resolvers.context import uuid7
from tests.shelf import Shelf

ACCOUNT = "INSERT INTO account (id, handle, email, email_key) VALUES ($1, 'ada', 'ada@casset.test', 'ada@casset.test')"


async def used(shelf: Shelf, statement: str, *values: Any) -> tuple[Any, Any]:
    """The database a test wrote to, and the one that the next test is given."""
    kept = await shelf.take()
    connection = await asyncpg.connect(**{**kept.target, "user": "postgres"})
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(statement, *values)
    # Whoever is still there is no reason to make another one.
    await shelf.give_back(kept)
    assert connection.is_closed() or await gone(connection)
    following = await shelf.take()
    await shelf.give_back(following)
    return kept.target, following.target


async def gone(connection: asyncpg.Connection) -> bool:
    try:
        await connection.execute("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True
    return False


async def test_a_database_that_was_written_to_is_handed_on_empty(shelf: Shelf) -> None:
    first, second = await used(shelf, ACCOUNT, uuid7())
    assert first == second
    kept = await shelf.take()
    connection = await asyncpg.connect(**{**kept.target, "user": "postgres"})
    assert await connection.fetchval("SELECT count(*) FROM account") == 0
    await connection.close()
    await shelf.give_back(kept)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE account ADD COLUMN more text",
        "ALTER TABLE account DISABLE TRIGGER ALL",
        "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE more (id integer)",
        "DELETE FROM playback_key",
        "UPDATE visitor_key SET made_at = now()",
    ],
)
async def test_a_database_that_was_changed_in_another_way_is_not_handed_on(shelf: Shelf, statement: str) -> None:
    first, second = await used(shelf, statement)
    assert first != second
