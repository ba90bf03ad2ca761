"""Where hooks and visual worlds live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.arguments import Bound
from db.engine import Database
from db.places import Computed, Stored, ToOne, Type, belong, columns, refer
from db.verdicts import ByQuestion
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
        "durationMs": Stored(lambda row: row.c.end_ms - row.c.start_ms),
        "badges": Stored(lambda row: row.c.badges),
        "rights": Computed(ByQuestion()),
        "remixTerms": Computed(),
        "playback": Computed(),
        "track": ToOne("Track", refer("track_id")),
        "theme": ToOne("Theme", refer("theme_id")),
        "visualWorld": ToOne(
            "VisualWorld",
            lambda row, visual, _: (visual.c.hook_id == row.c.id) & (visual.c.state == "ACTIVE"),
        ),
        "room": ToOne("Room", belong("hook_id")),
        "world": ToOne("World", _world_of, always=True),
    },
)

VISUAL_WORLD = Type(
    "VisualWorld",
    tables.visual_world,
    {
        **columns(tables.visual_world, "state", "title", "texture", "colour", "lyric_behaviour", "motion", id="ref"),
        **columns(tables.visual_world, "created_at"),
        "badges": Stored(lambda row: row.c.badges),
        "owner": ToOne("Artist", refer("owner_id"), always=True),
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
