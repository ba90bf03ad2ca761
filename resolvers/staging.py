"""What is asked of a store that takes bytes by itself, beside this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol


class Staging(Protocol):
    """A store that takes bytes by itself."""

    async def address(self, name: str, lasts: timedelta) -> str:
        """Where bytes may be sent with PUT, for a while, to be kept under a name for now."""

    async def staged_size(self, name: str) -> int:
        """How many bytes were sent; FileNotFoundError where none were."""

    def staged(self, name: str) -> AsyncIterator[bytes]:
        """The bytes that were sent, a piece at a time."""

    async def clear(self, name: str) -> None:
        """Take away what was sent, if anything was."""
