"""Where waveforms are read: of tracks, and of the windows of their hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on

from db import tables
from db.engine import Database
from domain.assets import MediaRole
from domain.media import ContentState
from domain.windows import Window


class Drawn(NamedTuple):
    """A waveform.

    Attributes:
        duration_ms: how long the sound is.
        peaks: 500 of them, in ten thousandths of full scale.
    """

    duration_ms: int
    peaks: Sequence[int]


_HOOK, _MEDIA, _CONTENT = tables.hook, tables.media, tables.media_content
_READ = (
    _MEDIA.c.role == MediaRole.MASTER.value,
    _MEDIA.c.duration_ms.is_not(None),
    _CONTENT.c.state == ContentState.READY.value,
    _CONTENT.c.peaks.is_not(None),
)
_NEWEST = (_MEDIA.c.created_at.desc(), _MEDIA.c.id.desc())
_OF_TRACKS = (
    select(_MEDIA.c.asset_id, _MEDIA.c.duration_ms, _CONTENT.c.peaks)
    .ext(distinct_on(_MEDIA.c.asset_id))
    .join_from(_MEDIA, _CONTENT, _CONTENT.c.media_id == _MEDIA.c.id)
    .where(_MEDIA.c.asset_id == any_(bindparam("tracks", type_=ARRAY(Uuid))), *_READ)
    .order_by(_MEDIA.c.asset_id, *_NEWEST)
)
_OF_HOOKS = (
    select(_HOOK.c.id, _HOOK.c.start_ms, _HOOK.c.end_ms, _MEDIA.c.duration_ms, _CONTENT.c.peaks)
    .ext(distinct_on(_HOOK.c.id))
    .join_from(_HOOK, _MEDIA, _MEDIA.c.asset_id == _HOOK.c.track_id)
    .join(_CONTENT, _CONTENT.c.media_id == _MEDIA.c.id)
    .where(_HOOK.c.id == any_(bindparam("hooks", type_=ARRAY(Uuid))), *_READ)
    .order_by(_HOOK.c.id, *_NEWEST)
)


async def drawn_tracks(database: Database, tracks: Sequence[UUID]) -> Mapping[UUID, Drawn]:
    """The waveforms of some tracks, where there are any. It asks nobody who they are: the tracks were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_TRACKS, {"tracks": list(tracks)})
        return {row.asset_id: Drawn(row.duration_ms, row.peaks) for row in rows}


async def drawn_hooks(database: Database, hooks: Sequence[UUID]) -> Mapping[UUID, tuple[Window, Drawn]]:
    """The windows of some hooks and the waveforms of their tracks, where there are any; the hooks were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_HOOKS, {"hooks": list(hooks)})
        return {row.id: (Window(row.start_ms, row.end_ms), Drawn(row.duration_ms, row.peaks)) for row in rows}
