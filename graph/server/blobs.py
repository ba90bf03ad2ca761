"""Where bytes are stored: in a folder, each file named by the SHA-256 of its bytes.

A name is 64 hexadecimal digits and nothing else, files are opened below the folder's own descriptor, and no link is
followed: whatever somebody asks for, nothing outside is met. Bytes on their way in have another name until all of them
are on the disk; what a process that died has left of them is swept away when the next one begins.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from resolvers.blobs import Blob, Kept, sha256_of
from resolvers.context import uuid7

PIECE = 1 << 20
READ = 256 * 1024
"""Bytes that are read for a client at a time."""
ABANDONED = 24 * 60 * 60
"""Seconds after which bytes on their way in will not go on coming."""
LISTED = 1000
"""Blobs that are listed at a time."""
NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
_INCOMING = "incoming-"


class FolderBlobs:
    """Blobs in a folder that only its owner enters."""

    def __init__(self, folder: Path) -> None:
        """Make the folder when it is first needed."""
        self._path = folder
        self._descriptor: int | None = None

    @property
    def _folder(self) -> int:
        if self._descriptor is None:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            self._sweep()
        return self._descriptor

    def _sweep(self) -> None:
        for entry in os.scandir(self._path):
            if entry.name.startswith(_INCOMING):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < time.time() - ABANDONED:
                        os.unlink(entry.name, dir_fd=self._descriptor)

    @asynccontextmanager
    async def receive(self) -> AsyncIterator[FolderIncoming]:
        """Take bytes; what is not kept in the end is gone."""
        folder = self._folder
        name = f"{_INCOMING}{uuid7()}"
        descriptor = os.open(
            name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
        )
        with os.fdopen(descriptor, "w+b", buffering=0) as file:
            try:
                yield FolderIncoming(file, folder, name)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)

    async def size(self, sha256: str) -> int:
        """How many bytes there are, as `open` finds them."""
        with await self.open(sha256) as file:
            return os.fstat(file.fileno()).st_size

    async def read(self, sha256: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes between two, a piece at a time, beside the event loop."""
        with await self.open(sha256) as file:
            while begin < end:
                piece = await asyncio.to_thread(os.pread, file.fileno(), min(READ, end - begin), begin)
                if not piece:
                    raise OSError("the object is shorter than it was")
                begin += len(piece)
                yield piece

    async def open(self, sha256: str) -> BinaryIO:
        """A file with the bytes.

        Raises:
            FileNotFoundError: they are not there, or that is no name of ours.
        """
        if NAME.fullmatch(sha256) is None:
            raise FileNotFoundError(sha256[:64])
        descriptor = os.open(sha256, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        return os.fdopen(descriptor, "rb", buffering=0)

    async def stored(self) -> AsyncIterator[Sequence[Blob]]:
        """All that is there, a thousand at a time."""
        with os.scandir(self._folder) as entries:
            while some := await asyncio.to_thread(lambda: list(islice(entries, LISTED))):
                yield [
                    Blob(entry.name, stat.st_size, _moment(stat))
                    for entry in some
                    if NAME.fullmatch(entry.name) and (stat := _stat(self._folder, entry.name)) is not None
                ]

    async def since(self, sha256: str) -> datetime | None:
        """When bytes came last; None where they are not there."""
        stat = _stat(self._folder, sha256) if NAME.fullmatch(sha256) else None
        return None if stat is None else _moment(stat)

    async def remove(self, sha256: str) -> None:
        """Take bytes away, if they are there."""
        if NAME.fullmatch(sha256):
            with suppress(FileNotFoundError):
                os.unlink(sha256, dir_fd=self._folder)

    async def tidy(self) -> None:
        """Take away what was begun to be written a day ago."""
        await asyncio.to_thread(self._sweep)

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _stat(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _moment(stat: os.stat_result) -> datetime:
    return datetime.fromtimestamp(stat.st_mtime, UTC)


class Arriving:
    """Bytes on their way in: hashed and written beside the event loop, a piece at a time."""

    def __init__(self, file: BinaryIO) -> None:
        """Write into an open file."""
        self.file = file
        self._hash = hashlib.sha256()
        self._written = 0
        self._piece = bytearray()

    async def write(self, data: bytes) -> None:
        """Take more."""
        self._piece += data
        if len(self._piece) >= PIECE:
            await self.flush()

    async def flush(self) -> None:
        """Write what was held back."""
        piece, self._piece = bytes(self._piece), bytearray()
        await asyncio.to_thread(self._write, piece)

    def _write(self, piece: bytes) -> None:
        self._hash.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self.file.write(rest) :]
        self._written += len(piece)

    async def whole(self) -> Kept:
        """Their hash and their number, when all of them are in the file."""
        await self.flush()
        size = os.fstat(self.file.fileno()).st_size
        # What somebody else wrote into the file, such as a decoder, was not hashed on the way.
        ours = size == self._written
        return Kept(self._hash.hexdigest() if ours else await asyncio.to_thread(sha256_of, self.file), size)


class FolderIncoming(Arriving):
    """Bytes on their way into a folder."""

    def __init__(self, file: BinaryIO, folder: int, name: str) -> None:
        """Write into an open file, which has this name for now."""
        super().__init__(file)
        self._folder = folder
        self._name = name

    async def keep(self) -> Kept:
        """Store the bytes under their hash, on the disk, all or nothing."""
        kept = await self.whole()
        await asyncio.to_thread(self._settle, kept.sha256)
        return kept

    def _settle(self, name: str) -> None:
        os.fsync(self.file.fileno())
        os.rename(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        os.fsync(self._folder)
