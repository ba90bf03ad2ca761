"""A release comes out at the time a person chose, in their name, once; what cannot is promised to nobody."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
from sqlalchemy import text

from db import tables
from db.engine import Database
from domain.ids import parse_ref
from graph.fields import write_moment
from resolvers.context import now
from resolvers.jobs import Workshop
from resolvers.scheduling import Scheduler
from tests.graph.albums import LACKING, SIGNER, album, draft, made, publish, rows, sound, version_of
from tests.graph.company import PATIENCE, Company, company

ROOT = Path(__file__).parents[2]
LINEAGE = 0x6C696E65
SOON = timedelta(days=3)
LEFT_BEHIND = (tables.job, tables.provenance_event, tables.change, tables.outbox, tables.manifest)
STATUS = "release { id status state version }"


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        each.house.signer = SIGNER
        yield each


async def schedule(here: Company, release: str, at: datetime | None, who: str = "ada", asked: str = STATUS) -> Any:
    given = {"release": release, "expectedVersion": await version_of(here, release)}
    return await here.do(who, "scheduleRelease", asked, at=at and write_moment(at), **given)


async def comes(here: Company) -> None:
    """Let the time come that was chosen."""
    async with here.database.write() as connection:
        await connection.execute(text("UPDATE job SET run_after = now() WHERE state IN ('READY', 'RUNNING')"))


def workshop(here: Company, hands: int = 2) -> Workshop:
    return Workshop(here.database, Scheduler(here.database, SIGNER).doings(), hands)


async def status(here: Company, release: str) -> str:
    query = "SELECT status FROM release WHERE id = :id"
    return str((await rows(here, query, id=parse_ref(release).id))[0].status)


async def published(here: Company) -> list[int]:
    """How often each release that came out did."""
    query = "SELECT count(*) AS times FROM provenance_event WHERE kind = 'RELEASE_PUBLISHED' GROUP BY subject_id"
    return [row.times for row in await rows(here, query)]


async def left_behind(here: Company) -> list[int]:
    return [await here.count(table) for table in LEFT_BEHIND]


async def test_a_release_comes_out_at_its_time_in_the_name_of_who_chose_it(here: Company) -> None:
    release, version = await draft(here, await made(here, "Song"))
    at = now() + SOON
    told = await schedule(here, release, at)
    assert (told["release"]["status"], told["release"]["state"]) == ("SCHEDULED", "PRIVATE")
    seen = "query ($id: ID!) { release(id: $id) { title publishedAt currentVersion { id } } }"
    teased, _ = await here.ask(None, seen, id=release)
    assert teased == {"title": "Album", "publishedAt": None, "currentVersion": None}
    await workshop(here).drain()
    assert await status(here, release) == "SCHEDULED", "its time has not come"
    await comes(here)
    await workshop(here).drain()
    shown, _ = await here.ask(None, seen, id=release)
    assert shown["currentVersion"] == {"id": version}
    event = (await rows(here, "SELECT actor_id FROM provenance_event WHERE kind = 'RELEASE_PUBLISHED'"))[0]
    assert event.actor_id == here.keys["ada"]
    asked = "query ($id: ID!) { node(id: $id) { ... on ReleaseVersion { manifest { signatureState } } } }"
    assert (await here.ask(None, asked, id=version))[0] == {"manifest": {"signatureState": "SIGNED"}}


async def test_another_time_takes_the_place_of_the_first_and_none_ends_it(here: Company) -> None:
    release, _ = await draft(here, await made(here, "Song"))
    first = now() + SOON
    await schedule(here, release, first)
    before = await left_behind(here)
    assert (await schedule(here, release, first))["release"]["status"] == "SCHEDULED"
    assert await left_behind(here) == before, "the same time again changes nothing"
    await schedule(here, release, first + SOON)
    early = "UPDATE job SET run_after = now() WHERE (payload ->> 'at')::timestamptz < now() + interval '4 days'"
    async with here.database.write() as connection:
        await connection.execute(text(early))
    await workshop(here).drain()
    assert await status(here, release) == "SCHEDULED", "the first time was taken back"
    told = await schedule(here, release, None)
    assert told["release"]["status"] == "DRAFT"
    await comes(here)
    await workshop(here).drain()
    assert (await status(here, release), await published(here)) == ("DRAFT", [])
    teased = "query ($id: ID!) { release(id: $id) { title } }"
    assert (await here.ask(None, teased, id=release))[0] is None


async def test_what_was_published_by_hand_before_its_time_is_not_published_again(here: Company) -> None:
    release, version = await draft(here, await made(here, "Song"))
    await schedule(here, release, now() + SOON)
    assert (await publish(here, release, version))["release"]["status"] == "PUBLISHED"
    await comes(here)
    await workshop(here).drain()
    assert await published(here) == [1]


async def test_nothing_that_lacks_something_gets_a_time(here: Company) -> None:
    release, _ = await draft(here)
    before = await left_behind(here)
    told = await schedule(here, release, now() + SOON, asked=f"{STATUS} }} {LACKING} ... on UserError {{ code")
    assert [lack["what"] for lack in told["lacks"]] == ["ITEMS"]
    assert await left_behind(here) == before


@pytest.mark.parametrize("away", [timedelta(seconds=-1), timedelta(days=4000)])
async def test_a_time_is_in_the_future_and_not_too_far_away(here: Company, away: timedelta) -> None:
    release, _ = await draft(here, await made(here, "Song"))
    before = await left_behind(here)
    told = await schedule(here, release, now() + away)
    assert (told["code"], told["path"]) == ("VALIDATION", ["at"])
    assert await left_behind(here) == before


async def test_what_is_out_gets_no_time_and_a_stranger_gives_none(here: Company) -> None:
    release, _, _ = await album(here, 1)
    mine, _ = await draft(here, await made(here, "Song"))
    before = await left_behind(here)
    assert (await schedule(here, release, now() + SOON))["code"] == "CONFLICT"
    assert (await schedule(here, mine, now() + SOON, "bo"))["code"] == "NOT_FOUND"
    assert await left_behind(here) == before


async def test_what_lacks_something_when_its_time_comes_is_a_draft_again_and_its_owner_reads_why(here: Company) -> None:
    song = await made(here, "Song")
    release, _ = await draft(here, song)
    await schedule(here, release, now() + SOON)
    await here.alter(tables.asset, {"state": "WITHDRAWN"}, tables.asset.c.id == parse_ref(song).id)
    await comes(here)
    await workshop(here).drain()
    assert (await status(here, release), await published(here)) == ("DRAFT", [])
    told, _ = await here.ask("ada", "{ jobs { nodes { kind state error } } }")
    job = next(each for each in told["nodes"] if each["kind"] == "PUBLISH_RELEASE")
    assert job["state"] == "DEAD"
    assert "1 thing is missing: Item 1 is withdrawn" in job["error"]


async def test_sound_that_is_still_being_read_is_waited_for(here: Company) -> None:
    song = await made(here, "Song")
    release, _ = await draft(here, song)
    await schedule(here, release, now() + SOON)
    await sound(here, song, "RECEIVED")
    await comes(here)
    await workshop(here).drain()
    assert await status(here, release) == "SCHEDULED"
    async with here.database.write() as connection:
        await connection.execute(text("UPDATE media_content SET state = 'READY'"))
    await comes(here)
    await workshop(here).drain()
    assert await published(here) == [1]


async def test_whoever_left_publishes_nothing_any_more(here: Company) -> None:
    await here.joined("cy", "EDITOR")
    release, _ = await draft(here, await made(here, "Song"))
    assert (await schedule(here, release, now() + SOON, "cy"))["release"]["status"] == "SCHEDULED"
    await here.do("ada", "removeMember", "artist { id }", id=(await here.members("ada"))["cy"][1])
    await comes(here)
    await workshop(here).drain()
    assert (await status(here, release), await published(here)) == ("DRAFT", [])


async def test_workers_that_are_killed_midway_and_two_that_follow_publish_once(here: Company, tmp_path: Path) -> None:
    releases = [(await draft(here, await made(here, f"Song {n}"), title=f"Album {n}"))[0] for n in range(3)]
    for release in releases:
        await schedule(here, release, now() + SOON)
    await comes(here)
    holder = await asyncpg.connect(**here.database._target)
    # Whoever publishes waits for this, with a job in hand and its transaction begun.
    await holder.execute(f"SELECT pg_advisory_lock({LINEAGE})")
    workers = [started(here, tmp_path) for _ in range(2)]
    try:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        async with asyncio.timeout(PATIENCE):
            while not await holder.fetchval(waiting):
                await holder.execute("SELECT pg_sleep(0.05)")
    finally:
        for each in workers:
            each.send_signal(signal.SIGKILL)
            each.wait()
        await holder.close()
    assert await published(here) == []
    await comes(here)
    workers = [started(here, tmp_path) for _ in range(2)]
    try:
        async with asyncio.timeout(PATIENCE):
            while any([await status(here, release) != "PUBLISHED" for release in releases]):
                await comes(here)
                await asyncio.sleep(0.05)
    finally:
        for each in workers:
            each.send_signal(signal.SIGKILL)
            each.wait()
    assert await published(here) == [1, 1, 1]
    assert await here.count(tables.manifest) == 3


def started(here: Company, data: Path) -> subprocess.Popen[bytes]:
    """A worker of its own process."""
    target: dict[str, Any] = here.database._target
    url = f"postgresql:///{target['database']}?" + urlencode({"host": target["host"], "user": target["user"]})
    command = [sys.executable, "-m", "graph.server.cli", "worker", "--data", str(data)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url})


async def test_the_payload_of_the_job_holds_ids_and_a_moment(here: Company) -> None:
    release, _ = await draft(here, await made(here, "Song"))
    await schedule(here, release, now() + SOON)
    (job,) = await rows(here, "SELECT payload, owner_id FROM job WHERE kind = 'PUBLISH_RELEASE'")
    payload = job.payload if isinstance(job.payload, dict) else json.loads(job.payload)
    assert set(payload) == {"account", "at"}
    assert job.owner_id == here.keys["nova"]
