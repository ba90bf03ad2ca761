"""Who may see hooks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select

from db import tables
from db.access.actions import Action, Predicates, Row, everyone
from db.access.assets import asset_listed, asset_read, fully, its_asset, teased


def _leads_teased_release(hook: Row) -> ColumnElement[bool]:
    """The hook of a scheduled release is shown before its track is, where both are of one artist."""
    release, asset, track = tables.release.alias(), tables.asset.alias(), tables.asset.alias()
    theirs = select(track.c.owner_id).where(track.c.id == hook.c.track_id).correlate_except(track).scalar_subquery()
    return (
        select(release.c.id)
        .join_from(release, asset, asset.c.id == release.c.id)
        .where(release.c.lead_hook_id == hook.c.id, teased(asset), asset.c.owner_id == theirs)
        .correlate_except(release, asset)
        .exists()
    )


def hook_read(hook: Row) -> ColumnElement[bool]:
    """READ of a hook: its track may be read, or it leads a scheduled release of the same artist."""
    return or_(its_asset(hook, "track_id", asset_read, fully), _leads_teased_release(hook))


def hook_listed(hook: Row) -> ColumnElement[bool]:
    """LIST of a hook: its track may be listed."""
    return its_asset(hook, "track_id", asset_listed, fully)


PREDICATES: Predicates = {
    tables.hook: {Action.READ: hook_read, Action.LIST: hook_listed, Action.REACH: everyone},
}
