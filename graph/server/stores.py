"""Where bytes are stored elsewhere: in S3, or whatever else obstore speaks to, by a URL."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import BinaryIO, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store, from_url

from domain.errors import Unavailable
from graph.server.blobs import LISTED, NAME, PIECE, READ, Arriving
from resolvers.blobs import Blob, Kept


class StoreBlobs:
    """Blobs in a bucket; its name and prefix are in the URL, who may enter it is in the variables of the provider."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._store: ObjectStore = from_url(url)

    @property
    def takes_by_itself(self) -> bool:
        """Whether the store signs addresses to send to."""
        return isinstance(self._store, S3Store | GCSStore | AzureStore)

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

    async def stored(self) -> AsyncIterator[Sequence[Blob]]:
        """All that is there, a thousand at a time; what was sent and is not looked at is none of it."""
        try:
            async for some in obstore.list(self._store, chunk_size=LISTED):
                yield [
                    Blob(each["path"], each["size"], each["last_modified"])
                    for each in some
                    if NAME.fullmatch(each["path"])
                ]
        except BaseError as error:
            raise _away() from error

    async def since(self, sha256: str) -> datetime | None:
        """When bytes came last; None where they are not there."""
        try:
            return (await obstore.head_async(self._store, _checked(sha256)))["last_modified"]
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _away() from error

    async def remove(self, sha256: str) -> None:
        """Take bytes away, if they are there."""
        await self._delete(_checked(sha256))

    async def tidy(self) -> None:
        """Nothing: what dead processes have begun to write had no name."""

    async def address(self, name: str, lasts: timedelta) -> str:
        """Where bytes may be sent with PUT."""
        try:
            return await obstore.sign_async(
                cast("S3Store | GCSStore | AzureStore", self._store), "PUT", _staged(name), lasts
            )
        except BaseError as error:
            raise _away() from error

    async def staged_size(self, name: str) -> int:
        """How many bytes were sent; FileNotFoundError where none were."""
        try:
            return int((await obstore.head_async(self._store, _staged(name)))["size"])
        except BaseError as error:
            raise _away() from error

    async def staged(self, name: str) -> AsyncIterator[bytes]:
        """The bytes that were sent, a piece at a time."""
        try:
            found = await obstore.get_async(self._store, _staged(name))
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)
        except BaseError as error:
            raise _away() from error

    async def clear(self, name: str) -> None:
        """Take away what was sent, if anything was."""
        await self._delete(_staged(name))

    async def _delete(self, path: str) -> None:
        try:
            await obstore.delete_async(self._store, path)
        except FileNotFoundError:
            pass
        except BaseError as error:
            raise _away() from error

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


def _staged(name: str) -> str:
    """In a folder of its own, so that no name of a blob is sent to from outside."""
    return f"staged/{uuid.UUID(hex=name).hex}"


def _checked(sha256: str) -> str:
    if NAME.fullmatch(sha256) is None:
        raise FileNotFoundError(sha256[:64])
    return sha256


def _away() -> Unavailable:
    return Unavailable("The files are away for a moment. Try again.")
