"""Publishing: a version is projected out of the asset graph, frozen, hashed and signed, in one transaction.

Only a signed-in person publishes. A job may do it at a time that a person chose, in their name, and once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from db.assets import HeldAsset, update_asset
from db.copies import freeze
from db.custody import change_states
from db.jobs import enqueue
from db.manifests import (
    HeldVersion,
    add_manifest,
    candidates_of,
    hold_items,
    hold_version,
    mark_published,
    show_assets,
)
from db.registration import hold_lineage
from db.snapshots import frozen_snapshot
from db.social import is_followed
from domain.accounts import freshly_signed_in
from domain.assets import AssetState
from domain.canonical import canonical
from domain.errors import Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.manifests import SCHEMA, Manifest, manifest
from domain.provenance import Event, EventKind
from domain.publishing import Candidate, NotReady, lacks_of
from domain.releases import ReleaseStatus, VersionState
from domain.signatures import Signer
from resolvers.context import Acting
from resolvers.releases import refuse_cycle, refuse_moved
from resolvers.rituals import release_is_out
from resolvers.rooms import tell_rooms_of_release
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_updated, release_published

_OVER = frozenset({ReleaseStatus.ARCHIVED, ReleaseStatus.WITHDRAWN})


async def publish_version(
    acting: Acting, version: Ref, expected_version: int, idempotency_key: str | None
) -> tuple[Ref, Ref]:
    """Publish the draft of a release; where that is done already, nothing is written.

    Returns:
        The release, and the version that is out.

    Raises:
        SignInNeeded: nobody is signed in, or longer than 12 hours ago.
        NotFound: there is no such version, or it is not the viewer's to publish.
        Moved: `expected_version` is no longer the release's, or another version is out by now.
        NotReady: something is missing; all of it is told.
        CycleClosed: an item is made from the release.
        KeyReused: the idempotency key belongs to another request.
    """
    freshly_signed_in(acting.viewer, acting.now())
    signer = None if acting.caller is None else acting.caller.house.signer

    async def work(connection: Any) -> Outcome:
        at = await hold_lineage(connection)
        held = await hold_version(connection, acting.viewer, version.id)
        if held is None:
            raise NotFound("There is no such version.", path=("version",))
        if held.state is not VersionState.PUBLISHED:
            refuse_moved(held.release, expected_version)
            await publish(connection, acting, signer, held, at)
        return {"release": str(held.release.ref), "version": str(held.ref)}

    request = {"version": str(version), "expectedVersion": expected_version}
    done = await done_once(acting, "publishVersion", request, idempotency_key, work)
    return parse_ref(done["release"]), parse_ref(done["version"])


async def publish(connection: Any, acting: Acting, signer: Signer | None, held: HeldVersion, at: datetime) -> Manifest:
    """Publish a held draft, on a connection that holds the lock of lineage since a moment.

    Raises:
        Moved: it is no draft, or its release was taken back.
        NotReady: something is missing.
        CycleClosed: an item is made from the release.
    """
    items = await ready(connection, acting, held, at)
    shown = await _show(connection, acting, held.release, items)
    published_at = acting.now()
    await freeze(connection, held.ref.id, at)
    made = manifest(await frozen_snapshot(connection, held.ref.id, published_at))
    proof = None if signer is None else signer.proof(made.told, published_at)
    await add_manifest(connection, held.ref.id, made, None if proof is None else canonical(proof).decode())
    await mark_published(connection, held, made.hash, published_at, acting.viewer.account)
    release = held.release
    if release.state is not AssetState.PUBLIC:
        await change_states(connection, {release.ref.id: release.owner}, AssetState.PUBLIC, acting.new_id)
    await update_asset(connection, release, {"state": AssetState.PUBLIC.value, "teased": False})
    said = {"version": str(held.ref), "number": held.number, "manifest": made.hash}
    events = [
        *shown,
        happened(acting, release.ref, EventKind.MANIFEST_GENERATED, {**said, "schema": SCHEMA}),
        *_signed(acting, release.ref, made, proof),
        happened(acting, release.ref, EventKind.RELEASE_PUBLISHED, said),
    ]
    told = [asset_updated(release.ref, release.version + 1), release_published(release.ref, held.ref, made.hash)]
    touched = [held.ref.id, *[item.ref.id for item in items]]
    told += [asset_updated(event.subject, event.payload["version"]) for event in shown]
    await follow(connection, events, told, touched=touched)
    kinds = [JobKind.REGENERATE_MANIFEST, JobKind.VERIFY_LINEAGE, JobKind.VERIFY_SNAPSHOT]
    kinds += [JobKind.VERIFY_SIGNATURE] if proof else []
    kinds += [JobKind.TELL_FOLLOWERS] if await is_followed(connection, release.owner) else []
    await enqueue(connection, [NewJob(acting.new_id(), kind, held.ref.id, release.owner) for kind in kinds])
    await release_is_out(connection, release.ref, published_at)
    await tell_rooms_of_release(connection, acting, release.ref, release.owner, release.title)
    return made


async def ready(connection: Any, acting: Acting, held: HeldVersion, at: datetime) -> list[Candidate]:
    """The items of a held draft, which are held from now on: nothing is missing.

    Raises:
        Moved: it is no draft, or its release was taken back.
        NotReady: something is missing.
        CycleClosed: an item is made from the release.
    """
    if held.state is not VersionState.DRAFT:
        raise Moved("Another version took the place of this one.", path=("version",))
    if held.status in _OVER:
        raise Moved("The release was taken back: nothing of it comes out any more.", path=("version",))
    await hold_items(connection, held.ref.id)
    release, items = await candidates_of(connection, acting.viewer, held.ref.id, at)
    lacks = lacks_of(release, items)
    if lacks:
        raise NotReady(lacks, path=("version",))
    await refuse_cycle(connection, acting, held.release.ref, [item.ref for item in items], ("version",))
    return items


async def _show(connection: Any, acting: Acting, release: HeldAsset, items: Sequence[Candidate]) -> list[Event]:
    """Make the owner's own items public; what happened to each. Releases among them stand as they do."""
    hidden = {
        item.ref.id: item.ref
        for item in items
        if item.is_own and item.state is not AssetState.PUBLIC and item.ref.kind is not Kind.RELEASE
    }
    if hidden:
        await change_states(connection, dict.fromkeys(hidden, release.owner), AssetState.PUBLIC, acting.new_id)
    versions = await show_assets(connection, list(hidden))
    said = {"changed": ["state"], "state": AssetState.PUBLIC.value}
    return [
        happened(acting, ref, EventKind.ASSET_UPDATED, {**said, "version": versions[id_]})
        for id_, ref in hidden.items()
    ]


def _signed(acting: Acting, release: Ref, made: Manifest, proof: Any) -> list[Event]:
    if proof is None:
        return []
    said = {"manifest": made.hash, "method": proof["verificationMethod"]}
    return [happened(acting, release, EventKind.MANIFEST_SIGNED, said)]
