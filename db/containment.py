"""CONTAINS: what releases hold. A view over the items of the version that is current, never stored as an edge."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from db import tables


def contained() -> Any:
    """(id of the item, release_id, asset_id) of all that releases hold, to be joined or narrowed."""
    release, item = tables.release.alias(), tables.release_item.alias()
    return (
        select(item.c.id, release.c.id.label("release_id"), item.c.asset_id)
        .join_from(release, item, item.c.version_id == release.c.current_version_id)
        .subquery()
    )
