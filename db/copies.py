"""What publishing copies out of the asset graph into the rows of a version.

Each copy has one select that says what it is made of: freezing inserts it, a preview and the search for drift read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    union,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import credit_stands
from db.containment import contained
from domain.assets import MediaRole
from domain.contributors import Acceptance
from domain.facts import CONTAINS
from domain.hooks import VisualState
from domain.media import ContentState
from domain.rights import Level

VERSION = bindparam("version", type_=Uuid, required=True)
"""The version that is copied into."""
AT = bindparam("at", type_=DateTime(timezone=True), required=True)
"""The moment that is copied: under the lock of lineage, or the time now."""
_SHOWN = (MediaRole.COVER.value, MediaRole.LOOP.value)


def placed() -> Any:
    """(asset_id, position, item_id) of what a version holds, and of its release at 0."""
    item, version = tables.release_item.alias(), tables.release_version.alias()
    held = select(item.c.asset_id, item.c.position, item.c.id.label("item_id")).where(item.c.version_id == VERSION)
    itself = select(version.c.release_id, literal(0, Integer), null().cast(Uuid)).where(version.c.id == VERSION)
    return union_all(held, itself).subquery()


def master_of(asset: Any) -> Any:
    """(sha256, state) of the newest sound of an asset that was not refused, to be joined."""
    media, content = tables.media.alias(), tables.media_content.alias()
    state = func.coalesce(content.c.state, ContentState.READY.value)
    return (
        select(media.c.sha256, state.label("state"))
        .outerjoin_from(media, content, content.c.media_id == media.c.id)
        .where(
            media.c.asset_id == asset.c.id,
            media.c.role == MediaRole.MASTER.value,
            state != ContentState.REFUSED.value,
        )
        .order_by(media.c.created_at.desc(), media.c.id.desc())
        .limit(1)
        .lateral("master")
    )


def held_then(row: Any) -> ColumnElement[bool]:
    """The row with history that holds at the moment that is copied."""
    return and_(func.upper_inf(row.c.known), row.c.valid.contains(AT))


def _live_items() -> Select[Any]:
    """What is copied of an asset itself: into its item, and of the release into the version."""
    at, asset, artist, track, hook = (
        placed(),
        *(table.alias() for table in (tables.asset, tables.artist, tables.track, tables.hook)),
    )
    master = master_of(asset)
    return (
        select(
            at.c.item_id.label("id"),
            at.c.asset_id,
            at.c.position,
            asset.c.kind,
            asset.c.title,
            asset.c.owner_id,
            artist.c.name.label("owner_name"),
            asset.c.badges,
            master.c.sha256.label("media_sha256"),
            hook.c.start_ms.label("hook_start_ms"),
            hook.c.end_ms.label("hook_end_ms"),
            track.c.isrc,
        )
        .join_from(at, asset, asset.c.id == at.c.asset_id)
        .join(artist, artist.c.id == asset.c.owner_id)
        .outerjoin(track, track.c.id == asset.c.id)
        .outerjoin(hook, hook.c.track_id == asset.c.id)
        .outerjoin(master, true())
    )


def _live_credits() -> Select[Any]:
    at, credit, contributor = placed(), tables.credit.alias(), tables.contributor.alias()
    copied = [credit.c[name] for name in ("role", "instrument", "acceptance", "position")]
    named = [contributor.c[name] for name in ("name", "ipi", "isni")]
    return (
        select(
            VERSION.label("version_id"),
            credit.c.id.label("credit_id"),
            credit.c.asset_id,
            contributor.c.id.label("contributor_id"),
            *named,
            *copied,
        )
        .join_from(at, credit, credit.c.asset_id == at.c.asset_id)
        .join(contributor, contributor.c.id == credit.c.contributor_id)
        .where(credit_stands(credit))
    )


def _live_splits() -> Select[Any]:
    at, split, contributor = placed(), tables.split.alias(), tables.contributor.alias()
    copied = [split.c[name] for name in ("pool", "basis_points", "acceptance", "position")]
    return (
        select(
            VERSION.label("version_id"),
            split.c.id.label("split_id"),
            split.c.asset_id,
            contributor.c.id.label("contributor_id"),
            contributor.c.name,
            *copied,
        )
        .join_from(at, split, split.c.asset_id == at.c.asset_id)
        .join(contributor, contributor.c.id == split.c.contributor_id)
        .where(held_then(split), split.c.acceptance != Acceptance.DECLINED.value)
    )


def _live_policies() -> Select[Any]:
    at, asset, policy = placed(), tables.asset.alias(), tables.policy.alias()
    of_itself = and_(policy.c.level == Level.ASSET.value, policy.c.subject_id == asset.c.id)
    of_artist = and_(policy.c.level == Level.ARTIST.value, policy.c.subject_id == asset.c.owner_id)
    of_version = and_(
        policy.c.level == Level.VERSION.value,
        policy.c.subject_id == VERSION,
        at.c.position == 0,
    )
    copied = [policy.c[name] for name in ("level", "term_set_id", "license")]
    return (
        select(VERSION.label("version_id"), at.c.asset_id, policy.c.id.label("policy_id"), *copied)
        .join_from(at, asset, asset.c.id == at.c.asset_id)
        .join(policy, or_(of_itself, of_artist, of_version))
        .where(held_then(policy))
    )


def _live_files() -> Select[Any]:
    """Images and loops: an asset's own, and those that the visual world of its hook, or the cover, shows."""
    at, media, content, hook, release = (
        placed(),
        *(t.alias() for t in (tables.media, tables.media_content, tables.hook, tables.release)),
    )
    worn, cover = tables.visual_world.alias(), tables.visual_world.alias()
    own = select(at.c.asset_id, media.c.id.label("media_id")).join_from(at, media, media.c.asset_id == at.c.asset_id)
    of_hook = (
        select(at.c.asset_id, worn.c.source_id)
        .join_from(at, hook, hook.c.track_id == at.c.asset_id)
        .join(worn, and_(worn.c.hook_id == hook.c.id, worn.c.state == VisualState.ACTIVE.value))
    )
    of_release = (
        select(at.c.asset_id, cover.c.source_id)
        .join_from(at, release, and_(release.c.id == at.c.asset_id, at.c.position == 0))
        .join(cover, cover.c.id == release.c.cover_id)
    )
    shown, file = union(own, of_hook, of_release).subquery("shown"), tables.media.alias()
    copied = [file.c[name] for name in ("role", "sha256", "mime_type")]
    return (
        select(VERSION.label("version_id"), shown.c.asset_id, shown.c.media_id, *copied)
        .join_from(shown, file, file.c.id == shown.c.media_id)
        .outerjoin(content, content.c.media_id == file.c.id)
        .where(
            file.c.role.in_(_SHOWN),
            func.coalesce(content.c.state, ContentState.READY.value) == ContentState.READY.value,
        )
    )


