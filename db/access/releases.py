"""Who may see versions of releases and their manifests."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_

from db import tables
from db.access.actions import Action, Predicates, Row, everyone
from db.access.assets import asset_read, asset_written, fully, held_asset, its_asset


def _version_reached(version: Row) -> ColumnElement[bool]:
    return or_(version.c.state != "DRAFT", its_asset(version, "release_id", held_asset))


def version_read(version: Row) -> ColumnElement[bool]:
    """READ of a version: one that is no draft, of a release that may be read."""
    return and_(_version_reached(version), its_asset(version, "release_id", asset_read, fully))


def _manifest_read(manifest: Row) -> ColumnElement[bool]:
    """A manifest is there for whoever may read its version."""
    version = tables.release_version.alias()
    return exists().where(version.c.id == manifest.c.id, version_read(version)).correlate_except(version)


def _item_read(item: Row) -> ColumnElement[bool]:
    version = tables.release_version.alias()
    return exists().where(version.c.id == item.c.version_id, version_read(version)).correlate_except(version)


PREDICATES: Predicates = {
    tables.anchor: {Action.REACH: everyone},
    tables.manifest: {Action.READ: _manifest_read, Action.REACH: everyone},
    tables.release_item: {Action.READ: _item_read, Action.REACH: everyone},
    tables.release_version: {
        Action.READ: version_read,
        Action.REACH: _version_reached,
        Action.WRITE: lambda version: its_asset(version, "release_id", asset_written),
    },
}
