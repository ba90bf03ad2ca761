"""Where releases, their versions and their items live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.addresses import address_in_world
from db.arguments import Paging
from db.assets import current_id
from db.history import holds_now
from db.orders import NUMBERED, OLDEST, POSITION
from db.participation import PARTICIPATION
from db.places import Computed, Page, ToOne, Type, belong, columns, refer
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import asset_ref
from domain.ids import Kind, Ref
from domain.releases import VersionState
from domain.rights import Level

_ITEMS = Paging({"POSITION": POSITION}, "POSITION")


def _stated(version: Any, policy: Any, _: object) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == version.c.id, policy.c.level == Level.VERSION.value)


def _stated_to_agents(version: Any, policy: Any, _: object) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == version.c.id, policy.c.level == Level.AGENT_RULE.value, holds_now(policy))


def _itself(row: Any, release: Any, _: object) -> ColumnElement[bool]:
    return release.c.id == row.c.id


RELEASE = Type(
    "Release",
    tables.release,
    {
        **columns(tables.release, "release_kind", "status", "published_at", "upc", "label"),
        "url": address_in_world(Kind.RELEASE, "id", nullable=True),
        "termsInWords": Computed(),
        "participation": PARTICIPATION,
        "circulation": ToOne("CirculationSummary", _itself, exposure=Exposure.WITHIN),
        "discovery": ToOne("DiscoverySummary", _itself, exposure=Exposure.WITHIN),
        "integrity": Computed(),
        "cover": ToOne("VisualWorld", refer("cover_id"), exposure=Exposure.TEASER),
        "hook": ToOne("Hook", refer("lead_hook_id"), action=Action.READ, exposure=Exposure.TEASER),
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
        "policy": ToOne("PermissionPolicy", _stated),
        "agentRules": Page(
            "PermissionPolicy", _stated_to_agents, Paging({"OLDEST": OLDEST}, "OLDEST"), action=Action.READ
        ),
        "manifest": ToOne("ReleaseManifest", lambda row, manifest, _: manifest.c.id == row.c.id),
        "integrity": Computed(),
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


async def items_shown(connection: AsyncConnection, viewer: Viewer, items: Sequence[Ref]) -> dict[Ref, Ref]:
    """The assets that some references lead to, by the references; without those the viewer may not read."""
    asset = tables.asset.alias()
    asked = func.unnest(literal([ref.id for ref in items], ARRAY(Uuid)), type_=Uuid)
    named = asked.table_valued("id", name="asked").render_derived()
    query = (
        select(named.c.id.label("asked"), asset.c.id, asset.c.kind)
        .join_from(named, asset, asset.c.id == current_id(named.c.id))
        .where(allowed(tables.asset, Action.READ, asset), asset_shown(asset, Exposure.FULL))
    )
    rows = await connection.execute(query, viewer_values(viewer))
    found = {row.asked: asset_ref(row.kind, row.id) for row in rows}
    return {ref: found[ref.id] for ref in items if ref.id in found}


async def held_items(connection: AsyncConnection, version_id: UUID) -> list[Ref]:
    """What a version holds, in order, by the references its assets go by now; each once."""
    item, asset = tables.release_item, tables.asset.alias()
    query = (
        select(asset.c.id, asset.c.kind)
        .join_from(item, asset, asset.c.id == current_id(item.c.asset_id))
        .where(item.c.version_id == version_id)
        .order_by(item.c.position)
    )
    refs = [asset_ref(row.kind, row.id) for row in await connection.execute(query)]
    return list(dict.fromkeys(refs))


@dataclass(frozen=True, slots=True)
class Draft:
    """The version of a held release that may be changed.

    Attributes:
        ref: its reference; None where there is none and another one begins.
        number: its number, or that of the one that begins.
        items: the ids of its items, by the assets at their places, in order.
    """

    ref: Ref | None
    number: int
    items: Mapping[UUID, UUID]


async def draft_of(connection: AsyncConnection, release_id: UUID) -> Draft:
    """The draft of a held release, or what the next one will be."""
    version, item, known = tables.release_version, tables.release_item, tables.release_version.alias()
    newest = select(func.max(known.c.number)).where(known.c.release_id == release_id).scalar_subquery()
    query = (
        select(version.c.id, version.c.number, version.c.state, item.c.id.label("item"), item.c.asset_id)
        .outerjoin_from(version, item, item.c.version_id == version.c.id)
        .where(version.c.release_id == release_id, version.c.number == newest)
        .order_by(item.c.position)
    )
    rows = (await connection.execute(query)).all()
    if not rows or rows[0].state != VersionState.DRAFT.value:
        return Draft(None, rows[0].number + 1 if rows else 1, {})
    items = {row.asset_id: row.item for row in rows if row.item is not None}
    return Draft(Ref(Kind.VERSION, rows[0].id), rows[0].number, items)


async def write_items(
    connection: AsyncConnection, release_id: UUID, draft: Draft, version_id: UUID, items: Sequence[tuple[UUID, UUID]]
) -> None:
    """Let the draft of a held release hold some items, (id, asset) in order, and nothing else; it begins if need be."""
    item = tables.release_item
    if draft.ref is None:
        row = {"id": version_id, "release_id": release_id, "number": draft.number}
        await connection.execute(insert(tables.release_version).values(row))
    elif draft.items:
        await connection.execute(delete(item).where(item.c.version_id == version_id))
    rows = [
        {"id": id_, "version_id": version_id, "asset_id": asset, "position": position}
        for position, (id_, asset) in enumerate(items, 1)
    ]
    if rows:
        await connection.execute(insert(item), rows)
