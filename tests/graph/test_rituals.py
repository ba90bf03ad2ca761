"""People gather around what is not out yet; who was there is remembered, in order, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, select, text

from db import tables
from db.engine import Database
from domain.ids import parse_ref
from domain.signatures import verified
from graph.fields import write_moment
from resolvers.context import now, uuid7
from resolvers.jobs import Workshop
from resolvers.mementos import Mementos
from resolvers.rituals import Keeper
from resolvers.scheduling import Scheduler
from tests.graph.albums import KEYS, SIGNER, draft, made, version_of
from tests.graph.company import PATIENCE, Company, company

HOUR = timedelta(hours=1)
RITUAL = "ritual { id state presaveCount }"
SEEN = """query ($id: ID!) { ritual(id: $id) {
    state presaveCount firstSupporters { nodes { handle nth } totalCount } participation { nth isNamed proof }
    memory { presaves people messages reactions bestMoments } room { id } release { title } world { handle } } }"""
LEFT_BEHIND = (tables.ritual, tables.ritual_presave, tables.room, tables.job, tables.change, tables.outbox)


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        each.house.signer = SIGNER
        yield each


async def announced(here: Company, subject: str, who: str = "ada", opens: timedelta = HOUR, **times: datetime) -> Any:
    begins = now() + opens
    moments = {"opensAt": begins, "releasesAt": begins + HOUR, "endsAt": begins + 2 * HOUR, **times}
    told = {name: write_moment(at) for name, at in moments.items()}
    return await here.do(who, "announceRitual", RITUAL, subject=subject, title="Midnight", **told)


async def scheduled(here: Company) -> tuple[str, str]:
    """(release, ritual) of an album that comes out with a ritual around it."""
    release, _ = await draft(here, await made(here, "Song"))
    given = {"release": release, "expectedVersion": await version_of(here, release)}
    told = await here.do("ada", "scheduleRelease", "release { id }", at=write_moment(now() + 2 * HOUR), **given)
    assert told["__typename"] == "ReleaseSuccess", told
    told = await announced(here, release)
    assert told["ritual"]["state"] == "ANNOUNCED", told
    return release, str(told["ritual"]["id"])


async def pass_by(here: Company, ritual: str, hours: int) -> None:
    """Let hours go by, and what is due be done, by two workers."""
    connection = await asyncpg.connect(**here.database._target)
    try:
        past = f"interval '{hours} hours'"
        moved = f"UPDATE ritual SET opens_at = opens_at - {past}, releases_at = releases_at - {past}, "
        moved += f"ends_at = ends_at - {past} WHERE id = $1"
        await connection.execute(moved, parse_ref(ritual).id)
        await connection.execute(f"UPDATE job SET run_after = run_after - {past}")
    finally:
        await connection.close()
    doings = {**Keeper(here.database).doings(), **Mementos(here.database, SIGNER).doings()}
    doings |= Scheduler(here.database, SIGNER).doings()
    await asyncio.gather(*[Workshop(here.database, doings).drain() for _ in range(2)])


async def seen(here: Company, ritual: str, who: str | None = None) -> Any:
    return (await here.ask(who, SEEN, id=ritual))[0]


async def left_behind(here: Company) -> list[int]:
    return [await here.count(table) for table in LEFT_BEHIND]


async def test_a_ritual_is_announced_opened_released_and_remembered(here: Company) -> None:
    release, ritual = await scheduled(here)
    first = await seen(here, ritual)
    assert (first["world"], first["release"]) == ({"handle": "nova"}, {"title": "Album"}), "people see its teaser"
    for who, is_named in (("bo", True), ("cy", False), ("dee", True)):
        told = await here.do(who, "presave", RITUAL, ritual=ritual, isNamed=is_named)
        assert told["__typename"] == "RitualSuccess", told
    assert (await seen(here, ritual))["firstSupporters"]["nodes"] == [
        {"handle": "bo", "nth": 1},
        {"handle": "dee", "nth": 3},
    ], "who does not want to be named is counted"
    current = '{ world(handle: "nova") { currentRitual { id state } } }'
    await pass_by(here, ritual, 1)
    assert (await here.ask(None, current))[0]["currentRitual"] == {"id": ritual, "state": "OPEN"}
    room = (await seen(here, ritual))["room"]["id"]
    for who in ("bo", "cy"):
        said = await here.do(who, "sendMessage", "said { id }", room=room, text="here")
        assert said["__typename"] == "MessageSuccess", said
    await here.do("ada", "react", "room { id }", room=room, reaction="FIRE")
    await pass_by(here, ritual, 1)
    assert (await seen(here, ritual))["state"] == "RELEASED"
    assert (await here.ask(None, "query ($id: ID!) { release(id: $id) { status } }", id=release))[0] == {
        "status": "PUBLISHED"
    }
    late = await here.do("ada", "presave", RITUAL, ritual=ritual)
    assert late["code"] == "CONFLICT"
    await pass_by(here, ritual, 1)
    told = await seen(here, ritual, "cy")
    memory = told["memory"]
    assert (told["state"], memory["presaves"], memory["people"]) == ("MEMORY", 3, 4)
    assert (memory["messages"], memory["reactions"], len(memory["bestMoments"]) in {1, 2}) == (2, 1, True)
    assert all(minute.endswith(":00.000000Z") for minute in memory["bestMoments"])
    shown = json.loads(told["participation"]["proof"])
    assert (shown["nth"], shown["of"], shown["what"], shown["ritual"]) == (2, 3, "PRESAVE", ritual)
    assert verified(shown, KEYS) == SIGNER.method
    assert (await seen(here, ritual, "ada"))["participation"] is None
    assert (await here.ask(None, current))[0]["currentRitual"] is None
    before = await left_behind(here)
    await pass_by(here, ritual, 5)
    assert await seen(here, ritual, "cy") == told, "a memory does not change"
    assert await left_behind(here) == before


async def test_a_worker_whose_clock_is_late_moves_a_ritual_at_its_time_all_the_same(
    here: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ritual = await scheduled(here)
    for module in ("resolvers.context", "resolvers.rituals"):
        monkeypatch.setattr(f"{module}.now", lambda: now() - HOUR, raising=False)
    await pass_by(here, ritual, 1)
    assert (await seen(here, ritual))["state"] == "OPEN"


async def test_who_comes_at_once_comes_one_after_the_other_and_once(here: Company) -> None:
    _, ritual = await scheduled(here)
    people = ["bo", "cy", "dee"] * 2
    await asyncio.gather(*[here.do(who, "presave", RITUAL, ritual=ritual, isNamed=True) for who in people])
    told = await seen(here, ritual)
    assert told["presaveCount"] == told["firstSupporters"]["totalCount"] == 3
    assert [each["nth"] for each in told["firstSupporters"]["nodes"]] == [1, 2, 3]
    await is_counted_once(here, ritual, 3)
    own = await here.do("ada", "presave", RITUAL, ritual=ritual)
    assert own["code"] == "FORBIDDEN", "it is hers"


async def test_a_presave_waits_for_whoever_came_before_in_its_last_statement_only(
    here: Company, statements: list[str]
) -> None:
    _, ritual = await scheduled(here)
    for who in ("bo", "cy"):
        statements.clear()
        told = await here.do(who, "presave", RITUAL, ritual=ritual, isNamed=True, idempotencyKey="there")
        assert told["ritual"]["presaveCount"] == (1 if who == "bo" else 2), told
    written = [each for each in statements if each.lstrip().startswith(("UPDATE", "INSERT", "WITH"))]
    assert ["ritual_presave" in each for each in written] == [True, False, True, False]
    assert ["UPDATE ritual SET" in each for each in written] == [False, False, True, False]
    assert "INTO idempotency" in written[-1], "what is answered again"


async def test_what_is_called_off_while_people_come_counts_those_who_were_told_so(here: Company) -> None:
    _, ritual = await scheduled(here)
    people = [f"fan{number}" for number in range(30)]
    await signed_up(here, people)

    async def called_off() -> Any:
        await asyncio.sleep(0.05)
        return await here.do("ada", "cancelRitual", RITUAL, ritual=ritual)

    presaves = (here.do(who, "presave", RITUAL, ritual=ritual) for who in people)
    cancelled, *told = await asyncio.gather(called_off(), *presaves)
    assert cancelled["ritual"]["state"] == "CANCELLED", cancelled
    there = [answer for answer in told if answer["__typename"] == "RitualSuccess"]
    assert {answer["code"] for answer in told if answer not in there} <= {"CONFLICT"}
    await is_counted_once(here, ritual, len(there))


async def test_who_came_before_it_was_called_off_and_waited_is_refused_and_leaves_nothing_behind(
    here: Company,
) -> None:
    _, ritual = await scheduled(here)
    assert (await here.do("dee", "presave", RITUAL, ritual=ritual))["__typename"] == "RitualSuccess"
    async with here.database.write() as connection:
        # Everything is done but the last statement: it waits for this one.
        id_ = {"id": parse_ref(ritual).id}
        await connection.execute(text("UPDATE ritual SET version = version + 1 WHERE id = :id"), id_)
        late = [asyncio.create_task(here.do(who, "presave", RITUAL, ritual=ritual)) for who in ("bo", "cy")]
        async with asyncio.timeout(PATIENCE):
            while await waiting(here) < len(late):  # noqa: ASYNC110  # in other sessions
                await asyncio.sleep(0.01)
        await connection.execute(text("UPDATE ritual SET state = 'CANCELLED' WHERE id = :id"), id_)
    assert [(await each)["code"] for each in late] == ["CONFLICT", "CONFLICT"]
    await is_counted_once(here, ritual, 1)


async def waiting(here: Company) -> int:
    """How many statements wait for what another transaction has locked."""
    inside = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    query = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN ({inside})"
    async with here.database.read() as connection:
        return int((await connection.execute(text(query))).scalar_one())


async def signed_up(here: Company, people: list[str]) -> None:
    """Let more people have an account."""
    here.keys |= {name: uuid7() for name in people}
    async with here.database.write() as connection:
        await connection.execute(insert(tables.account), [{"id": here.keys[name], "handle": name} for name in people])


async def is_counted_once(here: Company, ritual: str, people: int) -> None:
    """So many are there, in places from 1 on, and that is all that was written of any."""
    assert (await seen(here, ritual))["presaveCount"] == people
    async with here.database.read() as connection:
        places = (await connection.execute(select(tables.ritual_presave.c.position))).scalars()
        assert sorted(places) == [*range(1, people + 1)]
    assert await here.count(tables.change, tables.change.c.kind == "PRESAVED") == people
    assert await here.count(tables.signal, tables.signal.c.kind == "PRESAVE") == people


async def test_what_did_not_come_out_is_called_off_and_what_was_called_off_is_over(here: Company) -> None:
    release, ritual = await scheduled(here)
    given = {"release": release, "expectedVersion": await version_of(here, release)}
    await here.do("ada", "scheduleRelease", "release { id }", at=None, **given)
    await pass_by(here, ritual, 3)
    assert await states(here) == ["CANCELLED"]
    track = await made(here, "Single")
    await here.do("ada", "setHook", "hook { id }", track=track)
    hook = await hook_of(here, track)
    told = await announced(here, hook)
    assert (await here.do("ada", "openRitual", RITUAL, ritual=told["ritual"]["id"]))["ritual"]["state"] == "OPEN"
    assert (await here.do("ada", "cancelRitual", RITUAL, ritual=told["ritual"]["id"]))["ritual"]["state"] == "CANCELLED"
    again = await here.do("ada", "cancelRitual", RITUAL, ritual=told["ritual"]["id"])
    assert again["code"] == "CONFLICT"
    assert (await announced(here, hook))["ritual"]["state"] == "ANNOUNCED", "its time is free again"


async def states(here: Company) -> list[str]:
    async with here.database.read() as connection:
        return list((await connection.execute(text("SELECT state FROM ritual ORDER BY id"))).scalars())


async def hook_of(here: Company, track: str) -> str:
    told, _ = await here.ask("ada", "query ($id: ID!) { asset(id: $id) { ... on Track { hook { id } } } }", id=track)
    return str(told["hook"]["id"])


async def test_a_ritual_that_may_not_be_leaves_nothing_behind(here: Company) -> None:
    release, ritual = await scheduled(here)
    before = await left_behind(here)
    assert (await announced(here, release))["path"] == ["opensAt"], "one at a time"
    assert (await announced(here, release, opens=-HOUR))["path"] == ["opensAt"]
    assert (await announced(here, release, opens=9 * HOUR, endsAt=now() + 9 * HOUR))["path"] == ["endsAt"]
    nowhere = "release_01jd0000000000000000000000"
    refusals = [await announced(here, subject, who) for subject, who in ((release, "bo"), (nowhere, "ada"))]
    assert refusals[0] == refusals[1]
    assert refusals[0]["code"] == "NOT_FOUND"
    gone = "ritual_01jd0000000000000000000000"
    for deed in ("openRitual", "cancelRitual"):
        told = [await here.do(who, deed, RITUAL, ritual=id_) for who, id_ in (("bo", ritual), ("ada", gone))]
        assert told[0] == told[1]
    assert await left_behind(here) == before


async def test_who_is_deleted_in_the_middle_keeps_their_place_and_loses_their_name(here: Company) -> None:
    _, ritual = await scheduled(here)
    for who in ("cy", "dee"):
        await here.do(who, "presave", RITUAL, ritual=ritual, isNamed=True)
    await pass_by(here, ritual, 1)
    room = (await seen(here, ritual))["room"]["id"]
    await here.do("cy", "sendMessage", "said { id }", room=room, text="here")
    assert (await here.do("ada", "deleteAccount", "deletedId"))["code"] == "CONFLICT", "it is her release"
    assert (await here.do("cy", "deleteAccount", "deletedId"))["__typename"] == "DeleteAccountSuccess"
    told = await seen(here, ritual)
    assert (told["presaveCount"], told["firstSupporters"]["nodes"]) == (2, [{"handle": "dee", "nth": 2}])
    for _ in range(2):
        await pass_by(here, ritual, 1)
    memory = (await seen(here, ritual))["memory"]
    assert (memory["presaves"], memory["people"], memory["messages"]) == (2, 3, 1), "the artist among them"
    proof = json.loads((await seen(here, ritual, "dee"))["participation"]["proof"])
    assert (proof["nth"], proof["of"]) == (2, 2)
