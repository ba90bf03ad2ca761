"""Looking at manifests: before they are made, and whether what was frozen is still what was hashed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from db.engine import Database
from db.history import moment_under_locks
from db.manifests import Kept, add_check, candidates_of, edited, manifest_at, manifest_of
from db.snapshots import frozen_snapshot, live_snapshot
from domain.errors import NotFound
from domain.ids import Ref
from domain.jobs import JobKind
from domain.manifests import CheckKind, DriftKind, Manifest, drift, manifest
from domain.publishing import Lack, lacks_of
from domain.releases import VersionState
from domain.signatures import Unverified, verified
from resolvers.context import Acting, uuid7
from resolvers.jobs import Doing, Effect, Hopeless, Running

Told = dict[str, Any]


async def preview_manifest(acting: Acting, version: UUID) -> Told | None:
    """What would be published now, and all that is missing; None where it is no draft of the asker's."""
    async with acting.database.read(snapshot=True) as connection:
        if (await edited(connection, acting.viewer, [version])).get(version) is not VersionState.DRAFT:
            return None
        at = await moment_under_locks(connection)
        lacks = lacks_of(*await candidates_of(connection, acting.viewer, version, at))
        made = manifest(await live_snapshot(connection, version, at))
    return {
        "__typename": "ManifestPreview",
        "body": made.body.decode(),
        "lacks": [lack_told(lack) for lack in lacks],
    }


def lack_told(lack: Lack) -> Told:
    """A lack by SDL names."""
    return {"__typename": "ReleaseLack", "what": lack.kind.value, "message": lack.message, "asset": lack.asset}


async def manifest_found(acting: Acting, hash_: str) -> Kept:
    """The manifest at an address.

    Raises:
        NotFound: there is none, or it is not there for the viewer.
    """
    async with acting.database.read() as connection:
        kept = await manifest_at(connection, acting.viewer, hash_)
    if kept is None:
        raise NotFound("There is no such manifest.")
    return kept


async def integrity_of(acting: Acting, versions: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Whether what some versions froze is still what was hashed.

    Without those that have no manifest, and those of releases that are not the asker's to change: to look costs much,
    and anybody else checks the hash and the signature.
    """
    async with acting.database.read() as connection:
        theirs = await edited(connection, acting.viewer, versions)
    told = {}
    for version in theirs:
        looked = await _looked(acting.database, version)
        if looked is not None:
            kept, again, live = looked
            found = [
                {"__typename": "ReleaseDrift", "what": kind.value, "asset": asset} for kind, asset in drift(again, live)
            ]
            told[version] = {
                "__typename": "VersionIntegrity",
                "reproduced": again.body == kept.body,
                "drift": found,
            }
    return told


async def _looked(database: Database, version: UUID) -> tuple[Kept, Manifest, Manifest] | None:
    """The manifest of a version, the same made again from what was frozen, and what it would be now."""
    async with database.read(snapshot=True) as connection:
        kept = await manifest_of(connection, version)
        if kept is None:
            return None
        again = manifest(await frozen_snapshot(connection, version, kept.published_at))
        live = manifest(await live_snapshot(connection, version, await moment_under_locks(connection)))
    return kept, again, live


@dataclass(frozen=True, slots=True)
class Inspector:
    """Checks manifests, and notes what it finds: what differs is told, and never written over.

    Attributes:
        database: where they are.
        keys: the published keys, by URL.
    """

    database: Database
    keys: Callable[[], Mapping[str, Ed25519PublicKey]]

    def doings(self) -> Mapping[JobKind, Doing]:
        """How manifests are checked."""
        return {
            JobKind.REGENERATE_MANIFEST: self._regenerate,
            JobKind.VERIFY_SNAPSHOT: self._compare,
            JobKind.VERIFY_SIGNATURE: self._verify,
        }

    async def _regenerate(self, running: Running) -> Effect:
        kept, again, _ = await self._looked(running)
        if again.body != kept.body:
            said = f"Made again from what was frozen, the manifest is {again.hash}, not {kept.hash}."
            raise Hopeless(said, _noting(kept, CheckKind.REGENERATION, said))
        return _noting(kept, CheckKind.REGENERATION, None)

    async def _compare(self, running: Running) -> Effect:
        """Works go on living: that one is another now is noted, and no failure."""
        kept, again, live = await self._looked(running)
        return _noting(kept, CheckKind.SNAPSHOT, _named(drift(again, live)))

    async def _verify(self, running: Running) -> Effect:
        kept, _, _ = await self._looked(running)
        if kept.proof is None:
            raise Hopeless("The manifest is not signed.")
        try:
            verified({**orjson.loads(kept.body), "proof": orjson.loads(kept.proof)}, self.keys())
        except Unverified as error:
            raise Hopeless(str(error), _noting(kept, CheckKind.SIGNATURE, str(error))) from None
        return _noting(kept, CheckKind.SIGNATURE, None)

    async def _looked(self, running: Running) -> tuple[Kept, Manifest, Manifest]:
        looked = await _looked(self.database, running.job.subject)
        if looked is None:
            raise Hopeless("There is no such manifest.")
        return looked


def _named(found: Sequence[tuple[DriftKind, Ref]]) -> str | None:
    return ", ".join(f"{kind.value} {asset}" for kind, asset in found) or None


def _noting(kept: Kept, kind: CheckKind, found: str | None) -> Effect:
    async def effect(connection: Any) -> None:
        await add_check(connection, uuid7(), kept.version, kind, found)

    return effect
