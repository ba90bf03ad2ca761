"""Where clips live, and the sound that is sent in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, exists, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed, clip_stands, credit_stands
from db.arguments import Bound, Filter, Paging
from db.assets import current_id, id_of, in_any
from db.containment import contained
from db.orders import NEWEST
from db.places import Computed, Page, Stored, ToOne, Type, columns, refer
from db.viewers import viewer_values
from domain.accounts import ANONYMOUS, Viewer
from domain.assets import AssetState, MediaRole
from domain.clips import ClipState, Sound
from domain.ids import Kind, Ref
from domain.media import ContentState
from domain.windows import Window


def _lasts(clip: Any) -> ColumnElement[int]:
    media = tables.media.alias()
    return select(media.c.duration_ms).where(media.c.id == clip.c.media_id).correlate_except(media).scalar_subquery()


CLIP = Type(
    "Clip",
    tables.clip,
    {
        **columns(tables.clip, "state", "start_ms", "end_ms", "created_at", "decided_at", id="ref"),
        "durationMs": Stored(_lasts),
        "playback": Computed(),
        "hook": ToOne("Hook", refer("hook_id"), action=Action.READ),
        "ritual": ToOne("Ritual", refer("ritual_id"), action=Action.READ),
        # What is unlisted is shown to those who may see the clip.
        "sample": ToOne("Sample", lambda row, sample, _: sample.c.id == current_id(row.c.asset_id), action=Action.READ),
        "world": ToOne("World", refer("sender_id"), always=True),
    },
)


def _about(column: str, kind: Kind) -> Filter:
    return Filter(lambda clip, id_: clip.c[column] == id_, Uuid(), id_of(kind))


CLIP_PAGING = Paging(
    {"NEWEST": NEWEST},
    "NEWEST",
    {
        "artist": _about("artist_id", Kind.ARTIST),
        "hook": _about("hook_id", Kind.HOOK),
        "sender": _about("sender_id", Kind.ARTIST),
        "states": in_any("state"),
    },
)


def clips_with(column: str) -> Page:
    """The approved clips that keep the row's id in a column, newest first."""

    def shown(row: Any, clip: Any, _: Bound) -> ColumnElement[bool]:
        return and_(clip.c[column] == row.c.id, clip.c.state == ClipState.APPROVED.value)

    return Page("Clip", shown, Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST)


