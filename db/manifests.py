"""Where manifests live, how versions become published, and what checking them found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, func, insert, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.arguments import Given, Reading
from db.assets import HeldAsset, held_row, hold_asset
from db.copies import held_then, master_of, placed
from db.places import Stored, ToOne, Type, column, columns
from db.verdicts import Unbound
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import AssetState, asset_ref
from domain.contributors import Acceptance, Pool
from domain.ids import Kind, Ref, parse_ref_of
from domain.manifests import CheckKind, Manifest, SignatureState
from domain.media import ContentState
from domain.publishing import Candidate
from domain.releases import ReleaseStatus, VersionState


def _signature_state(manifest: Any) -> ColumnElement[str]:
    """Unsigned, signed, or what the last check of the signature found."""
    check = tables.manifest_check.alias()
    last = (
        select(check.c.passed)
        .where(check.c.manifest_id == manifest.c.id, check.c.kind == CheckKind.SIGNATURE.value)
        .order_by(check.c.created_at.desc(), check.c.id.desc())
        .limit(1)
        .correlate_except(check)
        .scalar_subquery()
    )
    return case(
        (manifest.c.proof.is_(None), literal(SignatureState.UNSIGNED.value, Text)),
        (last.is_(None), literal(SignatureState.SIGNED.value, Text)),
        (last, literal(SignatureState.VERIFIED.value, Text)),
        else_=literal(SignatureState.INVALID.value, Text),
    )


RELEASE_MANIFEST = Type(
    "ReleaseManifest",
    tables.manifest,
    {
        **columns(tables.manifest, "body", "proof", "created_at"),
        "hash": column(tables.manifest, "hash", plain=True),
        "signatureState": Stored(_signature_state, plain=True),
        "anchor": ToOne("ReleaseAnchor", lambda row, anchor, _: anchor.c.id == row.c.id),
    },
)


class ByVersion(Unbound):
    """`versionId`."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds."""
        return None, {"version": parse_ref_of(given["versionId"], frozenset({Kind.VERSION})).id}


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version under the writer's lock, with its release.

    Attributes:
        ref: its reference.
        number: from 1.
        state: where it stands.
        release: the release's asset.
        status: where the release stands.
        scheduled_for: when it comes out, where that was said.
        has_manifest: it was published here, and not by an import.
    """

    ref: Ref
    number: int
    state: VersionState
    release: HeldAsset
    status: ReleaseStatus
    scheduled_for: datetime | None
    has_manifest: bool


async def hold_version(connection: AsyncConnection, viewer: Viewer, version_id: UUID) -> HeldVersion | None:
    """Lock the release of a version that the viewer may change; None where there is none, or it is not theirs."""
    version = tables.release_version
    query = select(version.c.release_id).where(version.c.id == version_id)
    release_id = (await connection.execute(query)).scalar()
    asset = None if release_id is None else await hold_asset(connection, viewer, release_id)
    return None if asset is None else await _held(connection, asset, version.c.id == version_id)


async def newest_version(connection: AsyncConnection, release: HeldAsset) -> HeldVersion:
    """The last version of a held release: its draft, where it has one."""
    version, known = tables.release_version, tables.release_version.alias()
    newest = select(func.max(known.c.number)).where(known.c.release_id == release.ref.id).scalar_subquery()
    return await _held(connection, release, version.c.number == newest)


async def _held(connection: AsyncConnection, asset: HeldAsset, which: ColumnElement[bool]) -> HeldVersion:
    version, release = tables.release_version, tables.release
    query = (
        select(
            version.c.id,
            version.c.number,
            version.c.state,
            version.c.manifest_hash,
            release.c.status,
            release.c.scheduled_for,
        )
        .join_from(version, release, release.c.id == version.c.release_id)
        .where(release.c.id == asset.ref.id, which)
    )
    row = (await connection.execute(query)).one()
    ref, state, status = Ref(Kind.VERSION, row.id), VersionState(row.state), ReleaseStatus(row.status)
    return HeldVersion(ref, row.number, state, asset, status, row.scheduled_for, row.manifest_hash is not None)


async def hold_items(connection: AsyncConnection, version_id: UUID) -> None:
    """Lock what a version holds: nobody divides a pool, uploads or withdraws while it is copied."""
    asset, item = tables.asset, tables.release_item
    held = select(item.c.asset_id).where(item.c.version_id == version_id)
    query = select(asset.c.id).where(asset.c.id.in_(held)).order_by(asset.c.id).with_for_update(key_share=True)
    await connection.execute(query)


async def candidates_of(
    connection: AsyncConnection, viewer: Viewer, version_id: UUID, at: datetime
) -> tuple[Candidate, list[Candidate]]:
    """The release of a version and what it holds, as they stand at a moment that is now."""
    here, itself = placed(), placed()
    asset, owner, release = tables.asset.alias(), tables.asset.alias(), tables.release.alias()
    master = master_of(asset)
    query = (
        select(
            asset.c.id,
            asset.c.kind,
            asset.c.state,
            here.c.position,
            (asset.c.owner_id == owner.c.owner_id).label("is_own"),
            (allowed(tables.asset, Action.READ, asset) & asset_shown(asset, Exposure.FULL)).label("is_shown"),
            master.c.state.label("master"),
            release.c.status,
        )
        .join_from(here, asset, asset.c.id == here.c.asset_id)
        .join(itself, itself.c.position == 0)
        .join(owner, owner.c.id == itself.c.asset_id)
        .outerjoin(release, release.c.id == asset.c.id)
        .outerjoin(master, true())
        .order_by(here.c.position)
    )
    values = {"version": version_id, "at": at, **viewer_values(viewer)}
    rows = (await connection.execute(query, values)).all()
    pools = await _pools_of(connection, values)
    found = [_candidate(row, pools.get(row.id, {})) for row in rows]
    return found[0], found[1:]


async def _pools_of(connection: AsyncConnection, values: Mapping[str, Any]) -> Mapping[UUID, dict[Pool, int]]:
    """What the shares of every divided pool come to, without those that were declined."""
    here, split = placed(), tables.split
    kept = func.sum(split.c.basis_points).filter(split.c.acceptance != Acceptance.DECLINED.value)
    query = (
        select(split.c.asset_id, split.c.pool, func.coalesce(kept, 0).label("points"))
        .join_from(here, split, split.c.asset_id == here.c.asset_id)
        .where(held_then(split))
        .group_by(split.c.asset_id, split.c.pool)
        .order_by(split.c.pool)
    )
    pools = defaultdict[UUID, dict[Pool, int]](dict)
    for row in await connection.execute(query, values):
        pools[row.asset_id][Pool(row.pool)] = row.points
    return pools


def _candidate(row: Any, pools: Mapping[Pool, int]) -> Candidate:
    return Candidate(
        asset_ref(row.kind, row.id),
        row.position,
        AssetState(row.state),
        row.is_own,
        row.is_shown,
        None if row.master is None else ContentState(row.master),
        None if row.status is None else ReleaseStatus(row.status),
        pools,
    )


async def show_assets(connection: AsyncConnection, assets: Sequence[UUID]) -> dict[UUID, int]:
    """Make held assets public; the version each is at from then on."""
    asset = tables.asset
    values = {"state": AssetState.PUBLIC.value, "version": asset.c.version + 1}
    query = update(asset).where(asset.c.id.in_(assets)).values(values).returning(asset.c.id, asset.c.version)
    return {row.id: row.version for row in await connection.execute(query)} if assets else {}


async def add_manifest(connection: AsyncConnection, version_id: UUID, manifest: Manifest, proof: str | None) -> None:
    """Keep the manifest of a held draft."""
    row = {"id": version_id, "hash": manifest.hash, "body": manifest.body.decode(), "proof": proof}
    await connection.execute(insert(tables.manifest).values(row))


async def mark_published(
    connection: AsyncConnection, held: HeldVersion, manifest_hash: str, at: datetime, account: UUID | None
) -> None:
    """Let a held draft be the version that is out, and the one before no longer."""
    version, release = tables.release_version, tables.release
    was_out = (version.c.release_id == held.release.ref.id) & (version.c.state == VersionState.PUBLISHED.value)
    await connection.execute(update(version).where(was_out).values(state=VersionState.SUPERSEDED.value))
    values = {"state": VersionState.PUBLISHED.value, "manifest_hash": manifest_hash, "published_at": at}
    await connection.execute(
        update(version).where(version.c.id == held.ref.id).values({**values, "published_by_id": account})
    )
    shown = {"status": ReleaseStatus.PUBLISHED.value, "current_version_id": held.ref.id}
    await connection.execute(
        update(release)
        .where(release.c.id == held.release.ref.id)
        .values({**shown, "published_at": func.coalesce(release.c.published_at, at)})
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest as it is kept.

    Attributes:
        version: of which version.
        published_at: when that was published.
        hash: the address.
        body: the canonical bytes.
        proof: the signature, as JSON; None where there is none.
    """

    version: UUID
    published_at: datetime
    hash: str
    body: bytes
    proof: str | None


