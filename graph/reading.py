"""Answering an operation: plan where every field is stored, the reference otherwise. The two mean the same.

`request -> document (cached) -> arguments read, bad ones refused -> plan (cached by shape) -> one statement -> bytes`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg
import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute
from graphql.execution.values import get_variable_values
from prometheus_client import CollectorRegistry, Counter

from db.access import viewer_values
from db.engine import Database
from domain.accounts import Viewer
from domain.errors import CassetError, Code, TooCostly
from graph.operation import Documents, Operation, Plan, Plans, Reading
from graph.reference import Hops

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
    viewer: Viewer
    extra: Any = None


@dataclass(slots=True)
class Prepared:
    """A request made ready: the operation, its variables, and its arguments read."""

    operation: Operation
    variables: dict[str, Any]
    readings: dict[int, Reading]
    plan: Plan


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
        self, schema: GraphQLSchema, database: Database, execution: Execution = Execution.PLAN, extra: Any = None
    ) -> None:
        """Start with empty caches.

        Args:
            schema: the schema, with reference resolvers attached.
            database: where everything is read.
            execution: `reference` runs every operation through graphql-core.
            extra: what mutations find as `info.context.extra`.
        """
        self.documents = Documents(schema)
        self.plans = Plans()
        self.metrics = Metrics()
        self._schema = schema
        self._database = database
        self._execution = execution
        self._extra = extra

    async def answer(
        self, text: str, name: str | None, variables: Mapping[str, Any] | None, viewer: Viewer
    ) -> Answer:
        """Answer a request.

        Raises:
            Unavailable: the database is away.
        """
        try:
            prepared = self.prepare(text, name, variables)
        except Refusal as refusal:
            errors = [error.formatted for error in refusal.errors]
            return Answer(orjson.dumps({"errors": errors}, default=str), refused=True)
        statement = prepared.plan.statement
        if statement is not None and self._execution is Execution.PLAN:
            try:
                body = await self._run(prepared, viewer)
            except asyncpg.DataError:
                self.metrics.retries.inc()
            else:
                self.metrics.operations.labels("plan").inc()
                return Answer(b'{"data":' + body + b"}")
        self.metrics.operations.labels("reference").inc()
        return await self._refer(prepared, viewer)

    def prepare(self, text: str, name: str | None, variables: Mapping[str, Any] | None) -> Prepared:
        """Parse, validate, coerce variables, read arguments, bound the cost and find the plan.

        Raises:
            Refusal: one of these failed.
        """
        operation = self.documents.operation(text, name)
        if isinstance(operation, list):
            raise Refusal(operation)
        declared = operation.definition.variable_definitions
        coerced: Any = {}
        if declared:
            coerced = get_variable_values(self._schema, declared, dict(variables or {}), max_errors=5)
            if isinstance(coerced, list):
                raise Refusal([_bad_variable(error) for error in coerced])
        values = coerced
        try:
            collected = operation.under(values)
            readings = {slot: operation.slots[slot].read(values) for slot in collected.slots}
            plan = self.plans.plan(operation, collected, readings)
            self._bound(plan, readings)
        except CassetError as error:
            raise Refusal([_refused(error)]) from None
        if plan.refusal is not None and plan.uses == 0:
            self.metrics.refusals.labels(plan.refusal).inc()
        plan.uses += 1
        return Prepared(operation, dict(variables or {}), readings, plan)

    @staticmethod
    def _bound(plan: Plan, readings: Mapping[int, Reading]) -> None:
        """Refuse what may read too many objects: the product of the page sizes on the way to each."""
        objects = 0
        for slots, times in plan.weights:
            product = times
            for slot in slots:
                product *= _size(readings[slot][1])
            objects += product
        if objects > MOST_OBJECTS:
            raise TooCostly(f"The operation may read {objects} objects, more than {MOST_OBJECTS}. Ask for smaller pages.")

    async def _run(self, prepared: Prepared, viewer: Viewer) -> bytes:
        statement, plan = prepared.plan.statement, prepared.plan
        if statement is None:
            raise TypeError
        asking = viewer_values(viewer)
        values = [asking[name] if slot < 0 else prepared.readings[slot][1][name] for slot, name in statement.parameters]
        return await self._database.fetch(statement.sql, values, keep=plan.uses >= KEEP_FROM)

    async def _refer(self, prepared: Prepared, viewer: Viewer) -> Answer:
        operation = prepared.operation
        result = execute(
            self._schema,
            operation.document,
            variable_values=prepared.variables,
            operation_name=operation.definition.name.value if operation.definition.name else None,
            context_value=Context(Hops(self._database, viewer), viewer, self._extra),
        )
        done = result if isinstance(result, ExecutionResult) else await result  # type: ignore[misc]  # an awaitable otherwise
        return Answer(orjson.dumps(done.formatted, default=str), refused=False)


def _size(values: Mapping[str, Any]) -> int:
    return values["size"] if "size" in values else len(values["ids"])  # type: ignore[no-any-return]  # an int


def _bad_variable(error: GraphQLError) -> GraphQLError:
    return GraphQLError(error.message, nodes=error.nodes, extensions={"code": Code.BAD_USER_INPUT.value})


def _refused(error: CassetError) -> GraphQLError:
    return GraphQLError(error.message, extensions={"code": error.code.value})


