"""How operations are executed."""

from __future__ import annotations

from enum import StrEnum


class Execution(StrEnum):
    """How operations are executed."""

    PLAN = "plan"
    REFERENCE = "reference"
