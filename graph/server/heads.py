"""Heads of requests: which of them mean one thing only, whoever reads them."""

from __future__ import annotations

import re

_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_VERSIONS = frozenset({"1.0", "1.1"})


def is_proper(version: str, headers: list[tuple[bytes, bytes]], *, upgrading: bool) -> bool:
    """Whether a head names one host and frames its body in one way (RFC 9112, 3.2 and 6.1).

    The parser itself refuses two lengths, and a length beside a transfer coding.
    """
    hosts, codings, framed = [], [], False
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding":
            codings.append(value.lower())
            framed = True
        elif name == b"content-length":
            framed = True
    return (
        version in _VERSIONS
        and (len(hosts) == 1 or (not hosts and version == "1.0"))
        and all(map(_HOST.fullmatch, hosts))
        and (not codings or (codings == [b"chunked"] and version == "1.1"))
        # The parser takes the body of an upgrade for another protocol's bytes, and what follows for a new request.
        and not (upgrading and framed)
    )
