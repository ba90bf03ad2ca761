"""How much room and patience a connection gets, who counts as one client, and what the refused are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from graph.server.guard import PROBLEM_TYPE, SECURITY_HEADERS, HeaderList, problem

PACE: Final = 64 * 1024
"""The bytes a client has to send, or to take, in each period of `body_seconds` or `write_seconds`."""

_LOOPBACK = "loopback"
_DETAILS = {
    400: "This is no HTTP request that can be answered.",
    408: "The request took too long to arrive.",
    431: "The head of the request is too large.",
    503: "There are too many connections. Try again in a moment.",
}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of HTTP connections.

    Attributes:
        head_seconds: from a request's first byte, or from the connection's start, to the end of its head.
        body_seconds: for each 64 KiB of a body.
        write_seconds: for each 64 KiB of an answer, once the client no longer keeps up.
        head_bytes: of a request line and its headers.
        headers: their number.
        pieces: of a body, such as chunks, however small.
        piece_bytes: of a piece where there are more, on average.
        pipelined: requests waiting behind the one being answered.
        connections: open at once in this process, WebSockets among them.
        per_address: open at once from one IPv4 address or one IPv6 /64.
        per_loopback: the same for this machine, where reverse proxies live.
        frames: of a WebSocket's client in a burst, whatever they are; messages are counted beside (`SocketLimits`).
        frames_per_second: that it may send for long.
    """

    head_seconds: float = 10.0
    body_seconds: float = 15.0
    write_seconds: float = 15.0
    head_bytes: int = 32 * 1024
    headers: int = 100
    pieces: int = 1_000
    piece_bytes: int = 64
    pipelined: int = 16
    connections: int = 2_000
    per_address: int = 256
    per_loopback: int = 1_500
    frames: int = 300
    frames_per_second: int = 30

    def admits(self, address: str | None, others: Iterable[str | None], count: int) -> bool:
        """Whether one more may stay.

        Args:
            address: of the newcomer; None for one without an address, such as a Unix socket.
            others: the addresses of all that are open, looked at only where it may matter.
            count: how many are open, the newcomer included.
        """
        if count > self.connections:
            return False
        if address is None or count <= self.per_address:
            return True
        network = _network(address)
        allowed = self.per_loopback if network == _LOOPBACK else self.per_address
        return sum(other is not None and _network(other) == network for other in others) <= allowed


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    """Who counts as one: an IPv4 address, an IPv6 /64 (one customer holds all of it), this machine."""
    if ":" in address:
        parsed = IPv6Address(address.partition("%")[0])
        if parsed.ipv4_mapped is None:
            return _LOOPBACK if parsed.is_loopback else f"{int(parsed) >> 64:x}"
        address = str(parsed.ipv4_mapped)
    return _LOOPBACK if address.startswith("127.") else address


def refusal(status: int, shared: HeaderList) -> bytes:
    """A whole answer to what never was a request: 400, 408, 431 or 503, as a problem, with the end of the connection.

    Args:
        status: one of the four.
        shared: the headers of every answer of the server, such as its date.
    """
    return STATUS_LINE[status] + _lines(shared) + _REFUSALS[status]


def _lines(headers: HeaderList) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def _without_status(status: int, detail: str) -> bytes:
    body = problem(status, detail)
    headers = [
        (b"content-type", PROBLEM_TYPE.encode("ascii")),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *SECURITY_HEADERS,
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    return _lines(headers) + b"\r\n" + body


_REFUSALS = {status: _without_status(status, detail) for status, detail in _DETAILS.items()}
