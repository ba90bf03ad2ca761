"""Where it is kept what was heard in recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.engine import Database
from domain.analyses import VERSION, Heard
from domain.assets import MediaRole
from domain.media import ContentState
from domain.suggestions import HOUSE


async def keep_analysis(connection: AsyncConnection, media_id: UUID, heard: Heard) -> None:
    """Keep what was heard in some media, in place of what was heard before."""
    table = tables.music_analysis
    values = {**heard.timing._asdict(), **heard.musical._asdict(), "provider": HOUSE, "provider_version": VERSION}
    query = insert(table).values(media_id=media_id, **values)
    await connection.execute(query.on_conflict_do_update(index_elements=[table.c.media_id], set_=values))


_ANALYSIS, _MEDIA, _CONTENT = tables.music_analysis, tables.media, tables.media_content
_OF_TRACKS = (
    select(_ANALYSIS, _MEDIA.c.asset_id)
    .ext(distinct_on(_MEDIA.c.asset_id))
    .join_from(_MEDIA, _CONTENT, _CONTENT.c.media_id == _MEDIA.c.id)
    .join(_ANALYSIS, _ANALYSIS.c.media_id == _MEDIA.c.id)
    .where(
        _MEDIA.c.asset_id == any_(bindparam("tracks", type_=ARRAY(Uuid))),
        _MEDIA.c.role == MediaRole.MASTER.value,
        _CONTENT.c.state == ContentState.READY.value,
    )
    .order_by(_MEDIA.c.asset_id, _MEDIA.c.created_at.desc(), _MEDIA.c.id.desc())
)


async def analyses_of(database: Database, tracks: Sequence[UUID]) -> Mapping[UUID, Any]:
    """The rows of what was heard in the newest masters of some tracks. It asks nobody: the tracks were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_TRACKS, {"tracks": list(tracks)})
        return {row.asset_id: row for row in rows}
