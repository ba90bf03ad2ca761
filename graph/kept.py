"""A small cache: what was used lately is kept, the rest is made again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class Kept(OrderedDict[Any, Any]):
    """A dictionary that keeps the most recently used entries only."""

    def __init__(self, most: int) -> None:
        """Keep at most so many."""
        super().__init__()
        self._most = most

    def recall(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Answer the entry, made where it is missing."""
        if key in self:
            self.move_to_end(key)
        else:
            self[key] = make()
            if len(self) > self._most:
                self.popitem(last=False)
        return self[key]
