"""The wire: a client that is slow, silent, endless or ambiguous is let go, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import resource
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from graph.server.admission import ConnectionLimits
from tests.graph.server.running import PATIENCE, Running, answer, rest, running

QUICK = ConnectionLimits(head_seconds=0.3, body_seconds=0.3, write_seconds=0.3)
SHORT = 0.3
LARGE = 32 * 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: casset\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: casset\r\nConnection: close\r\n\r\n"
STREAM = b"GET /stream HTTP/1.1\r\nHost: casset\r\n\r\n"
UPGRADE = b"GET /hello HTTP/1.1\r\nHost: casset\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: casset\r\nContent-Length: %d\r\n\r\n"


class Recorder:
    """An application that reads a body and answers its length, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.left = threading.Event()
        self.go_on = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.heard.append(scope["path"])
        match scope["path"]:
            case "/large":
                await self.say(send, b"x" * LARGE)
            case "/some":
                await self.say(send, b"x" * 50_000)
            case "/early":
                await self.say(send, b"no")
            case "/stream":
                await self.stream(receive, send)
            case "/wait":
                await asyncio.to_thread(self.go_on.wait, PATIENCE)
                await self.say(send, b"waited")
            case _:
                await self.count(scope, receive, send)

    async def say(self, send: Any, body: bytes) -> None:
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def stream(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await receive()
        self.left.set()

    async def count(self, scope: Any, receive: Any, send: Any) -> None:
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return
            length += len(message["body"])
            if not message["more_body"]:
                break
        self.headers = list(scope["headers"])
        await self.say(send, b"%d" % length)


Serve = Callable[..., tuple[Running, Recorder]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with limits of their own."""
    with contextlib.ExitStack() as closing:

        def start(limits: ConnectionLimits | None = None, **config: Any) -> tuple[Running, Recorder]:
            app = Recorder()
            return closing.enter_context(running(app, limits, **config)), app

        yield start


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Running, Recorder]]:
    """One server for what needs no limits of its own."""
    app = Recorder()
    with running(app, timeout_keep_alive=SHORT) as server:
        yield server, app


@pytest.fixture
def plain(shared: tuple[Running, Recorder]) -> tuple[Running, Recorder]:
    """The shared server, which has heard nothing in this test."""
    shared[1].heard.clear()
    return shared


def status(read: bytes) -> int:
    return int(read.split(b" ", 2)[1])


def open_connections(server: Running) -> int:
    return len(server.server.server_state.connections)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def drip(client: socket.socket, piece: bytes) -> bytes:
    """Send a piece again and again until the server answers or closes; what it said."""
    client.settimeout(0.05)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(piece)
        try:
            return client.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return b""
    pytest.fail("the server went on listening")


# Slow


def test_a_silent_connection_is_closed_without_a_word(serve: Serve) -> None:
    server, _ = serve(QUICK)
    assert server.ask() == b""


@pytest.mark.parametrize("part", [b"G", b"GET / HTTP/1.1\r\nHost: cas", GET[:-2]])
def test_half_a_head_gets_408_and_the_end(serve: Serve, part: bytes) -> None:
    server, app = serve(QUICK)
    assert status(server.ask(part)) == 408
    assert app.heard == []


def test_a_head_that_drips_is_no_whole_head(serve: Serve) -> None:
    server, app = serve(QUICK)
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: casset\r\nx: ")
        assert status(drip(client, b"y")) == 408
    assert app.heard == []


def test_the_second_head_of_a_connection_is_timed_too(serve: Serve) -> None:
    server, _ = serve(QUICK, timeout_keep_alive=60)
    with server.connect() as client:
        client.sendall(GET)
        assert status(answer(client)) == 200
        client.sendall(GET[:10])
        assert status(rest(client)) == 408


@pytest.mark.parametrize(
    "head", [POST % 100, b"POST / HTTP/1.1\r\nHost: casset\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab"]
)
def test_half_a_body_gets_408_and_the_application_hears_of_the_end(serve: Serve, head: bytes) -> None:
    server, app = serve(QUICK)
    assert status(server.ask(head, b"half")) == 408
    assert app.left.wait(PATIENCE)


def test_a_body_that_drips_gets_408(serve: Serve) -> None:
    server, app = serve(QUICK)
    with server.connect() as client:
        client.sendall(POST % 65536)
        assert status(drip(client, b"y")) == 408
    assert app.left.wait(PATIENCE)


def test_a_long_body_that_keeps_its_pace_is_read_to_its_end(serve: Serve) -> None:
    server, _ = serve(ConnectionLimits(body_seconds=1))
    with server.connect() as client:
        client.sendall(POST % (6 * 65536))
        for _ in range(6):
            time.sleep(0.25)
            client.sendall(b"x" * 65536)
        assert answer(client).endswith(b"\r\n\r\n393216")


def test_a_body_nobody_waits_for_is_not_read_for_ever(serve: Serve) -> None:
    server, _ = serve(QUICK)
    with server.connect() as client:
        client.sendall(b"POST /early HTTP/1.1\r\nHost: casset\r\nContent-Length: 1000000000000\r\n\r\n")
        assert status(answer(client)) == 200
        assert drip(client, b"x" * 65536) == b""


def test_an_application_that_takes_its_time_over_a_body_is_not_the_client_s_fault(serve: Serve) -> None:
    server, app = serve(QUICK)
    with server.connect() as client:
        client.sendall(POST.replace(b"/ ", b"/wait ") % 400_000 + b"x" * 400_000)
        time.sleep(4 * SHORT)
        app.go_on.set()
        assert answer(client).endswith(b"waited")


def test_a_reader_that_takes_nothing_is_dropped(serve: Serve) -> None:
    server, app = serve(QUICK)
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: casset\r\n\r\n")
        until(lambda: app.heard == ["/large"])
        until(lambda: open_connections(server) == 0)
        assert len(rest(client)) < LARGE


def test_a_reader_that_takes_nothing_is_dropped_after_the_server_closed_too(serve: Serve) -> None:
    server, app = serve(QUICK)
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: casset\r\nConnection: close\r\n\r\n")
        until(lambda: app.heard == ["/large"])
        until(lambda: open_connections(server) == 0)


def test_a_few_bytes_that_nobody_takes_do_not_keep_a_closed_connection(serve: Serve) -> None:
    server, app = serve(QUICK, timeout_keep_alive=SHORT)
    with server.connect() as client:
        until(lambda: open_connections(server) == 1)
        (connection,) = server.server.server_state.connections
        for number in range(1, 1_000):
            client.sendall(b"GET /some HTTP/1.1\r\nHost: casset\r\n\r\n")
            until(lambda count=number: len(app.heard) == count and connection.cycle.response_complete)
            if connection.transport.get_write_buffer_size():
                break
        assert not connection.flow.write_paused
        until(lambda: open_connections(server) == 0)


def test_a_slow_reader_that_keeps_its_pace_gets_everything(serve: Serve) -> None:
    server, _ = serve(ConnectionLimits(write_seconds=1))
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: casset\r\nConnection: close\r\n\r\n")
        length = 0
        for _ in range(8):
            time.sleep(0.25)
            length += len(client.recv(1024 * 1024, socket.MSG_WAITALL))
        assert length + len(rest(client)) > LARGE


@pytest.mark.parametrize("noise", [b"", b"\r\n"])
def test_an_idle_connection_is_closed_even_where_line_ends_drip(serve: Serve, noise: bytes) -> None:
    server, _ = serve(timeout_keep_alive=SHORT)
    with server.connect() as client:
        client.sendall(GET)
        assert status(answer(client)) == 200
        assert drip(client, noise) == b""


def test_a_connection_may_be_used_again_and_again(serve: Serve) -> None:
    server, app = serve(QUICK)
    with server.connect() as client:
        for _ in range(10):
            client.sendall(GET)
            assert status(answer(client)) == 200
            time.sleep(SHORT / 4)
    assert len(app.heard) == 10


def test_a_long_answer_outlives_every_deadline_of_reading(serve: Serve) -> None:
    server, app = serve(QUICK, timeout_keep_alive=SHORT)
    with server.connect() as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: casset\r\n\r\n")
        time.sleep(4 * SHORT)
        app.go_on.set()
        assert answer(client).endswith(b"waited")


# Large


def head_of(length: int) -> bytes:
    """A head of so many bytes, as the limit counts them: the target, and each header with its four bytes of frame."""
    counted = len("/") + len("hostcasset") + 4 + len("connectionclose") + 4 + len("x") + 4
    return LAST[:-2] + b"x: " + b"y" * (length - counted) + b"\r\n\r\n"


@pytest.mark.parametrize("size", [1024, 32 * 1024, 10**6])
def test_a_head_of_32_kib_is_read_and_one_byte_more_is_not(plain: tuple[Running, Recorder], size: int) -> None:
    server, app = plain

    def ask(head: bytes) -> int:
        return status(server.ask(*(head[at : at + size] for at in range(0, len(head), size))))

    assert ask(head_of(32 * 1024)) == 200
    assert ask(head_of(32 * 1024 + 1)) == 431
    assert app.heard == ["/"]


@pytest.mark.parametrize(
    "head",
    [
        GET[:-2] + b"x: " + b"y" * 200_000,
        b"GET /" + b"y" * 200_000,
        GET[:-2] + b"".join(b"x%d: y\r\n" % n for n in range(10_000)),
        GET[:-2] + b"".join(b"x%d: y\r\n" % n for n in range(100)) + b"\r\n",
    ],
    ids=["header", "target", "10,000 headers", "101 headers"],
)
def test_a_large_head_gets_431_while_it_is_still_sent(plain: tuple[Running, Recorder], head: bytes) -> None:
    server, app = plain
    assert status(server.ask(head)) == 431
    assert app.heard == []


def test_whoever_is_still_sending_is_not_reset_before_it_can_read_the_refusal(serve: Serve) -> None:
    server, _ = serve()
    with server.connect() as client:
        for _ in range(100):
            client.sendall(b"x" * 65536)
            time.sleep(0.001)
        client.shutdown(socket.SHUT_WR)
        assert status(rest(client)) == 400


def test_a_hundred_headers_are_read(plain: tuple[Running, Recorder]) -> None:
    server, _ = plain
    assert status(server.ask(LAST[:-2] + b"".join(b"x%d: y\r\n" % n for n in range(98)) + b"\r\n")) == 200


@pytest.mark.parametrize(
    "endless", [b"5;" + b"x" * 200_000, b"0\r\nx: " + b"y" * 200_000, b"0\r\n" + b"x: y\r\n" * 1_000]
)
def test_chunk_extensions_and_trailers_are_limited_like_a_head(plain: tuple[Running, Recorder], endless: bytes) -> None:
    server, _ = plain
    head = b"POST / HTTP/1.1\r\nHost: casset\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status(server.ask(head, endless)) == 431


def test_a_body_in_crumbs_is_refused(plain: tuple[Running, Recorder]) -> None:
    server, _ = plain
    head = b"POST / HTTP/1.1\r\nHost: casset\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    most = ConnectionLimits().pieces
    assert status(server.ask(head, b"1\r\nx\r\n" * (most + 1), b"0\r\n\r\n")) == 400
    assert status(server.ask(head, b"1\r\nx\r\n" * most, b"0\r\n\r\n")) == 200
    # Of any number of longer pieces it may be made.
    pieces = (b"80\r\n" + b"x" * 128 + b"\r\n") * (2 * most)
    assert status(server.ask(head, pieces, b"0\r\n\r\n")) == 200


def test_trailers_do_not_become_headers(plain: tuple[Running, Recorder]) -> None:
    server, app = plain
    chunks = b"3\r\nabc\r\n0\r\nAuthorization: Bearer of nothing\r\n\r\n"
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: casset\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        assert answer(client).endswith(b"\r\n\r\n3")
    assert [name for name, _ in app.headers] == [b"host", b"transfer-encoding"]


# Ambiguous

BODY = b"5\r\nabcde\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n" + BODY,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" + BODY,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + BODY,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n" + BODY,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n" + BODY,
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY,
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: a\r\nx: y\r\n z\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_request_that_may_be_read_in_two_ways_is_refused(plain: tuple[Running, Recorder], request_: bytes) -> None:
    server, app = plain
    assert status(server.ask(request_)) == 400
    assert app.heard == []


@pytest.mark.parametrize(
    "host", [b"casset.example", b"CASSET:8000", b"127.0.0.1:1", b"[::1]", b"[2001:db8::1]:443", b"my_host-1.local."]
)
def test_a_host_is_a_name_and_perhaps_a_port(plain: tuple[Running, Recorder], host: bytes) -> None:
    server, _ = plain
    assert status(server.ask(LAST.replace(b"casset", host))) == 200


@pytest.mark.parametrize(
    "hosts",
    [
        b"",
        b"Host: \r\n",
        b"Host: a\r\nHost: a\r\n",
        b"Host: a\r\nhOST: b\r\n",
        b"Host: a/b\r\n",
        b"Host: a?b\r\n",
        b"Host: a#b\r\n",
        b"Host: u@a\r\n",
        b"Host: a b\r\n",
        b"Host: a, b\r\n",
        b"Host: a:b\r\n",
        b"Host: a:\r\n",
        b"Host: [::1\r\n",
        b"Host: <a>\r\n",
        b'Host: a"\r\n',
        b"Host: \xff\r\n",
        b"Host: http://a\r\n",
    ],
)
def test_any_other_host_is_refused(plain: tuple[Running, Recorder], hosts: bytes) -> None:
    server, app = plain
    assert status(server.ask(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")) == 400
    assert app.heard == []


def test_http_1_0_needs_no_host_and_gets_no_second_request(plain: tuple[Running, Recorder]) -> None:
    server, _ = plain
    assert status(server.ask(b"GET / HTTP/1.0\r\n\r\n")) == 200


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://casset/x", 200),
        (b"//casset/../x", 200),
        (b"/%ff%00%0d%0a", 200),
        (b"/x#y", 200),
        (b"*", 200),
        (b"http://casset", 400),
        (b"http://u:p@casset:99999/x", 400),
        (b"@evil", 400),
        (b"evil", 400),
        (b"/\x00", 400),
        (b"/\xff", 400),
        (b"/?\x80", 400),
    ],
)
def test_odd_targets_are_answered(plain: tuple[Running, Recorder], target: bytes, expected: int) -> None:
    server, _ = plain
    assert status(server.ask(LAST.replace(b"/ ", target + b" ", 1))) == expected
    assert status(server.ask(LAST)) == 200


def test_a_tunnel_is_refused(plain: tuple[Running, Recorder]) -> None:
    server, app = plain
    assert status(server.ask(b"CONNECT casset:443 HTTP/1.1\r\nHost: casset:443\r\n\r\n")) == 400
    assert app.heard == []


def test_a_refusal_is_a_problem_with_the_headers_of_every_answer(plain: tuple[Running, Recorder]) -> None:
    server, _ = plain
    head, _, body = server.ask(b"GET / HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert headers.pop(b"date")
    assert headers == {
        b"content-type": b"application/problem+json",
        b"content-length": b"%d" % len(body),
        b"connection": b"close",
        b"x-content-type-options": b"nosniff",
        b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-resource-policy": b"same-origin",
    }
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "This is no HTTP request that can be answered.",
        "code": "BAD_USER_INPUT",
    }


# Many


def test_one_connection_too_many_is_refused_until_another_is_closed(serve: Serve) -> None:
    server, _ = serve(ConnectionLimits(connections=2))
    first, second = server.connect(), server.connect()
    with first, second:
        for client in (first, second):
            client.sendall(GET)
            assert status(answer(client)) == 200
        assert status(server.ask()) == 503
        second.sendall(GET)
        assert status(answer(second)) == 200
        first.close()
        until(lambda: open_connections(server) == 1)
        with server.connect() as third:
            third.sendall(GET)
            assert status(answer(third)) == 200


@pytest.mark.parametrize(
    ("limits", "addresses", "admitted"),
    [
        (ConnectionLimits(per_address=2), ["192.0.2.1"] * 2, True),
        (ConnectionLimits(per_address=2), ["192.0.2.1"] * 3, False),
        (ConnectionLimits(per_address=2), ["192.0.2.2", "192.0.2.3", "192.0.2.1"], True),
        (ConnectionLimits(per_address=2), ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:1"], False),
        (ConnectionLimits(per_address=2), ["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"], True),
        (ConnectionLimits(per_address=2), ["::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"], False),
        (ConnectionLimits(per_address=2, per_loopback=3), ["127.0.0.1", "127.0.0.2", "::1"], True),
        (ConnectionLimits(per_address=2, per_loopback=3), ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"], False),
        (ConnectionLimits(per_address=2), [None, None, None], True),
        (ConnectionLimits(connections=2), [None, None, None], False),
    ],
)
def test_an_address_has_its_share_of_the_connections(
    limits: ConnectionLimits, addresses: list[str | None], admitted: bool
) -> None:
    assert limits.admits(addresses[-1], addresses, len(addresses)) is admitted


def test_the_share_of_an_address_is_held_at_the_door(serve: Serve) -> None:
    server, _ = serve(ConnectionLimits(per_address=0, per_loopback=2))
    with server.connect() as first, server.connect() as second:
        for client in (first, second):
            client.sendall(GET)
            assert status(answer(client)) == 200
        assert status(server.ask()) == 503


def test_five_hundred_halves_stop_nobody(serve: Serve) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    server, _ = serve(ConnectionLimits(head_seconds=2, body_seconds=2))
    with contextlib.ExitStack() as closing:
        halves = [closing.enter_context(server.connect()) for _ in range(500)]
        for number, half in enumerate(halves):
            half.sendall([b"", GET[:-2], POST % 100][number % 3])
        until(lambda: open_connections(server) == 500)
        with server.connect() as client:
            for _ in range(20):
                client.sendall(GET)
                assert status(answer(client)) == 200
        until(lambda: open_connections(server) == 0)


# Pipelined


def test_pipelined_requests_are_answered_in_order(plain: tuple[Running, Recorder]) -> None:
    server, app = plain
    read = server.ask(b"".join(GET.replace(b"/ ", b"/%d " % number) for number in range(10)))
    assert read.count(b"HTTP/1.1 200") == 10
    assert app.heard == [f"/{number}" for number in range(10)]


@pytest.mark.parametrize(
    "behind",
    [
        b"\x00",
        GET[:-2] + b"Host: b\r\n\r\n",
        b"GET @evil HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
    ],
)
def test_what_is_broken_behind_a_request_does_not_break_its_answer(serve: Serve, behind: bytes) -> None:
    server, app = serve()
    with server.connect() as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: casset\r\n\r\n" + behind)
        until(lambda: app.heard == ["/wait"])
        app.go_on.set()
        read = rest(client)
    assert (read.count(b"HTTP/1.1"), status(read), read[-6:]) == (1, 200, b"waited")


def test_a_queue_of_requests_has_an_end(serve: Serve) -> None:
    server, app = serve()
    with server.connect() as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: casset\r\n\r\n" + GET * 1_000)
        until(lambda: app.heard == ["/wait"])
        app.go_on.set()
        assert rest(client).endswith(b"waited")
    assert app.heard == ["/wait"]


def test_whoever_is_streamed_to_is_missed_also_with_a_request_queued_behind(serve: Serve) -> None:
    server, app = serve()
    with server.connect() as client:
        client.sendall(STREAM + GET)
        read = b""
        while b"begun" not in read:
            read += client.recv(65536)
    # Reading is paused while a request waits: it is the server's own write that finds the client gone.
    for connection in list(server.server.server_state.connections):
        connection.loop.call_soon_threadsafe(connection.transport.abort)
    assert app.left.wait(PATIENCE)


# WebSockets


class Greeting(asyncio.Protocol):
    """Stands where a WebSocket protocol stands: it says hello after a while."""

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        self.state = server_state

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        asyncio.get_running_loop().call_later(4 * SHORT, self.greet)

    def data_received(self, data: bytes) -> None:
        self.head = data

    def greet(self) -> None:
        self.transport.write(self.head.split(b" ")[1])
        self.transport.close()


def test_an_upgraded_connection_has_left_the_deadlines_of_http(serve: Serve) -> None:
    server, _ = serve(QUICK, ws=Greeting, timeout_keep_alive=SHORT)
    assert server.ask(UPGRADE) == b"/hello"


def test_an_upgraded_connection_leaves_nothing_behind(serve: Serve) -> None:
    server, _ = serve(ws=Greeting)
    with server.connect() as client:
        until(lambda: open_connections(server) == 1)
        left = weakref.ref(*server.server.server_state.connections)
        client.sendall(UPGRADE)
        assert rest(client) == b"/hello"
    until(lambda: gc.collect() >= 0 and left() is None)
