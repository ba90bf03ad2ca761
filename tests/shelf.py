"""Databases that one test after another writes to: emptying one takes a tenth of the time of making it.

A test never meets what another has written: a database comes back to the shelf only if, emptied, it is what it was
when it was made. Where a test changed its schema or what the migrations wrote, the next test is given a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

ALONE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
SEEDED = """
SELECT coalesce(array_agg(relname) FILTER (WHERE pg_relation_size(oid) > 0), '{}') FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
# Neither triggers nor foreign keys hold up a replica, but those triggers that guard it as well.
EMPTY = """
DO $$
DECLARE
    held record;
    guard name;
    written boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR held IN
        SELECT oid::regclass AS name, ARRAY(SELECT tgname FROM pg_trigger WHERE tgrelid = t.oid AND tgenabled = 'A') AS guards
        FROM pg_class AS t WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND pg_relation_size(oid) > 0 AND relname <> ALL ('{seeded}')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', held.name) INTO written;
        CONTINUE WHEN NOT written;
        FOREACH guard IN ARRAY held.guards LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', held.name, guard);
        END LOOP;
        EXECUTE format('DELETE FROM %s', held.name);
        FOREACH guard IN ARRAY held.guards LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', held.name, guard);
        END LOOP;
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
END $$
"""
# What a statement that changes the schema writes anew, row by row; guards are put aside and back by EMPTY itself.
SCHEMA = """
SELECT (SELECT sum(xmin::text::bigint) FROM pg_class)::text, (SELECT sum(xmin::text::bigint) FROM pg_proc)::text,
    (SELECT sum(hashtextextended(format('%s %s %s', tgrelid, tgname, tgenabled), 0)) FROM pg_trigger)::text
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A database, the tables that are never empty, and what it is like when nobody has written to it."""

    target: Mapping[str, Any]
    seeded: list[str]
    made: list[Any]


class Shelf:
    """The databases of one worker that nobody uses."""

    def __init__(self, new_target: Callable[[], dict[str, Any]]) -> None:
        """Hold none yet.

        Args:
            new_target: makes a fresh migrated database and answers where it is.
        """
        self._new_target = new_target
        self._ready: list[Kept] = []

    async def take(self) -> Kept:
        """A database as the migrations leave it."""
        if self._ready:
            return self._ready.pop()
        target = self._new_target()
        connection = await _connected(target)
        try:
            seeded = await connection.fetchval(SEEDED)
            return Kept(target, seeded, await _state(connection, seeded))
        finally:
            await connection.close()

    async def give_back(self, kept: Kept) -> None:
        """End whoever still uses a database, empty it, and keep it if it is as it was made."""
        connection = await _connected(kept.target)
        try:
            await connection.execute(ALONE)
            await connection.execute(EMPTY.replace("{seeded}", f"{{{','.join(kept.seeded)}}}"))
            if await _state(connection, kept.seeded) == kept.made:
                self._ready.append(kept)
        finally:
            await connection.close()


async def _connected(target: Mapping[str, Any]) -> asyncpg.Connection:
    return await asyncpg.connect(**{**target, "user": "postgres"})


async def _state(connection: asyncpg.Connection, seeded: list[str]) -> list[Any]:
    """The schema, and the rows that the migrations wrote."""
    rows = " UNION ALL ".join(f"SELECT to_jsonb(t)::text FROM {table} AS t" for table in seeded)
    return [await connection.fetchrow(SCHEMA), sorted(row[0] for row in await connection.fetch(rows))]
