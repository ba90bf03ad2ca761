"""Whoever follows the change log misses nothing, whatever the order in which transactions commit."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

from db.changes import BEGINNING, changes_after, record_changes
from db.engine import Database

TRANSACTIONS = 1000
WRITERS = 7


async def test_the_tail_reader_misses_nothing_when_transactions_commit_out_of_order(
    database: Database,
) -> None:
    rng = random.Random(20)
    numbers = iter(range(TRANSACTIONS))
    writing = True
    seen: list[int] = []
    places: list[tuple[int, int]] = []

    async def write() -> None:
        for number in numbers:
            async with database.write() as connection:
                await record_changes(connection, [(UUID(int=number), "TRIED", [])])
                # Hold the transaction open for a while, so that later ones commit before it.
                await asyncio.sleep(rng.choice((0, 0, 0.001, 0.01)))

    async def follow() -> None:
        place = BEGINNING
        while True:
            last_round = not writing
            async with database.read() as connection:
                changes = await changes_after(connection, place, 50)
            for change in changes:
                place = (change.xid, change.id)
                places.append(place)
                seen.append(change.subject_id.int)
            if last_round and not changes:
                return
            await asyncio.sleep(0.01)

    async def write_all() -> None:
        nonlocal writing
        await asyncio.gather(*[write() for _ in range(WRITERS)])
        writing = False

    await asyncio.gather(write_all(), follow())
    assert sorted(seen) == list(range(TRANSACTIONS))
    assert places == sorted(places)
    assert seen != sorted(seen), "the transactions were meant to commit out of order"


async def test_a_rolled_back_write_leaves_no_change(database: Database) -> None:
    try:
        async with database.write() as connection:
            await record_changes(connection, [(UUID(int=1), "TRIED", [])])
            raise KeyError
    except KeyError:
        pass
    async with database.read() as connection:
        assert await changes_after(connection, BEGINNING, 10) == []
