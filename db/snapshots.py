"""Snapshots: read from a version's own rows as they were frozen, or from the asset graph as it is now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.copies import COPIES, LIVE_ITEMS, STRANDS, UPSTREAM, VERSION, previous_hash
from db.facts import term_of
from domain.assets import Badge, MediaRole, asset_ref
from domain.contributors import Acceptance, CreditRole, Pool
from domain.facts import CONTAINS, BondKind
from domain.ids import Kind, Ref
from domain.lineage import EdgeKind, EdgeStatus
from domain.releases import ReleaseKind
from domain.rights import Level, Term
from domain.snapshots import FrozenCredit, FrozenFile, FrozenPolicy, FrozenShare, Snapshot, Strand, Work
from domain.windows import stretch

Thing = TypeVar("Thing")


async def frozen_snapshot(connection: AsyncConnection, version_id: UUID, published_at: datetime) -> Snapshot:
    """What was copied into a version.

    Args:
        connection: to read with.
        version_id: the version.
        published_at: when it is published, or was.
    """
    version, item, asset = tables.release_version, tables.release_item, tables.asset.alias()
    head = (await connection.execute(select(version).where(version.c.id == version_id))).one()
    held = (
        select(item, asset.c.kind)
        .join_from(item, asset, asset.c.id == item.c.asset_id)
        .where(item.c.version_id == version_id)
    )
    items = (await connection.execute(held)).all()
    rows = [(await connection.execute(select(table).where(table.c.version_id == version_id))).all() for table in COPIES]
    copied = await _copied(connection, rows)
    release = copied.work(Ref(Kind.RELEASE, head.release_id), head)
    return await _snapshot(connection, head, release, copied.items(items), published_at)


async def live_snapshot(connection: AsyncConnection, version_id: UUID, at: datetime) -> Snapshot:
    """What would be copied into a version if it were published at a moment that is now."""
    version, release = tables.release_version, tables.release
    values = {"version": version_id, "at": at}
    said = [release.c[name] for name in ("release_kind", "upc", "label")]
    above = [previous_hash().label("previous_hash"), UPSTREAM.scalar_subquery().label("upstream")]
    query = (
        select(version.c.id, version.c.number, *said, *above)
        .join_from(version, release, release.c.id == version.c.release_id)
        .where(version.c.id == VERSION)
    )
    head = (await connection.execute(query, values)).one()
    listed = (await connection.execute(LIVE_ITEMS, values)).all()
    rows = [(await connection.execute(live, values)).all() for live in COPIES.values()]
    copied = await _copied(connection, rows)
    (_, itself), *items = sorted(copied.items(listed), key=lambda placed: placed[0])
    return await _snapshot(connection, head, itself, items, at)


@dataclass(frozen=True, slots=True)
class _Copied:
    """What stands beside assets in tables of its own, by asset."""

    credits: Mapping[UUID, list[FrozenCredit]]
    shares: Mapping[UUID, list[FrozenShare]]
    policies: Mapping[UUID, list[FrozenPolicy]]
    files: Mapping[UUID, list[FrozenFile]]

    def items(self, rows: Iterable[Any]) -> list[tuple[int, Work]]:
        """The works of some rows, with their places."""
        return [(row.position, self._item(row)) for row in rows]

    def _item(self, row: Any) -> Work:
        ref = asset_ref(row.kind, row.asset_id)
        window = stretch(row.hook_start_ms, row.hook_end_ms)
        return self.work(ref, row, master=row.media_sha256, hook=window, isrc=row.isrc)

    def work(self, ref: Ref, row: Any, **more: Any) -> Work:
        """The work of a row."""
        return Work(
            ref,
            row.title,
            Ref(Kind.ARTIST, row.owner_id),
            row.owner_name,
            frozenset(map(Badge, row.badges)),
            self.credits.get(ref.id, ()),
            self.shares.get(ref.id, ()),
            self.policies.get(ref.id, ()),
            self.files.get(ref.id, ()),
            **more,
        )


async def _copied(connection: AsyncConnection, rows: Sequence[Sequence[Any]]) -> _Copied:
    """Everything beside the assets, from the rows of the four tables in their order."""
    credits_, splits, policies, files = rows
    term, terms = tables.term, defaultdict[UUID, list[Term]](list)
    sets = {row.term_set_id for row in policies}
    if sets:
        for row in await connection.execute(select(term).where(term.c.term_set_id.in_(sets))):
            terms[row.term_set_id].append(term_of(row))
    return _Copied(
        _by_asset(credits_, _credit),
        _by_asset(splits, _share),
        _by_asset(policies, lambda row: _policy(row, terms[row.term_set_id])),
        _by_asset(files, lambda row: FrozenFile(MediaRole(row.role), row.sha256, row.mime_type)),
    )


def _by_asset(rows: Iterable[Any], make: Callable[[Any], Thing]) -> Mapping[UUID, list[Thing]]:
    made = defaultdict[UUID, list[Thing]](list)
    for row in rows:
        made[row.asset_id].append(make(row))
    return made


def _credit(row: Any) -> FrozenCredit:
    return FrozenCredit(
        Ref(Kind.CONTRIBUTOR, row.contributor_id),
        row.name,
        CreditRole(row.role),
        Acceptance(row.acceptance),
        row.position,
        row.instrument,
        row.ipi,
        row.isni,
    )


def _share(row: Any) -> FrozenShare:
    holder = Ref(Kind.CONTRIBUTOR, row.contributor_id)
    return FrozenShare(holder, row.name, Pool(row.pool), row.basis_points, Acceptance(row.acceptance), row.position)


def _policy(row: Any, terms: Iterable[Term]) -> FrozenPolicy:
    return FrozenPolicy(Ref(Kind.POLICY, row.policy_id), Level(row.level), tuple(terms), row.license)


async def _snapshot(
    connection: AsyncConnection, head: Any, release: Work, items: Sequence[tuple[int, Work]], at: datetime
) -> Snapshot:
    upstream = await connection.execute(STRANDS, {"strands": head.upstream or []})
    return Snapshot(
        Ref(Kind.VERSION, head.id),
        head.number,
        at,
        release,
        items,
        [_strand(row) for row in upstream],
        None if head.release_kind is None else ReleaseKind(head.release_kind),
        head.upc,
        head.label,
        head.previous_hash,
    )


def _strand(row: Any) -> Strand:
    contains = row.kind == CONTAINS.value
    kind: BondKind = CONTAINS if contains else EdgeKind(row.kind)
    return Strand(
        Ref(Kind.ITEM if contains else Kind.EDGE, row.id),
        asset_ref(row.child_kind, row.child_id),
        asset_ref(row.parent_kind, row.parent_id),
        kind,
        None if contains else EdgeStatus(row.status),
        stretch(row.child_start_ms, row.child_end_ms),
        stretch(row.parent_start_ms, row.parent_end_ms),
    )
