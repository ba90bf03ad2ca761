"""The broker of several processes over Redis: what is remembered is a stream, what is new comes by sharded pub/sub.

A process has one reader for all the topics that are heard in it. While Redis is away, or forgets, everybody is told
what their own process tells; who notices a gap then reads what is true. Nothing is lost with Redis.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from subscriptions.broker import KEPT, Hearing, News
from subscriptions.memory import MemoryBroker

_log = logging.getLogger(__name__)
PATIENCE = 1.0
"""Seconds that Redis has for an answer."""
AWAY = 0.5
"""Seconds until Redis is tried again."""
CONNECTIONS = 4
FORGET_MS = 15 * 60 * 1000
"""How long a stream is kept after the last thing that was told."""

# KEYS: the topic, a stream and a channel. ARGV: the number, what is told, how much is kept, and how long. A number that
# is there is not told again; where one was left out, those before it are let go.
_SCRIPT = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local number = tonumber(ARGV[1])
if newest then
  local last = tonumber(string.match(newest[1], '^%d+'))
  if number <= last then return 0 end
  if number > last + 1 then redis.call('DEL', KEYS[1]) end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], ARGV[1] .. '-0', 'body', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SPUBLISH', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
return 1
"""


class RedisBroker:
    """Tells what happens in all processes on one Redis."""

    def __init__(
        self, url: str, *, patience: float = PATIENCE, away: float = AWAY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: of the server.
            patience: seconds that it has for an answer.
            away: seconds until it is tried again.
            clock: counts those seconds.
        """
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415  # a quarter of a second, where it is used
        from redis.asyncio.retry import Retry  # noqa: PLC0415  # a quarter of a second, where it is used
        from redis.backoff import NoBackoff  # noqa: PLC0415  # a quarter of a second, where it is used

        once = Retry(NoBackoff(), 0)
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=patience, socket_connect_timeout=patience, retry=once
        )
        self._redis: Any = Redis.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)
        self._patience, self._away, self._clock = patience, away, clock
        self._away_until = 0.0
        self._here = MemoryBroker(self._unheard)
        self._ready: dict[str, asyncio.Event] = {}
        """The topics whose memory was brought here, or is being brought."""
        self._pubsub: Any = None
        self._wanted = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def publish(self, topic: str, id: int, body: bytes) -> None:
        """Tell everybody, as `Broker` says; only those who are here while Redis is away."""
        told = False
        if self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(self._patience):
                    await self._script([topic], [id, body, KEPT, FORGET_MS])
                told = True
            except Exception as error:  # noqa: BLE001  # whatever it is, those who are here are told
                self._lost(error)
        if not told or self._pubsub is None:
            self._here.tell(topic, id, body)

    async def subscribe(self, topic: str) -> Hearing:
        """Hear a topic, as `Broker` says."""
        hearing = self._here.hear(topic)
        try:
            await self._bring(topic)
        except BaseException:
            hearing.stop()
            raise
        return hearing

    def since(self, topic: str, after: int) -> Sequence[News] | None:
        """What was told after a number, as `Broker` says."""
        return self._here.since(topic, after)

    def last(self, topic: str) -> int | None:
        """The last number, as `Broker` says."""
        return self._here.last(topic)

    async def close(self) -> None:
        """Disconnect."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
        if self._leaving:
            await asyncio.wait(self._leaving)
        await self._redis.aclose()

    # -- reading ------------------------------------------------------------------------------------------------

    async def _bring(self, topic: str) -> None:
        """Wait until what others remember of a topic is here, or cannot be had now."""
        ready = self._ready.get(topic)
        if ready is None:
            ready = self._ready[topic] = asyncio.Event()
            self._wanted.set()
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            elif self._pubsub is not None:
                with suppress(Exception):  # the reader meets the same, and subscribes again
                    await self._pubsub.ssubscribe(topic)
        if self._clock() >= self._away_until:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await ready.wait()

    async def _read(self) -> None:
        """Hear what others tell, until the end."""
        while True:
            await self._wanted.wait()
            try:
                async with self._redis.pubsub() as pubsub:
                    await self._listen(pubsub)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is tried again
                self._lost(error)
            finally:
                self._pubsub = None
            for ready in self._ready.values():
                ready.set()
            await asyncio.sleep(self._away)

    async def _listen(self, pubsub: Any) -> None:
        known: set[str] = set()
        while missing := set(self._here.topics) - known:
            await pubsub.ssubscribe(*missing)
            known |= missing
        if not known:
            self._wanted.clear()
            return
        self._pubsub = pubsub
        while True:
            message = await pubsub.get_message(timeout=None)
            if message is None:
                continue
            topic = message["channel"].decode()
            if message["type"] == "smessage":
                number, _, body = message["data"].partition(b" ")
                self._here.tell(topic, int(number), body)
            elif message["type"] == "ssubscribe":
                # What comes meanwhile waits in the connection: nothing is told before what it follows.
                await self._catch_up(topic)
                self._away_until = 0.0
                if topic in self._ready:
                    self._ready[topic].set()
            elif topic in self._ready:
                await pubsub.ssubscribe(topic)

    async def _catch_up(self, topic: str) -> None:
        """Tell here what the stream has and this process has not heard."""
        last = self._here.last(topic)
        async with asyncio.timeout(self._patience):
            entries = await self._redis.xrange(topic, "-" if last is None else f"({last}-0")
        for number, fields in entries:
            self._here.tell(topic, int(number.partition(b"-")[0]), fields[b"body"])

    def _unheard(self, topic: str) -> None:
        """Nobody hears a topic here any more."""
        self._ready.pop(topic, None)
        if self._pubsub is not None:
            leaving = asyncio.create_task(self._leave(topic))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def _leave(self, topic: str) -> None:
        with suppress(Exception):  # the reader meets the same, and subscribes to what is heard
            if self._pubsub is not None and topic not in self._ready:
                await self._pubsub.sunsubscribe(topic)

    def _lost(self, error: Exception) -> None:
        if self._clock() >= self._away_until:
            _log.warning("Redis is away, so everybody hears what their own process tells: %r", error)
        self._away_until = self._clock() + self._away
