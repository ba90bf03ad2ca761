"""The messages of `graphql-transport-ws`: what a client may say, what it is told, and how its socket ends.

Close codes: 4400 a message that is none of the protocol's; 4401 `subscribe` before the acknowledgement; 4403 a token
that is not good; 4406 another subprotocol; 4408 no `connection_init` in time; 4409 an id in use; 4429 a second
`connection_init`, or too many messages; 1012 the process is going away and 1013 the client does not keep up, both with
the place to resume from as their reason, or there is nothing left to spend as one introduces oneself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

SUBPROTOCOL = "graphql-transport-ws"
ACKNOWLEDGED = b'{"type":"connection_ack"}'
LONGEST_ID = 100


class Closed(Exception):
    """The socket ends, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep both; a reason has at most 123 bytes (RFC 6455 section 5.5)."""
        super().__init__(code, reason)
        self.code = code
        self.reason = reason.encode()[:123].decode(errors="ignore")


def read(text: str | None) -> Mapping[str, Any]:
    """A client's message: an object, whose payload is an object, or null, or not there.

    Args:
        text: of the frame; None where it was binary.

    Raises:
        Closed: it is none of the protocol's.
    """
    if text is None:
        raise Closed(4400, "Binary messages are none of the protocol's")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise unknown() from None
    if not isinstance(message, dict) or not isinstance(message.get("payload"), dict | None):
        raise unknown()
    return message


def id_of(message: Mapping[str, Any]) -> str:
    """The operation that a message is about.

    Raises:
        Closed: there is none, or its name is too long.
    """
    id_ = message.get("id")
    if not isinstance(id_, str) or not 1 <= len(id_) <= LONGEST_ID:
        raise unknown()
    return id_


def unknown() -> Closed:
    """How a socket ends on which something else is said than the protocol knows."""
    return Closed(4400, "Invalid message received")


def pong(payload: Mapping[str, Any] | None) -> bytes:
    """The answer to a ping."""
    return orjson.dumps({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})


def next_(id_: str, body: bytes) -> bytes:
    """One answer of an operation, as JSON."""
    return b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(id_), body)


def error(id_: str, body: bytes) -> bytes:
    """The end of an operation that was refused; `body` is the answer that says why."""
    return orjson.dumps({"id": id_, "type": "error", "payload": orjson.loads(body)["errors"]})


def complete(id_: str) -> bytes:
    """The end of an operation."""
    return b'{"id":%b,"type":"complete"}' % orjson.dumps(id_)
