"""Who waited for what was not out yet is given what was promised: all of them, once, whoever moves the ritual.

What people do around a ritual is done at every step by somebody who may be killed there, and goes on all the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import event, insert

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref, parse_ref
from graph.fields import write_moment
from resolvers.context import now, uuid7
from resolvers.jobs import Workshop
from resolvers.mementos import Mementos
from resolvers.rituals import Keeper
from resolvers.scheduling import Scheduler
from tests.graph.albums import SIGNER, draft, made, rows, version_of
from tests.graph.company import Company, company
from tests.graph.test_clips import Stage
from tests.graph.test_rituals import HOUR, announced, hook_of, pass_by

RITUAL = "ritual { id }"
GIVEN = "{ viewer { entitlements { nodes { scope source state artist { handle } asset { id } } } } }"
SEEN = """query ($id: ID!) { ritual(id: $id) { state presaveCount unlockScope unlocked { id } commentCount
    comments { nodes { handle text ritual { id } hook { id } } } clips { totalCount } memory { presaves clips messages } } }"""
TOLD = ("entitlement", "entitlement_standing", "provenance_event", "signal", "outbox")


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        each.house.signer = SIGNER
        yield each


async def hooked(here: Company) -> str:
    """The hook of a track of Nova's that everybody hears."""
    if not await here.count(tables.hook):
        await here.do("ada", "setHook", "hook { id }", track=here.ids["track"])
    return await hook_of(here, here.ids["track"])


def announcing(subject: str, **more: Any) -> dict[str, Any]:
    """What announces a ritual that opens in an hour, is out in two and is remembered in three."""
    begins = now() + HOUR
    times = {"opensAt": begins, "releasesAt": begins + HOUR, "endsAt": begins + 2 * HOUR}
    return {"subject": subject, "title": "Midnight", **{name: write_moment(at) for name, at in times.items()}, **more}


async def promised(here: Company, unlocks: str, hook: str | None = None) -> Any:
    """What announcing a ritual answers that unlocks something."""
    about = announcing(hook or await hooked(here), unlocks=unlocks)
    return await here.do("ada", "announceRitual", RITUAL, **about)


async def seen(here: Company, ritual: str) -> Any:
    return (await here.ask(None, SEEN, id=ritual))[0]


async def given(here: Company, who: str) -> list[Any]:
    return list((await here.ask(who, GIVEN))[0]["entitlements"]["nodes"])


@pytest.mark.parametrize("what", ["nova", "release", "track"])
@pytest.mark.parametrize("late", [False, True])
async def test_who_waited_is_given_what_was_promised_once(here: Company, what: str, late: bool) -> None:
    told = await promised(here, here.ids[what])
    ritual = told["ritual"]["id"]
    scope = {"nova": "CASSET", "release": "RELEASE", "track": "TRACK"}[what]
    shown = await seen(here, ritual)
    unlocked = None if what == "nova" else {"id": here.ids[what]}
    assert (shown["unlockScope"], shown["unlocked"]) == (scope, unlocked)
    for who in ("bo", "cy"):
        await here.do(who, "presave", RITUAL, ritual=ritual)
    assert await given(here, "bo") == []
    await pass_by(here, ritual, 9 if late else 2)
    assert (await seen(here, ritual))["state"] == ("MEMORY" if late else "RELEASED")
    artist = {"handle": "nova"} if what == "nova" else None
    reward = {"scope": scope, "source": "REWARD", "state": "ACTIVE", "artist": artist, "asset": unlocked}
    assert [await given(here, who) for who in ("bo", "cy", "dee")] == [[reward], [reward], []]
    signals = await rows(here, "SELECT account_id, own FROM signal WHERE kind = 'UNLOCK' ORDER BY account_id")
    assert [tuple(row) for row in signals] == sorted((here.keys[who], False) for who in ("bo", "cy"))
    before = [await here.count(tables.metadata.tables[name]) for name in TOLD[:4]]
    await pass_by(here, ritual, 9)
    assert [await here.count(tables.metadata.tables[name]) for name in TOLD[:4]] == before


async def test_what_one_has_already_from_there_is_not_given_again(here: Company) -> None:
    first = (await promised(here, here.ids["nova"]))["ritual"]["id"]
    await here.do("bo", "presave", RITUAL, ritual=first)
    await pass_by(here, first, 9)
    second = (await promised(here, here.ids["nova"]))["ritual"]["id"]
    for who in ("bo", "cy"):
        await here.do(who, "presave", RITUAL, ritual=second)
    await pass_by(here, second, 13)
    assert [len(await given(here, who)) for who in ("bo", "cy")] == [1, 1]
    assert await here.count(tables.signal, tables.signal.c.kind == "UNLOCK") == 2


