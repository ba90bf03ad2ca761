"""What an actor may still spend: one bucket of points each, restored continuously, in memory or in Redis.

Here live the arithmetic of a bucket, the places where buckets are kept, and the headers that tell of one. What an
operation costs is said by `graph.limits`; who is asking, and what a refusal looks like, are the door's.

A bucket is kept as one whole number: the moment, in microseconds, when it will be full again. A point is the time it
takes to be restored, so taking moves the moment away, time brings it nearer, and a bucket never holds more than its
capacity. A bucket that nobody remembers is full. Whole numbers, so that Python and Lua mean exactly the same.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

_log = logging.getLogger(__name__)
SECOND = 1_000_000  # microseconds
ACTORS = 65_536  # that a process remembers; about 16 MB
PATIENCE = 0.05  # seconds that Redis has for an answer
AWAY = 1.0  # seconds until Redis is tried again
_UNBOUNDED = 2**53 - 1  # microseconds, 285 years: the largest whole number that Lua tells from its neighbours


class Balance(NamedTuple):
    """A bucket after it was asked.

    Attributes:
        remaining: whole points in it, below zero while more was used than there was.
        capacity: points of a full bucket.
        per_second: points restored in a second, where the bucket is kept now.
        wait_seconds: 0 where it gave what was asked; else nothing was taken, and as much is there after so many seconds
            if nobody else takes any; infinite where it is more than the capacity.
    """

    remaining: int
    capacity: int
    per_second: float
    wait_seconds: float


class Buckets(Protocol):
    """The buckets of all actors, told apart by a string."""

    async def take(self, actor: str, points: int) -> Balance:
        """Take `points`, 0 or more, or nothing where fewer are there."""

    async def settle(self, actor: str, points: int) -> Balance:
        """Correct afterwards: give `points` back, or take more where they are negative, even below zero."""


class _Size:
    """The arithmetic of buckets of one size. A debt is the time until a bucket is full, in microseconds."""

    def __init__(self, capacity: int, per_second: float) -> None:
        self.capacity, self.per_second = capacity, per_second
        self.point = round(SECOND / per_second)
        self.empty = capacity * self.point

    def asked(self, debt: int, cost: int, most: int) -> tuple[int, Balance]:
        """The debt and the balance after a `cost`, refused if it leads to a debt above `most`. As the script does."""
        after, wait = max(debt + cost, 0), 0.0
        if after > most:
            after, wait = debt, (after - most) / SECOND if cost <= most else math.inf
        return after, Balance(self.capacity - -(-after // self.point), self.capacity, self.per_second, wait)


class MemoryBuckets:
    """Buckets of one process. Never suspends; forgets full ones, and past ACTORS those that were idle longest."""

    def __init__(self, capacity: int, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Every bucket holds `capacity` points; `clock` counts seconds."""
        self._size = _Size(capacity, per_second)
        self._clock = clock
        self._full_at: OrderedDict[str, int] = OrderedDict()  # the longest idle first

    async def take(self, actor: str, points: int) -> Balance:
        """Take, as `Buckets` says."""
        return self._ask(actor, points * self._size.point, self._size.empty)

    async def settle(self, actor: str, points: int) -> Balance:
        """Settle, as `Buckets` says."""
        return self._ask(actor, -points * self._size.point, _UNBOUNDED)

    def _ask(self, actor: str, cost: int, most: int) -> Balance:
        now, full_at = round(self._clock() * SECOND), self._full_at
        debt, balance = self._size.asked(max(full_at.get(actor, now) - now, 0), cost, most)
        full_at[actor] = now + debt
        full_at.move_to_end(actor)
        for _ in range(2):  # one comes at most, so two looks are enough to shrink
            if full_at and (len(full_at) > ACTORS or next(iter(full_at.values())) <= now):
                full_at.popitem(last=False)
        return balance


# KEYS: buckets. ARGV: for each of them a cost, and the debt it may lead to. Answers the debts of before.
_SCRIPT = """
local time, debts = redis.call('TIME'), {}
local now = time[1] * 1000000 + time[2]
for i, key in ipairs(KEYS) do
  local debt = math.max((redis.call('GET', key) or now) - now, 0)
  local after = math.max(debt + ARGV[2 * i - 1], 0)
  if after <= tonumber(ARGV[2 * i]) then
    if after > 0 then
      redis.call('SET', key, string.format('%.0f', now + after), 'PX', math.ceil(after / 1000))
    else
      redis.call('DEL', key)
    end
  end
  debts[i] = debt
end
return debts
"""


class _Question(NamedTuple):
    key: bytes
    cost: int
    most: int
    debt: asyncio.Future[int | None]  # of before; None where Redis did not say


