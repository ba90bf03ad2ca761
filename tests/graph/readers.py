"""Readers of tests: what was prepared for one serves all, for neither documents nor plans know a database."""

from __future__ import annotations

from functools import cache

from db.engine import Database
from graph.documents import Documents
from graph.execution import Execution
from graph.plans import Plans
from graph.reading import Reader
from graph.schema import executable


def reader_of(database: Database, execution: Execution = Execution.PLAN) -> Reader:
    """A reader of a database that parses, validates and compiles what no reader before it did."""
    reader = Reader(executable(), database, execution)
    reader.documents, reader.plans = _prepared()
    return reader


@cache
def _prepared() -> tuple[Documents, Plans]:
    first = Reader(executable(), Database({}))
    return first.documents, first.plans
