"""Telling rooms how warm they are, where that is another tenth than before."""

from __future__ import annotations

from contextlib import suppress

from db.engine import Database
from db.rooms import add_room_event
from db.signals import HeatChange, heat_changes, note_heat
from domain.rooms import RoomEventKind

MOST_AT_ONCE = 500


class _ToldAlready(Exception):
    """Another process was first: what was about to be told is taken back."""


async def tell_heat(database: Database) -> int:
    """Let everybody in a room hear that it is warmer or cooler, once; how many rooms changed.

    Raises:
        Unavailable: the database is away.
    """
    async with database.read() as connection:
        changes = await heat_changes(connection, MOST_AT_ONCE)
    for change in changes:
        with suppress(_ToldAlready):
            await _tell(database, change)
    return len(changes)


async def _tell(database: Database, change: HeatChange) -> None:
    # The room first and its warmth second, as everybody locks them who does something there.
    async with database.write() as connection:
        await add_room_event(connection, change.room, RoomEventKind.HEAT_CHANGED, None, {"heat": change.heat})
        if not await note_heat(connection, change):
            raise _ToldAlready
