"""`/graphql` over WebSocket: the `graphql-transport-ws` protocol, and no other.

What is said, and the codes that a socket ends with, stands in `graph/server/messages.py`; what waits to be sent, in
`graph/server/outbox.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from domain.accounts import ANONYMOUS
from domain.errors import CassetError, Code
from graph.answers import Answer
from graph.server import messages
from graph.server.actors import Actor
from graph.server.door import Admitted, Door, OutOfPoints, Refused
from graph.server.messages import SUBPROTOCOL, Closed
from graph.server.outbox import GONE, Outbox
from graph.server.requests import Receive, RequestRefused, Scope, Send, error_body, request_of
from resolvers.happenings import FellBehind


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may do.

    Attributes:
        init_seconds: until `connection_init`.
        operations: at once.
        sockets: at once of one account.
        messages: of the client in a burst; ten more come with each second.
        unsent: messages waiting for a client that does not keep up.
        unsent_bytes: their size.
        unsent_seconds: in which such a client makes room, where what follows can wait elsewhere.
        goodbye_seconds: in which such a client may still take the reason why it is let go.
    """

    init_seconds: float = 5.0
    operations: int = 20
    sockets: int = 5
    messages: int = 100
    unsent: int = 256
    unsent_bytes: int = 1 << 20
    unsent_seconds: float = 10.0
    goodbye_seconds: float = 10.0


MESSAGES_PER_SECOND = 10


