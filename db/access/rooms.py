"""Who may enter rooms."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_

from db import tables
from db.access.actions import Action, Exposure, Predicates, Row
from db.access.assets import asset_read, asset_shown, its_asset
from db.access.hooks import hook_read
from db.viewers import held


def _room_read(room: Row) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    of_hook = exists().where(hook.c.id == room.c.hook_id, hook_read(hook)).correlate_except(hook)
    teaser = its_asset(room, "release_id", asset_read, lambda asset: asset_shown(asset, Exposure.TEASER))
    subject_seen = and_(or_(room.c.hook_id.is_(None), of_hook), or_(room.c.release_id.is_(None), teaser))
    return and_(_room_reached(room), subject_seen)


def _room_reached(room: Row) -> ColumnElement[bool]:
    return or_(room.c.visibility == "PUBLIC", held(room.c.artist_id))


PREDICATES: Predicates = {
    tables.room: {Action.READ: _room_read, Action.REACH: _room_reached},
}
