"""`multipart/form-data` as it streams by (RFC 7578): small fields, and files that are never held as a whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from domain.errors import BadInput

LONGEST_HEAD = 8 * 1024
LONGEST_FIELD = 1024
MOST_PARTS = 16
_BOUNDARY = re.compile(
    r'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE | re.ASCII
)
_NAME = re.compile(
    rb'^content-disposition\s*:\s*form-data\b.*?;\s*name="([^"\r\n]{0,100})"', re.IGNORECASE | re.MULTILINE
)


def boundary_of(content_type: str) -> bytes | None:
    """The boundary; None where it is another type.

    Raises:
        BadInput: it is this type, without one.
    """
    if not content_type.lower().lstrip().startswith("multipart/"):
        return None
    match = _BOUNDARY.match(content_type.strip())
    if match is None:
        raise BadInput("Send multipart/form-data with its boundary.")
    return (match[1] or match[2]).encode()


@dataclass(slots=True)
class Part:
    """One part: its name, and its bytes, to be read before the next one."""

    name: str
    data: AsyncIterator[bytes]

    async def text(self) -> str:
        """A short field.

        Raises:
            BadInput: it is longer, or no text.
        """
        value = b""
        async for piece in self.data:
            value += piece
            if len(value) > LONGEST_FIELD:
                raise BadInput(f"The field {self.name!r} is too long.")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise BadInput(f"The field {self.name!r} is no text in UTF-8.") from None


class Parts:
    """The parts of a body."""

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        """Read nothing yet."""
        self._body = body
        self._mark = b"\r\n--" + boundary
        # So that the first boundary looks like all others.
        self._held = bytearray(b"\r\n")
        # What stands before the first one is for nobody.
        self._current = self._until(self._mark)
        self._count = 0

    async def following(self) -> Part | None:
        """The next part; what is left of the one before is skipped. None after the last one.

        Raises:
            BadInput: the body is no such body.
        """
        async for _ in self._current:
            pass
        self._count += 1
        if self._count > MOST_PARTS:
            raise BadInput(f"There are more than {MOST_PARTS} parts.")
        if await self._take(2) == b"--":
            return None
        match = _NAME.search(await self._head())
        if match is None:
            raise BadInput("A part has no name.")
        self._current = self._until(self._mark)
        return Part(match[1].decode("utf-8", "replace"), self._current)

    async def _head(self) -> bytes:
        head = b""
        async for piece in self._until(b"\r\n\r\n"):
            head += piece
            if len(head) > LONGEST_HEAD:
                raise BadInput("The head of a part is too long.")
        return head

    async def _more(self) -> None:
        try:
            self._held += await anext(self._body)
        except StopAsyncIteration:
            raise BadInput("The body ends in the middle of a part.") from None

    async def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            await self._more()
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    async def _until(self, mark: bytes) -> AsyncIterator[bytes]:
        """The bytes before a mark, which is taken too."""
        while (found := self._held.find(mark)) < 0:
            ready = len(self._held) - len(mark) + 1
            if ready > 0:
                yield await self._take(ready)
            await self._more()
        if found:
            yield await self._take(found)
        await self._take(len(mark))
