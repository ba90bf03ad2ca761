"""Looking after what was published: it is checked on asking and round by round, and signed late where nobody signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from db.engine import Database
from db.history import moment_under_locks
from db.integrity import Due, failing, hold_unsigned, noted, out_of, published_by, sign, unchecked, unsigned
from db.jobs import enqueue
from db.manifests import Kept, add_check, edited, manifest_of
from db.snapshots import frozen_snapshot, live_snapshot
from domain.canonical import canonical
from domain.ids import Kind, Ref
from domain.integrity import (
    CheckState,
    Finding,
    Keys,
    drifted,
    inclusion,
    lineage,
    regeneration,
    signature,
    worst_first,
)
from domain.jobs import JobKind, NewJob
from domain.manifests import CheckKind, Manifest, SignatureState, drift, manifest
from domain.provenance import Event, EventKind
from domain.signatures import Signer
from resolvers.context import Acting, Told, now, uuid7
from resolvers.jobs import Doing, Effect, Hopeless, Running, again
from resolvers.log import inclusions_of
from resolvers.writing import follow

CHECK_AFTER = timedelta(days=7)
"""How long a manifest is left alone."""
ROUND = timedelta(hours=1)
MOST_AT_ONCE = 500
"""Manifests that one round asks to be checked, or signed."""
_SIGNED_AS = {CheckState.PASSED: SignatureState.VERIFIED, CheckState.FAILED: SignatureState.INVALID}


@dataclass(frozen=True, slots=True)
class Looked:
    """A manifest, the same made again from what was frozen, and what it would be now."""

    kept: Kept
    again: Manifest
    live: Manifest

    @property
    def made(self) -> Manifest:
        """The manifest as it was published."""
        return Manifest(self.kept.hash, self.kept.body)


async def look(database: Database, version: UUID) -> Looked | None:
    """Look at the manifest of a version; None where it has none."""
    async with database.read(snapshot=True) as connection:
        kept = await manifest_of(connection, version)
        if kept is None:
            return None
        again = manifest(await frozen_snapshot(connection, version, kept.published_at))
        live = manifest(await live_snapshot(connection, version, await moment_under_locks(connection)))
    return Looked(kept, again, live)


async def integrity_of_releases(acting: Acting, releases: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Whether what is out of some releases is still what was published, as `integrity_of` says."""
    async with acting.database.read() as connection:
        versions = await out_of(connection, releases)
    told = await integrity_of(acting, list(versions.values()))
    return {release: told[version] for release, version in versions.items() if version in told}


