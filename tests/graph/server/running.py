"""A real server in a thread of its own, on the loop and the protocol of production, and raw clients for it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
import uvloop

from graph.server.admission import ConnectionLimits
from graph.server.protocol import CassetProtocol

PATIENCE = 10
"""Seconds after which a test gives up; no law here is about how long something takes."""


class Running:
    """A server that accepts connections."""

    def __init__(self, server: uvicorn.Server, port: int) -> None:
        self.server = server
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, *parts: bytes) -> bytes:
        """Send, and read until the server closes the connection."""
        with self.connect() as client:
            for part in parts:
                with contextlib.suppress(ConnectionError):
                    client.sendall(part)
            return rest(client)


def rest(client: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    read = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            read += piece
    return bytes(read)


def answer(client: socket.socket) -> bytes:
    """One answer with a `content-length`, on a connection that stays open."""
    read = b""
    while b"\r\n\r\n" not in read:
        piece = client.recv(65536)
        assert piece, f"closed after {read!r}"
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


@contextlib.contextmanager
def running(
    app: Any,
    limits: ConnectionLimits | None = None,
    *,
    make_server: Callable[[uvicorn.Config], uvicorn.Server] = uvicorn.Server,
    **config: Any,
) -> Iterator[Running]:
    """Serve an application until the block ends."""
    protocol = type("Limited", (CassetProtocol,), {"limits": limits or ConnectionLimits()})
    settings = {
        "loop": "none",
        "http": protocol,
        "ws": "none",
        "lifespan": "off",
        "log_level": "critical",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": 1,
    }
    server = make_server(uvicorn.Config(app, **{**settings, **config}))
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        thread = threading.Thread(target=uvloop.run, args=(server.serve(sockets=[listening]),))
        thread.start()
        try:
            yield Running(server, listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
