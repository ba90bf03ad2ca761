"""What the routes beside `/graphql` have in common: who asks and pays, and refusals as problems (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from db.engine import Database
from domain.accounts import Viewer
from domain.errors import BadRange, CassetError, Code, TooMany, Unavailable
from graph.server.actors import Actor, actor_of, address_of
from graph.server.buckets import Buckets, MemoryBuckets, RedisBuckets
from graph.server.guard import PROBLEM_TYPE, problem
from graph.server.requests import RequestRefused
from graph.server.settings import Settings
from resolvers.callers import Caller
from resolvers.context import Acting, now, uuid7

MINUTE = 60.0
_STATUSES: Final = {
    Code.BAD_USER_INPUT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PAYMENT_REQUIRED: 402,
    Code.POLICY_DENIED: 403,
    Code.TOKEN_EXPIRED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.LINEAGE_CYCLE: 409,
    Code.TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA: 415,
    Code.RANGE: 416,
    Code.VALIDATION: 422,
    Code.IDEMPOTENCY_MISMATCH: 422,
    Code.RATE_LIMIT: 429,
    Code.NOT_OFFERED: 501,
    Code.UNAVAILABLE: 503,
}
UNCACHED: Final = {"cache-control": "no-store"}


def status_of(code: Code) -> int:
    """The status of HTTP that a code has."""
    return _STATUSES.get(code, 400)


def refusal(error: CassetError) -> Response:
    """An error of ours as a problem."""
    headers = dict(UNCACHED)
    if isinstance(error, TooMany):
        headers["retry-after"] = str(math.ceil(error.seconds))
    elif isinstance(error, Unavailable):
        headers["retry-after"] = "1"
    elif isinstance(error, BadRange):
        headers["content-range"] = f"bytes */{error.size}"
    status = status_of(error.code)
    return Response(problem(status, error.message, error.code), status, headers, PROBLEM_TYPE)


async def _refused(_: Request, error: Exception) -> Response:
    if isinstance(error, RequestRefused):
        headers = {name.decode(): value.decode() for name, value in error.headers}
        return Response(
            problem(error.status, error.message, error.code), error.status, UNCACHED | headers, PROBLEM_TYPE
        )
    if not isinstance(error, CassetError):
        raise error
    return refusal(error)


REFUSAL_HANDLERS: Final[dict[Any, ExceptionHandler]] = {CassetError: _refused, RequestRefused: _refused}
"""For `Starlette(exception_handlers=…)`."""


class Allowance(NamedTuple):
    """How often something may be done: so many at once, and so many in a minute after that."""

    what: str
    buckets: Buckets

    async def take(self, actor: Actor) -> None:
        """Count one.

        Raises:
            TooMany: there were enough.
        """
        await paid(self.buckets, f"{self.what}:{actor.key}", 1)

    async def close(self) -> None:
        """Let go of what counts."""
        if isinstance(self.buckets, RedisBuckets):
            await self.buckets.close()


def allowance(settings: Settings, what: str, a_minute: int) -> Allowance:
    """So many a minute for each actor, counted here, or over Redis with other processes."""
    if settings.redis_url is None:
        return Allowance(what, MemoryBuckets(a_minute, a_minute / MINUTE))
    return Allowance(what, RedisBuckets(settings.redis_url, a_minute, a_minute / MINUTE))


class Reception:
    """Knows who comes to a route, and gives them hands."""

    def __init__(self, database: Database) -> None:
        """Know those whom a database knows."""
        self.database = database

    async def actor(self, request: Request, *, embedded: bool = False) -> Actor:
        """Who asks.

        Args:
            request: what they ask.
            embedded: a page shows what is answered, as an image: its browser sends a cookie and can send no header. It
                is a read, and `SameSite` keeps the cookie from what other sites show.

        Raises:
            RequestRefused: the token is not good, or a cookie came without its header.
        """
        headers: Mapping[bytes, bytes] = dict(request.headers.raw)
        return await actor_of(request.scope, headers, self.database, embedded=embedded)

    def acting(self, viewer: Viewer, caller: Caller | None = None) -> Acting:
        """Hands; of a caller where somebody may sign in or out."""
        return Acting(self.database, viewer, now, uuid7, caller)


async def paid(buckets: Buckets, key: str, points: int) -> None:
    """Take points of an actor.

    Raises:
        TooMany: there are too few.
    """
    balance = await buckets.take(key, points)
    if balance.wait_seconds:
        raise TooMany(balance.wait_seconds)


def address(request: Request) -> str:
    """The bucket of whoever comes with no name."""
    return address_of(request.scope)