class RedisBuckets:
    """Buckets that processes share, by the clock of Redis. While it is away or slow, each process has its own.

    Those are restored at half the rate, and begin full. All who ask while a question is under way are the next question
    together: a crowd of hundreds has its answers in less time than one by one would take beyond the patience there is.
    """

    def __init__(
        self,
        url: str,
        capacity: int,
        per_second: float,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to nothing yet. Redis has `patience` seconds for an answer; `clock` counts those that it is away."""
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415  # a quarter of a second, where it is used
        from redis.asyncio.retry import Retry  # noqa: PLC0415  # a quarter of a second, where it is used
        from redis.backoff import NoBackoff  # noqa: PLC0415  # a quarter of a second, where it is used

        self._size = _Size(capacity, per_second)
        self._patience = patience
        self._clock = clock
        self._own = MemoryBuckets(capacity, per_second / 2, clock=clock)
        # Never again by itself: a question that was lost may have taken.
        once = Retry(NoBackoff(), 0)
        pool = BlockingConnectionPool.from_url(url, max_connections=1, timeout=patience, retry=once)
        self._redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)
        self._away_until: float | None = None
        self._questions: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, actor: str, points: int) -> Balance:
        """Take, as `Buckets` says."""
        balance = await self._ask(actor, points * self._size.point, self._size.empty)
        return balance or await self._own.take(actor, points)

    async def settle(self, actor: str, points: int) -> Balance:
        """Settle, as `Buckets` says."""
        balance = await self._ask(actor, -points * self._size.point, _UNBOUNDED)
        return balance or await self._own.settle(actor, points)

    async def close(self) -> None:
        """Disconnect, after the last question."""
        if self._asking is not None:
            await self._asking
        await self._redis.aclose()

    async def _ask(self, actor: str, cost: int, most: int) -> Balance | None:
        """What Redis says; None while it is away."""
        if self._away_until is not None and self._clock() < self._away_until:
            return None
        question = _Question(f"casset:bucket:{actor}".encode(), cost, most, asyncio.get_running_loop().create_future())
        self._questions.append(question)
        if self._asking is None or self._asking.done():
            # In a task of its own: a caller who leaves takes neither the connection nor the others along.
            self._asking = asyncio.create_task(self._bring())
        debt = await question.debt
        return None if debt is None else self._size.asked(debt, cost, most)[1]

    async def _bring(self) -> None:
        """Bring the questions to Redis until there are none."""
        while self._questions:
            brought, self._questions = self._questions, []
            try:
                async with asyncio.timeout(self._patience):
                    debts = await self._script(
                        [each.key for each in brought],
                        [number for each in brought for number in (each.cost, each.most)],
                    )
            except Exception as error:  # noqa: BLE001 - a closed transport is a RuntimeError to uvloop; all must get answers
                if self._away_until is None:
                    _log.warning("Redis is away, so points are counted in this process: %r", error)
                self._away_until = self._clock() + AWAY
                brought, self._questions = brought + self._questions, []
                debts = [None] * len(brought)
            else:
                if self._away_until is not None:
                    _log.info("Redis is back")
                self._away_until = None
            for each, debt in zip(brought, debts, strict=True):
                if not each.debt.done():
                    each.debt.set_result(debt)


class ClosedBuckets(RedisBuckets):
    """Buckets that give nothing while Redis is away: for what must not be tried more often than was counted."""

    async def take(self, actor: str, points: int) -> Balance:
        """Take, as `Buckets` says; who is refused for Redis may come again when it is asked again."""
        balance = await self._ask(actor, points * self._size.point, self._size.empty)
        return balance or Balance(0, self._size.capacity, self._size.per_second, AWAY)


def rate_limit_headers(balance: Balance, policy: bytes = b"graphql") -> tuple[tuple[bytes, bytes], ...]:
    """`RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11, in ASGI's form.

    A refusal has `Retry-After` too (RFC 9110, 10.2.3), the moment of its `t`, unless waiting is of no use. Else `t` is
    when the bucket is full again.
    """
    wait, remaining = balance.wait_seconds, max(balance.remaining, 0)
    if 0 < wait < math.inf:
        seconds = b"%d" % math.ceil(wait)
        again: tuple[tuple[bytes, bytes], ...] = ((b"retry-after", seconds),)
    else:
        seconds = b"%d" % math.ceil((balance.capacity - balance.remaining) / balance.per_second)
        again = ()
    quota = _policy(policy, balance.capacity, balance.per_second)
    return (quota, (b"ratelimit", b'"%b";r=%d;t=%b' % (policy, remaining, seconds)), *again)


@lru_cache(maxsize=16)
def _policy(name: bytes, capacity: int, per_second: float) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name, capacity, math.ceil(capacity / per_second))