COPIES: Mapping[Table, Select[Any]] = {
    tables.version_credit: _live_credits(),
    tables.version_split: _live_splits(),
    tables.version_policy: _live_policies(),
    tables.version_media: _live_files(),
}
"""What each table of copies is filled with."""


def _upstream() -> Select[Any]:
    """The ids of the binding edges above a version's items and its release, and of the items of releases it holds."""
    at, version = placed(), tables.release_version.alias()
    reached = select(at.c.asset_id.label("id")).cte("reached", recursive=True)

    def above(child: Any) -> Any:
        edge, item = tables.lineage_edge.alias(), contained()
        stored = select(edge.c.id, edge.c.parent_id).where(
            edge.c.child_id == child.c.id, edge.c.binding, func.upper_inf(edge.c.known), func.upper_inf(edge.c.valid)
        )
        itself = select(version.c.release_id).where(version.c.id == VERSION).scalar_subquery()
        # The release holds what this version says, and no longer what the one before said.
        held = select(item.c.id, item.c.asset_id).where(item.c.release_id == child.c.id, item.c.release_id != itself)
        return union_all(stored, held).lateral("above")

    over = above(reached)
    reached = reached.union(select(over.c.parent_id).select_from(reached.join(over, true())))
    once_more = above(reached)
    ids = func.array_agg(once_more.c.id, type_=ARRAY(Uuid))
    return select(func.coalesce(ids, literal_column("'{}'::uuid[]"))).select_from(reached.join(once_more, true()))


