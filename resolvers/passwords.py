"""Hashing and checking passwords: Argon2id, two at a time, beside the event loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import TooMany
from domain.passwords import LONGEST_PASSWORD, prepared

AT_ONCE = 2
PATIENCE = 1.0
"""Seconds that one waits for its turn."""
Done = TypeVar("Done")


class Passwords:
    """One process's hasher: 19 MiB, two passes, one lane (OWASP)."""

    def __init__(self, *, patience: float = PATIENCE) -> None:
        """Wait at most `patience` seconds for a turn."""
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._patience = patience
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, "password")
        self._nobodys: str | None = None

    async def hashed(self, password: str) -> str:
        """A password as it is kept.

        Raises:
            TooMany: others came first, for too long.
        """
        return await self._in_turn(lambda: self._hasher.hash(prepared(password)))

    async def check(self, encoded: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed; None never is, and takes as long.

        Raises:
            TooMany: others came first, for too long.
        """
        return await self._in_turn(lambda: self._matches(encoded, password)) and encoded is not None

    def _matches(self, encoded: str | None, password: str) -> bool:
        # What an unknown name is checked against, made when anybody is checked first, known or not.
        self._nobodys = self._nobodys or self._hasher.hash(secrets.token_bytes(16))
        try:
            return self._hasher.verify(encoded or self._nobodys, prepared(password[: LONGEST_PASSWORD + 1]))
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], Done]) -> Done:
        try:
            async with asyncio.timeout(self._patience):
                await self._turns.acquire()
        except TimeoutError:
            raise TooMany(self._patience) from None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._turns.release()

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False)
