"""The presence that processes share over Redis: by its clock, and told among them by sharded pub/sub."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from subscriptions.presence import GATHER, LASTS, Crowd, MemoryPresence, Visitor, Watches, Watching

_log = logging.getLogger(__name__)
PATIENCE = 0.5
"""Seconds that Redis has for an answer."""
AWAY = 1.0
"""Seconds until Redis is tried again."""
CONNECTIONS = 4

# KEYS of every script: the visits of a room (source and connection, by when they are gone), how many each source has,
# and the handles of those with a name. All lie in one slot, and so does the channel.
_HEAD = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local moved = false
local function drop(visit)
  if redis.call('ZREM', KEYS[1], visit) == 0 then return end
  local source = string.match(visit, '^[^\\n]*')
  if redis.call('HINCRBY', KEYS[2], source, -1) < 1 then
    redis.call('HDEL', KEYS[2], source)
    redis.call('HDEL', KEYS[3], source)
  end
  moved = true
end
for _, visit in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do drop(visit) end
"""
_TAIL = """
if moved then redis.call('SPUBLISH', ARGV[1], '') end
"""
# ARGV: channel, source, connection, handle, milliseconds it lasts, most connections of the source.
_BEAT = (
    _HEAD
    + """
local visit = ARGV[2] .. '\\n' .. ARGV[3]
if redis.call('ZSCORE', KEYS[1], visit) then
  redis.call('ZADD', KEYS[1], now + ARGV[5], visit)
elseif tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or 0) < tonumber(ARGV[6]) then
  redis.call('ZADD', KEYS[1], now + ARGV[5], visit)
  redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
  moved = true
end
if ARGV[4] ~= '' and redis.call('HGET', KEYS[3], ARGV[2]) ~= ARGV[4] then
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[4])
  moved = true
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[5]) end
"""
    + _TAIL
)
# ARGV: channel, source, connection; every one of the source where it is empty.
_LEAVE = (
    _HEAD
    + """
if ARGV[3] ~= '' then
  drop(ARGV[2] .. '\\n' .. ARGV[3])
elseif redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then
  for _, visit in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.match(visit, '^[^\\n]*') == ARGV[2] then drop(visit) end
  end
end
"""
    + _TAIL
)
# ARGV: channel. Answers how many visits there are, those of people with a name among them, and their handles.
_CROWD = (
    _HEAD
    + _TAIL
    + """
local handles, named = redis.call('HGETALL', KEYS[3]), 0
for i = 1, #handles, 2 do named = named + (redis.call('HGET', KEYS[2], handles[i]) or 0) end
return {redis.call('ZCARD', KEYS[1]), named, handles}
"""
)


class RedisPresence:
    """Presence that processes share. While Redis is away each knows its own people only."""

    def __init__(self, url: str, lasts: float = LASTS, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Connect to nothing yet; a heartbeat `lasts` so many seconds, `clock` counts those that Redis is away."""
        from redis.asyncio import BlockingConnectionPool, Redis  # noqa: PLC0415  # a quarter of a second, where it is used
        from redis.asyncio.retry import Retry  # noqa: PLC0415  # a quarter of a second, where it is used
        from redis.backoff import NoBackoff  # noqa: PLC0415  # a quarter of a second, where it is used

        self._lasts = lasts
        self._clock = clock
        self._own = MemoryPresence(lasts, clock)
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url, max_connections=CONNECTIONS + 1, timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
            )
        )
        self._scripts = {text: self._redis.register_script(text) for text in (_BEAT, _LEAVE, _CROWD)}
        self._away_until: float | None = None
        self._watches = Watches(self.crowd)
        self._listening: asyncio.Task[None] | None = None

    async def beat(self, room: UUID, visitor: Visitor) -> None:
        """Beat, as `Presence` says."""
        await self._own.beat(room, visitor)
        lasts = round(self._lasts * 1000)
        told = await self._ask(_BEAT, room, visitor.source, visitor.connection, visitor.handle, lasts, visitor.most)
        if not told:
            self._watches.moved(room)

    async def leave(self, room: UUID, visitor: Visitor) -> None:
        """Leave, as `Presence` says."""
        await self._own.leave(room, visitor)
        if not await self._ask(_LEAVE, room, visitor.source, visitor.connection):
            self._watches.moved(room)

    async def crowd(self, room: UUID) -> Crowd:
        """The crowd, as `Presence` says."""
        answer = await self._ask(_CROWD, room)
        if not answer:
            return await self._own.crowd(room)
        visits, named, handles = answer[0]
        people = {UUID(account.decode()): handle.decode() for account, handle in zip(*[iter(handles)] * 2, strict=True)}
        return Crowd(people, visits - named)

    def watch(self, room: UUID) -> Watching:
        """Watch, as `Presence` says."""
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        return self._watches.watch(room)

    async def close(self) -> None:
        """Disconnect."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._redis.aclose()

    async def _ask(self, script: str, room: UUID, *words: Any) -> list[Any]:
        """What Redis says, in a list; an empty one while it is away."""
        if self._away_until is not None and self._clock() < self._away_until:
            return []
        try:
            async with asyncio.timeout(PATIENCE):
                said = await self._scripts[script](_keys(room), [_channel(room), *words])
        except Exception as error:  # noqa: BLE001 - a closed transport is a RuntimeError to uvloop; presence goes on
            if self._away_until is None:
                _log.warning("Redis is away, so each process knows its own people only: %r", error)
            self._away_until = self._clock() + AWAY
            return []
        self._away_until = None
        return [said]

    async def _listen(self) -> None:
        """Hear of the rooms that are watched here from other processes, as long as there are any."""
        while True:
            try:
                async with self._redis.pubsub() as heard:
                    if await self._hear(heard):
                        return
            except Exception as error:  # noqa: BLE001 - as above; rooms are counted again meanwhile, whatever is heard
                _log.warning("Redis is not heard: %r", error)
            await asyncio.sleep(AWAY)

    async def _hear(self, heard: Any) -> bool:
        """Listen until no room is watched."""
        known: dict[bytes, UUID] = {}
        while True:
            wanted = {_channel(room).encode(): room for room in self._watches.rooms}
            come, gone = wanted.keys() - known.keys(), known.keys() - wanted.keys()
            if come:
                await heard.ssubscribe(*come)
                for channel in come:
                    # What was told before this was not heard.
                    self._watches.moved(wanted[channel])
            if gone:
                await heard.sunsubscribe(*gone)
            if known and not wanted:
                return True
            known = wanted
            message = await heard.get_message(timeout=GATHER)
            if message is not None and message["type"] == "smessage" and message["channel"] in known:
                self._watches.moved(known[message["channel"]])


def _keys(room: UUID) -> list[str]:
    return [f"{_channel(room)}:{of}" for of in ("visits", "counts", "handles")]


def _channel(room: UUID) -> str:
    """The channel of a room, and how its keys begin: one slot of a cluster."""
    return f"casset:present:{{{room}}}"
