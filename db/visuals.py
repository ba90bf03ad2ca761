"""Where visual worlds live, and how they are written: changed, or put away for another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.arguments import Bound, Paging
from db.engine import Database
from db.facts import terms_of
from db.history import holds_now
from db.orders import POSITION
from db.places import Computed, Page, Stored, ToOne, Type, belong, columns, refer
from db.wearers import Wearer, wear
from domain.assets import MediaRole
from domain.colours import Hsl
from domain.hooks import VisualState
from domain.ids import Kind
from domain.levels import Spoken
from domain.media import ContentState
from domain.rights import Level, Term


def _stated(row: Any, policy: Any, _: Bound) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == row.c.id, policy.c.level == "VISUAL")


VISUAL_WORLD = Type(
    "VisualWorld",
    tables.visual_world,
    {
        **columns(tables.visual_world, "state", "title", "texture", "colour", "lyric_behaviour", "motion", id="ref"),
        **columns(tables.visual_world, "version", "created_at"),
        "badges": Stored(lambda row: row.c.badges),
        "source": ToOne("Media", refer("source_id")),
        "owner": ToOne("Artist", refer("owner_id"), always=True),
        "credits": Page("Credit", belong("visual_id"), Paging({"POSITION": POSITION}, "POSITION")),
        "policy": ToOne("PermissionPolicy", _stated),
        "reuse": Computed(),
    },
)

_SAID = (
    select(tables.visual_world.c.id, tables.policy.c.level, tables.policy.c.term_set_id)
    .outerjoin(
        tables.policy,
        or_(
            and_(tables.policy.c.subject_id == tables.visual_world.c.id, tables.policy.c.level == Level.VISUAL.value),
            and_(
                tables.policy.c.subject_id == tables.visual_world.c.owner_id,
                tables.policy.c.level == Level.ARTIST.value,
            ),
        )
        & holds_now(tables.policy),
    )
    .where(tables.visual_world.c.id == any_(bindparam("visuals", type_=ARRAY(Uuid))))
)


async def said_of_visuals(database: Database, visuals: Sequence[UUID]) -> Mapping[UUID, Spoken]:
    """What is stated of the reuse of some visual worlds: of each by itself, then by its artist."""
    async with database.read() as connection:
        rows = (await connection.execute(_SAID, {"visuals": list(visuals)})).all()
    terms = await terms_of(database, {row.term_set_id for row in rows if row.term_set_id is not None})
    said: dict[UUID, dict[Level, tuple[Term, ...]]] = {row.id: {} for row in rows}
    for row in rows:
        if row.term_set_id is not None:
            said[row.id][Level(row.level)] = terms[row.term_set_id]
    # Its own word is to a visual world what an asset's is to an asset.
    heard = (Level.VISUAL, Level.ASSET), (Level.ARTIST, Level.ARTIST)
    return {id_: tuple((of, levels[by]) for by, of in heard if by in levels) for id_, levels in said.items()}


CHANGEABLE = ("source_id", "title", "texture", "colour", "lyric_behaviour", "motion", "badges")


@dataclass(frozen=True, slots=True)
class WornVisual:
    """The visual world that a held wearer wears, with the columns that may be changed."""

    id: UUID
    version: int
    values: Mapping[str, Any]


async def worn_visual(connection: AsyncConnection, wearer: Wearer) -> WornVisual | None:
    """What a held wearer wears; None where that is nothing."""
    visual, artist, release = tables.visual_world, tables.artist, tables.release
    worn = {
        Kind.HOOK: visual.c.hook_id == wearer.ref.id,
        Kind.ARTIST: visual.c.id == select(artist.c.visual_id).where(artist.c.id == wearer.ref.id).scalar_subquery(),
        Kind.RELEASE: visual.c.id == select(release.c.cover_id).where(release.c.id == wearer.ref.id).scalar_subquery(),
    }[wearer.ref.kind]
    query = select(visual).where(worn, visual.c.state == VisualState.ACTIVE.value)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else WornVisual(row["id"], row["version"], {name: row[name] for name in CHANGEABLE})


async def change_visual(connection: AsyncConnection, worn: WornVisual, values: Mapping[str, Any]) -> None:
    """Write new values to what a held wearer wears, and move its version on."""
    visual = tables.visual_world
    await connection.execute(
        update(visual).where(visual.c.id == worn.id).values({**values, "version": worn.version + 1})
    )


async def put_on(
    connection: AsyncConnection, wearer: Wearer, visual_id: UUID, worn: WornVisual | None, values: Mapping[str, Any]
) -> int:
    """Let a held wearer wear a new visual world; the one before is put away.

    Its version goes on from the one before, so that whoever read that one is told.

    Returns:
        The version of the artist or the asset, which is another one where the row points at what it wears.
    """
    visual = tables.visual_world
    if worn is not None:
        retired = update(visual).where(visual.c.id == worn.id).values(state=VisualState.RETIRED.value)
        await connection.execute(retired)
    row = {"id": visual_id, "owner_id": wearer.owner, "version": worn.version + 1 if worn else 1, **values}
    if wearer.ref.kind is Kind.HOOK:
        await connection.execute(insert(visual).values({**row, "hook_id": wearer.ref.id}))
        return wearer.version
    column = "visual_id" if wearer.ref.kind is Kind.ARTIST else "cover_id"
    return await wear(connection, wearer, column, visual_id, insert(visual).values(row))


@dataclass(frozen=True, slots=True)
class Picture:
    """An image or a loop of an artist, and what was read in it.

    Attributes:
        id: of the media.
        is_still: it is an image.
        state: whether it was read to its end.
        fault: why it was not.
        seed: the colour a theme may grow from.
    """

    id: UUID
    is_still: bool
    state: ContentState
    fault: str | None
    seed: Hsl | None


async def picture_of(connection: AsyncConnection, owner: UUID, media_id: UUID) -> Picture | None:
    """An image or a loop that is an artist's, or an asset's of theirs; None where there is none."""
    media, content, asset = tables.media, tables.media_content, tables.asset
    seed = (content.c.seed_hue, content.c.seed_saturation, content.c.seed_lightness)
    query = (
        select(media.c.id, media.c.role, content.c.state, content.c.fault, *seed)
        .join_from(media, content, content.c.media_id == media.c.id)
        .join(asset, asset.c.id == media.c.asset_id, isouter=True)
        .where(
            media.c.id == media_id,
            media.c.role.in_((MediaRole.COVER.value, MediaRole.LOOP.value)),
            or_(media.c.artist_id == owner, asset.c.owner_id == owner),
        )
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    read = None if row.seed_hue is None else Hsl(row.seed_hue, row.seed_saturation, row.seed_lightness)
    return Picture(row.id, row.role == MediaRole.COVER.value, ContentState(row.state), row.fault, read)
