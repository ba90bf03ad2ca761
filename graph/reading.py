"""Answering an operation: plan where every field is stored, the reference otherwise. The two mean the same.

`request -> document (cached) -> arguments read, bad ones refused -> plan (cached by shape) -> one statement -> bytes`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from prometheus_client import CollectorRegistry, Counter

from db.access import viewer_values
from db.compiler import Statement
from db.engine import Database
from db.map import TYPES
from domain.accounts import Viewer
from domain.errors import CassetError, Code, TooCostly, Unavailable
from graph.collecting import Asked
from graph.mutation import Outcome, read_mutation
from graph.operation import Documents, Operation, Plan, Plans, Reading
from graph.reference import Hops
from resolvers.context import Acting, now, uuid7

log = structlog.get_logger()

NO_VARIABLES = VariableValues({}, {})

Run = Callable[[Acting], Awaitable[Outcome]]

MOST_OBJECTS = 10_000
KEEP_FROM = 2
"""A statement is prepared under a name from its second use on: a document seen once shall not push others out."""


class Execution(StrEnum):
    """How operations are executed."""

    PLAN = "plan"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a response, JSON in UTF-8, and whether the request was refused before execution (no `data`)."""

    body: bytes
    refused: bool = False


@dataclass(slots=True)
class Context:
    """What resolvers meet under `info.context`."""

    hops: Hops
    acting: Acting


@dataclass(slots=True)
class Prepared:
    """A request made ready: the operation, its variables, and its arguments read.

    `plan` is of a query; a mutation has its root fields instead, and what each will run.
    """

    operation: Operation
    variables: dict[str, Any]
    readings: dict[int, Reading]
    plan: Plan | None
    fields: Sequence[Asked] = ()
    runs: Mapping[str, Run] = field(default_factory=dict)


@dataclass(slots=True)
class Metrics:
    """What is counted of the read engine."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    operations: Counter = field(init=False)
    refusals: Counter = field(init=False)
    retries: Counter = field(init=False)

    def __post_init__(self) -> None:
        """Register the counters."""
        self.operations = Counter("casset_operations", "Operations answered.", ["tier"], registry=self.registry)
        self.refusals = Counter("casset_plan_refusals", "Plans refused.", ["reason"], registry=self.registry)
        self.retries = Counter("casset_plan_retries", "Plans run again by the reference.", registry=self.registry)


class Refusal(Exception):
    """A request refused before execution, with the errors that say why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        """Keep the errors."""
        super().__init__(errors[0].message)
        self.errors = errors


