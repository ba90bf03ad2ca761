"""Making a request ready: what it asks, with its arguments read and its cost bounded, before anything is run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values

from domain.errors import CassetError, TooCostly
from graph.answers import Refusal
from graph.collecting import Asked
from graph.documents import MOST_ERRORS, Documents
from graph.errors import bad_input, refused
from graph.happenings import Listen, read_subscription
from graph.limits import KNOWN, Limits
from graph.metrics import Metrics
from graph.mutation import read_mutation
from graph.operation import Collected, Operation, Reading
from graph.plans import Plan, Plans
from graph.studio.deeds import Act
from graph.workbench import Meter

NO_VARIABLES = VariableValues({}, {})


@dataclass(slots=True)
class Prepared:
    """A request made ready: the operation, its variables, and its arguments read.

    `fields` are those of the root and `cost` is how many objects may be read at most. `plan` is of a query; a mutation
    has what each of its fields will run; a subscription what it hears, and what events are shared by: all that ask the
    same of one. `meter` counts what is made while it is answered.
    """

    operation: Operation
    variables: dict[str, Any]
    readings: dict[int, Reading]
    fields: Sequence[Asked]
    cost: int
    plan: Plan | None = None
    runs: Mapping[str, Act] = field(default_factory=dict)
    listen: Listen | None = None
    shape: Hashable = None
    meter: Meter = field(default_factory=Meter)


class Preparer:
    """Makes requests on one schema ready."""

    def __init__(
        self, schema: GraphQLSchema, documents: Documents, plans: Plans, metrics: Metrics, *, is_open: bool
    ) -> None:
        """Keep what documents and plans there are; an open schema names what is near to a wrong name."""
        self._schema = schema
        self._documents = documents
        self._plans = plans
        self._metrics = metrics
        self._hides = not is_open

    def prepare(
        self,
        text: str,
        name: str | None,
        variables: Mapping[str, Any] | None,
        limits: Limits | None = KNOWN,
        *,
        quick: bool = False,
    ) -> Prepared:
        """Parse, measure, validate, coerce variables, read arguments, bound the cost and find the plan.

        Args:
            text: the document.
            name: of the operation, where there are several.
            variables: as they came.
            limits: what the document may come to; None for one that is trusted.
            quick: whether nothing may take long: what is not kept is not made.

        Raises:
            Refusal: one of these failed.
            Unmade: something would have to be made that is not `quick`.
        """
        operation = self._documents.operation(text, name, limits, quick=quick)
        if isinstance(operation, list):
            raise Refusal([bad_input(error) for error in operation])
        declared = operation.definition.variable_definitions
        values = NO_VARIABLES
        if declared:
            coerced = get_variable_values(
                self._schema, declared, dict(variables or {}), max_errors=MOST_ERRORS, hide_suggestions=self._hides
            )
            if isinstance(coerced, list):
                raise Refusal([bad_input(error) for error in coerced])
            values = coerced
        try:
            collected = operation.under(values.coerced, quick=quick)
            readings = {slot: operation.slots[slot].read(values) for slot in collected.slots}
            cost = operation.cost.of(values.coerced)
            prepared = Prepared(operation, dict(variables or {}), readings, collected.fields, cost)
            if prepared.cost > (limits or KNOWN).objects:
                raise TooCostly(
                    f"The operation may read {prepared.cost} objects, more than {(limits or KNOWN).objects}. "
                    "Ask for smaller pages."
                )
            if operation.kind == "query":
                prepared.plan = self._planned(operation, collected, readings, quick=quick)
            elif operation.kind == "mutation":
                prepared.runs = self._runs(collected.fields, values)
            else:
                prepared.listen = self._listens(collected.fields[0], values)
                prepared.shape = operation.number, collected.conditions
        except CassetError as error:
            raise Refusal([refused(error)]) from None
        except GraphQLError as error:
            raise Refusal([bad_input(error)]) from None
        return prepared

    def _planned(
        self, operation: Operation, collected: Collected, readings: Mapping[int, Reading], *, quick: bool
    ) -> Plan:
        plan = self._plans.plan(operation, collected, readings, quick=quick)
        if plan.refusal is not None and plan.uses == 0:
            self._metrics.refusals.labels(plan.refusal).inc()
        plan.uses += 1
        return plan

    def _runs(self, fields: Sequence[Asked], variables: VariableValues) -> dict[str, Act]:
        """What each mutation asked for will run, its input read."""
        definitions = self._schema.mutation_type.fields  # type: ignore[union-attr]  # a mutation was validated
        given = {
            asked.key: (asked.name, get_argument_values(definitions[asked.name], asked.nodes[0], variables))
            for asked in fields
            if asked.name != "__typename"
        }
        return {key: read_mutation(name, arguments) for key, (name, arguments) in given.items()}

    def _listens(self, asked: Asked, variables: VariableValues) -> Listen | None:
        """What a subscription will hear, its arguments read; None for one of the schema's own."""
        definitions = self._schema.subscription_type.fields  # type: ignore[union-attr]  # a subscription was validated
        return read_subscription(asked.name, get_argument_values(definitions[asked.name], asked.nodes[0], variables))
