"""The session's cookie: its two names, how it is read, set and forgotten.

Anywhere but on this machine it is `__Host-casset_session`, which no neighbouring host can plant and which travels by
HTTPS alone. On this machine there is no HTTPS, and it is `casset_session`; that name counts nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ELSEWHERE, _HERE = b"__Host-casset_session", b"casset_session"
_LOCAL = re.compile(rb"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?", re.IGNORECASE)
"""The hosts by which a browser on this machine knows it."""
_KEPT = 400 * 24 * 60 * 60
"""Seconds: as long as browsers keep any. The session behind it ends when it does."""

Header = tuple[bytes, bytes]


def session_cookie(headers: Mapping[bytes, bytes]) -> bytes | None:
    """The session's secret out of `name=value` pairs (RFC 6265 section 4.2.1)."""
    cookie = headers.get(b"cookie")
    if cookie is None:
        return None
    given = dict(pair.strip().partition(b"=")[::2] for pair in cookie.split(b";"))
    found = given.get(_ELSEWHERE)
    return given.get(_HERE) if found is None and _is_here(headers) else found


def keeping(headers: Mapping[bytes, bytes], secret: str) -> Header:
    """The header that hands a browser the session's secret; an empty one makes it forget."""
    name, secure = (_HERE, b"") if _is_here(headers) else (_ELSEWHERE, b"; Secure")
    age = _KEPT if secret else 0
    value = b"%b=%b; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%b" % (name, secret.encode("ascii"), age, secure)
    return b"set-cookie", value


def _is_here(headers: Mapping[bytes, bytes]) -> bool:
    return _LOCAL.fullmatch(headers.get(b"host", b"")) is not None
