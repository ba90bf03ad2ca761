"""The broker of one process. A topic is remembered while somebody hears it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from subscriptions.broker import Hearing, News, Topic


class MemoryBroker:
    """Tells what happens in this process."""

    def __init__(self, forgotten: Callable[[str], None] = lambda _: None) -> None:
        """Begin with nothing; `forgotten` is told of topics that nobody hears any more."""
        self._topics: dict[str, Topic] = {}
        self._forgotten = forgotten

    async def publish(self, topic: str, id: int, body: bytes) -> None:
        """Tell everybody, as `Broker` says."""
        self.tell(topic, id, body)

    def tell(self, topic: str, id: int, body: bytes) -> None:
        """The same, at once."""
        heard = self._topics.get(topic)
        if heard is not None:
            heard.tell(id, body)

    async def subscribe(self, topic: str) -> Hearing:
        """Hear a topic, as `Broker` says."""
        return self.hear(topic)

    def hear(self, topic: str) -> Hearing:
        """The same, at once."""
        heard = self._topics.get(topic)
        if heard is None:
            heard = self._topics[topic] = Topic(lambda: self._forget(topic))
        return heard.hear()

    def since(self, topic: str, after: int) -> Sequence[News] | None:
        """What was told after a number, as `Broker` says."""
        heard = self._topics.get(topic)
        return None if heard is None else heard.since(after)

    def last(self, topic: str) -> int | None:
        """The last number, as `Broker` says."""
        heard = self._topics.get(topic)
        return None if heard is None else heard.last

    @property
    def topics(self) -> Sequence[str]:
        """What is heard here."""
        return tuple(self._topics)

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _forget(self, topic: str) -> None:
        del self._topics[topic]
        self._forgotten(topic)
