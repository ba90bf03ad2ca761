"""CONTAINS: what releases hold. A view over the items of the version that is current, never stored as an edge."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from db import tables
from db.history import stood_since
from domain.releases import VersionState


def contained(*, now: bool = True) -> Any:
    """(id of the item, release_id, asset_id) of all that releases hold, to be joined or narrowed.

    Otherwise than now: what they held at `valid_at`, as it was known at `known_at`.
    """
    return _current() if now else _past()


def version_out(release_id: ColumnElement[Any], *, now: bool) -> ColumnElement[Any]:
    """The version of a release that is out, or was at `valid_at`, as it was known at `known_at`."""
    if now:
        release = tables.release.alias()
        return select(release.c.current_version_id).where(release.c.id == release_id).scalar_subquery()
    version = tables.release_version.alias()
    return select(version.c.id).where(version.c.release_id == release_id, _stood(version)).scalar_subquery()


def _past() -> Any:
    version, item = tables.release_version.alias(), tables.release_item.alias()
    return (
        select(item.c.id, version.c.release_id, item.c.asset_id)
        .join_from(version, item, item.c.version_id == version.c.id)
        .where(_stood(version))
        .subquery()
    )


def _stood(version: Any) -> ColumnElement[bool]:
    """The version was the last that was out by then."""
    later = tables.release_version.alias()
    superseded = exists().where(
        later.c.release_id == version.c.release_id, later.c.number > version.c.number, _out(later)
    )
    return and_(_out(version), ~superseded.correlate_except(later))


def _out(version: Any) -> ColumnElement[bool]:
    """The version was out by then; where nobody knows since when, always."""
    published = version.c.published_at
    return and_(version.c.state != VersionState.DRAFT.value, or_(published.is_(None), stood_since(published)))


def _current() -> Any:
    release, item = tables.release.alias(), tables.release_item.alias()
    return (
        select(item.c.id, release.c.id.label("release_id"), item.c.asset_id)
        .join_from(release, item, item.c.version_id == release.c.current_version_id)
        .subquery()
    )
