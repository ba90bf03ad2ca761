"""Where uploaded media live, what was read in them, and what of a track somebody may hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.assets import current_id
from db.engine import Database
from db.entitlements import opened
from db.history import holds_now
from db.viewers import VIEWER_ACCOUNT, held, viewer_values
from domain.accounts import Viewer
from domain.assets import MediaRole, asset_ref
from domain.ids import Kind, Ref
from domain.media import ContentState, Format
from domain.windows import Window, stretch


def entitled(asset: Any) -> ColumnElement[bool]:
    """The viewer may hear all of an asset: its owner's members and those to whom it is open, if they come in person."""
    # A key sees nothing of the account it is of: its viewer has none.
    return and_(or_(held(asset.c.owner_id), opened(asset), _accessed(asset)), VIEWER_ACCOUNT.is_not(None))


def _accessed(asset: Any) -> ColumnElement[bool]:
    """A license opened the sound of an asset to the viewer, for a time that is not over; and what it granted holds."""
    access, link, grant = tables.access_grant.alias(), tables.license_grant.alias(), tables.permission_grant.alias()
    lasting = exists().where(
        access.c.account_id == VIEWER_ACCOUNT,
        access.c.track_id == asset.c.id,
        access.c.expires_at > func.now(),
        link.c.license_id == access.c.license_id,
        grant.c.id == link.c.grant_id,
        holds_now(grant),
    )
    return lasting.correlate_except(access, link, grant)


