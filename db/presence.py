"""Who may be present in a room, and under which name."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.signals import Around
from db.viewers import VIEWER_ACCOUNT, viewer_values
from domain.accounts import Viewer


class Place(NamedTuple):
    """A room somebody may be in: under which handle, empty for who has none, and around what."""

    handle: str
    around: Around


async def place_in(connection: AsyncConnection, viewer: Viewer, room_id: UUID) -> Place | None:
    """Where the viewer is when they are in a room; None where they may not be there."""
    room, account = tables.room.alias(), tables.account.alias()
    query = (
        select(account.c.handle, room.c.artist_id, room.c.hook_id, room.c.release_id)
        .select_from(room.outerjoin(account, account.c.id == VIEWER_ACCOUNT))
        .where(room.c.id == room_id, allowed(tables.room, Action.READ, room))
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    if row is None:
        return None
    return Place(row.handle or "", Around(row.artist_id, row.hook_id, row.release_id, room_id))
