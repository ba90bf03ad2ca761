"""Hooks and the visual worlds around them."""

from __future__ import annotations

from enum import StrEnum


class VisualState(StrEnum):
    """Whether a visual world is worn now."""

    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"


class HookOrder(StrEnum):
    """The order of a list of hooks."""

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
