"""Running a plan: its statement on the database, with the values of one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.compiler import Statement
from db.engine import Database
from db.viewers import viewer_values
from domain.accounts import Viewer
from graph.operation import Reading
from graph.plans import Plan
from graph.tracing import Tracing

KEEP_FROM = 2
"""A statement is prepared under a name from its second use on: a document seen once shall not push others out."""


class Runner:
    """Runs statements."""

    def __init__(self, database: Database, tracing: Tracing) -> None:
        """Run them on a database, under spans."""
        self._database = database
        self._tracing = tracing

    async def run(self, plan: Plan, readings: Mapping[int, Reading], viewer: Viewer) -> bytes:
        """The JSON a plan's statement answers."""
        if plan.statement is None:
            raise TypeError(plan.refusal)
        values = statement_values(plan.statement, readings, viewer)
        with self._tracing.span("statement", db__system__name="postgresql"):
            return await self._database.fetch(plan.statement.sql, values, keep=plan.uses >= KEEP_FROM)


def statement_values(statement: Statement, readings: Mapping[int, Reading], viewer: Viewer) -> list[Any]:
    """The values of a statement's parameters, in order."""
    asking = viewer_values(viewer)
    return [asking[name] if slot < 0 else readings[slot][1][name] for slot, name in statement.parameters]