async def sound_of(connection: AsyncConnection, viewer: Viewer, sample: UUID) -> Sound | None:
    """What a sample would be as a clip; None where there is none for the viewer to send in."""
    asset, media, content = tables.asset.alias(), tables.media.alias(), tables.media_content.alias()
    credit = tables.credit.alias()
    newest = (
        select(media.c.id, media.c.sha256, media.c.duration_ms, content.c.state.label("content"), content.c.pcm_sha256)
        .join_from(media, content, content.c.media_id == media.c.id, isouter=True)
        .where(media.c.asset_id == asset.c.id, media.c.role == MediaRole.MASTER.value)
        .order_by(media.c.created_at.desc(), media.c.id.desc())
        .limit(1)
        .lateral()
    )
    credited = exists().where(credit.c.asset_id == asset.c.id, credit_stands(credit)).correlate_except(credit)
    query = (
        select(
            asset.c.state,
            credited.label("is_credited"),
            newest.c.id,
            newest.c.content,
            newest.c.duration_ms,
            _anothers(newest).label("is_anothers"),
        )
        .join_from(asset, newest, literal(True), isouter=True)
        .where(asset.c.id == sample, asset.c.kind == "SAMPLE", allowed(tables.asset, Action.WRITE, asset))
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    if row is None:
        return None
    if row.content is None:
        return Sound(AssetState(row.state), row.is_credited, None, None, None, is_anothers=False)
    read = ContentState(row.content), row.duration_ms
    return Sound(AssetState(row.state), row.is_credited, row.id, *read, row.is_anothers)


def _anothers(sound: Any) -> ColumnElement[bool]:
    """Somebody uploaded the same bytes, or the same sound in another container, as a work that is not the viewer's.

    Whether the viewer may see that work does not matter, and is not told. Who only said a hash has proved nothing.
    """
    asset, media, content = tables.asset.alias(), tables.media.alias(), tables.media_content.alias()
    uploaded = media.join(content, content.c.media_id == media.c.id).join(asset, asset.c.id == media.c.asset_id)
    theirs = (
        media.c.role == MediaRole.MASTER.value,
        content.c.state == ContentState.READY.value,
        ~allowed(tables.asset, Action.WRITE, asset),
    )
    # Two questions, each of which has its index.
    same = (media.c.sha256 == sound.c.sha256, content.c.pcm_sha256 == sound.c.pcm_sha256)
    found = [exists().select_from(uploaded).where(each, *theirs) for each in same]
    return or_(*[each.correlate_except(asset, media, content) for each in found])


async def is_on_release(connection: AsyncConnection, release_id: UUID, track_id: UUID) -> bool:
    """Whether a release that is out holds a track."""
    item = contained()
    query = select(exists().where(item.c.release_id == release_id, item.c.asset_id == track_id))
    return bool((await connection.execute(query)).scalar())


async def was_sent(connection: AsyncConnection, sample: UUID, hook: UUID) -> bool:
    """Whether a sample was sent in to a hook, and not taken back."""
    clip = tables.clip
    known = clip.c.asset_id == sample, clip.c.hook_id == hook, clip.c.state != ClipState.WITHDRAWN.value
    return bool((await connection.execute(select(exists().where(*known)))).scalar())


async def count_waiting(connection: AsyncConnection, account_id: UUID, artist_id: UUID) -> int:
    """How many clips of an account wait for an artist to decide."""
    clip = tables.clip
    waiting = clip.c.artist_id == artist_id, clip.c.account_id == account_id, clip.c.state == ClipState.PENDING.value
    return (await connection.execute(select(func.count()).select_from(clip).where(*waiting))).scalar_one()


@dataclass(frozen=True, slots=True)
class NewClip:
    """A clip that is sent in, by its columns."""

    id: UUID
    hook_id: UUID
    ritual_id: UUID | None
    artist_id: UUID
    asset_id: UUID
    media_id: UUID
    sender_id: UUID
    account_id: UUID
    window: Window


async def add_clip(connection: AsyncConnection, new: NewClip) -> None:
    """Write a clip down."""
    named = ("id", "hook_id", "ritual_id", "artist_id", "asset_id", "media_id", "sender_id", "account_id")
    row = {name: getattr(new, name) for name in named}
    window = {"start_ms": new.window.start_ms, "end_ms": new.window.end_ms}
    await connection.execute(insert(tables.clip).values(**row, **window))


@dataclass(frozen=True, slots=True)
class HeldClip:
    """A clip under the writer's lock.

    Attributes:
        id: of the clip.
        hook: it was sent in to.
        ritual: it is a part of, where it is.
        sample: what was sent in.
        account: who sent it in.
        state: where it stands.
    """

    id: UUID
    hook: Ref
    ritual: UUID | None
    sample: Ref
    account: UUID
    state: ClipState


async def hold_clip(connection: AsyncConnection, viewer: Viewer, clip_id: UUID, action: Action) -> HeldClip | None:
    """Lock a clip the viewer decides about, or sent in; None where there is none, or it is not theirs to."""
    clip = tables.clip.alias()
    query = select(clip).where(clip.c.id == clip_id, allowed(tables.clip, action, clip)).with_for_update()
    row = (await connection.execute(query, viewer_values(viewer))).first()
    if row is None:
        return None
    hook, sample = Ref(Kind.HOOK, row.hook_id), Ref(Kind.SAMPLE, row.asset_id)
    return HeldClip(row.id, hook, row.ritual_id, sample, row.account_id, ClipState(row.state))


async def stands_for_all(connection: AsyncConnection, held: HeldClip) -> bool:
    """Whether what was sent in is there for everybody."""
    clip = tables.clip.alias()
    query = select(exists().where(clip.c.id == held.id, clip_stands(clip)))
    return bool((await connection.execute(query, viewer_values(ANONYMOUS))).scalar())


async def move_clip(
    connection: AsyncConnection, held: HeldClip, state: ClipState, account_id: UUID, ritual_id: UUID | None
) -> None:
    """Let a held clip stand elsewhere, as somebody decided, and be a part of a ritual or of none."""
    clip = tables.clip
    decided = {"state": state.value, "decided_by_id": account_id, "decided_at": func.clock_timestamp()}
    await connection.execute(update(clip).where(clip.c.id == held.id).values(**decided, ritual_id=ritual_id))
