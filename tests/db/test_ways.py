"""Whether one asset is made of another: found as it is by walking everything, however much there is."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from db import tables
from db.engine import Database
from db.registration import FEW, way_up

ASSETS, PAIRS = 3 * FEW, 60
ADA = UUID(int=21)


def asset(number: int) -> UUID:
    return UUID(int=1000 + number)


async def stored(database: Database, edges: set[tuple[int, int]]) -> None:
    """Assets, and edges from child to parent between them; every seventh is rejected, and none."""
    async with database.write() as connection:
        row = {"id": ADA, "handle": "ada", "name": "Ada", "kind": "CREATOR", "claimed": True}
        await connection.execute(insert(tables.artist).values(row))
        assets = [
            {"id": asset(number), "kind": "TRACK", "title": "", "state": "PUBLIC", "owner_id": ADA}
            for number in range(ASSETS)
        ]
        await connection.execute(insert(tables.asset).values(assets))
        rows = [
            {
                "id": UUID(int=10_000 + number),
                "child_id": asset(child),
                "parent_id": asset(parent),
                "kind": "SAMPLES",
                "status": "REJECTED" if number % 7 == 0 else "CONFIRMED",
                "registration": "REGISTERED",
                "binding": True,
                "child_is_older": False,
                "evidence_source": "IMPORT",
                "valid": text("tstzrange('2020-01-01', NULL)"),
            }
            for number, (child, parent) in enumerate(sorted(edges))
        ]
        await connection.execute(insert(tables.lineage_edge).values(rows))


def reached(edges: set[tuple[int, int]], start: int) -> set[int]:
    met, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        found = {parent for child, parent in edges if child == here} - met
        met |= found
        waiting += found
    return met


@pytest.mark.parametrize("each", [1, 2, 6])
async def test_a_way_is_found_where_there_is_one_and_nowhere_else(database: Database, each: int) -> None:
    random = Random(each)
    edges = {(random.randrange(parent + 1, ASSETS), parent) for parent in range(ASSETS - 1) for _ in range(each)}
    await stored(database, edges)
    stands = {edge for number, edge in enumerate(sorted(edges)) if number % 7}
    found = 0
    for _ in range(PAIRS):
        goal, *starts = random.sample(range(ASSETS), random.choice((2, 2, 4)))
        async with database.read() as connection:
            way = await way_up(connection, list(map(asset, starts)), asset(goal))
        there = any(goal in reached(stands, start) for start in starts)
        assert bool(way) is there
        if way:
            found += 1
            assert way[0] in set(map(asset, starts))
            assert way[-1] == asset(goal)
            assert set(pairwise(way)) <= {(asset(child), asset(parent)) for child, parent in stands}
    assert 0 < found < PAIRS
    async with database.read() as connection:
        assert await way_up(connection, [], asset(0)) == []
