"""A small cache: what was used lately is kept, the rest is made again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any


class Unmade(Exception):
    """What is asked for is not kept, and who asks has no time for it to be made."""


class Kept:
    """Keeps the most recently used entries only. For several threads: making keeps nobody from what is kept.

    Two that miss the same entry at the same time both make it.
    """

    def __init__(self, most: int, weigh: Callable[[Any], int] = lambda _: 1) -> None:
        """Keep entries of so much weight in all; the newest one, whatever it weighs."""
        self._most = most
        self._weigh = weigh
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def __len__(self) -> int:
        """The entries."""
        return len(self._entries)

    def get(self, key: Hashable) -> Any:
        """The entry; None where it is missing."""
        with self._lock:
            kept = self._entries.get(key)
            if kept is None:
                return None
            self._entries.move_to_end(key)
            return kept[0]

    def recall(self, key: Hashable, make: Callable[[], Any], *, quick: bool = False) -> Any:
        """Answer the entry, made where it is missing.

        Raises:
            Unmade: it is missing, and all has to be `quick`.
        """
        kept = self.get(key)
        if kept is not None:
            return kept
        if quick:
            raise Unmade
        made = make()
        weight = self._weigh(made)
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._entries[key] = made, weight
            self._weight += weight - (replaced[1] if replaced else 0)
            while self._weight > self._most and len(self._entries) > 1:
                self._weight -= self._entries.popitem(last=False)[1][1]
        return made
