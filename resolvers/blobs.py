"""Where the bytes of media are stored, as those who use them see it: each under the SHA-256 of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, Protocol

from db.blobs import hold_bytes
from domain.errors import Unavailable

_PIECE = 1 << 20


class Kept(NamedTuple):
    """Bytes that are stored under their SHA-256."""

    sha256: str
    size: int


class Incoming(Protocol):
    """Bytes on their way in: nobody finds them before they are kept."""

    file: BinaryIO

    async def write(self, data: bytes) -> None:
        """Take more."""

    async def flush(self) -> None:
        """Have all that came in the file."""

    async def keep(self) -> Kept:
        """Store them for good, all or nothing."""


class Blob(NamedTuple):
    """Bytes that are stored: their SHA-256, how many they are, and when they came last."""

    sha256: str
    size: int
    since: datetime


class Blobs(Protocol):
    """Where bytes are stored, each under the SHA-256 of all of them."""

    def receive(self) -> AbstractAsyncContextManager[Incoming]:
        """Begin to take bytes; what is not kept in the end is gone."""

    async def size(self, sha256: str) -> int:
        """How many bytes there are; FileNotFoundError where they are not there."""

    def read(self, sha256: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes between two, a piece at a time."""

    async def open(self, sha256: str) -> BinaryIO:
        """A real file with the bytes; FileNotFoundError where they are not there."""

    def stored(self) -> AsyncIterator[Sequence[Blob]]:
        """All that is there, some at a time."""

    async def since(self, sha256: str) -> datetime | None:
        """When bytes came last; None where they are not there."""

    async def remove(self, sha256: str) -> None:
        """Take bytes away for good, if they are there."""

    async def tidy(self) -> None:
        """Take away what dead processes have begun to write."""

    def close(self) -> None:
        """Let go of what is held; it is taken again when it is needed."""


async def hold_blob(connection: Any, blobs: Blobs, sha256: str) -> None:
    """Keep bytes that were stored from being cleared away, before a row names them; until commit.

    Raises:
        Unavailable: they were cleared away since they were stored.
    """
    await hold_bytes(connection, sha256)
    try:
        await blobs.size(sha256)
    except FileNotFoundError:
        raise Unavailable("The file was cleared away before it was used. Send it again.") from None


def sha256_of(file: BinaryIO) -> str:
    """The SHA-256 of a whole file, in hexadecimal digits."""
    file.seek(0)
    found = hashlib.sha256()
    while piece := file.read(_PIECE):
        found.update(piece)
    return found.hexdigest()
