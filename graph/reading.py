"""Answering an operation: plan where every field is stored, the reference otherwise. The two mean the same.

`request -> document (cached) -> arguments read, bad ones refused -> plan (cached by shape) -> one statement -> bytes`
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson
from graphql import (
    ExecutionResult,
    Executor,
    GraphQLSchema,
    create_source_event_stream,
    execute,
)

from db.engine import Database
from domain.accounts import Viewer
from domain.errors import TooCostly, TooMany, Unavailable
from graph.answers import Answer, Refusal
from graph.documents import Documents
from graph.errors import masked
from graph.execution import Execution
from graph.filling import Filler
from graph.metrics import Metrics
from graph.plans import Plan, Plans
from graph.preparing import Prepared, Preparer
from graph.reference import Hops
from graph.running import Runner
from graph.tracing import Tracing
from graph.workbench import Workbench
from resolvers.callers import Caller
from resolvers.context import Acting, now, uuid7
from resolvers.happenings import RoomNews
from resolvers.outbox import Relay
from subscriptions.presence import MemoryPresence, Presence

DEADLINE = 5.0
"""Seconds that an operation of several statements may take."""
MOST_SHAPES = 32
"""Ways to ask for one event that its answers are kept for."""
Done = TypeVar("Done")


@dataclass(slots=True)
class Context:
    """What resolvers meet under `info.context`."""

    hops: Hops
    acting: Acting


class Reader:
    """Answers operations on one schema over one database."""

    def __init__(
        self,
        schema: GraphQLSchema,
        database: Database,
        execution: Execution = Execution.PLAN,
        *,
        is_open: bool = True,
        now: Callable[[], datetime] = now,
        new_id: Callable[[], UUID] = uuid7,
        presence: Presence | None = None,
        relay: Relay | None = None,
    ) -> None:
        """Start with empty caches.

        Args:
            schema: the schema, with reference resolvers attached.
            database: where everything is read and written.
            execution: `reference` runs every operation through graphql-core.
            is_open: whether the schema may be introspected, and a wrong name is answered with those near to it.
            now: the clock of mutations.
            new_id: makes their UUIDv7s.
            presence: who is in each room; this process's own where none is given.
            relay: tells what happens in rooms; nobody does where none is given.
        """
        self.documents = Documents(schema, is_open=is_open)
        self._hides = not is_open
        self.bench = Workbench()
        self.plans = Plans(self.bench)
        self.metrics = Metrics()
        self.tracing = Tracing()
        self.schema = schema
        self._database = database
        self._runner = Runner(database, self.tracing)
        self._execution = execution
        self._now = now
        self._new_id = new_id
        self._presence = presence or MemoryPresence()
        self._relay = relay
        self.prepare = Preparer(schema, self.documents, self.plans, self.metrics, is_open=is_open).prepare

    async def answer(
        self,
        text: str,
        name: str | None,
        variables: Mapping[str, Any] | None,
        viewer: Viewer,
        caller: Caller | None = None,
    ) -> Answer:
        """Answer a request of this house's own in one step: its document needs no limits.

        Raises:
            Unavailable: the database is away.
        """
        try:
            prepared = self.prepare(text, name, variables, None)
        except Refusal as refusal:
            return refusal.answer()
        return await self.execute(prepared, viewer, caller)

    async def execute(
        self, prepared: Prepared, viewer: Viewer, caller: Caller | None = None, actor: str = ""
    ) -> Answer:
        """Answer a query or a mutation, which may sign the `caller` in or out; the `actor` is who is counted.

        Raises:
            Unavailable: the database is away.
            TooMany: the caller tried too often.
            TooCostly: it took too long.
        """
        if self._execution is Execution.PLAN:
            if prepared.plan is None:
                self.metrics.planned.inc()
                return await _in_time(self._write(prepared, self._acting(viewer, caller, actor)))
            if prepared.plan.statement is not None:
                try:
                    body = await self._run(prepared.plan, prepared, viewer, caller)
                except asyncpg.DataError:
                    self.metrics.retries.inc()
                else:
                    self.metrics.planned.inc()
                    return Answer(b'{"data":' + body + b"}")
        self.metrics.referred.inc()
        return await _in_time(self._refer(prepared, self._acting(viewer, caller, actor)))

    def _acting(self, viewer: Viewer, caller: Caller | None = None, actor: str = "") -> Acting:
        return Acting(self._database, viewer, self._now, self._new_id, caller, actor, self._presence, self._relay)

    async def events(self, prepared: Prepared, viewer: Viewer, actor: str = "") -> AsyncGenerator[Answer]:
        """The answers of a subscription, one for each event; the `actor` is who is counted.

        Raises:
            CassetError: what is asked for is not there, or the database is away.
            FellBehind: the answers are not taken.
        """
        acting = self._acting(viewer, actor=actor)
        if prepared.listen is None:
            answers = self._source(prepared, acting)
        else:
            answers = self._heard(prepared, prepared.listen(acting), acting)
        async with aclosing(answers):
            async for answer in answers:
                yield answer
                # The next one may be long in coming.
                del answer

    async def _heard(self, prepared: Prepared, events: AsyncGenerator[Any], acting: Acting) -> AsyncGenerator[Answer]:
        """An answer for each event. What is told alike to many is made once for all who ask the same of it."""
        async with aclosing(events):
            async for event in events:
                if not isinstance(event, RoomNews):
                    self.metrics.events.inc()
                    yield await self._tell(prepared, event, acting)
                elif event.value is None:
                    yield Answer(b"", mark=event.mark)
                else:
                    self.metrics.events.inc()
                    yield event.made.get(prepared.shape) or await self._make(prepared, event, acting)

    async def _make(self, prepared: Prepared, event: RoomNews, acting: Acting) -> Answer:
        told = await self._tell(prepared, event.value, acting)
        if len(event.made) > MOST_SHAPES:
            event.made.clear()
        answer = event.made[prepared.shape] = told._replace(mark=event.mark, waits=True)
        return answer

    async def _tell(self, prepared: Prepared, value: Any, acting: Acting) -> Answer:
        """One event as it was asked for."""
        self.metrics.made.inc()
        asked = prepared.fields[0]
        if self._execution is Execution.REFERENCE:
            return await _in_time(self._refer(prepared, acting, {asked.name: value}))
        filler = Filler(self._runner, self.plans, acting, prepared.readings, prepared.meter)
        field = self.plans.field(asked, prepared.operation, prepared.readings)
        body = await _in_time(filler.tell(field, value))
        return Answer(b'{"data":{%b:%b}}' % (orjson.dumps(asked.key), body))

    async def _source(self, prepared: Prepared, acting: Acting) -> AsyncGenerator[Answer]:
        """The answers of a subscription that the schema has a source for, each with loaders of its own."""
        executor = Executor.build(
            self.schema,
            prepared.operation.document,
            context_value=Context(Hops(self._database, acting.viewer), acting),
            raw_variable_values=prepared.variables,
            operation_name=prepared.operation.name,
        )
        source: Any = executor if isinstance(executor, list) else create_source_event_stream(executor)
        if inspect.isawaitable(source):
            source = await source
        if isinstance(source, (list, ExecutionResult)):
            errors = source if isinstance(source, list) else source.errors or []
            yield Answer(orjson.dumps({"errors": [masked(error) for error in errors]}), refused=True)
            return
        async with aclosing(source):
            async for event in source:
                self.metrics.events.inc()
                yield (await self._refer(prepared, acting, event))._replace(mark=getattr(event, "mark", None))

    async def _run(self, plan: Plan, prepared: Prepared, viewer: Viewer, caller: Caller | None) -> bytes:
        """One statement; where it has holes, they are filled."""
        if plan.statement is not None and not plan.statement.holes:
            return await self._runner.run(plan, prepared.readings, viewer)
        self.metrics.filled.inc()
        filler = Filler(self._runner, self.plans, self._acting(viewer, caller), prepared.readings, prepared.meter)
        return await _in_time(filler.run(plan))

    async def _write(self, prepared: Prepared, acting: Acting) -> Answer:
        """Run the mutations one after the other, what its payload leads to read by a plan after the commit."""
        data: dict[str, Any] = {}
        for asked in prepared.fields:
            if asked.name == "__typename":
                data[asked.key] = "Mutation"
                continue
            told = await prepared.runs[asked.key](acting)
            acting = acting.afterwards()
            field = self.plans.field(asked, prepared.operation, prepared.readings)
            filler = Filler(self._runner, self.plans, acting, prepared.readings, prepared.meter)
            data[asked.key] = orjson.Fragment(await filler.tell(field, told))
        return Answer(orjson.dumps({"data": data}))

    async def _refer(self, prepared: Prepared, acting: Acting, root: Any = None) -> Answer:
        result = execute(
            self.schema,
            prepared.operation.document,
            root,
            variable_values=prepared.variables,
            operation_name=prepared.operation.name,
            context_value=Context(Hops(self._database, acting.viewer), acting),
            hide_suggestions=self._hides,
        )
        done = result if isinstance(result, ExecutionResult) else await result
        for error in done.errors or ():
            if isinstance(error.original_error, (Unavailable, TooCostly, TooMany)):
                raise error.original_error
        return Answer(
            orjson.dumps({"data": done.data} | ({"errors": [masked(e) for e in done.errors]} if done.errors else {}))
        )


async def _in_time(answering: Awaitable[Done]) -> Done:
    """What takes several statements has one deadline for all of them.

    Raises:
        TooCostly: it is over.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            return await answering
    except TimeoutError:
        raise TooCostly("The operation took too long. Ask for less at once.") from None
