"""Where releases, their versions and their items live."""

from __future__ import annotations

from db import tables
from db.access import Exposure
from db.arguments import Paging
from db.orders import NUMBERED, POSITION
from db.places import Page, ToOne, Type, belong, columns, refer

_ITEMS = Paging({"POSITION": POSITION}, "POSITION")

RELEASE = Type(
    "Release",
    tables.release,
    {
        **columns(tables.release, "release_kind", "status", "published_at", "upc", "label"),
        "cover": ToOne("VisualWorld", refer("cover_id"), exposure=Exposure.TEASER),
        "hook": ToOne("Hook", refer("lead_hook_id"), exposure=Exposure.TEASER),
        "room": ToOne("Room", belong("release_id"), exposure=Exposure.TEASER),
        "currentVersion": ToOne("ReleaseVersion", refer("current_version_id")),
        "versions": Page("ReleaseVersion", belong("release_id"), Paging({"NUMBER": NUMBERED}, "NUMBER")),
        "items": Page("ReleaseItem", lambda row, item, _: item.c.version_id == row.c.current_version_id, _ITEMS),
    },
    base="Asset",
)

RELEASE_VERSION = Type(
    "ReleaseVersion",
    tables.release_version,
    {
        **columns(
            tables.release_version,
            "number",
            "state",
            "title",
            "is_compatibility",
            "published_at",
            "created_at",
        ),
        **columns(tables.release_version, id="ref"),
        "release": ToOne("Release", refer("release_id")),
        "items": Page("ReleaseItem", belong("version_id"), _ITEMS),
    },
)

RELEASE_ITEM = Type(
    "ReleaseItem",
    tables.release_item,
    {
        **columns(tables.release_item, "position", "title", id="ref"),
        "asset": ToOne("Asset", refer("asset_id")),
        "version": ToOne("ReleaseVersion", refer("version_id")),
    },
)
