"""Where artists, their worlds and their themes live."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_

from db import tables
from db.access import Action
from db.arguments import Bound, Paging
from db.assets import ASSET_PAGING, owned_by
from db.orders import NEWEST
from db.places import Inline, Page, ToOne, Type, belong, columns, refer

_SEED = {
    "source": "seed_source",
    "hue": "seed_hue",
    "saturation": "seed_saturation",
    "lightness": "seed_lightness",
}
_TOKENS = ("base", "surface", "accent", "glow", "gradient_end", "footer_start", "footer_end")


def _stated_by_artist(row: Any, policy: Any, _: Bound) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == row.c.id, policy.c.level == "ARTIST")


def _of_world(row: Any, room: Any, _: Bound) -> ColumnElement[bool]:
    return and_(room.c.artist_id == row.c.id, room.c.hook_id.is_(None), room.c.release_id.is_(None))


def _hooks_of(row: Any, hook: Any, _: Bound) -> ColumnElement[bool]:
    return hook.c.track_id.in_(owned_by(row.c.id))


ARTIST = Type(
    "Artist",
    tables.artist,
    {
        **columns(tables.artist, "handle", "name", "kind", "claimed", "created_at", id="ref"),
        "world": ToOne("World", lambda row, world, _: world.c.id == row.c.id, always=True),
        "policy": ToOne("PermissionPolicy", _stated_by_artist),
        "assets": Page("Asset", belong("owner_id"), ASSET_PAGING, action=Action.LIST),
    },
)

WORLD = Type(
    "World",
    tables.artist,
    {
        **columns(tables.artist, "handle", "name", "tagline"),
        "artist": ToOne("Artist", lambda row, artist, _: artist.c.id == row.c.id, always=True),
        "theme": ToOne("Theme", refer("theme_id")),
        "visualWorld": ToOne("VisualWorld", refer("visual_id")),
        "leadHook": ToOne("Hook", refer("lead_hook_id"), action=Action.LIST),
        "hooks": Page("Hook", _hooks_of, Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "releases": Page("Release", belong("owner_id"), Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "room": ToOne("Room", _of_world),
    },
)

THEME = Type(
    "Theme",
    tables.theme,
    {
        **columns(tables.theme, "is_extracted", "pattern", "texture", "texture_opacity", "typography", id="ref"),
        **columns(tables.theme, "motion", "release_posture"),
        "seed": Inline("ThemeSeed", columns(tables.theme, **_SEED)),
        "tokens": Inline("ThemeTokens", columns(tables.theme, *_TOKENS)),
        "artist": ToOne("Artist", refer("artist_id"), always=True),
    },
)
