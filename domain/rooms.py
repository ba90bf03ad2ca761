"""Rooms."""

from __future__ import annotations

from enum import StrEnum


class RoomVisibility(StrEnum):
    """Who may enter a room."""

    PUBLIC = "PUBLIC"
    MEMBERS = "MEMBERS"
    SUPPORTERS = "SUPPORTERS"
