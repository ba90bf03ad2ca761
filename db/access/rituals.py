"""Who may see rituals and who was there, and say how they go."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_

from db import tables
from db.access.actions import Action, Exposure, Predicate, Predicates, Row
from db.access.assets import asset_listed, asset_read, asset_shown, its_asset
from db.access.hooks import hook_listed, hook_read
from db.viewers import VIEWER_ACCOUNT, edited


def _teaser(asset: Row) -> ColumnElement[bool]:
    return asset_shown(asset, Exposure.TEASER)


def _around_hook(ritual: Row, seen: Predicate) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    return exists().where(hook.c.id == ritual.c.hook_id, seen(hook)).correlate_except(hook)


def ritual_read(ritual: Row) -> ColumnElement[bool]:
    """READ of a ritual: what it is around may be read; a scheduled release by people, as a teaser."""
    return or_(_around_hook(ritual, hook_read), its_asset(ritual, "release_id", asset_read, _teaser))


def _ritual_listed(ritual: Row) -> ColumnElement[bool]:
    around = or_(_around_hook(ritual, hook_listed), its_asset(ritual, "release_id", asset_listed, _teaser))
    return and_(ritual.c.state != "CANCELLED", around)


def _named(presave: Row) -> ColumnElement[bool]:
    """Who agreed to be named; everybody reads of themselves."""
    return or_(presave.c.is_named, presave.c.account_id == VIEWER_ACCOUNT)


def _presave_read(presave: Row) -> ColumnElement[bool]:
    ritual = tables.ritual.alias()
    there = exists().where(ritual.c.id == presave.c.ritual_id, ritual_read(ritual)).correlate_except(ritual)
    return and_(_named(presave), there)


PREDICATES: Predicates = {
    tables.ritual: {
        Action.READ: ritual_read,
        Action.REACH: ritual_read,
        Action.LIST: _ritual_listed,
        Action.WRITE: lambda ritual: edited(ritual.c.artist_id),
    },
    tables.ritual_presave: {
        Action.READ: _presave_read,
        Action.LIST: _named,
        Action.REACH: lambda presave: presave.c.account_id == VIEWER_ACCOUNT,
    },
}
