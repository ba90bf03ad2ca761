"""Requests that this process sends to others: what comes back is bounded. Imported where one is sent."""

from __future__ import annotations

import ssl
from typing import Final

import httpx2

LARGEST_ANSWER: Final = 256 * 1024


class Bounded(httpx2.AsyncBaseTransport):
    """A transport that takes answers up to a size, as they are: what is compressed has no size that could be known."""

    def __init__(self, context: ssl.SSLContext) -> None:
        """Trust whom the context trusts."""
        self._inner = httpx2.AsyncHTTPTransport(verify=context)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask, and read the answer to its end."""
        request.headers["accept-encoding"] = "identity"
        answer = await self._inner.handle_async_request(request)
        body = bytearray()
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise httpx2.DecodingError("The answer is compressed.", request=request)
            async for part in answer.aiter_raw():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise httpx2.ReadError("The answer is too long.", request=request)
        finally:
            await answer.aclose()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=bytes(body))

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._inner.aclose()
