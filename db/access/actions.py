"""How a row is met, and how much of it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from sqlalchemy import ColumnElement, Table, true

Row = Any  # an alias or a subquery over a table: anything whose `.c` holds the table's columns
Predicate = Callable[[Row], ColumnElement[bool]]
Predicates = Mapping[Table, Mapping["Action", Predicate]]


class Action(Enum):
    """The ways a row is met; see the module's table."""

    READ = auto()
    LIST = auto()
    REACH = auto()
    CITE = auto()
    INSPECT = auto()
    WRITE = auto()
    OWN = auto()


class Exposure(Enum):
    """How much of a row that may be seen is shown."""

    STUB = auto()
    """Shown whenever the row is: also of a withdrawn asset."""
    TEASER = auto()
    """Hidden in a withdrawn asset, shown of a scheduled release."""
    FULL = auto()
    """Everything else."""
    WITHIN = auto()
    """Shown to its own people in person, and to nobody and nothing else."""


def everyone(_: Row) -> ColumnElement[bool]:
    """Anybody may."""
    return true()


def seen(by: Predicate) -> dict[Action, Predicate]:
    """Whichever way a row is met, one predicate says whether it is seen."""
    return dict.fromkeys((Action.READ, Action.LIST, Action.REACH), by)
