"""Where lyrics live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.engine import Database
from db.search import index_lyrics
from domain.lyrics import Line, Lyrics, Word
from domain.windows import Window


class HeldLyrics(NamedTuple):
    """The lyrics of a held track; without a version where there are none yet.

    Attributes:
        duration_ms: how long the track is; None while that is not known.
    """

    version: int | None
    lyrics: Lyrics
    duration_ms: int | None


def read_lines(kept: Sequence[Any]) -> tuple[Line, ...]:
    """Lines as they are kept in JSON."""
    return tuple(Line(start, end, text, tuple(Word(*word) for word in words)) for start, end, text, words in kept)


async def lyrics_held(connection: AsyncConnection, track_id: UUID) -> HeldLyrics | None:
    """The lyrics of a track whose asset is held; None where the track is none."""
    track, lyrics = tables.track, tables.lyrics
    query = (
        select(track.c.duration_ms, lyrics.c.version, lyrics.c.language, lyrics.c.lines)
        .outerjoin_from(track, lyrics, lyrics.c.track_id == track.c.id)
        .where(track.c.id == track_id)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return HeldLyrics(row.version, Lyrics(row.language, read_lines(row.lines or ())), row.duration_ms)


async def write_lyrics(connection: AsyncConnection, track_id: UUID, lyrics: Lyrics) -> None:
    """Give a held track its lyrics, or others than it has, and move their version on."""
    table = tables.lyrics
    values = lyrics._asdict()
    moved = {**values, "version": table.c.version + 1}
    query = insert(table).values(track_id=track_id, **values)
    await connection.execute(query.on_conflict_do_update(index_elements=[table.c.track_id], set_=moved))


async def take_over_lyrics(connection: AsyncConnection, keep: UUID, retire: UUID) -> None:
    """Give a held track the lyrics of another one that it takes the place of, where it has none and they fit."""
    kept, theirs = await lyrics_held(connection, keep), await lyrics_held(connection, retire)
    if kept is None or theirs is None or kept.version is not None or theirs.version is None:
        return
    last = max((line.end_ms for line in theirs.lyrics.lines), default=0)
    if kept.duration_ms is None or last <= kept.duration_ms:
        await write_lyrics(connection, keep, theirs.lyrics)
        await index_lyrics(connection, keep, [line.text for line in theirs.lyrics.lines])


_OF_TRACKS = select(tables.lyrics).where(tables.lyrics.c.track_id == any_(bindparam("tracks", type_=ARRAY(Uuid))))
_OF_HOOKS = (
    select(tables.hook.c.id, tables.hook.c.start_ms, tables.hook.c.end_ms, tables.lyrics.c.lines)
    .join_from(tables.hook, tables.lyrics, tables.lyrics.c.track_id == tables.hook.c.track_id)
    .where(tables.hook.c.id == any_(bindparam("hooks", type_=ARRAY(Uuid))))
)


async def lyrics_of(database: Database, tracks: Sequence[UUID]) -> Mapping[UUID, tuple[int, Lyrics]]:
    """The version and the lyrics of some tracks. It asks nobody who they are: the tracks were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_TRACKS, {"tracks": list(tracks)})
        return {row.track_id: (row.version, Lyrics(row.language, read_lines(row.lines))) for row in rows}


async def lines_around(database: Database, hooks: Sequence[UUID]) -> Mapping[UUID, tuple[Window, tuple[Line, ...]]]:
    """The window of some hooks and the lyrics of their tracks, where there are any; the hooks were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_HOOKS, {"hooks": list(hooks)})
        return {row.id: (Window(row.start_ms, row.end_ms), read_lines(row.lines)) for row in rows}
