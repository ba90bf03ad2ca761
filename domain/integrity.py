"""Whether a manifest is still what was published: what each check finds, and what is wrong first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.bundles import check_document
from domain.ids import Ref
from domain.manifests import CheckKind, DriftKind, Manifest
from domain.signatures import Unverified, verified

Keys = Mapping[str, Ed25519PublicKey]


class CheckState(StrEnum):
    """How it stands with something that is checked."""

    FAILED = "FAILED"
    CHANGED = "CHANGED"
    PENDING = "PENDING"
    PASSED = "PASSED"


_WORST_FIRST = {state: place for place, state in enumerate(CheckState)}


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        what: what it looked at.
        state: how it stands with that.
        found: what is wrong first, or is missing; None where all is well.
    """

    what: CheckKind
    state: CheckState
    found: str | None = None


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Some findings, those that need somebody first; else in the order in which they are checked."""
    return sorted(findings, key=lambda finding: _WORST_FIRST[finding.state])


def regeneration(kept: Manifest, again: Manifest) -> Finding:
    """Whether a manifest, made again from what was frozen, is the same byte for byte."""
    if again.body == kept.body:
        return Finding(CheckKind.REGENERATION, CheckState.PASSED)
    said = f"Made again from what was frozen, the manifest is {again.hash}, not {kept.hash}."
    return Finding(CheckKind.REGENERATION, CheckState.FAILED, said)


def lineage(kept: Manifest, again: Manifest) -> Finding:
    """Whether what a manifest says of lineage is said by the edges that were frozen."""
    said, frozen = kept.told["lineage"], again.told["lineage"]
    if said == frozen:
        return Finding(CheckKind.LINEAGE, CheckState.PASSED)
    found = f"The manifest says {_edges(said)}; what was frozen is {_edges(frozen)}."
    return Finding(CheckKind.LINEAGE, CheckState.FAILED, found)


def _edges(told: Mapping[str, Any]) -> str:
    return f"{told['edges']} edges, {told['digest']}"


def signature(kept: Manifest, proof: str | None, keys: Keys) -> Finding:
    """Whether a manifest is signed with one of the published keys.

    Args:
        kept: the manifest.
        proof: as JSON; None where nobody signed.
        keys: those that are published, by URL.
    """
    if proof is None:
        return Finding(CheckKind.SIGNATURE, CheckState.PENDING, "Nobody has signed the manifest yet.")
    try:
        verified({**kept.told, "proof": orjson.loads(proof)}, keys)
    except (Unverified, orjson.JSONDecodeError) as error:
        return Finding(CheckKind.SIGNATURE, CheckState.FAILED, str(error))
    return Finding(CheckKind.SIGNATURE, CheckState.PASSED)


def inclusion(kept: Manifest, event: str | None, included: Mapping[str, Any], keys: Keys) -> Finding:
    """Whether the log over all events holds the one that published a manifest.

    Args:
        kept: the manifest.
        event: the canonical text of the event; None where there is none.
        included: its place: `leafIndex treeSize hashes checkpoint`, null while it waits.
        keys: those that sign checkpoints, by URL.
    """
    try:
        if event is None or orjson.loads(event)["payload"]["manifest"] != kept.hash:
            raise Unverified(f"No event records that {kept.hash} was published.")
        if included["leafIndex"] is None:
            said = "The event that published it waits for its place in the log."
            return Finding(CheckKind.INCLUSION, CheckState.PENDING, said)
        place = {name: included[name] for name in ("leafIndex", "treeSize", "hashes")}
        check_document({"event": event, "inclusion": place, "checkpoint": included["checkpoint"]}, keys)
    except Unverified as error:
        return Finding(CheckKind.INCLUSION, CheckState.FAILED, str(error))
    return Finding(CheckKind.INCLUSION, CheckState.PASSED)


def drifted(found: Sequence[tuple[DriftKind, Ref]]) -> Finding:
    """Whether the works are as they were frozen. They go on living: what differs is told, and is no failure."""
    if not found:
        return Finding(CheckKind.SNAPSHOT, CheckState.PASSED)
    return Finding(CheckKind.SNAPSHOT, CheckState.CHANGED, ", ".join(f"{kind.value} {asset}" for kind, asset in found))
