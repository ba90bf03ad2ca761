"""Being told what is one's own, as it happens: jobs, verdicts, the inbox, and who is in a room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, update

from db import tables
from db.changes import announce
from db.engine import Database
from db.feeds import CHANGES, NEWS
from db.jobs import enqueue
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import CassetError, NotFound, SignInNeeded
from domain.ids import Kind, Ref
from domain.jobs import JobKind, NewJob
from graph.answers import Refusal
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from resolvers.context import uuid7
from resolvers.jobs import Running, Workshop
from resolvers.outbox import Relay
from subscriptions.memory import MemoryBroker
from subscriptions.presence import MemoryPresence, Visitor
from tests.graph.company import ADA, ADAS, BO, BOS, PATIENCE, add_asset, add_edge, add_owners, ask

JOBS = "subscription ($after: String) { jobUpdates(after: $after) { cursor job { state kind progress } } }"
RIGHTS = """subscription ($after: String) { rightsChanges(after: $after) { count cursor artist { handle }
  cause { __typename id } } }"""
INBOX = "subscription ($after: String) { activity(after: $after) { cursor activity { kind } } }"
PRESENCE = """subscription ($room: ID!) { presence(roomId: $room) { kind count anonymous came { handle }
  left { handle } } }"""
ROOM, TRACK, SONG = UUID(int=501), UUID(int=201), UUID(int=202)
HERE = str(Ref(Kind.ROOM, ROOM))
Events = AsyncGenerator[Any]


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[Reader]:
    """Ada's room and a track of hers, made from one of Bo's."""
    async with database.write() as connection:
        await add_owners(connection)
        for viewer in (ADAS, BOS):
            row = {"artist_id": viewer.holds[0], "account_id": viewer.account, "role": "OWNER"}
            await connection.execute(insert(tables.membership).values(id=uuid7(), **row))
        await add_asset(connection, SONG, BO)
        await add_asset(connection, TRACK, ADA)
        await add_edge(connection, TRACK, SONG, "SAMPLES")
        await connection.execute(insert(tables.room).values(id=ROOM, artist_id=ADA))
    relay = Relay(database, MemoryBroker())
    relaying = asyncio.create_task(relay.run())
    yield Reader(executable(), database, presence=MemoryPresence(), relay=relay)
    relaying.cancel()
    await asyncio.wait({relaying})


async def heard(reader: Reader, viewer: Viewer, document: str, **variables: Any) -> Events:
    """What a subscription tells, field by field."""
    prepared = reader.prepare(document, None, variables)
    async with aclosing(reader.events(prepared, viewer)) as answers:
        async for answer in answers:
            if answer.body:
                told = json.loads(answer.body)
                assert "errors" not in told, told
                yield next(iter(told["data"].values()))


async def coming(events: Events) -> Any:
    async with asyncio.timeout(PATIENCE):
        return await anext(events)


async def begun(events: Events) -> asyncio.Task[Any]:
    """Waits for the next event; whoever asks now has begun to listen."""
    task = asyncio.create_task(coming(events))
    await asyncio.sleep(0.1)
    return task


async def silent(task: asyncio.Task[Any]) -> None:
    """Nothing has come."""
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


async def tell(database: Database, topic: str, **payload: Any) -> None:
    async with database.write() as connection:
        await announce(connection, topic, payload)


async def test_who_a_job_is_done_for_hears_how_it_goes_on_and_nobody_else_does(
    reader: Reader, database: Database
) -> None:
    async def done(running: Running) -> Any:
        await asyncio.sleep(0)

        async def effect(_: Any) -> None: ...

        return effect

    async with (
        aclosing(heard(reader, ADAS, JOBS)) as hers,
        aclosing(heard(reader, BOS, JOBS)) as his,
    ):
        told, others = await begun(hers), await begun(his)
        async with database.write() as connection:
            await enqueue(connection, [NewJob(uuid7(), JobKind.HASH_MEDIA, uuid7(), ADA)])
        await Workshop(database, {JobKind.HASH_MEDIA: done}).drain()
        first, second = await told, await coming(hers)
        assert first["job"]["kind"] == "HASH_MEDIA"
        assert second["job"] == {"state": "DONE", "kind": "HASH_MEDIA", "progress": 100}
        await silent(others)
    # Whoever comes back hears what they missed, each event once, and then what happens.
    async with aclosing(heard(reader, ADAS, JOBS, after=first["cursor"])) as again:
        assert (await coming(again))["cursor"] == second["cursor"]
        more = await begun(again)
        await tell(database, "job.changed", job=str(Ref(Kind.JOB, UUID(int=1))), owner=str(Ref(Kind.ARTIST, ADA)))
        assert (await more)["job"] is None
    for document in (JOBS, RIGHTS, INBOX):
        with pytest.raises(SignInNeeded):
            await anext(heard(reader, ANONYMOUS, document))


async def test_who_is_closed_off_upstream_hears_of_it_with_its_cause(reader: Reader) -> None:
    states = "mutation ($input: SetPolicyInput!) { setPolicy(input: $input) { __typename } }"
    # What she allows is closed as long as he says nothing.
    await ask(reader, ADAS, states, input={"subject": str(Ref(Kind.TRACK, TRACK)), "license": "CC0-1.0"})
    async with aclosing(heard(reader, ADAS, RIGHTS)) as hers, aclosing(heard(reader, BOS, RIGHTS)) as his:
        told, his_own = await begun(hers), await begun(his)
        stated = {"subject": str(Ref(Kind.TRACK, SONG)), "license": "CC0-1.0"}
        assert (await ask(reader, BOS, states, input=stated))["__typename"] == "SetPolicySuccess"
        event = await told
        assert event["artist"] == {"handle": "ada"}
        assert event["count"] > 0
        assert event["cause"] is not None
        assert (await his_own)["artist"] == {"handle": "bo"}
        end = event["cursor"]
    async with aclosing(heard(reader, ADAS, RIGHTS, after=end)) as since:
        more = await begun(since)
        await ask(reader, BOS, states, input={**stated, "license": "CC-BY-ND-4.0", "expectedVersion": 1})
        await tell(
            reader._database, "rights.changed", owner=str(Ref(Kind.ARTIST, ADA)), cause=event["cause"]["id"], count=7
        )
        assert (await more)["cursor"] > end


async def test_who_is_a_member_no_more_hears_nothing_more(reader: Reader, database: Database) -> None:
    owner = str(Ref(Kind.ARTIST, ADA))
    async with aclosing(heard(reader, ADAS, RIGHTS)) as hers:
        first = await begun(hers)
        await tell(database, "rights.changed", owner=owner, cause=str(Ref(Kind.TRACK, SONG)), count=1)
        assert (await first)["cause"] == {"__typename": "Track", "id": str(Ref(Kind.TRACK, SONG))}
        async with database.write() as connection:
            await connection.execute(update(tables.membership).values(ended_at=func.now()))
        second = await begun(hers)
        await tell(database, "rights.changed", owner=owner, cause=str(Ref(Kind.TRACK, SONG)), count=2)
        async with aclosing(heard(reader, BOS, INBOX)) as inbox:
            told = await begun(inbox)
            activity = str(Ref(Kind.ACTIVITY, UUID(int=1)))
            await tell(database, "activity.added", account=str(Ref(Kind.ACCOUNT, BOS.account)), activity=activity)
            # What was told later has come.
            assert (await told)["activity"] is None
        await silent(second)


async def test_those_in_a_room_are_told_who_comes_and_leaves_until_they_may_not_be_there(
    reader: Reader, database: Database
) -> None:
    presence = reader._presence
    await presence.beat(ROOM, Visitor(ADAS.account, "ada", "x", "tab"))
    async with (
        aclosing(heard(reader, ADAS, PRESENCE, room=HERE)) as hers,
        aclosing(heard(reader, ANONYMOUS, PRESENCE, room=HERE)) as theirs,
    ):
        snapshot = {"kind": "SNAPSHOT", "count": 1, "anonymous": 0, "came": [{"handle": "ada"}], "left": []}
        assert await coming(hers) == await coming(theirs) == snapshot
        await presence.beat(ROOM, Visitor(None, "", "x", "tab"))
        await presence.leave(ROOM, Visitor(ADAS.account, "ada", "x", "tab"))
        change = {"kind": "CHANGE", "count": 1, "anonymous": 1, "came": [], "left": [{"handle": "ada"}]}
        assert await coming(hers) == await coming(theirs) == change
        for number in range(150):
            await presence.beat(ROOM, Visitor(uuid7(), f"guest-{number:03}", "x", "tab"))
        summary = {"kind": "SUMMARY", "count": 151, "anonymous": 1, "came": [], "left": []}
        assert await coming(hers) == await coming(theirs) == summary
        async with database.write() as connection:
            await connection.execute(update(tables.room).values(visibility="MEMBERS"))
        with pytest.raises(StopAsyncIteration):
            await coming(theirs)
        await presence.beat(ROOM, Visitor(ADAS.account, "ada", "x", "tab"))
        assert (await coming(hers))["came"] == [{"handle": "ada"}]
    with pytest.raises(NotFound):
        await anext(heard(reader, ANONYMOUS, PRESENCE, room=HERE))


async def test_both_executions_tell_the_same(reader: Reader, database: Database) -> None:
    reference = Reader(executable(), database, Execution.REFERENCE, presence=reader._presence, relay=reader._relay)
    await tell(
        database,
        "rights.changed",
        owner=str(Ref(Kind.ARTIST, ADA)),
        cause=str(Ref(Kind.TRACK, SONG)),
        count=3,
    )
    await reader._presence.beat(ROOM, Visitor(ADAS.account, "ada", "x", "tab"))
    for document, variables in ((RIGHTS, {"after": NEWS.write((0, 0))}), (PRESENCE, {"room": HERE})):
        told = []
        for each in (reader, reference):
            async with aclosing(heard(each, ADAS, document, **variables)) as events:
                told.append(await coming(events))
        assert told[0] == told[1]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        *((JOBS, {"after": after}) for after in ("", "x", CHANGES.write((1, 1)), NEWS.write((1, 1)) + "=", "ä")),
        (INBOX, {"after": "x"}),
        (RIGHTS, {"after": "x"}),
        (PRESENCE, {"room": "x"}),
        (PRESENCE, {"room": str(Ref(Kind.TRACK, TRACK))}),
    ],
)
def test_what_is_no_place_and_no_room_is_refused_before_anything_runs(
    scene_database: Database, document: str, variables: dict[str, str]
) -> None:
    with pytest.raises(Refusal):
        Reader(executable(), scene_database).prepare(document, None, variables)


async def test_a_place_from_the_future_is_refused(reader: Reader) -> None:
    with pytest.raises(CassetError, match="Nothing has come to that place yet"):
        await anext(heard(reader, ADAS, JOBS, after=NEWS.write((2**40, 1))))
