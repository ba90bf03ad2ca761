"""The plans of operations: compiled statements, shared by all that ask for the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from db.compiler import Refused, Statement, compile_selection
from db.map import TYPES
from db.selection import Field, Selection
from graph.collecting import Asked
from graph.kept import Kept
from graph.operation import Collected, Operation, Reading
from graph.workbench import Meter, Workbench

KEPT_PLANS = 16 << 20
"""Bytes of memory, about."""
PLAN = 2000
"""The bytes that a plan has beside its statement."""


@dataclass(slots=True)
class Plan:
    """A statement for one shape of an operation, or why there is none.

    `holes` is where computed fields will stand: keys the statement also returns, filled in batches after it.
    """

    selection: Selection | None
    statement: Statement | None
    refusal: str | None = None
    uses: int = 0


class Plans:
    """Compiled statements, shared by all operations that ask for the same."""

    def __init__(self, bench: Workbench) -> None:
        """Start empty, with a place to make what is found missing while an operation runs."""
        self._bench = bench
        self._kept = Kept(KEPT_PLANS, _weight)
        self._shapes = Kept(KEPT_PLANS, _weight)

    def plan(
        self, operation: Operation, collected: Collected, readings: Mapping[int, Reading], *, quick: bool = False
    ) -> Plan:
        """The plan of an operation for the shapes of its arguments.

        Raises:
            Unmade: there is none yet, and all has to be `quick`.
        """
        shapes = tuple((slot, readings[slot][0]) for slot in collected.slots)
        key = operation.number, collected.conditions, shapes
        return self._shapes.recall(key, lambda: self._make("Query", collected.fields, operation, readings), quick=quick)

    async def things(self, fields: tuple[Field, ...], slot: int, kinds: Hashable, meter: Meter) -> Plan:
        """The plan of stored things that computed values lead to: as those are met that belong to others."""
        nodes = Field("nodes", "nodes", frozenset({"Things"}), slot, kinds, fields)
        selection = Selection("Things", (nodes,))
        return await self._bench.soon(partial(self._kept.recall, selection, partial(self._compile, selection)), meter)

    def _make(self, root: str, fields: Sequence[Asked], operation: Operation, readings: Mapping[int, Reading]) -> Plan:
        selection = Selection(root, tuple(self.field(asked, operation, readings) for asked in fields))
        return self._kept.recall(selection, lambda: self._compile(selection))

    def field(self, asked: Asked, operation: Operation, readings: Mapping[int, Reading]) -> Field:
        """What is asked of one place in an answer, with the shapes of its arguments."""
        slot = operation.slot_of.get(id(asked.nodes[0]), -1)
        return Field(
            asked.key,
            asked.name,
            asked.kinds,
            slot,
            readings[slot][0] if slot in readings else None,
            tuple(self.field(inner, operation, readings) for inner in asked.fields),
        )

    @staticmethod
    def _compile(selection: Selection) -> Plan:
        try:
            return Plan(selection, compile_selection(TYPES, selection))
        except Refused as refusal:
            return Plan(selection, None, str(refusal))
        except RecursionError:
            return Plan(selection, None, "the operation is nested too deeply for one statement")


def _weight(plan: Plan) -> int:
    """The bytes that a plan comes to: a selection is about as long as its statement."""
    return PLAN + (2 * len(plan.statement.sql) if plan.statement else 0)