def _kept() -> Any:
    manifest, version = tables.manifest, tables.release_version.alias()
    kept = select(manifest, version.c.published_at)
    return kept.join_from(manifest, version, version.c.id == manifest.c.id)


async def manifest_at(connection: AsyncConnection, viewer: Viewer, hash_: str) -> Kept | None:
    """The manifest at an address; None where there is none, or its version is not there for the viewer."""
    query = _kept().where(tables.manifest.c.hash == hash_, allowed(tables.manifest, Action.READ, tables.manifest))
    return _read((await connection.execute(query, viewer_values(viewer))).first())


async def manifest_of(connection: AsyncConnection, version_id: UUID) -> Kept | None:
    """The manifest of a version; None where it has none. It asks nobody who they are."""
    return _read((await connection.execute(_kept().where(tables.manifest.c.id == version_id))).first())


def _read(row: Any) -> Kept | None:
    if row is None:
        return None
    return Kept(row.id, row.published_at, row.hash, row.body.encode(), row.proof)


async def add_check(
    connection: AsyncConnection, id_: UUID, version_id: UUID, kind: CheckKind, found: str | None
) -> None:
    """Note what a check of a manifest found; None where all is well."""
    row = {"id": id_, "manifest_id": version_id, "kind": kind.value, "passed": found is None, "found": found}
    await connection.execute(insert(tables.manifest_check).values(row))