async def test_nothing_is_promised_that_is_not_ones_own_to_give(here: Company) -> None:
    hook, nowhere = await hooked(here), "track_01jd0000000000000000000000"
    refused = [await promised(here, each, hook) for each in (here.ids["other"], nowhere)]
    assert refused[0] == refused[1]
    assert (refused[0]["code"], refused[0]["path"]) == ("NOT_FOUND", ["unlocks"])
    duo = (await here.do("ada", "createArtist", "artist { id }", handle="another", name="x"))["artist"]["id"]
    told = await promised(here, duo, hook)
    assert (told["code"], told["path"]) == ("VALIDATION", ["unlocks"])
    assert await here.count(tables.ritual) == 0


async def test_a_ritual_that_is_called_off_unlocks_nothing(here: Company) -> None:
    ritual = (await promised(here, here.ids["nova"]))["ritual"]["id"]
    await here.do("bo", "presave", RITUAL, ritual=ritual)
    await here.do("ada", "cancelRitual", RITUAL, ritual=ritual)
    await pass_by(here, ritual, 9)
    assert await given(here, "bo") == []


async def crowd(here: Company, ritual: str, size: int) -> None:
    """More people who wait."""
    people = [uuid7() for _ in range(size)]
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.execute(insert(tables.account), [{"id": each, "handle": f"p{each.hex}"} for each in people])
        waits = [
            {"id": uuid7(), "ritual_id": parse_ref(ritual).id, "account_id": each, "position": nth, "is_named": False}
            for nth, each in enumerate(people, 1)
        ]
        await connection.execute(insert(tables.ritual_presave), waits)
        await connection.execute(tables.ritual.update().values(presave_count=size))


async def test_however_many_waited_it_takes_as_many_statements(here: Company, statements: list[str]) -> None:
    counts = []
    for size in (1, 300):
        ritual = (await promised(here, here.ids["nova"]))["ritual"]["id"]
        await crowd(here, ritual, size)
        statements.clear()
        await pass_by(here, ritual, 2)
        rewarded = ("INTO entitlement", "INTO signal")
        counts.append(sum(any(word in text for word in rewarded) for text in statements))
        assert await here.count(tables.entitlement) == sum((1, 300)[: len(counts)])
        await pass_by(here, ritual, 9 * len(counts))
    assert counts == [2, 2], "what is given and what it counts for, whoever waits"


async def test_a_ritual_is_talked_about_and_what_was_said_is_taken_back(here: Company) -> None:
    hook = await hooked(here)
    ritual = (await announced(here, hook))["ritual"]["id"]
    said = "comment { id text ritual { id } hook { id } world { handle } }"
    told = await here.do("bo", "commentOnRitual", said, ritual=ritual, text=" Soon! ")
    comment = told["comment"]["id"]
    assert told["comment"] == {"id": comment, "text": "Soon!", "ritual": {"id": ritual}, "hook": None, "world": None}
    shown = await seen(here, ritual)
    line = {"handle": "bo", "text": "Soon!", "ritual": {"id": ritual}, "hook": None}
    assert (shown["commentCount"], shown["comments"]["nodes"]) == (1, [line])
    (signal,) = await rows(here, "SELECT kind, hook_id FROM signal")
    assert tuple(signal) == ("COMMENT", parse_ref(hook).id)
    events = await rows(here, "SELECT kind, payload FROM room_event")
    assert [tuple(row) for row in events] == [("COMMENT", {"comment": comment, "hook": hook, "positionMs": None})]
    assert (await here.do("cy", "deleteComment", "deletedId", id=comment))["code"] == "NOT_FOUND"
    gone = await here.do("ada", "deleteComment", "deletedId ritual { commentCount } hook { id }", id=comment)
    assert (gone["ritual"], gone["hook"]) == ({"commentCount": 0}, None)
    nowhere = await here.do("bo", "commentOnRitual", said, ritual=str(Ref(Kind.RITUAL, uuid7())), text="x")
    assert (nowhere["code"], nowhere["path"]) == ("NOT_FOUND", ["ritual"])


# -- killed at every step ------------------------------------------------------------------------------------------


STEPS = 1 if settings.default.max_examples >= 1_000 else 4
"""At every so many statements somebody is killed; with the laws at each."""


class Killed(BaseException):
    """The process ends here."""


class Doom:
    """Whoever is served by a database of its own is dead from their `last` statement on."""

    def __init__(self) -> None:
        self.steps = self.last = 0

    def step(self, *_: Any) -> None:
        self.steps += 1
        if 0 < self.last <= self.steps:
            raise Killed


@asynccontextmanager
async def doomed(here: Company) -> AsyncIterator[tuple[Company, Doom]]:
    """The company, as a process serves it that is about to die."""
    doom, mortal = Doom(), Database(here.database._target)
    await mortal.open()
    event.listen(mortal._engine.sync_engine, "before_cursor_execute", doom.step)
    yield replace(here, database=mortal), doom
    doom.last = 0
    await mortal.close()


async def kept(here: Company) -> list[int]:
    """How much is written down of what may be lost, or written twice."""
    counted = ("ritual", "ritual_presave", "clip", "entitlement", "entitlement_standing", "signal", "room_event")
    told = ("activity", "room_message", "lineage_edge", "provenance_event", "release_version", "manifest", "change")
    return [await here.count(tables.metadata.tables[name]) for name in (*counted, *told)]


