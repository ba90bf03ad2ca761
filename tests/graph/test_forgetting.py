"""What happened in rooms is forgotten after a week: not what was said, nor what a ritual is still to remember."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert

from db import tables
from db.engine import Database
from db.rooms import forget_events
from domain.ids import parse_ref
from domain.rooms import KEPT_FOR
from resolvers import forgetting
from resolvers.context import now, uuid7
from resolvers.forgetting import Forgetter
from resolvers.jobs import Workshop
from tests.graph.company import Company, company

DAY = timedelta(days=1)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    """Nova has a room, and so has her release."""
    async with company(database, tmp_path) as each:
        for name, subject in (("room", "nova"), ("other room", "release")):
            told = await each.do("ada", "openRoom", "room { id }", subject=each.ids[subject])
            each.ids[name] = told["room"]["id"]
            each.keys[name] = parse_ref(told["room"]["id"]).id
        yield each


async def say(here: Company, room: str, *texts: str) -> None:
    for text in texts:
        told = await here.do("bo", "sendMessage", "said { id }", room=here.ids[room], text=text)
        assert told["__typename"] == "MessageSuccess", told


async def sql(here: Company, statement: str, *values: Any) -> list[Any]:
    """As the owner of the tables would; the serving role changes nothing that happened."""
    connection = await asyncpg.connect(**here.database._target)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def pass_days(here: Company, days: int) -> None:
    """Let days go by, and the job come round."""
    await sql(here, "UPDATE room_event SET at = at - $1::interval", days * DAY)
    await sql(here, "UPDATE ritual SET opens_at = opens_at - $1::interval", days * DAY)
    await Forgetter(here.database).begin()
    await sql(here, "UPDATE job SET run_after = now() WHERE state = 'READY'")
    await Workshop(here.database, Forgetter(here.database).doings()).drain()


async def kept(here: Company, room: str) -> list[int]:
    rows = await sql(here, "SELECT id FROM room_event WHERE room_id = $1 ORDER BY id", here.keys[room])
    return [row["id"] for row in rows]


async def test_what_happened_goes_and_what_was_said_stays(here: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    await say(here, "room", "one", "two", "three")
    await say(here, "other room", "four")
    await pass_days(here, KEPT_FOR.days - 1)
    assert (await kept(here, "room"), await kept(here, "other room")) == ([1, 2, 3], [1])
    await say(here, "room", "five")
    await pass_days(here, 2)
    assert (await kept(here, "room"), await kept(here, "other room")) == ([4], [])
    await say(here, "other room", "six")
    assert await kept(here, "other room") == [2], "numbers go on"
    asked = "query ($id: ID!) { room(id: $id) { messages { nodes { text } } } }"
    for room, said in (("room", ["five", "three", "two", "one"]), ("other room", ["six", "four"])):
        told, _ = await here.ask(None, asked, id=here.ids[room])
        assert [message["text"] for message in told["messages"]["nodes"]] == said
    # It comes round again, once.
    (waiting,) = await sql(here, "SELECT kind, run_after > now() AS later FROM job WHERE state = 'READY'")
    assert (waiting["kind"], waiting["later"]) == ("FORGET_EVENTS", True)


async def test_what_happened_today_is_forgotten_for_nobody(here: Company) -> None:
    await say(here, "room", "just now")
    async with here.database.write() as connection:
        assert await forget_events(connection, -DAY, 10) == 0
    assert await kept(here, "room") == [1]


@pytest.mark.parametrize(("state", "left"), [("RELEASED", [2, 3]), ("MEMORY", []), ("CANCELLED", [])])
async def test_a_ritual_keeps_what_it_is_still_to_remember(here: Company, state: str, left: list[int]) -> None:
    await say(here, "room", "before")
    opened = now()
    await say(here, "room", "at it", "and at it")
    await say(here, "other room", "elsewhere")
    over = {"people": 1, "messages": 2, "reactions": 0, "clips": 0, "best_moments": []} if state == "MEMORY" else {}
    ritual = {
        "artist_id": here.keys["nova"],
        "release_id": here.keys["release"],
        "room_id": here.keys["room"],
        "announced_by_id": here.keys["ada"],
        "title": "Midnight",
        "state": state,
        "opens_at": opened,
        "releases_at": opened + 20 * DAY,
        "ends_at": opened + 30 * DAY,
    }
    async with here.database.write() as connection:
        await connection.execute(insert(tables.ritual).values(id=uuid7(), **ritual, **over))
    await pass_days(here, KEPT_FOR.days + 1)
    assert (await kept(here, "room"), await kept(here, "other room")) == (left, [])
