"""Where hooks and visual worlds live."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from db import tables
from db.arguments import Bound
from db.places import Stored, ToOne, Type, belong, columns, refer


def _world_of(row: Any, world: Any, _: Bound) -> ColumnElement[bool]:
    track = tables.asset.alias()
    owner = select(track.c.owner_id).where(track.c.id == row.c.track_id).correlate_except(track)
    return world.c.id == owner.scalar_subquery()


HOOK = Type(
    "Hook",
    tables.hook,
    {
        **columns(tables.hook, "start_ms", "end_ms", "caption", "created_at", id="ref"),
        "durationMs": Stored(lambda row: row.c.end_ms - row.c.start_ms),
        "badges": Stored(lambda row: row.c.badges),
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
