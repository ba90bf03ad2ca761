"""Our cookies: the session's, and that of a flow to another house and back. How they are named, read and set.

Anywhere but on this machine a name begins with `__Host-`, which no neighbouring host can plant and which travels by
HTTPS alone. On this machine there is no HTTPS, and the name is plain; it counts nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from domain.identities import FLOW_LASTS

_LOCAL = re.compile(rb"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?", re.IGNORECASE)
"""The hosts by which a browser on this machine knows it."""

Header = tuple[bytes, bytes]


class Cookie(Enum):
    """A cookie of ours: its plain name, and how many seconds a browser keeps it.

    A session's as long as browsers keep any; what is behind it ends when it does.
    """

    SESSION = (b"casset_session", 400 * 24 * 60 * 60)
    FLOW = (b"casset_flow", int(FLOW_LASTS.total_seconds()))


def session_cookie(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The session's secret."""
    return cookie(headers, Cookie.SESSION)


def cookie(headers: Mapping[bytes, bytes], which: Cookie) -> bytes | None:
    """The secret in a cookie, out of `name=value` pairs (RFC 6265 section 4.2.1)."""
    sent = headers.get(b"cookie")
    if sent is None:
        return None
    given = dict(pair.strip().partition(b"=")[::2] for pair in sent.split(b";"))
    name, _ = which.value
    found = given.get(b"__Host-" + name)
    return given.get(name) if found is None and _is_here(headers) else found


def keeping(headers: Mapping[bytes, bytes], secret: str, which: Cookie = Cookie.SESSION) -> Header:
    """The header that hands a browser a secret; an empty one makes it forget.

    `Lax`: it comes along where somebody is led here by another house with GET, and not where another page sends a form.
    """
    name, seconds = which.value
    prefix, secure = (b"", b"") if _is_here(headers) else (b"__Host-", b"; Secure")
    told = secret.encode("ascii"), seconds if secret else 0, secure
    return b"set-cookie", b"%b=%b; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%b" % (prefix + name, *told)


def _is_here(headers: Mapping[bytes, bytes]) -> bool:
    return _LOCAL.fullmatch(headers.get(b"host", b"")) is not None
