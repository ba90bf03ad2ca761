"""Where hooks live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.addresses import address_in_world
from db.arguments import Bound
from db.assets import current_id
from db.clips import clips_with
from db.comments import comments_on
from db.engine import Database
from db.participation import PARTICIPATION
from db.places import Computed, Stored, ToOne, Type, belong, columns, refer
from db.social import counted, tied
from db.verdicts import ByQuestion
from db.viewers import viewer_values
from db.wearers import Wearer
from domain.accounts import Viewer
from domain.ids import Kind
from domain.releases import VersionState
from domain.social import TieKind
from domain.windows import Window


def _world_of(row: Any, world: Any, _: Bound) -> ColumnElement[bool]:
    track = tables.asset.alias()
    owner = select(track.c.owner_id).where(track.c.id == row.c.track_id).correlate_except(track)
    return world.c.id == owner.scalar_subquery()


HOOK = Type(
    "Hook",
    tables.hook,
    {
        **columns(tables.hook, "start_ms", "end_ms", "caption", "version", "created_at", id="ref"),
        "url": address_in_world(Kind.HOOK, "track_id"),
        "durationMs": Stored(lambda row: row.c.end_ms - row.c.start_ms),
        "badges": Stored(lambda row: row.c.badges),
        "rights": Computed(ByQuestion()),
        "remixTerms": Computed(),
        "playback": Computed(),
        "timedText": Computed(),
        "waveform": Computed(),
        "track": ToOne("Track", refer("track_id")),
        "theme": ToOne("Theme", refer("theme_id")),
        "visualWorld": ToOne(
            "VisualWorld",
            lambda row, visual, _: (visual.c.hook_id == row.c.id) & (visual.c.state == "ACTIVE"),
        ),
        "room": ToOne("Room", belong("hook_id")),
        "world": ToOne("World", _world_of, always=True),
        "likeCount": counted("likes"),
        "saveCount": counted("saves"),
        "commentCount": counted("comments"),
        "shareCount": counted("shares"),
        "viewerLikes": tied(TieKind.LIKE, "hook_id"),
        "viewerSaves": tied(TieKind.SAVE, "hook_id"),
        "comments": comments_on("hook_id"),
        "replies": clips_with("hook_id"),
        "participation": PARTICIPATION,
    },
)

_WINDOWS = select(tables.hook.c.id, tables.hook.c.track_id, tables.hook.c.start_ms, tables.hook.c.end_ms).where(
    tables.hook.c.id == any_(bindparam("hooks", type_=ARRAY(Uuid)))
)


async def windows_of(database: Database, hooks: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, Window]]:
    """The track of each hook and its window there. It asks nobody who they are: the hooks were seen before."""
    async with database.read() as connection:
        rows = await connection.execute(_WINDOWS, {"hooks": list(hooks)})
        return {row.id: (row.track_id, Window(row.start_ms, row.end_ms)) for row in rows}


@dataclass(frozen=True, slots=True)
class HeldHook:
    """The hook of a held track; without an id and a version where there is none yet.

    Attributes:
        duration_ms: how long the track is; None while that is not known.
        values: the columns that may be changed.
    """

    id: UUID | None
    version: int | None
    duration_ms: int | None
    values: Mapping[str, Any]


CHANGEABLE = ("start_ms", "end_ms", "caption", "badges")


async def hook_of(connection: AsyncConnection, track_id: UUID) -> HeldHook | None:
    """The hook of a track whose asset is held; None where the track is none."""
    track, hook = tables.track, tables.hook
    query = (
        select(track.c.duration_ms, hook.c.id, hook.c.version, *[hook.c[name] for name in CHANGEABLE])
        .outerjoin_from(track, hook, hook.c.track_id == track.c.id)
        .where(track.c.id == track_id)
    )
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        return None
    values = {name: row[name] for name in CHANGEABLE} if row["id"] else {}
    return HeldHook(row["id"], row["version"], row["duration_ms"], values)


async def add_hook(connection: AsyncConnection, hook_id: UUID, track_id: UUID, values: Mapping[str, Any]) -> None:
    """Give a held track its hook."""
    await connection.execute(insert(tables.hook).values(id=hook_id, track_id=track_id, **values))


async def update_hook(connection: AsyncConnection, held: HeldHook, values: Mapping[str, Any]) -> None:
    """Write new values to a hook and move its version on."""
    hook = tables.hook
    await connection.execute(update(hook).where(hook.c.id == held.id).values({**values, "version": hook.c.version + 1}))


async def leading_hook(connection: AsyncConnection, viewer: Viewer, wearer: Wearer, hook_id: UUID) -> UUID | None:
    """A hook that may lead a held artist's world, or a held release; None where it is of no track of theirs.

    A release leads with the hook of a track it holds, in its draft or as it is out.
    """
    hook, asset = tables.hook.alias(), tables.asset.alias()
    item, version, release = (each.alias() for each in (tables.release_item, tables.release_version, tables.release))
    if wearer.ref.kind is Kind.ARTIST:
        held = select(asset.c.id).where(asset.c.owner_id == wearer.ref.id)
    else:
        stands = or_(version.c.state == VersionState.DRAFT.value, version.c.id == release.c.current_version_id)
        held = (
            select(current_id(item.c.asset_id))
            .join_from(item, version, version.c.id == item.c.version_id)
            .join(release, release.c.id == version.c.release_id)
            .where(release.c.id == wearer.ref.id, stands)
        )
    query = select(hook.c.id).where(
        hook.c.id == current_id(literal(hook_id, Uuid)),
        hook.c.track_id.in_(held),
        allowed(tables.hook, Action.READ, hook),
    )
    found: UUID | None = (await connection.execute(query, viewer_values(viewer))).scalar()
    return found


async def lead_of(connection: AsyncConnection, wearer: Wearer) -> UUID | None:
    """The hook that leads a held artist's world, or a held release."""
    table = tables.artist if wearer.ref.kind is Kind.ARTIST else tables.release
    found: UUID | None = (
        await connection.execute(select(table.c.lead_hook_id).where(table.c.id == wearer.ref.id))
    ).scalar()
    return found
