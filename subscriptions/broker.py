"""What happens, told to whoever hears a topic: the contract, and what one process remembers of a topic.

What is told has a number and is remembered, so that somebody who comes back with the last number they heard goes on
from there. A memory is a copy: it holds the numbers without a gap, or begins anew. What is true stands elsewhere, and
is read there by whoever meets a gap.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

KEPT, KEPT_BYTES = 1_000, 4 << 20
"""Of one topic: how much is remembered, and how far somebody may be behind before they are let go."""


class End(StrEnum):
    """Why somebody hears no more."""

    SLOW = "SLOW"
    """They fell further behind than is remembered."""
    OVER = "OVER"
    """They were told to stop."""


@dataclass(slots=True, eq=False)
class News:
    """Something that is told.

    Attributes:
        id: its number in the topic, from 1.
        body: what is told.
        made: what was made of it, for all in this process who hear it.
    """

    id: int
    body: bytes
    made: dict[Hashable, Any] = field(default_factory=dict)


class Topic:
    """What one process remembers of a topic, and who hears it there."""

    def __init__(self, forget: Callable[[], None]) -> None:
        """Remember nothing yet; `forget` is called when nobody hears it any more."""
        self.last: int | None = None
        self._whole_from = 0
        """The first number from which on nothing is missing."""
        self._kept: deque[News] = deque()
        self._bytes = 0
        self._told = 0
        """How much was ever told: the place of the next news."""
        self._forget = forget
        self._hearings: set[Hearing] = set()

    def hear(self) -> Hearing:
        """Hear what is told from now on."""
        hearing = Hearing(self, self._told)
        self._hearings.add(hearing)
        return hearing

    def leave(self, hearing: Hearing) -> None:
        """Somebody hears it no more."""
        if hearing in self._hearings:
            self._hearings.remove(hearing)
            if not self._hearings:
                self._forget()

    def tell(self, id_: int, body: bytes) -> None:
        """Tell everybody, unless it was told before."""
        if self.last is not None and id_ <= self.last:
            return
        if self.last is None or id_ != self.last + 1:
            self._whole_from = id_
        self.last = id_
        self._kept.append(News(id_, body))
        self._told += 1
        self._bytes += len(body)
        while len(self._kept) > KEPT or self._bytes > KEPT_BYTES:
            gone = self._kept.popleft()
            self._bytes -= len(gone.body)
            self._whole_from = max(self._whole_from, gone.id + 1)
        for hearing in self._hearings:
            hearing.wake()

    def since(self, after: int) -> list[News] | None:
        """What was told after a number; None where that is not known without a gap."""
        if self.last is None or not self._whole_from <= after + 1 <= self.last + 1:
            return None
        return [news for news in self._kept if news.id > after]

    def from_place(self, place: int) -> tuple[Sequence[News] | None, int]:
        """What was told from a place on, and the place after it; None where that is remembered no more."""
        behind = self._told - place
        if behind > len(self._kept):
            return None, self._told
        if behind == 1:
            return (self._kept[-1],), self._told
        return tuple(islice(reversed(self._kept), behind))[::-1], self._told


class Hearing:
    """One who hears a topic. What waits for them is the topic's memory: nothing is kept for each."""

    __slots__ = ("_place", "_topic", "_waiting", "end")

    def __init__(self, topic: Topic, place: int) -> None:
        """Hear what is told from a place on."""
        self._topic = topic
        self._place = place
        self._waiting: asyncio.Future[None] | None = None
        self.end: End | None = None

    async def next(self) -> Sequence[News]:
        """What was told meanwhile, in its order, or as soon as something is; nothing where it has ended."""
        while self.end is None:
            news, self._place = self._topic.from_place(self._place)
            if news is None:
                self.stop(End.SLOW)
            elif news:
                return news
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                try:
                    await self._waiting
                finally:
                    self._waiting = None
        return ()

    def wake(self) -> None:
        """There is something to hear, or nothing any more."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def stop(self, end: End = End.OVER) -> None:
        """Hear no more."""
        if self.end is None:
            self.end = end
            self._topic.leave(self)
            self.wake()


class Broker(Protocol):
    """Tells what happens, in this process and to others."""

    async def publish(self, topic: str, id: int, body: bytes) -> None:
        """Tell everybody who hears a topic, once.

        A number that was told is not told again: several may tell what all of them have read. Numbers grow by one;
        where one is left out, the memory begins anew.
        """

    async def subscribe(self, topic: str) -> Hearing:
        """Hear a topic from now on, until `stop`. What others remember of it is remembered here meanwhile."""

    def since(self, topic: str, after: int) -> Sequence[News] | None:
        """What was told after a number, of a topic that is heard here; None where that is not known without a gap."""

    def last(self, topic: str) -> int | None:
        """The last number that was told, of a topic that is heard here; None where none is known."""

    async def close(self) -> None:
        """Let go of what was opened."""
