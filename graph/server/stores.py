"""Where bytes are stored elsewhere: in S3, or whatever else obstore speaks to, by a URL."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from domain.errors import Unavailable
from graph.server.blobs import NAME, PIECE, READ, Arriving
from resolvers.media import Kept


class StoreBlobs:
    """Blobs in a bucket; its name and prefix are in the URL, who may enter it is in the variables of the provider."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._store: ObjectStore = from_url(url)

    @asynccontextmanager
    async def receive(self) -> AsyncIterator[StoreIncoming]:
        """Take bytes, into a file that has no name; what is not kept in the end is gone."""
        with tempfile.TemporaryFile(buffering=0) as file:
            yield StoreIncoming(file, self._store)

    async def size(self, sha256: str) -> int:
        """How many bytes there are; FileNotFoundError where they are not there."""
        try:
            return int((await obstore.head_async(self._store, _checked(sha256)))["size"])
        except BaseError as error:
            raise _away() from error

    async def read(self, sha256: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes between two, a piece at a time."""
        while begin < end:
            upto = min(begin + READ, end)
            yield bytes(await obstore.get_range_async(self._store, _checked(sha256), start=begin, end=upto))
            begin = upto

    async def open(self, sha256: str) -> BinaryIO:
        """A file with the bytes, fetched for whoever reads all of them."""
        try:
            found = await obstore.get_async(self._store, _checked(sha256))
            file: BinaryIO = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # whoever asked closes it
            async for piece in found.stream(min_chunk_size=PIECE):
                await asyncio.to_thread(file.write, bytes(piece))
        except BaseError as error:
            raise _away() from error
        file.seek(0)
        return file

    def close(self) -> None:
        """Nothing is held."""


class StoreIncoming(Arriving):
    """Bytes on their way into a bucket."""

    def __init__(self, file: BinaryIO, store: ObjectStore) -> None:
        """Write into an open file first: the name of the bytes is known when they are all there."""
        super().__init__(file)
        self._store = store

    async def keep(self) -> Kept:
        """Store the bytes under their hash, all or nothing."""
        kept = await self.whole()
        self.file.seek(0)
        try:
            await obstore.put_async(self._store, kept.sha256, self.file)
        except BaseError as error:
            raise _away() from error
        return kept


def _checked(sha256: str) -> str:
    if NAME.fullmatch(sha256) is None:
        raise FileNotFoundError(sha256[:64])
    return sha256


def _away() -> Unavailable:
    return Unavailable("The files are away for a moment. Try again.")
