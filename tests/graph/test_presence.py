"""Being in a room, asked for over the graph: who is counted, who is named, and who may be there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from db import tables
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.ids import Kind, Ref
from domain.keys import KeyScope
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from resolvers.context import now
from subscriptions.presence import BEAT_EVERY, MemoryPresence
from tests.graph.company import ADA, ADAS, BOS, add_owners

KEY = Viewer(UUID(int=31), (ADA,), (ADA,), is_agent=True, scopes=frozenset(KeyScope))
OPEN, MEMBERS = UUID(int=501), UUID(int=502)
BEAT = """mutation ($input: HeartbeatInput!) { heartbeat(input: $input) { __typename ... on UserError { code path }
  ... on HeartbeatSuccess { againSeconds room { present { count anonymous people { handle } } } } } }"""
OUT = """mutation ($input: StepOutInput!) { stepOut(input: $input) { __typename ... on UserError { code }
  ... on StepOutSuccess { left } } }"""
ROOM = "query ($id: ID!) { node(id: $id) { ... on Room { present { count anonymous people { handle } } } } }"


def room(id_: UUID) -> str:
    return str(Ref(Kind.ROOM, id_))


@pytest.fixture
async def readers(database: Database) -> dict[Execution, Reader]:
    """Ada's rooms; both executions know the same people."""
    async with database.write() as connection:
        await add_owners(connection)
        for id_, artist, visibility in ((OPEN, ADA, "PUBLIC"), (MEMBERS, BOS.holds[0], "MEMBERS")):
            await connection.execute(insert(tables.room).values(id=id_, artist_id=artist, visibility=visibility))
    presence = MemoryPresence()
    return {execution: Reader(executable(), database, execution, presence=presence) for execution in Execution}


async def told(reader: Reader, viewer: Viewer, document: str, actor: str = "here", **variables: Any) -> Any:
    prepared = reader.prepare(document, None, variables)
    answer = json.loads((await reader.execute(prepared, viewer, None, actor)).body)
    assert "errors" not in answer, answer
    return next(iter(answer["data"].values()))


def crowd(present: Mapping[str, Any]) -> tuple[int, int, list[str]]:
    return present["count"], present["anonymous"], [person["handle"] for person in present["people"]]


async def test_who_is_in_a_room_is_counted_once_named_with_a_name_and_gone_as_they_step_out(
    readers: dict[Execution, Reader],
) -> None:
    plan, reference = readers.values()
    for reader, viewer, tab in ((plan, ADAS, "a"), (reference, ADAS, "b"), (plan, BOS, "a"), (plan, ANONYMOUS, "a")):
        beat = await told(reader, viewer, BEAT, input={"room": room(OPEN), "connection": tab})
        assert beat["againSeconds"] == BEAT_EVERY
    assert crowd(beat["room"]["present"]) == (3, 1, ["ada", "bo"])
    # Who asks, by which execution, changes nothing.
    for reader, viewer in ((plan, ANONYMOUS), (reference, BOS), (plan, KEY)):
        assert crowd((await told(reader, viewer, ROOM, id=room(OPEN)))["present"]) == (3, 1, ["ada", "bo"])
    for viewer, tab, left in ((ADAS, "a", 3), (BOS, "a", 2), (ANONYMOUS, "b", 2), (ANONYMOUS, "a", 1)):
        assert await told(plan, viewer, OUT, input={"room": room(OPEN), "connection": tab}) == {
            "__typename": "StepOutSuccess",
            "left": True,
        }
        assert (await told(plan, ADAS, ROOM, id=room(OPEN)))["present"]["count"] == left


async def test_nobody_is_in_a_room_that_is_not_theirs_to_enter(
    readers: dict[Execution, Reader], database: Database
) -> None:
    reader = readers[Execution.PLAN]
    beat = {"room": room(MEMBERS), "connection": "a"}
    for viewer in (ADAS, ANONYMOUS):
        refused = await told(reader, viewer, BEAT, input=beat)
        assert refused == {"__typename": "NotFoundError", "code": "NOT_FOUND", "path": ["room"]}
        assert await told(reader, viewer, BEAT, input={**beat, "room": room(UUID(int=9))}) == refused
    assert (await told(reader, KEY, BEAT, input={**beat, "room": room(OPEN)}))["code"] == "FORBIDDEN"
    assert crowd((await told(reader, BOS, BEAT, input=beat))["room"]["present"]) == (1, 0, ["bo"])
    # Who may not be there any more is gone with their next heartbeat, from every tab.
    for tab in ("a", "b"):
        await told(reader, BOS, BEAT, input={"room": room(OPEN), "connection": tab})
    async with database.write() as connection:
        await connection.execute(update(tables.room).where(tables.room.c.id == OPEN).values(visibility="MEMBERS"))
    refused = await told(reader, BOS, BEAT, input={"room": room(OPEN), "connection": "a"})
    assert refused["code"] == "NOT_FOUND"
    assert crowd((await told(reader, ADAS, ROOM, id=room(OPEN)))["present"]) == (0, 0, [])


async def test_who_is_sent_out_is_gone_from_every_tab_at_once(readers: dict[Execution, Reader]) -> None:
    reader = readers[Execution.PLAN]
    bans = "mutation ($input: RoomGuestInput!) { banFromRoom(input: $input) { __typename } }"
    for tab in ("a", "b"):
        beat = await told(reader, BOS, BEAT, input={"room": room(OPEN), "connection": tab})
    assert crowd(beat["room"]["present"]) == (1, 0, ["bo"])
    assert await told(reader, ADAS, bans, input={"room": room(OPEN), "handle": "bo"}) == {"__typename": "RoomSuccess"}
    assert crowd((await told(reader, ADAS, ROOM, id=room(OPEN)))["present"]) == (0, 0, [])


async def test_a_minute_in_a_room_is_a_signal_whichever_process_counts_it(
    readers: dict[Execution, Reader], database: Database
) -> None:
    clock = now()

    async def minutes_after(reader: Reader, viewer: Viewer, *seconds: int) -> int:
        nonlocal clock
        begun = clock
        for second in seconds:
            clock = begun + timedelta(seconds=second)
            await told(reader, viewer, BEAT, input={"room": room(OPEN), "connection": "a"})
        async with database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(tables.signal))).scalar_one()

    here, there = (Reader(executable(), database, now=lambda: clock) for _ in range(2))
    assert await minutes_after(here, BOS, 0, 15, 30, 45, 59) == 0
    # Who was away was not there.
    assert await minutes_after(here, BOS, 60, 75, 90, 105) == 0
    assert await minutes_after(here, ANONYMOUS, 0, 15, 30, 45, 60, 75) == 0
    assert await minutes_after(here, BOS, 0, 15, 30, 45, 60) == 1
    assert await minutes_after(there, BOS, 0, 15, 30, 45, 60) == 1


@pytest.mark.parametrize("connection", ["", "a" * 65, "a b", "a\n", "ä", "a\u0000"])
@pytest.mark.parametrize("document", [BEAT, OUT])
async def test_a_connection_without_a_proper_name_is_refused_before_anything_runs(
    scene_database: Database, document: str, connection: str
) -> None:
    reader = Reader(executable(), scene_database)
    answer = await reader.answer(document, None, {"input": {"room": room(OPEN), "connection": connection}}, ADAS)
    error = json.loads(answer.body)
    assert error["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert "data" not in error