async def integrity_of(acting: Acting, versions: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Whether what some versions froze is still what was hashed.

    Without those that have no manifest, and those of releases that are not the asker's to change: to look costs much,
    and anybody else checks the hash and the signature.
    """
    async with acting.database.read() as connection:
        theirs = list(await edited(connection, acting.viewer, versions))
        known, events = await noted(connection, theirs), await published_by(connection, theirs)
    included = await inclusions_of(acting, [event for event, _ in events.values()])
    keys = {} if acting.caller is None else acting.caller.house.keys()
    told = {}
    for version in theirs:
        looked = await look(acting.database, version)
        if looked is not None:
            event, body = events.get(version, (version, None))
            found = [
                regeneration(looked.made, looked.again),
                _signature(looked, keys, known.get((version, CheckKind.SIGNATURE))),
                lineage(looked.made, looked.again),
                _inclusion(looked, body, included.get(event, {}), keys),
                drifted(drift(looked.again, looked.live)),
            ]
            told[version] = _told(version, looked, found, known)
    return told


def _signature(looked: Looked, keys: Keys, known: Any) -> Finding:
    """Whether it is signed; where no key is at hand, what was found when one was."""
    if looked.kept.proof is None or keys:
        return signature(looked.made, looked.kept.proof, keys)
    if known is None:
        return Finding(CheckKind.SIGNATURE, CheckState.PENDING, "The signature was not checked yet.")
    return Finding(CheckKind.SIGNATURE, CheckState.PASSED if known.passed else CheckState.FAILED, known.found)


def _inclusion(looked: Looked, event: str | None, included: Mapping[str, Any], keys: Keys) -> Finding:
    if event is not None and not keys:
        return Finding(CheckKind.INCLUSION, CheckState.PENDING, "No key is at hand to check the log with.")
    return inclusion(looked.made, event, included, keys)


def _told(version: UUID, looked: Looked, found: Sequence[Finding], known: Mapping[Any, Any]) -> Told:
    by_kind = {finding.what: finding for finding in found}
    signed = SignatureState.SIGNED if looked.kept.proof else SignatureState.UNSIGNED
    checks = []
    for finding in worst_first(found):
        noted_ = known.get((version, finding.what))
        # What was noted of something else says nothing of since when this is so.
        found_now = finding.state is CheckState.PASSED, finding.found
        checks.append(
            {
                "__typename": "IntegrityCheck",
                "what": finding.what.value,
                "state": finding.state.value,
                "since": noted_.since if noted_ and (noted_.passed, noted_.found) == found_now else None,
                "found": finding.found,
            }
        )
    return {
        "__typename": "VersionIntegrity",
        "version": Ref(Kind.VERSION, version),
        "state": checks[0]["state"],
        "checks": checks,
        "reproduced": by_kind[CheckKind.REGENERATION].state is CheckState.PASSED,
        "signatureState": _SIGNED_AS.get(by_kind[CheckKind.SIGNATURE].state, signed).value,
        "drift": [
            {"__typename": "ReleaseDrift", "what": kind.value, "asset": asset}
            for kind, asset in drift(looked.again, looked.live)
        ],
    }


async def failures(database: Database) -> Mapping[CheckKind, int]:
    """How many manifests failed their last check, by kind; none where all is well."""
    async with database.read() as connection:
        return await failing(connection)


@dataclass(frozen=True, slots=True)
class Inspector:
    """Checks manifests, and notes what it finds: what differs is told, and never written over.

    Attributes:
        database: where they are.
        keys: the published keys, by URL.
        signer: signs what nobody signed; None where nothing is signed.
    """

    database: Database
    keys: Callable[[], Keys]
    signer: Signer | None = None

    def doings(self) -> Mapping[JobKind, Doing]:
        """How manifests are checked."""
        return {
            JobKind.REGENERATE_MANIFEST: self._checking(lambda it: regeneration(it.made, it.again)),
            JobKind.VERIFY_SNAPSHOT: self._checking(lambda it: drifted(drift(it.again, it.live))),
            JobKind.VERIFY_LINEAGE: self._checking(lambda it: lineage(it.made, it.again)),
            JobKind.VERIFY_SIGNATURE: self._checking(lambda it: signature(it.made, it.kept.proof, self.keys())),
            JobKind.SIGN_MANIFEST: self._sign,
            JobKind.CHECK_MANIFESTS: self._go_round,
        }

    def _checking(self, check: Callable[[Looked], Finding]) -> Doing:
        async def do(running: Running) -> Effect:
            looked = await self._look(running)
            finding = check(looked)
            if finding.state is CheckState.PENDING:
                raise Hopeless(str(finding.found))
            if finding.state is CheckState.FAILED:
                raise Hopeless(str(finding.found), _noting(looked.kept, finding))
            return _noting(looked.kept, finding)

        return do

    async def _look(self, running: Running) -> Looked:
        looked = await look(self.database, running.job.subject)
        if looked is None:
            raise Hopeless("There is no such manifest.")
        return looked

    async def _sign(self, running: Running) -> Effect:
        """Sign what was published while there was no key: once, and only what was frozen says."""
        looked, signer = await self._look(running), self.signer
        if signer is None:
            raise Hopeless("This house has no key to sign with.")
        finding = regeneration(looked.made, looked.again)
        if finding.state is not CheckState.PASSED:
            raise Hopeless(str(finding.found), _noting(looked.kept, finding))

        async def effect(connection: Any) -> None:
            held = await hold_unsigned(connection, looked.kept.version)
            if held is None:
                return
            release, kept = held
            at = now()
            proof = signer.proof(looked.made.told, at)
            await sign(connection, kept.version, canonical(proof).decode())
            said = {"manifest": kept.hash, "method": proof["verificationMethod"]}
            event = Event(uuid7(), release.ref, EventKind.MANIFEST_SIGNED, at, None, said)
            await follow(connection, [event], [], touched=[kept.version])
            await enqueue(connection, [NewJob(uuid7(), JobKind.VERIFY_SIGNATURE, kept.version, release.owner)])

        return effect

    async def begin(self) -> None:
        """See to it that what was published is looked at, round by round; the first comes at once.

        Raises:
            Unavailable: the database is away.
        """
        async with self.database.write() as connection:
            await again(connection, JobKind.CHECK_MANIFESTS, timedelta())

    async def _go_round(self, _: Running) -> Effect:
        async def effect(connection: Any) -> None:
            jobs = [job for due in await unchecked(connection, CHECK_AFTER, MOST_AT_ONCE) for job in _checks(due)]
            if self.signer is not None:
                jobs += [_job(JobKind.SIGN_MANIFEST, due) for due in await unsigned(connection, MOST_AT_ONCE)]
            if jobs:
                await enqueue(connection, jobs)
            await again(connection, JobKind.CHECK_MANIFESTS, ROUND)

        return effect


def _checks(due: Due) -> list[NewJob]:
    """What is checked of a version; a version that another took the place of drifts from nothing any more."""
    kinds = [JobKind.REGENERATE_MANIFEST, JobKind.VERIFY_LINEAGE]
    kinds += [JobKind.VERIFY_SNAPSHOT] if due.is_current else []
    kinds += [JobKind.VERIFY_SIGNATURE] if due.is_signed else []
    return [_job(kind, due) for kind in kinds]


def _job(kind: JobKind, due: Due) -> NewJob:
    return NewJob(uuid7(), kind, due.version, due.owner)


def _noting(kept: Kept, finding: Finding) -> Effect:
    async def effect(connection: Any) -> None:
        await add_check(connection, uuid7(), kept.version, finding.what, finding.found)

    return effect
