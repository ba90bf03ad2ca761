"""Where themes live: a theme that changes gets a new id, and the old one goes on to tell how it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import Inline, Stored, ToOne, Type, columns, refer
from db.wearers import Wearer, wear
from domain.ids import Kind
from domain.themes import TOKENS

_SEED = {
    "source": "seed_source",
    "hue": "seed_hue",
    "saturation": "seed_saturation",
    "lightness": "seed_lightness",
}

THEME = Type(
    "Theme",
    tables.theme,
    {
        **columns(tables.theme, "is_extracted", "pattern", "texture", "texture_opacity", "typography", id="ref"),
        **columns(tables.theme, "motion", "release_posture"),
        "seed": Inline("ThemeSeed", columns(tables.theme, **_SEED)),
        "tokens": Inline("ThemeTokens", columns(tables.theme, *TOKENS)),
        "details": Inline("ThemeDetails", columns(tables.theme, "typography", "motion", "grain", glow="glow_strength")),
        "badges": Stored(lambda row: row.c.badges),
        "artist": ToOne("Artist", refer("artist_id"), always=True),
    },
)

_LOOK = tuple(
    column.name for column in tables.theme.columns if column.name not in {"id", "ref", "artist_id", "created_at"}
)


@dataclass(frozen=True, slots=True)
class WornTheme:
    """The theme that a held wearer wears, with all that it says."""

    id: UUID
    values: Mapping[str, Any]


async def worn_theme(connection: AsyncConnection, wearer: Wearer) -> WornTheme | None:
    """What a held artist or hook wears; None where that is nothing."""
    theme, row = tables.theme, tables.artist if wearer.ref.kind is Kind.ARTIST else tables.hook
    query = select(theme).join_from(row, theme, theme.c.id == row.c.theme_id).where(row.c.id == wearer.ref.id)
    found = (await connection.execute(query)).mappings().first()
    return None if found is None else WornTheme(found["id"], {name: found[name] for name in _LOOK})


async def wear_theme(connection: AsyncConnection, wearer: Wearer, theme_id: UUID, values: Mapping[str, Any]) -> int:
    """Let a held artist or hook wear a new theme; the version it has then."""
    row = {"id": theme_id, "artist_id": wearer.owner, **values}
    return await wear(connection, wearer, "theme_id", theme_id, insert(tables.theme).values(row))
