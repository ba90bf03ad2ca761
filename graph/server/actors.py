"""Who asks: the viewer that a session or a key stands for, and the actor whose bucket pays.

A key comes as a bearer token, a session's secret too, or in a cookie. A cookie is sent by browsers whatever page asks
them to, so it counts only beside a header that no page may send elsewhere without asking first (a preflight, which
`Guard` grants to trusted origins only); on a WebSocket `Guard` has taken it off where the origin is not trusted.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from db.accounts import viewer_of_session
from db.engine import Database
from db.keys import viewer_of_key
from domain.accounts import ANONYMOUS, Viewer, allow
from domain.errors import Code, Forbidden
from domain.keys import KeyScope, is_key
from graph.limits import ANONYMOUS as ANONYMOUS_LIMITS
from graph.limits import KNOWN, Limits
from graph.server.cookies import Header, keeping, session_cookie
from graph.server.requests import RequestRefused, Scope

PREFLIGHT_HEADERS = (b"x-requested-with", b"apollo-require-preflight", b"x-apollo-operation-name")
"""Any one of them shows that a request was not made by somebody else's page."""
QUESTIONS = frozenset({"permissionCheck", "hypotheticalRights"})
"""The fields of the root that a key asks with CHECK, and not with READ."""


class Actor(NamedTuple):
    """Who asks.

    Attributes:
        viewer: what they may see and do.
        key: whose bucket pays: the account, the agent's key, or the address of an unknown caller.
        session: the hash of the session's secret that came along.
    """

    viewer: Viewer
    key: str
    session: bytes | None = None

    @property
    def limits(self) -> Limits:
        """What one document of theirs may come to."""
        return ANONYMOUS_LIMITS if self.viewer is ANONYMOUS else KNOWN

    def check_any(self, scopes: Collection[KeyScope], *, writes: bool) -> None:
        """Let a key do what one of some scopes is enough for; none of them: what only a person does.

        Raises:
            RequestRefused: it has none of them.
        """
        lacking = None
        wanted: Iterable[KeyScope | None] = sorted(scopes) or (None,)
        for scope in wanted:
            try:
                allow(self.viewer, scope, writes=writes)
            except Forbidden as refused:
                lacking = refused
            else:
                return
        if lacking is not None:
            raise RequestRefused(403, lacking.code, lacking.message)

    def check_scopes(self, roots: Iterable[str]) -> None:
        """Let a key read what its scopes name. What it may write, each mutation says for itself.

        Args:
            roots: the fields of `Query` that are asked for.

        Raises:
            RequestRefused: one of them is beyond the key.
        """
        try:
            for name in roots:
                allow(self.viewer, KeyScope.CHECK if name in QUESTIONS else KeyScope.READ)
        except Forbidden as refused:
            raise RequestRefused(403, refused.code, refused.message) from None


async def actor_of(
    scope: Scope,
    headers: Mapping[bytes, bytes],
    database: Database,
    *,
    token: str | None = None,
    embedded: bool = False,
) -> Actor:
    """Who sent a request.

    Args:
        scope: of the connection.
        headers: of the request.
        database: knows the sessions and the keys.
        token: a bearer token that came another way, such as in the first message of a WebSocket.
        embedded: a page shows the answer as it shows an image, for which no browser can be asked to send a header.

    Raises:
        RequestRefused: the token is not good, or a cookie came without its header.
    """
    given = _bearer(headers, token)
    if given is not None and is_key(given.decode("latin-1")):
        holder = await viewer_of_key(database, hashlib.sha256(given).digest())
        if holder is not None:
            return Actor(holder.viewer, f"key:{holder.id}")
        raise _not_good()
    secret = _cookie(headers, needs_header=scope["type"] == "http" and not embedded) if given is None else given
    if secret is None:
        return Actor(ANONYMOUS, address_of(scope))
    secret_hash = hashlib.sha256(secret).digest()
    viewer = await viewer_of_session(database, secret_hash, from_loopback=_is_local(scope, headers))
    if viewer is None:
        # A cookie that scripts cannot take off would keep its owner from signing in again.
        raise _not_good(*() if given is not None else (keeping(headers, ""),))
    return Actor(viewer, f"account:{viewer.account}", secret_hash)


def _not_good(*headers: Header) -> RequestRefused:
    challenge = (b"www-authenticate", b"Bearer")
    said = "The token is not good, or not any more."
    return RequestRefused(401, Code.UNAUTHENTICATED, said, (challenge, *headers))


def address_of(scope: Scope) -> str:
    """The bucket of a connection's address: who pays where nobody is known."""
    client = scope.get("client")
    return f"address:{_network(client[0]) if client else 'none'}"


def _bearer(headers: Mapping[bytes, bytes], token: str | None) -> bytes | None:
    """The token a request carries; None where it carries none."""
    if token is not None:
        return token.encode()
    authorization = headers.get(b"authorization")
    if authorization is None:
        return None
    scheme, _, secret = authorization.partition(b" ")
    # Another scheme is not a token of ours: it matches nothing.
    return secret.strip() if scheme.lower() == b"bearer" else b""


def _cookie(headers: Mapping[bytes, bytes], *, needs_header: bool) -> bytes | None:
    """The secret in a request's cookie; None where it has none."""
    held = session_cookie(headers)
    if held is not None and needs_header and not any(name in headers for name in PREFLIGHT_HEADERS):
        raise RequestRefused(403, Code.FORBIDDEN, "Beside a session's cookie, send the header X-Requested-With.")
    return held


def _is_local(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request comes from this machine, and was passed on by nobody: a proxy lives here too."""
    passed_on = b"x-forwarded-for" in headers or b"forwarded" in headers
    return not passed_on and is_loopback(scope.get("client"))


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