async def at_every_step(here: Company, act: Callable[[Company], Awaitable[Any]], *, at_once: bool = True) -> Any:
    """Somebody does it and is killed at each of their statements in turn; at last it is done, and once more.

    Of what is done at once nothing is there before all of it; a worker has done some jobs, and not the others.
    """
    async with doomed(here) as (mortal, doom):
        before, deaths = await kept(here), 0
        for doom.last in count(1, STEPS):
            doom.steps = 0
            with suppress(Killed):
                told = await act(mortal)
                if doom.steps < doom.last:
                    break
            assert not at_once or await kept(here) == before, (deaths, "what was begun is not there")
            await revive(here)
            deaths += 1
        assert deaths > 0
        after = await kept(here)
        doom.last = 0
        again = await act(mortal)
        assert again == told
        assert await kept(here) == after, "done once more, it is written once"
    return told


async def revive(here: Company) -> None:
    """Whoever had a job is known to be dead, and it is another's turn."""
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        again = "UPDATE job SET state = 'READY', run_after = now() - interval '1 s', attempts = 0, deaths = 0, "
        await connection.exec_driver_sql(
            again + "lease_until = NULL WHERE state = 'RUNNING' OR attempts > 0 AND state = 'READY'"
        )


def by(who: str, deed: str, asked: str, **given: Any) -> Callable[[Company], Awaitable[Any]]:
    async def act(company: Company) -> Any:
        return await company.do(who, deed, asked, **given, idempotencyKey=f"{who} {deed}")

    return act


async def work(company: Company) -> None:
    """A worker does what is due."""
    doings = {**Keeper(company.database).doings(), **Mementos(company.database, SIGNER).doings()}
    doings |= Scheduler(company.database, SIGNER).doings()
    workshop = Workshop(company.database, doings, hands=1)
    await workshop.drain()


async def later(here: Company, ritual: str) -> None:
    """An hour goes by, and nobody works."""
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        hour = "interval '1 hour'"
        moved = ", ".join(f"{name} = {name} - {hour}" for name in ("opens_at", "releases_at", "ends_at"))
        await connection.exec_driver_sql(f"UPDATE ritual SET {moved}")
        await connection.exec_driver_sql(f"UPDATE job SET run_after = run_after - {hour}")


async def test_whoever_is_killed_at_any_step_of_a_ritual_loses_nothing_and_counts_nothing_twice(here: Company) -> None:
    """Announced, waited for, opened, talked in, published and unlocked, replied to, remembered."""
    track = await made(here, "Song")
    release, _ = await draft(here, track)
    await here.do("ada", "setHook", "hook { id }", track=track)
    out_at = {"at": write_moment(now() + 2 * HOUR), "expectedVersion": await version_of(here, release)}
    await here.do("ada", "scheduleRelease", "release { id }", release=release, **out_at)
    announce = announcing(release, unlocks=here.ids["nova"])
    ritual = (await at_every_step(here, by("ada", "announceRitual", RITUAL, **announce)))["ritual"]["id"]
    for who in ("bo", "cy"):
        await at_every_step(here, by(who, "presave", RITUAL, ritual=ritual))
    await later(here, ritual)
    await at_every_step(here, work, at_once=False)
    assert (await seen(here, ritual))["state"] == "OPEN"
    (room,) = await rows(here, "SELECT ref FROM room WHERE release_id IS NOT NULL")
    await at_every_step(here, by("bo", "sendMessage", "said { id }", room=room.ref, text="here"))
    await later(here, ritual)
    await at_every_step(here, work, at_once=False)
    assert (await seen(here, ritual))["state"] == "RELEASED"
    assert [len(await given(here, who)) for who in ("bo", "cy", "dee")] == [1, 1, 0]
    stage = Stage(here, await hook_of(here, track), room.ref)
    sample = await stage.sample()
    submit = by("bo", "submitClip", "clip { id }", asset=sample, hook=stage.hook, ritual=ritual)
    clip = (await at_every_step(here, submit))["clip"]["id"]
    await at_every_step(here, by("ada", "approveClip", "clip { id state }", clip=clip))
    await later(here, ritual)
    await at_every_step(here, work, at_once=False)
    shown = await seen(here, ritual)
    assert (shown["state"], shown["presaveCount"], shown["clips"]["totalCount"]) == ("MEMORY", 2, 1)
    assert shown["memory"] == {"presaves": 2, "clips": 1, "messages": 1}
    kinds = await rows(here, "SELECT kind, count(*) FROM signal GROUP BY 1 ORDER BY 1")
    assert {row.kind: row.count for row in kinds} == {"CLIP": 1, "COMMENT": 1, "PRESAVE": 2, "UNLOCK": 2}
    assert await here.count(tables.job, tables.job.c.state == "DEAD") == 0