_STRANDS_OF = bindparam("strands", type_=ARRAY(Uuid), required=True)


def _strands() -> Any:
    """Edges and items by their ids, whether they still hold or not: neither ever changes."""
    edge, item, version = (t.alias() for t in (tables.lineage_edge, tables.release_item, tables.release_version))
    child, parent = tables.asset.alias(), tables.asset.alias()
    windows = [edge.c[name] for name in ("child_start_ms", "child_end_ms", "parent_start_ms", "parent_end_ms")]
    nothing: list[ColumnElement[Any]] = [null().cast(Integer).label(column.name) for column in windows]
    stored = select(edge.c.id, edge.c.child_id, edge.c.parent_id, edge.c.kind, edge.c.status, *windows).where(
        edge.c.id == any_(_STRANDS_OF)
    )
    held = (
        select(
            item.c.id, version.c.release_id, item.c.asset_id, literal(CONTAINS.value, Text), null().cast(Text), *nothing
        )
        .join_from(item, version, version.c.id == item.c.version_id)
        .where(item.c.id == any_(_STRANDS_OF))
    )
    all_of_them = union_all(stored, held).subquery()
    kinds = child.c.kind.label("child_kind"), parent.c.kind.label("parent_kind")
    return (
        select(*all_of_them.c, *kinds)
        .join_from(all_of_them, child, child.c.id == all_of_them.c.child_id)
        .join(parent, parent.c.id == all_of_them.c.parent_id)
    )


LIVE_ITEMS, UPSTREAM, STRANDS = _live_items(), _upstream(), _strands()


async def freeze(connection: AsyncConnection, version_id: UUID, at: datetime) -> None:
    """Copy everything into the rows of a held draft: from then on its manifest is made of nothing else."""
    values = {"version": version_id, "at": at}
    for table, live in COPIES.items():
        await connection.execute(insert(table).from_select(list(live.selected_columns.keys()), live), values)
    item, version, release = tables.release_item, tables.release_version, tables.release.alias()
    live_items = LIVE_ITEMS.subquery("live")
    copied = ("title", "owner_id", "owner_name", "badges", "media_sha256", "hook_start_ms", "hook_end_ms", "isrc")
    await connection.execute(
        update(item).where(item.c.id == live_items.c.id).values({name: live_items.c[name] for name in copied}), values
    )
    itself = {name: live_items.c[name] for name in ("title", "owner_id", "owner_name", "badges")}
    said = {name: release.c[name] for name in ("release_kind", "upc", "label")}
    await connection.execute(
        update(version)
        .where(
            version.c.id == VERSION,
            release.c.id == version.c.release_id,
            live_items.c.asset_id == version.c.release_id,
            live_items.c.position == 0,
        )
        .values({**itself, **said, "upstream": UPSTREAM.scalar_subquery(), "previous_hash": previous_hash()}),
        values,
    )


def previous_hash() -> ColumnElement[Any]:
    """The manifest of the version of the same release that was published last."""
    this, known = tables.release_version.alias(), tables.release_version.alias()
    return (
        select(known.c.manifest_hash)
        .join_from(this, known, known.c.release_id == this.c.release_id)
        .where(this.c.id == VERSION, known.c.number < this.c.number, known.c.manifest_hash.is_not(None))
        .order_by(known.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
