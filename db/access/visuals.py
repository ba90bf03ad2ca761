"""Who may see and change visual worlds, themes and media."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_, select

from db import tables
from db.access.actions import Action, Exposure, Predicates, Row, everyone
from db.access.assets import asset_read, asset_shown, held_asset, its_asset, of_asset
from db.access.hooks import hook_read
from db.viewers import edited, held


def _visual_reached(visual: Row) -> ColumnElement[bool]:
    return or_(visual.c.state == "ACTIVE", held(visual.c.owner_id))


def visual_read(visual: Row) -> ColumnElement[bool]:
    """READ of a visual world: its own, or ACTIVE on something that may be read."""
    hook, artist, release, asset = (t.alias() for t in (tables.hook, tables.artist, tables.release, tables.asset))
    worn_by_hook = exists().where(hook.c.id == visual.c.hook_id, hook_read(hook)).correlate_except(hook)
    worn_by_world = exists().where(artist.c.visual_id == visual.c.id).correlate_except(artist)
    covers = (
        select(release.c.id)
        .join_from(release, asset, asset.c.id == release.c.id)
        .where(release.c.cover_id == visual.c.id, asset_read(asset), asset_shown(asset, Exposure.TEASER))
        .correlate_except(release, asset)
        .exists()
    )
    return or_(held(visual.c.owner_id), and_(visual.c.state == "ACTIVE", or_(worn_by_hook, worn_by_world, covers)))


def _theme_read(theme: Row) -> ColumnElement[bool]:
    artist, hook = tables.artist.alias(), tables.hook.alias()
    worn_by_world = exists().where(artist.c.theme_id == theme.c.id).correlate_except(artist)
    worn_by_hook = exists().where(hook.c.theme_id == theme.c.id, hook_read(hook)).correlate_except(hook)
    return or_(held(theme.c.artist_id), worn_by_world, worn_by_hook)


def _media_reached(media: Row) -> ColumnElement[bool]:
    return or_(media.c.role != "SOURCE", its_asset(media, "asset_id", held_asset))


def _media_read(media: Row) -> ColumnElement[bool]:
    """Through its asset, as a member of its artist, or in a visual world that shows it."""
    visual = tables.visual_world.alias()
    shown = exists().where(visual.c.source_id == media.c.id, visual_read(visual)).correlate_except(visual)
    return and_(_media_reached(media), or_(of_asset(media, asset_read), held(media.c.artist_id), shown))


PREDICATES: Predicates = {
    tables.media: {Action.READ: _media_read, Action.REACH: _media_reached},
    tables.theme: {Action.READ: _theme_read, Action.REACH: everyone},
    tables.visual_world: {
        Action.READ: visual_read,
        Action.LIST: visual_read,
        Action.REACH: _visual_reached,
        Action.WRITE: lambda visual: edited(visual.c.owner_id),
    },
}