def _sent_in(asset: Any, media_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """It was sent in as a clip that the viewer may see: who sends sound in lets it be heard, as the artist decides."""
    clip = tables.clip.alias()
    seen = clip.c.asset_id == asset.c.id, clip.c.media_id == media_id, allowed(tables.clip, Action.REACH, clip)
    return exists().where(*seen).correlate_except(clip)


def _of(of: Ref) -> str:
    """The column of `media` that names what something is of: an asset, or an artist."""
    return "artist_id" if of.kind is Kind.ARTIST else "asset_id"


async def media_held(connection: AsyncConnection, of: Ref, role: MediaRole, sha256: str) -> Ref | None:
    """The uploaded media of an asset or an artist with these bytes in this role; None where there is none."""
    media, content = tables.media, tables.media_content
    query = (
        select(media.c.id)
        .join_from(media, content, content.c.media_id == media.c.id)
        .where(media.c[_of(of)] == of.id, media.c.role == role.value, media.c.sha256 == sha256)
        .limit(1)
    )
    found = (await connection.execute(query)).scalar()
    return None if found is None else Ref(Kind.MEDIA, found)


async def add_media(
    connection: AsyncConnection, media_id: UUID, of: Ref, values: Mapping[str, Any], format_: Format
) -> None:
    """Attach bytes that are stored to an asset or an artist; `values` by column of `media`."""
    row = {"id": media_id, _of(of): of.id, **values, "mime_type": format_.mime_type}
    await connection.execute(insert(tables.media).values(row))
    state = ContentState.READY if values["role"] == MediaRole.SOURCE.value else ContentState.RECEIVED
    content = {"media_id": media_id, "format": format_.value, "state": state.value}
    await connection.execute(insert(tables.media_content).values(content))


class Stored(NamedTuple):
    """Bytes that were uploaded, the asset or else the artist they belong to, and the artist whose they are."""

    media: UUID
    of: UUID
    owner: UUID
    sha256: str
    format: Format


async def stored_media(database: Database, media_id: UUID) -> Stored | None:
    """What was uploaded as that; asked by a job, which sees everything."""
    media, content, asset = tables.media, tables.media_content, tables.asset
    query = (
        select(
            media.c.id,
            func.coalesce(media.c.asset_id, media.c.artist_id),
            func.coalesce(asset.c.owner_id, media.c.artist_id),
            media.c.sha256,
            content.c.format,
        )
        .join_from(media, content, content.c.media_id == media.c.id)
        .join(asset, asset.c.id == media.c.asset_id, isouter=True)
        .where(media.c.id == media_id)
    )
    async with database.read() as connection:
        row = (await connection.execute(query)).first()
    return None if row is None else Stored(*row[:4], Format(row.format))


async def note_content(connection: AsyncConnection, media_id: UUID, values: Mapping[str, Any]) -> None:
    """Keep what was read in some media, by column."""
    content = tables.media_content
    await connection.execute(update(content).where(content.c.media_id == media_id).values(dict(values)))


async def note_length(connection: AsyncConnection, media_id: UUID, duration_ms: int) -> None:
    """Keep how long some media are."""
    media = tables.media
    await connection.execute(update(media).where(media.c.id == media_id).values(duration_ms=duration_ms))


async def note_duration(connection: AsyncConnection, stored: Stored, duration_ms: int) -> None:
    """Keep how long some sound is; so long is its track or sample from now on."""
    await note_length(connection, stored.media, duration_ms)
    for table in (tables.track, tables.sample):
        await connection.execute(update(table).where(table.c.id == stored.of).values(duration_ms=duration_ms))


class Playable(NamedTuple):
    """A track that may be heard, wholly or in its window; or the sample of a clip.

    Attributes:
        track: the track or the sample.
        media: the master that is heard.
        sha256: of its bytes.
        format: of them.
        duration_ms: of the sound.
        hook: the window of its hook; None where nobody chose one.
        entitled: the viewer may hear all of it.
        secrets: what seals tokens, the newest first.
    """

    track: Ref
    media: UUID
    sha256: str
    format: Format
    duration_ms: int
    hook: Window | None
    entitled: bool
    secrets: tuple[bytes, ...]


_HEARD = ("TRACK", "SAMPLE")


def _playable(which: Any) -> Any:
    """The tracks for which that holds, as far as the viewer may hear them: their newest masters that were read."""
    asset, hook, media, content, secret = (
        table.alias() for table in (tables.asset, tables.hook, tables.media, tables.media_content, tables.playback_key)
    )
    master = (
        select(media.c.id, media.c.sha256, media.c.duration_ms, content.c.format)
        .join_from(media, content, content.c.media_id == media.c.id)
        .where(
            media.c.asset_id == asset.c.id,
            media.c.role == MediaRole.MASTER.value,
            content.c.state == ContentState.READY.value,
        )
        .order_by(media.c.created_at.desc(), media.c.id.desc())
        .limit(1)
        .lateral()
    )
    newest = select(secret.c.secret).order_by(secret.c.created_at.desc(), secret.c.id.desc()).limit(2)
    track_seen = and_(allowed(tables.asset, Action.READ, asset), asset_shown(asset, Exposure.FULL))
    hook_seen = and_(hook.c.id.is_not(None), allowed(tables.hook, Action.READ, hook))
    return (
        select(
            asset.c.id.label("track"),
            asset.c.kind,
            master.c.id.label("media"),
            master.c.sha256,
            master.c.format,
            master.c.duration_ms,
            hook.c.id.label("hook"),
            hook.c.start_ms,
            hook.c.end_ms,
            or_(entitled(asset), _sent_in(asset, master.c.id)).label("entitled"),
            func.array(newest.scalar_subquery()).label("secrets"),
        )
        .join_from(asset, master, true())
        .join(hook, hook.c.track_id == asset.c.id, isouter=True)
        .where(asset.c.kind.in_(_HEARD), which(asset, hook), or_(track_seen, hook_seen))
    )


_TRACK = bindparam("track", type_=Uuid, required=True)
_HOOKS = bindparam("hooks", type_=ARRAY(Uuid), required=True)
_CLIPS = bindparam("clips", type_=ARRAY(Uuid), required=True)
_OF_TRACK = _playable(lambda asset, _: asset.c.id == current_id(_TRACK))
_OF_HOOKS = _playable(lambda _, hook: hook.c.id == any_(_HOOKS))


def _of_clips() -> Any:
    clip = tables.clip.alias()
    named = _playable(lambda asset, _: and_(asset.c.id == clip.c.asset_id, clip.c.id == any_(_CLIPS)))
    return named.add_columns(clip.c.id.label("clip")).where(allowed(tables.clip, Action.REACH, clip))


_OF_CLIPS = _of_clips()


def _read(row: Any) -> Playable:
    return Playable(
        track=asset_ref(row.kind, row.track),
        media=row.media,
        sha256=row.sha256,
        format=Format(row.format),
        duration_ms=row.duration_ms,
        hook=stretch(row.start_ms, row.end_ms),
        entitled=row.entitled,
        secrets=tuple(row.secrets),
    )


async def playable_track(connection: AsyncConnection, viewer: Viewer, track_id: UUID) -> Playable | None:
    """What the viewer may hear of a track; None where that is nothing."""
    row = (await connection.execute(_OF_TRACK, {**viewer_values(viewer), "track": track_id})).first()
    return None if row is None else _read(row)


async def playable_hooks(database: Database, viewer: Viewer, hooks: Sequence[UUID]) -> Mapping[UUID, Playable]:
    """The tracks of some hooks, as far as the viewer may hear them."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_HOOKS, {**viewer_values(viewer), "hooks": list(hooks)})
        return {row.hook: _read(row) for row in rows}


async def playable_clips(database: Database, viewer: Viewer, clips: Sequence[UUID]) -> Mapping[UUID, Playable]:
    """The samples of some clips, as far as the viewer may hear all of them."""
    async with database.read() as connection:
        rows = await connection.execute(_OF_CLIPS, {**viewer_values(viewer), "clips": list(clips)})
        return {row.clip: _read(row) for row in rows if row.entitled}


async def playback_secrets(connection: AsyncConnection) -> tuple[bytes, ...]:
    """What seals audio tokens, the newest first; the one before it is still good."""
    secret = tables.playback_key
    newest = select(secret.c.secret).order_by(secret.c.created_at.desc(), secret.c.id.desc()).limit(2)
    return tuple((await connection.execute(newest)).scalars())


class Cut(NamedTuple):
    """A preview: an object of its own."""

    sha256: str
    mime_type: str
    byte_size: int


async def preview_of(connection: AsyncConnection, media_id: UUID, window: Window) -> Cut | None:
    """The preview of a window; None where it was not cut yet."""
    preview = tables.preview
    query = select(preview.c.sha256, preview.c.mime_type, preview.c.byte_size).where(
        preview.c.media_id == media_id, preview.c.start_ms == window.start_ms, preview.c.end_ms == window.end_ms
    )
    row = (await connection.execute(query)).first()
    return None if row is None else Cut(*row)


async def add_preview(connection: AsyncConnection, media_id: UUID, window: Window, cut: Cut) -> None:
    """Keep a preview; whoever cut the same one at the same time cut the same bytes."""
    row = {"media_id": media_id, "start_ms": window.start_ms, "end_ms": window.end_ms, **cut._asdict()}
    await connection.execute(upsert(tables.preview).values(row).on_conflict_do_nothing())


async def peaks_of(connection: AsyncConnection, viewer: Viewer, track_id: UUID) -> list[int] | None:
    """The waveform of a track the viewer may read, in ten thousandths; None where there is none."""
    asset, media, content = tables.asset.alias(), tables.media, tables.media_content
    query = (
        select(content.c.peaks)
        .join_from(asset, media, media.c.asset_id == asset.c.id)
        .join(content, content.c.media_id == media.c.id)
        .where(
            asset.c.kind == "TRACK",
            asset.c.id == current_id(_TRACK),
            allowed(tables.asset, Action.READ, asset),
            asset_shown(asset, Exposure.FULL),
            media.c.role == MediaRole.MASTER.value,
            content.c.state == ContentState.READY.value,
            content.c.peaks.is_not(None),
        )
        .order_by(media.c.created_at.desc(), media.c.id.desc())
        .limit(1)
    )
    return (await connection.execute(query, {**viewer_values(viewer), "track": track_id})).scalar()


class Shown(NamedTuple):
    """A file that is handed out as it is."""

    sha256: str
    mime_type: str
    is_public: bool


_HANDED_OUT = (MediaRole.COVER.value, MediaRole.LOOP.value, MediaRole.SOURCE.value)


async def shown_media(connection: AsyncConnection, viewer: Viewer, media_id: UUID) -> Shown | None:
    """An image, a loop or a source file the viewer may read; sound is heard elsewhere."""
    media, content, asset = tables.media.alias(), tables.media_content, tables.asset
    visual, artist = tables.visual_world.alias(), tables.artist.alias()
    on_a_world = exists().where(visual.c.source_id == media.c.id, artist.c.visual_id == visual.c.id)
    of_public_asset = and_(asset.c.state == "PUBLIC", not_(media.c.role == MediaRole.SOURCE.value))
    public = func.coalesce(or_(of_public_asset, on_a_world.correlate_except(visual, artist)), false())
    query = (
        select(func.coalesce(content.c.shown_sha256, media.c.sha256), media.c.mime_type, public.label("is_public"))
        .join_from(media, content, content.c.media_id == media.c.id)
        .join(asset, asset.c.id == media.c.asset_id, isouter=True)
        .where(
            media.c.id == media_id,
            media.c.role.in_(_HANDED_OUT),
            content.c.state == ContentState.READY.value,
            allowed(tables.media, Action.READ, media),
        )
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else Shown(*row)