async def edited(connection: AsyncConnection, viewer: Viewer, versions: Sequence[UUID]) -> dict[UUID, VersionState]:
    """Where those of some versions stand that are of releases the viewer may change."""
    version, asset = tables.release_version, tables.asset.alias()
    query = (
        select(version.c.id, version.c.state)
        .join_from(version, asset, asset.c.id == version.c.release_id)
        .where(version.c.id.in_(versions), allowed(tables.asset, Action.WRITE, asset))
    )
    return {row.id: VersionState(row.state) for row in await connection.execute(query, viewer_values(viewer))}


async def schedule(connection: AsyncConnection, release_id: UUID, at: datetime | None) -> None:
    """Let a held release that was never out come out at a moment, or at none."""
    status = ReleaseStatus.DRAFT if at is None else ReleaseStatus.SCHEDULED
    release = tables.release
    await connection.execute(
        update(release).where(release.c.id == release_id).values(status=status.value, scheduled_for=at)
    )


async def hold_scheduled(connection: AsyncConnection, release_id: UUID) -> HeldAsset | None:
    """Lock a release that waits for its time; None where it does not wait. It asks nobody who they are."""
    asset, release = tables.asset, tables.release
    waits = select(release.c.id).where(release.c.status == ReleaseStatus.SCHEDULED.value)
    query = select(asset).where(asset.c.id == release_id, asset.c.id.in_(waits)).with_for_update()
    row = (await connection.execute(query)).first()
    return None if row is None else held_row(row)
