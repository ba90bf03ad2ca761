"""Who asks: the viewer a session stands for, and the actor whose bucket pays.

A session's secret comes as a bearer token, or in a cookie. A cookie is sent by browsers whatever page asks them to, so
it counts only beside a header that no page may send elsewhere without asking first (a preflight, which `Guard` grants
to trusted origins only); on a WebSocket `Guard` has taken it off where the origin is not trusted.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from db.accounts import viewer_of_session
from db.engine import Database
from domain.accounts import ANONYMOUS, Viewer
from domain.errors import Code
from graph.limits import ANONYMOUS as ANONYMOUS_LIMITS
from graph.limits import KNOWN, Limits
from graph.server.requests import RequestRefused, Scope

COOKIES = (b"__Host-casset_session", b"casset_session")
"""The session's cookie; the second name is for this machine, where there is no HTTPS."""
PREFLIGHT_HEADERS = (b"x-requested-with", b"apollo-require-preflight", b"x-apollo-operation-name")
"""Any one of them shows that a request was not made by somebody else's page."""


class Actor(NamedTuple):
    """Who asks.

    Attributes:
        viewer: what they may see and do.
        key: whose bucket pays: the account, or the address of an unknown caller.
    """

    viewer: Viewer
    key: str

    @property
    def limits(self) -> Limits:
        """What one document of theirs may come to."""
        return ANONYMOUS_LIMITS if self.viewer is ANONYMOUS else KNOWN


async def actor_of(
    scope: Scope, headers: Mapping[bytes, bytes], database: Database, *, token: str | None = None
) -> Actor:
    """Who sent a request.

    Args:
        scope: of the connection.
        headers: of the request.
        database: knows the sessions.
        token: a bearer token that came another way, such as in the first message of a WebSocket.

    Raises:
        RequestRefused: the token is not good, or a cookie came without its header.
    """
    client = scope.get("client")
    secret = _secret(headers, token, needs_header=scope["type"] == "http")
    if secret is None:
        return Actor(ANONYMOUS, f"address:{_network(client[0]) if client else 'none'}")
    secret_hash = hashlib.sha256(secret).digest()
    viewer = await viewer_of_session(database, secret_hash, from_loopback=is_loopback(client))
    if viewer is None:
        challenge = ((b"www-authenticate", b"Bearer"),)
        raise RequestRefused(401, Code.UNAUTHENTICATED, "The token is not good, or not any more.", challenge)
    return Actor(viewer, f"account:{viewer.account}")


def _secret(headers: Mapping[bytes, bytes], token: str | None, *, needs_header: bool) -> bytes | None:
    """The secret a request carries; None where it carries none."""
    if token is not None:
        return token.encode()
    authorization = headers.get(b"authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(b" ")
        # Another scheme is not a token of ours: it matches nothing.
        return secret.strip() if scheme.lower() == b"bearer" else b""
    cookie = headers.get(b"cookie")
    held = _session_cookie(cookie) if cookie is not None else None
    if held is not None and needs_header and not any(name in headers for name in PREFLIGHT_HEADERS):
        raise RequestRefused(403, Code.FORBIDDEN, "Beside a session's cookie, send the header X-Requested-With.")
    return held


def _session_cookie(cookie: bytes) -> bytes | None:
    """The session's cookie out of `name=value` pairs (RFC 6265 section 4.2.1)."""
    given = dict(pair.strip().partition(b"=")[::2] for pair in cookie.split(b";"))
    return next((given[name] for name in COOKIES if name in given), None)


def is_loopback(client: tuple[str, int] | None) -> bool:
    """Whether the other end of the connection is this machine."""
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    """An IPv4 address, or the /64 one customer holds of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return (
        str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False)) if parsed.version == 6 else address
    )
