"""What every road to the graph has in common: points are paid, documents found and bounded, operations answered.

`admit` before anything runs, then `answer` or `events`. HTTP, SSE, multipart and WebSocket differ only in how they
bring a request here and how they carry its answers away.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from weakref import WeakValueDictionary

from db.documents import document_text
from db.engine import Database
from domain.errors import CassetError, Code, TooCostly, Unavailable
from graph.answers import Answer, Refusal
from graph.caching import max_age
from graph.errors import refused
from graph.kept import Kept, Unmade
from graph.limits import Limits
from graph.preparing import Prepared
from graph.reading import Reader
from graph.server.actors import Actor, actor_of, address_of
from graph.server.buckets import Balance, Buckets
from graph.server.requests import MOST_VALUES, GraphQLRequest, RequestRefused, Scope
from graph.server.watch import Watch
from graph.workbench import Meter
from resolvers.callers import Caller

POINTS_PER_SECOND_OF_WORK = 10_000
"""What the reading, measuring and validating of a document costs: an object is a point, and takes about 0.1 ms."""
LOOK = 5
"""Points for asking the database about a name that it may not know: of a session, of a document."""
QUICK_VALUES = 50
"""In variables that are read at once; reading one takes some microseconds."""
KEPT_TEXTS = 4 << 20
"""Letters of registered documents."""
_UNPAID = Balance(0, 0, 1, 0)
_OBJECT = re.compile(rb'\{"[_A-Za-z]')


class OutOfPoints(Exception):
    """The actor has spent what there is; nothing was done."""

    def __init__(self, balance: Balance) -> None:
        """Keep the balance that was too low."""
        super().__init__(balance)
        self.balance = balance

    @property
    def message(self) -> str:
        """What the caller is told."""
        if math.isinf(self.balance.wait_seconds):
            return f"The operation costs more than the {self.balance.capacity} points there can be."
        return f"Too much at once. Try again in {math.ceil(self.balance.wait_seconds)} s."


class Refused(Exception):
    """A request refused before execution, and paid for."""

    def __init__(self, answer: Answer, balance: Balance) -> None:
        """Keep what is answered."""
        super().__init__(answer)
        self.answer = answer
        self.balance = balance


@dataclass(slots=True)
class Admitted:
    """A request that may run: prepared, and paid for at its highest cost."""

    prepared: Prepared
    actor: Actor
    balance: Balance

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.prepared.operation.kind

    @property
    def price(self) -> int:
        """The points it may come to: one at least."""
        return max(self.prepared.cost, 1)

    def cost(self, actual: int) -> bytes:
        """`extensions.cost`: what was asked for, what it came to, and what is left."""
        return b'{"cost":{"requested":%d,"actual":%d,"remaining":%d}}' % (
            self.prepared.cost,
            actual,
            max(self.balance.remaining, 0),
        )


class Door:
    """The way in, for every road."""

    def __init__(self, reader: Reader, database: Database, buckets: Buckets, *, trusted_only: bool = False) -> None:
        """Stand before a reader.

        Args:
            reader: answers operations.
            database: keeps registered documents.
            buckets: what each actor may spend.
            trusted_only: whether only registered documents are answered.
        """
        self._reader = reader
        self._tracing = reader.tracing
        self._database = database
        self._buckets = buckets
        self._trusted_only = trusted_only
        self.watch = Watch(database)
        self._texts = Kept(KEPT_TEXTS, len)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._making: set[asyncio.Task[Prepared]] = set()

    async def enter(self, scope: Scope, headers: Mapping[bytes, bytes], *, token: str | None = None) -> Actor:
        """Know who asks, and take a point before anything they ask is read. As `actor_of`, whose arguments these are.

        Raises:
            OutOfPoints: nothing is left to the actor; or, where the token is not good, to the address it came from.
            RequestRefused: the token is not good, or a cookie came without its header.
            Unavailable: the database is away.
        """
        try:
            actor = await actor_of(scope, headers, self._database, token=token)
        except RequestRefused:
            await self._take(address_of(scope), LOOK)
            raise
        await self._take(actor.key, 1)
        return actor

    async def admit(self, request: GraphQLRequest, actor: Actor) -> Admitted:
        """Prepare a request of somebody who has entered, and take what it may cost.

        Raises:
            OutOfPoints: the actor's bucket is too low.
            Refused: the request is not valid, or asks for too much at once.
            RequestRefused: it names a document that is not registered.
            Unavailable: the database is away.
        """
        text, limits = await self._document(request, actor)
        admitted = await self._admitted(request, text, limits, actor)
        if admitted.kind != "mutation":
            actor.check_scopes([asked.name for asked in admitted.prepared.fields])
        return await self._charged(admitted)

    async def admit_own(self, request: GraphQLRequest, actor: Actor) -> Admitted:
        """The same for a document of this house's own, whose route has looked at the scopes.

        Raises:
            OutOfPoints: the actor's bucket is too low.
            Refused: a value is not valid.
            Unavailable: the database is away.
        """
        return await self._charged(await self._admitted(request, request.query or "", None, actor))

    async def _charged(self, admitted: Admitted) -> Admitted:
        admitted.balance = await self._take(admitted.actor.key, admitted.price - 1)
        return admitted

    async def _admitted(self, request: GraphQLRequest, text: str, limits: Limits | None, actor: Actor) -> Admitted:
        """A request made ready, and not paid for yet."""
        preparing = partial(self._reader.prepare, text, request.operation_name, request.variables, limits)
        try:
            if request.values > MOST_VALUES:
                raise Refusal([refused(TooCostly(f"The variables hold more than {MOST_VALUES} values."))])
            with self._tracing.span("plan"):
                prepared = await self._prepared(preparing, actor, quick=request.values <= QUICK_VALUES)
        except Refusal as refusal:
            raise Refused(refusal.answer(), await self._buckets.settle(actor.key, 0)) from None
        return Admitted(prepared, actor, _UNPAID)

    async def _prepared(self, preparing: Callable[..., Prepared], actor: Actor, *, quick: bool) -> Prepared:
        """A request made ready: at once where that may be quick and nothing is to be made, else beside the loop."""
        if quick:
            with suppress(Unmade):
                return preparing(quick=True)
        # In a task of its own: who leaves pays all the same.
        making = asyncio.create_task(self._make(preparing, actor))
        self._making.add(making)
        making.add_done_callback(self._making.discard)
        try:
            return await asyncio.shield(making)
        finally:
            # What is refused is told by the task, with this frame and all it holds: they would hold each other.
            del making

    async def _make(self, preparing: Callable[[], Prepared], actor: Actor) -> Prepared:
        """Make ready what is new, and have it paid: one after the other for each actor, with others in between."""
        async with self._turns.setdefault(actor.key, asyncio.Lock()):
            # What was made meanwhile may have left nothing.
            await self._take(actor.key, 0)
            meter = Meter()
            try:
                return await self._reader.bench.do(preparing, meter)
            finally:
                await self._buckets.settle(actor.key, -_points(meter))

    async def _take(self, key: str, points: int) -> Balance:
        balance = await self._buckets.take(key, points)
        if balance.wait_seconds:
            raise OutOfPoints(balance)
        return balance

    async def _document(self, request: GraphQLRequest, actor: Actor) -> tuple[str, Limits | None]:
        """The text of a request's document, and its limits: a registered one has none."""
        text, sha256 = request.query, request.sha256
        if sha256 is None:
            if self._trusted_only:
                raise RequestRefused(
                    400, Code.DOCUMENT_NOT_FOUND, "Only registered documents are answered here. Send its documentId."
                )
            if text is None:
                raise TypeError(request)
            return text, actor.limits
        if text is not None and hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest() != sha256:
            raise RequestRefused(400, Code.BAD_USER_INPUT, "The hash is not that of the document beside it.")
        known: str | None = self._texts.get(sha256)
        if known is None:
            await self._take(actor.key, LOOK)
            known = await document_text(self._database, sha256)
            if known is None:
                if text is not None and not self._trusted_only:
                    # Apollo's way to register as one goes: we answer, and register nothing.
                    return text, actor.limits
                raise RequestRefused(404, Code.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
            self._texts.recall(sha256, lambda: known)
        return known, None

    async def answer(self, admitted: Admitted, caller: Caller | None = None) -> tuple[Answer, bytes]:
        """Run a query or a mutation; its answer, and `extensions.cost`. What it did not use is given back.

        Who signs in does so through the `caller`; on a road without one nobody can.

        Raises:
            CassetError: the database is away, or it took too long.
        """
        operation = admitted.prepared.operation
        named = {"graphql__operation__type": operation.kind, "graphql__operation__name": operation.name or ""}
        try:
            with self._tracing.span("operation", **named, casset__cost=admitted.prepared.cost):
                actor = admitted.actor
                answer = await self._reader.execute(admitted.prepared, actor.viewer, caller, actor.key)
        except CassetError as error:
            # What took too long was used up.
            await self._settle(admitted, 1 if isinstance(error, Unavailable) else admitted.price)
            raise
        actual = min(len(_OBJECT.findall(answer.body)), admitted.price)
        await self._settle(admitted, actual)
        return answer, admitted.cost(actual)

    async def _settle(self, admitted: Admitted, actual: int) -> None:
        unused = admitted.price - actual - _points(admitted.prepared.meter)
        if unused:
            admitted.balance = await self._buckets.settle(admitted.actor.key, unused)

    def max_age(self, admitted: Admitted) -> int:
        """Seconds for which caches may keep what an anonymous caller is answered."""
        return max_age(self._reader.schema, [field.name for field in admitted.prepared.fields])

    def events(self, admitted: Admitted) -> AsyncGenerator[Answer]:
        """The answers of a subscription, one for each event."""
        return self._reader.events(admitted.prepared, admitted.actor.viewer, admitted.actor.key)


def _points(meter: Meter) -> int:
    return int(meter.seconds * POINTS_PER_SECOND_OF_WORK)