class Sockets:
    """Answers WebSockets; counts those of each account, and all that are `gone`."""

    def __init__(self, door: Door, draining: asyncio.Event, limits: SocketLimits | None = None) -> None:
        """Stand behind a door; go when the process does."""
        self.door = door
        self.draining = draining
        self.limits = limits or SocketLimits()
        self.open: Counter[str] = Counter()
        self.gone = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its end."""
        if (await receive())["type"] != "websocket.connect":
            return
        known = SUBPROTOCOL in scope.get("subprotocols", ())
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if known else None})
        if not known:
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await Socket(self, scope, receive, send).serve()


@dataclass(slots=True)
class Socket:
    """One socket: what it may do, what runs on it, and what waits to be sent."""

    sockets: Sockets
    scope: Scope
    receive: Receive
    send: Send
    token: str | None = None
    counted: str | None = None
    asked: bool = False
    acknowledged: bool = False
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    staying: ExitStack | None = None
    outbox: Outbox = field(init=False)
    left: float = field(init=False)
    refilled: float = field(default_factory=time.monotonic)
    ended: asyncio.Future[None] = field(init=False)

    def __post_init__(self) -> None:
        """Start with a full allowance."""
        self.outbox = Outbox(self.send, self.sockets.limits.unsent, self.sockets.limits.unsent_bytes)
        self.left = self.sockets.limits.messages
        self.ended = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Read, run and write until one of them ends the socket."""
        tasks = [asyncio.create_task(work) for work in (self._read(), self.outbox.write(), self._drain())]
        expecting = asyncio.get_running_loop().call_later(self.sockets.limits.init_seconds, self._expect)
        try:
            await asyncio.wait([*tasks, self.ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            expecting.cancel()
            running = [*tasks, *self.operations.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self.outbox.clear()
            self.sockets.gone += 1
            if self.staying is not None:
                self.staying.close()
            if self.counted is not None:
                self.sockets.open[self.counted] -= 1
                if not self.sockets.open[self.counted]:
                    del self.sockets.open[self.counted]
        reasons = [task.exception() for task in tasks if not task.cancelled()]
        reasons += [self.ended.exception()] if self.ended.done() else []
        closed = next((reason for reason in reasons if isinstance(reason, Closed)), None)
        unexpected = next((reason for reason in reasons if reason and not isinstance(reason, (Closed, OSError))), None)
        if unexpected is not None:
            raise unexpected
        if closed is not None:
            await self._say_goodbye(closed)

    async def _say_goodbye(self, closed: Closed) -> None:
        with suppress(*GONE):
            async with asyncio.timeout(self.sockets.limits.goodbye_seconds):
                await self.send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})

    def _forget(self) -> None:
        """Who came in is not known any more."""
        self._end(Closed(4403, "Forbidden"))

    def _end(self, closed: Closed) -> None:
        if not self.ended.done():
            self.ended.set_exception(closed)

    # -- reading ------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            received = await self.receive()
            if received["type"] == "websocket.disconnect":
                return
            self._count_message()
            await self._handle(messages.read(received.get("text")))

    def _count_message(self) -> None:
        now = time.monotonic()
        most = self.sockets.limits.messages
        self.left = min(self.left + (now - self.refilled) * MESSAGES_PER_SECOND, most) - 1
        self.refilled = now
        if self.left < 0:
            raise Closed(4429, "Too many messages")

    async def _handle(self, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._initialise(message.get("payload") or {})
            case "ping":
                self._say(messages.pong(message.get("payload")))
            case "pong":
                pass
            case "subscribe":
                self._subscribe(messages.id_of(message), message.get("payload"))
            case "complete":
                operation = self.operations.pop(messages.id_of(message), None)
                if operation is not None:
                    operation.cancel()
            case _:
                raise messages.unknown()

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self.asked:
            raise Closed(4429, "Too many initialisation requests")
        self.asked = True
        given = next((payload[name] for name in ("authorization", "Authorization") if name in payload), None)
        if given is not None:
            scheme, _, self.token = given.partition(" ") if isinstance(given, str) else ("", "", "")
            if scheme.lower() != "bearer":
                raise Closed(4403, "Forbidden")
        try:
            actor = await self._enter()
        except CassetError as error:
            raise Closed(1013, error.message) from None
        except OutOfPoints as spent:
            raise Closed(1013, spent.message) from None
        if actor.viewer is not ANONYMOUS:
            if self.sockets.open[actor.key] >= self.sockets.limits.sockets:
                raise Closed(4429, "Too many sockets of one account")
            self.counted = actor.key
            self.sockets.open[actor.key] += 1
            self.staying = ExitStack()
            self.staying.enter_context(self.sockets.door.watch.watching(actor, self._forget))
        self.acknowledged = True
        self._say(messages.ACKNOWLEDGED)

    async def _enter(self) -> Actor:
        """Who asks, looked up anew for each operation: a session may have ended."""
        try:
            return await self.sockets.door.enter(self.scope, dict(self.scope["headers"]), token=self.token)
        except RequestRefused:
            raise Closed(4403, "Forbidden") from None

    def _expect(self) -> None:
        """End a socket that has not introduced itself."""
        if not self.asked:
            self._end(Closed(4408, "Connection initialisation timeout"))

    async def _drain(self) -> None:
        await self.sockets.draining.wait()
        raise Closed(1012, self._resume())

    def _resume(self) -> str:
        """Where the one operation goes on; where there are several, the client knows the place of each."""
        running = [*self.operations.values()]
        mark = self.outbox.mark_of(running[0]) if len(running) == 1 else None
        return "come back" if mark is None else f"resume after {mark}"

    # -- operations ---------------------------------------------------------------------------------------------

    def _subscribe(self, id_: str, payload: Any) -> None:
        if not self.acknowledged:
            raise Closed(4401, "Unauthorized")
        if id_ in self.operations:
            raise Closed(4409, f"Subscriber for {id_} already exists")
        if payload is None:
            raise messages.unknown()
        if len(self.operations) >= self.sockets.limits.operations:
            said = f"A socket runs at most {self.sockets.limits.operations} operations at once."
            self._refuse(id_, error_body(Code.RATE_LIMIT, said))
            return
        self.operations[id_] = asyncio.create_task(self._operate(id_, payload))

    async def _operate(self, id_: str, payload: Mapping[str, Any]) -> None:
        try:
            await self._run(id_, payload)
        except (RequestRefused, CassetError) as error:
            self._refuse(id_, error_body(error.code, error.message))
        except Refused as refused:
            self._refuse(id_, refused.answer.body)
        except OutOfPoints as spent:
            self._refuse(id_, error_body(Code.RATE_LIMIT, spent.message))
        except Closed as closed:
            self._end(closed)
        except FellBehind:
            self._end(Closed(1013, self._resume()))
        except Exception as error:  # noqa: BLE001  # whatever it is, it ends this socket and is logged there
            if not self.ended.done():
                self.ended.set_exception(error)
        else:
            self._say(messages.complete(id_))
        finally:
            if self.operations.get(id_) is asyncio.current_task():
                del self.operations[id_]

    async def _run(self, id_: str, payload: Mapping[str, Any]) -> None:
        actor = await self._enter()
        admitted = await self.sockets.door.admit(request_of(payload), actor)
        if admitted.kind != "subscription":
            answer, cost = await self._answer(admitted)
            self._next(id_, answer.extended(cost))
            return
        async with aclosing(self.sockets.door.events(admitted)) as events:
            async for answer in events:
                if answer.refused:
                    raise Refused(answer, admitted.balance)
                if not answer.body:
                    self.outbox.begin((asyncio.current_task(), answer.mark or ""))
                    continue
                self._next(id_, answer.body, answer.mark)
                waits = answer.waits
                # The next one may be long in coming.
                del answer
                if waits and not self.outbox.has_room:
                    await self._keep_up()
                elif not waits:
                    # A source that never waits must not keep the writer, and everybody else, from their turn.
                    await asyncio.sleep(0)

    async def _keep_up(self) -> None:
        """Wait for a client that does not take what can wait elsewhere, but not for long."""
        try:
            async with asyncio.timeout(self.sockets.limits.unsent_seconds):
                await self.outbox.room()
        except TimeoutError:
            raise FellBehind from None

    async def _answer(self, admitted: Admitted) -> tuple[Answer, bytes]:
        """Run what has one answer. A mutation goes on to its end, whoever leaves meanwhile, as it does over HTTP."""
        if admitted.kind == "query":
            return await self.sockets.door.answer(admitted)
        answering = asyncio.create_task(self.sockets.door.answer(admitted))
        try:
            return await asyncio.shield(answering)
        except asyncio.CancelledError:
            await asyncio.wait({answering})
            raise

    # -- writing ------------------------------------------------------------------------------------------------

    def _next(self, id_: str, body: bytes, mark: str | None = None) -> None:
        place = None if mark is None else (asyncio.current_task(), mark)
        self._say(messages.next_(id_, body), place)

    def _refuse(self, id_: str, body: bytes) -> None:
        self._say(messages.error(id_, body))

    def _say(self, message: bytes, place: tuple[asyncio.Task[Any] | None, str] | None = None) -> None:
        if not self.outbox.put(message, place):
            self._end(Closed(1013, self._resume()))