class Reader:
    """Answers operations on one schema over one database."""

    def __init__(
        self,
        schema: GraphQLSchema,
        database: Database,
        execution: Execution = Execution.PLAN,
        *,
        now: Callable[[], datetime] = now,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Start with empty caches.

        Args:
            schema: the schema, with reference resolvers attached.
            database: where everything is read and written.
            execution: `reference` runs every operation through graphql-core.
            now: the clock of mutations.
            new_id: makes their UUIDv7s.
        """
        self.documents = Documents(schema)
        self.plans = Plans()
        self.metrics = Metrics()
        self._schema = schema
        self._database = database
        self._execution = execution
        self._now = now
        self._new_id = new_id

    async def answer(self, text: str, name: str | None, variables: Mapping[str, Any] | None, viewer: Viewer) -> Answer:
        """Answer a request.

        Raises:
            Unavailable: the database is away.
        """
        try:
            prepared = self.prepare(text, name, variables)
        except Refusal as refusal:
            errors = [error.formatted for error in refusal.errors]
            return Answer(orjson.dumps({"errors": errors}, default=str), refused=True)
        acting = Acting(self._database, viewer, self._now, self._new_id)
        if self._execution is Execution.PLAN:
            if prepared.plan is None:
                self.metrics.operations.labels("plan").inc()
                return await self._write(prepared, acting)
            if prepared.plan.statement is not None:
                try:
                    body = await self._run(prepared.plan, prepared.readings, viewer)
                except asyncpg.DataError:
                    self.metrics.retries.inc()
                else:
                    self.metrics.operations.labels("plan").inc()
                    return Answer(b'{"data":' + body + b"}")
        self.metrics.operations.labels("reference").inc()
        return await self._refer(prepared, acting)

    def kind(self, text: str, name: str | None) -> str | None:
        """Whether a document's operation is a query or a mutation; None where it is not valid."""
        operation = self.documents.operation(text, name)
        return None if isinstance(operation, list) else operation.kind

    def prepare(self, text: str, name: str | None, variables: Mapping[str, Any] | None) -> Prepared:
        """Parse, validate, coerce variables, read arguments, bound the cost and find the plan.

        Raises:
            Refusal: one of these failed.
        """
        operation = self.documents.operation(text, name)
        if isinstance(operation, list):
            raise Refusal([_bad_input(error) for error in operation])
        declared = operation.definition.variable_definitions
        values = NO_VARIABLES
        if declared:
            coerced = get_variable_values(self._schema, declared, dict(variables or {}), max_errors=5)
            if isinstance(coerced, list):
                raise Refusal([_bad_input(error) for error in coerced])
            values = coerced
        try:
            collected = operation.under(values.coerced)
            readings = {slot: operation.slots[slot].read(values) for slot in collected.slots}
            if operation.kind == "mutation":
                runs = self._runs(collected.fields, values)
                return Prepared(operation, dict(variables or {}), readings, None, collected.fields, runs)
            plan = self.plans.plan(operation, collected, readings)
            self._bound(plan, readings)
        except CassetError as error:
            raise Refusal([_refused(error)]) from None
        except GraphQLError as error:
            raise Refusal([_bad_input(error)]) from None
        if plan.refusal is not None and plan.uses == 0:
            self.metrics.refusals.labels(plan.refusal).inc()
        plan.uses += 1
        return Prepared(operation, dict(variables or {}), readings, plan)

    def _runs(self, fields: Sequence[Asked], variables: VariableValues) -> dict[str, Run]:
        """What each mutation asked for will run, its input read."""
        definitions = self._schema.mutation_type.fields  # type: ignore[union-attr]  # a mutation was validated
        given = {
            asked.key: (asked.name, get_argument_values(definitions[asked.name], asked.nodes[0], variables))
            for asked in fields
            if asked.name != "__typename"
        }
        return {key: read_mutation(name, arguments) for key, (name, arguments) in given.items()}

    @staticmethod
    def cost(plan: Plan, readings: Mapping[int, Reading]) -> int:
        """How many objects a plan may read at most: the product of the page sizes on the way to each."""
        objects = 0
        for slots, times in plan.weights:
            product = times
            for slot in slots:
                product *= _size(readings[slot][1])
            objects += product
        return objects

    def _bound(self, plan: Plan, readings: Mapping[int, Reading]) -> None:
        objects = self.cost(plan, readings)
        if objects > MOST_OBJECTS:
            raise TooCostly(
                f"The operation may read {objects} objects, more than {MOST_OBJECTS}. Ask for smaller pages."
            )

    async def _run(self, plan: Plan, readings: Mapping[int, Reading], viewer: Viewer) -> bytes:
        if plan.statement is None:
            raise TypeError(plan.refusal)
        values = statement_values(plan.statement, readings, viewer)
        return await self._database.fetch(plan.statement.sql, values, keep=plan.uses >= KEEP_FROM)

    async def _write(self, prepared: Prepared, acting: Acting) -> Answer:
        """Run the mutations one after the other, each payload read by a plan of its own after the commit."""
        data: dict[str, Any] = {}
        for asked in prepared.fields:
            if asked.name == "__typename":
                data[asked.key] = "Mutation"
                continue
            outcome = await prepared.runs[asked.key](acting)
            data[asked.key] = await self._payload(prepared, asked, outcome, acting.viewer)
        return Answer(orjson.dumps({"data": data}))

    async def _payload(self, prepared: Prepared, asked: Asked, outcome: Outcome, viewer: Viewer) -> Any:
        fields = [inner for inner in asked.fields if outcome.type in inner.kinds]
        if outcome.type not in TYPES:
            values = {**outcome.values, "__typename": outcome.type}
            return {inner.key: values[inner.name] for inner in fields}
        given = {name: (ref.kind, {"id": ref.id}) for name, ref in outcome.values.items()}
        plan, readings = self.plans.payload(outcome.type, fields, prepared.operation, prepared.readings, given)
        self._bound(plan, readings)
        plan.uses += 1
        return orjson.Fragment(await self._run(plan, readings, viewer))

    async def _refer(self, prepared: Prepared, acting: Acting) -> Answer:
        operation = prepared.operation
        result = execute(
            self._schema,
            operation.document,
            variable_values=prepared.variables,
            operation_name=operation.definition.name.value if operation.definition.name else None,
            context_value=Context(Hops(self._database, acting.viewer), acting),
        )
        done = result if isinstance(result, ExecutionResult) else await result
        for error in done.errors or ():
            if isinstance(error.original_error, (Unavailable, TooCostly)):
                raise error.original_error
        return Answer(
            orjson.dumps({"data": done.data} | ({"errors": [_masked(e) for e in done.errors]} if done.errors else {}))
        )


def statement_values(statement: Statement, readings: Mapping[int, Reading], viewer: Viewer) -> list[Any]:
    """The values of a statement's parameters, in order."""
    asking = viewer_values(viewer)
    return [asking[name] if slot < 0 else readings[slot][1][name] for slot, name in statement.parameters]


def _masked(error: GraphQLError) -> Any:
    """What the caller learns of an unexpected error: where, and nothing else."""
    if error.original_error is None:
        return error.formatted
    log.error("resolver failed", path=error.path, exc_info=error.original_error)
    return {
        "message": "Something went wrong on our side.",
        "path": error.path,
        "extensions": {"code": Code.INTERNAL.value},
    }


def _size(values: Mapping[str, Any]) -> int:
    return values["size"] if "size" in values else len(values["ids"])


def _bad_input(error: GraphQLError) -> GraphQLError:
    """The same error with its code; a message that quotes half a surrogate pair shows its escape."""
    message = error.message.encode(errors="backslashreplace").decode()
    extensions = {"code": Code.BAD_USER_INPUT.value}
    return GraphQLError(message, error.nodes, error.source, error.positions, extensions=extensions)


def _refused(error: CassetError) -> GraphQLError:
    return GraphQLError(error.message, extensions={"code": error.code.value})
