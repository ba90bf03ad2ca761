"""A company with hooks and pictures, to dress worlds, hooks and releases with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from db import tables
from db.engine import Database
from domain.ids import Kind
from graph.execution import Execution
from tests.graph.company import Company, company

WRITTEN = (
    tables.visual_world,
    tables.credit,
    tables.theme,
    tables.policy,
    tables.provenance_event,
    tables.change,
    tables.outbox,
)
WORN = """visualWorld { id state title texture colour lyricBehaviour motion badges version source { id sha256 }
  credits { nodes { id role acceptance contributor { name } asset { id } visualWorld { id } } } policy { id } }"""
PHOTO = [{"party": {"name": "Nan G."}, "role": "VISUAL_ARTIST"}]
COLOURS = {"base", "surface", "accent", "glow", "gradientEnd", "footerStart", "footerEnd"}
CUSTOM = {"source": "CUSTOM", "hue": 210, "saturation": 60, "lightness": 40}


class Studio(Company):
    """Everybody, and two pictures of Nova's and one of Far's that were read."""

    async def furnish(self) -> None:
        """A hook of Nova's track, and one of Far's; pictures."""
        async with self.database.write() as connection:
            for name, track in (("hook", "track"), ("strange", "other")):
                id_ = self._name(name, Kind.HOOK)
                row = {"id": id_, "track_id": self.keys[track], "start_ms": 0, "end_ms": 30_000}
                await connection.execute(insert(tables.hook).values(row))
            for number, (name, artist, role, seed) in enumerate(
                (
                    ("photo", "nova", "COVER", 200),
                    ("other photo", "nova", "COVER", None),
                    ("loop", "nova", "LOOP", None),
                    ("far photo", "far", "COVER", 10),
                )
            ):
                id_ = self._name(name, Kind.MEDIA)
                row = {"id": id_, "artist_id": self.keys[artist], "role": role, "sha256": f"{number}" * 64}
                await connection.execute(insert(tables.media).values(row))
                said = {} if seed is None else {"seed_hue": seed, "seed_saturation": 50, "seed_lightness": 40}
                format_ = "PNG" if role == "COVER" else "MP4"
                content = {"media_id": id_, "format": format_, "state": "READY", **said}
                await connection.execute(insert(tables.media_content).values(content))

    async def wear(self, subject: str, who: str | None = "ada", **given: Any) -> Any:
        """What `setVisualWorld` answers; names stand for ids."""
        if "source" in given:
            given["source"] = given["source"] and self.ids[given["source"]]
        return await self.do(who, "setVisualWorld", WORN, subject=self.ids[subject], **given)

    async def look(self, subject: str, theme: Any, who: str | None = "ada", **given: Any) -> Any:
        """What `setTheme` answers."""
        asked = f"artist {{ id }} theme {{ {THEME} }}"
        return await self.do(who, "setTheme", asked, subject=self.ids[subject], theme=theme, **given)

    async def written(self) -> list[int]:
        """How much there is of everything that is written."""
        return [await self.count(table) for table in WRITTEN]

    async def bodies(self) -> list[str]:
        """All that provenance and the outbox hold."""
        async with self.database.read() as connection:
            events = (await connection.execute(select(tables.provenance_event.c.body))).scalars()
            return [*events, *map(str, (await connection.execute(select(tables.outbox.c.payload))).scalars())]


THEME = f"""id seed {{ source hue saturation lightness }} tokens {{ {" ".join(sorted(COLOURS))} }} isExtracted pattern
  texture textureOpacity badges details {{ typography motion glow grain }} releasePosture"""


@asynccontextmanager
async def studio(database: Database, folder: Path, execution: Execution) -> AsyncIterator[Studio]:
    """Everybody with everything, until the end of a test."""
    async with company(database, folder, execution) as house:
        here = Studio(database, house.house, execution, house.ids, house.keys)
        await here.furnish()
        yield here
