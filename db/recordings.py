"""What an import of recordings has brought before: tracks by the bytes of their masters, releases by their albums."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import MediaRole
from domain.ids import Kind, Ref
from domain.search import fold

_IMPORTING = 0x726563  # "rec"


async def hold_imports(connection: AsyncConnection, artist_id: UUID) -> None:
    """Let nobody else bring recordings of an artist in, until commit."""
    place = int.from_bytes(artist_id.bytes[-4:], "big", signed=True)
    await connection.execute(select(func.pg_advisory_xact_lock(_IMPORTING, place)))


async def track_of(connection: AsyncConnection, viewer: Viewer, artist_id: UUID, sha256: str) -> Ref | None:
    """The first track of an artist that has these bytes as a master, if it is the viewer's to change."""
    media, asset = tables.media, tables.asset.alias()
    query = (
        select(asset.c.id)
        .join_from(media, asset, asset.c.id == media.c.asset_id)
        .where(
            media.c.sha256 == sha256,
            media.c.role == MediaRole.MASTER.value,
            asset.c.owner_id == artist_id,
            asset.c.kind == "TRACK",
            allowed(tables.asset, Action.WRITE, asset),
        )
        .order_by(asset.c.created_at, asset.c.id)
        .limit(1)
    )
    found = (await connection.execute(query, viewer_values(viewer))).scalar()
    return None if found is None else Ref(Kind.TRACK, found)


async def is_album_made(connection: AsyncConnection, artist_id: UUID, album: str) -> bool:
    """Whether an import has made a release of an album of an artist."""
    origin = tables.origin
    query = select(origin.c.asset_id).where(origin.c.source == _source(artist_id), origin.c.source_ref == album)
    return (await connection.execute(query)).first() is not None


async def note_album(connection: AsyncConnection, artist_id: UUID, album: str, release_id: UUID) -> None:
    """Remember that a release was made of an album."""
    row = {"source": _source(artist_id), "source_ref": album, "asset_id": release_id}
    await connection.execute(insert(tables.origin).values(row))


def _source(artist_id: UUID) -> str:
    # No catalogue has a slash in its name.
    return f"recordings/{Ref(Kind.ARTIST, artist_id)}"


class Holder(NamedTuple):
    """An artist whose recordings come in, and the names they go by."""

    ref: Ref
    names: frozenset[str]


async def holder_of(connection: AsyncConnection, viewer: Viewer, handle: str) -> Holder | None:
    """The artist with that handle, if the viewer may make something for them."""
    artist = tables.artist.alias()
    query = select(artist.c.id, artist.c.handle, artist.c.name).where(
        artist.c.handle == handle, allowed(tables.artist, Action.WRITE, artist)
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else Holder(Ref(Kind.ARTIST, row.id), frozenset({fold(row.handle), fold(row.name)}))
