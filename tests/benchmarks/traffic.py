"""The load: some connections kept alive, each asking again as soon as it is answered. A process of its own, little Python.

Reads one pickled dictionary (port, requests, seconds, connections) from standard input, writes one JSON object (answers,
seconds, milliseconds at the 50th and 99th percentile) to standard output. Fails at the first answer that holds no data.
"""

from __future__ import annotations

import json
import pickle
import select
import socket
import sys
import time
from collections.abc import Sequence
from itertools import cycle

LARGEST_READ = 1 << 20


def ask(port: int, requests: Sequence[bytes]) -> list[bytes]:
    """Ask once each, one after the other; the bodies."""
    bodies = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for request in requests:
            connection.sendall(request)
            answer = b""
            while (end := end_of(answer)) is None or len(answer) < end:
                more = connection.recv(LARGEST_READ)
                if not more:
                    raise ConnectionError(answer)
                answer += more
            bodies.append(_body(answer))
    return bodies


def drive(port: int, requests: Sequence[bytes], seconds: float, connections: int) -> dict[str, float]:
    """Ask for so many seconds over so many connections."""
    todo = cycle(requests)
    poll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    asked: dict[int, float] = {}
    partial: dict[int, bytes] = {}
    took: list[float] = []
    clock = time.perf_counter
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    start = clock()
    end = start + seconds
    for file, connection in sockets.items():
        asked[file] = clock()
        connection.sendall(next(todo))
    now = start
    while now < end:
        for file, _ in poll.poll(1):
            connection = sockets[file]
            answer = connection.recv(LARGEST_READ)
            if file in partial:
                answer = partial.pop(file) + answer
            whole = end_of(answer)
            if whole is None or len(answer) < whole:
                if not answer:
                    raise ConnectionError("the server closed a connection")
                partial[file] = answer
                continue
            _body(answer)
            now = clock()
            took.append(now - asked[file])
            asked[file] = now
            connection.sendall(next(todo))
    for connection in sockets.values():
        connection.close()
    took.sort()
    return {
        "answers": len(took),
        "seconds": now - start,
        "p50": took[len(took) // 2] * 1e3,
        "p99": took[len(took) * 99 // 100] * 1e3,
    }


def end_of(answer: bytes) -> int | None:
    """Where an answer ends, as soon as its head is there."""
    body = answer.find(b"\r\n\r\n")
    if body < 0:
        return None
    at = answer.find(b"ontent-length: ", 0, body) + 15
    return body + 4 + int(answer[at : answer.find(b"\r", at)])


def _body(answer: bytes) -> bytes:
    """The body of a good answer."""
    body = answer[answer.find(b"\r\n\r\n") + 4 :]
    if not answer.startswith(b"HTTP/1.1 200") or not body.startswith(b'{"data":'):
        raise ValueError(f"no data: {answer[:1000]!r}")
    return body


if __name__ == "__main__":
    json.dump(drive(**pickle.load(sys.stdin.buffer)), sys.stdout)
