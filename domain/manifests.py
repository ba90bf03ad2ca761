"""The manifest of a version: everything publishing froze, as canonical bytes whose digest is its id and its address.

A pure function of plain facts. Equal facts make equal bytes, in whatever order and Unicode form they come; whatever is
told of in a manifest and differs makes another hash. Strings are NFC, times RFC 3339 in UTC with microseconds, lengths
and places whole numbers, amounts of money strings, hashes `sha256:` and hexadecimal digits. Absent means absent, never
null; a list that is empty is there. The JSON Schema stands beside this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from domain.assets import Badge
from domain.canonical import canonical, digest
from domain.contributors import WHOLE, Acceptance, Pool
from domain.ids import Ref, parse_ref
from domain.rights import PLATFORM_DEFAULT, Layer, Level, Term, Use
from domain.snapshots import FrozenCredit, FrozenPolicy, Snapshot, Strand, Work
from domain.verdicts import RULES
from domain.windows import Window

SCHEMA = "casset-manifest/1"
"""The form of a manifest; another form is another version, and this one stays readable."""
CONTEXT = "https://w3id.org/security/data-integrity/v2"
"""What the words of the proof mean (W3C Data Integrity)."""
PREFIX = "sha256:"


class SignatureState(StrEnum):
    """Whether a manifest is signed, and whether its signature was found good."""

    UNSIGNED = "UNSIGNED"
    SIGNED = "SIGNED"
    VERIFIED = "VERIFIED"
    INVALID = "INVALID"


class CheckKind(StrEnum):
    """What a check of a manifest looked at."""

    REGENERATION = "REGENERATION"
    SIGNATURE = "SIGNATURE"
    LINEAGE = "LINEAGE"
    INCLUSION = "INCLUSION"
    SNAPSHOT = "SNAPSHOT"


class Manifest(NamedTuple):
    """A manifest: its address, and its canonical bytes."""

    hash: str
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """What the bytes say."""
        return dict(orjson.loads(self.body))


def manifest(snapshot: Snapshot) -> Manifest:
    """The manifest of a snapshot (RFC 8785).

    Raises:
        ValueError: a number is beyond 2^53 - 1, or a text holds half a surrogate pair.
    """
    told = _present(
        {
            "@context": [CONTEXT],
            "type": "ReleaseManifest",
            "schema": SCHEMA,
            "rules": RULES,
            "release": {
                **_work(snapshot.release),
                "version": str(snapshot.version),
                "number": snapshot.number,
                "releaseKind": snapshot.kind and snapshot.kind.value,
                "upc": snapshot.upc,
                "label": snapshot.label,
                "publishedAt": snapshot.published_at,
            },
            "items": [
                {"position": position, "kind": work.ref.kind.value, **_work(work)}
                for position, work in sorted(snapshot.items, key=lambda item: item[0])
            ],
            "lineage": lineage_digest(snapshot.lineage),
            "previous": snapshot.previous,
        }
    )
    body = canonical(told)
    return Manifest(PREFIX + digest(body), body)


def lineage_digest(lineage: Iterable[Strand]) -> dict[str, Any]:
    """How many edges lead upstream, and the digest over all of them in the order of their ids."""
    told = [
        _present(
            {
                "id": str(strand.id),
                "child": str(strand.child),
                "parent": str(strand.parent),
                "kind": strand.kind.value,
                "status": strand.status and strand.status.value,
                "childWindow": _window(strand.child_window),
                "parentWindow": _window(strand.parent_window),
            }
        )
        for strand in sorted(lineage, key=lambda strand: str(strand.id))
    ]
    return {"edges": len(told), "digest": PREFIX + digest(canonical(told))}


def _work(work: Work) -> dict[str, Any]:
    return {
        "id": str(work.ref),
        "title": work.title,
        "owner": {"id": str(work.owner), "name": work.owner_name},
        "badges": [badge.value for badge in Badge if badge in work.badges],
        "isrc": work.isrc,
        "media": work.master and PREFIX + work.master,
        "hook": _window(work.hook),
        "files": [
            {"role": role.value, "sha256": PREFIX + sha256, "mediaType": mime_type}
            for role, sha256, mime_type in sorted(set(work.files), key=lambda file: (*file[:2], file.mime_type or ""))
        ],
        "credits": _placed((credit.position, _credit(credit)) for credit in work.credits),
        "splits": {pool.value.lower(): _shares(work, pool) for pool in Pool},
        "policy": _policy(tuple(work.policies)),
    }


def _placed(rows: Iterable[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What stands at some places, in their order; what shares a place in the order of its canonical form."""
    present = [(position, _present(row)) for position, row in rows]
    if len({position for position, _ in present}) == len(present):
        return [row for _, row in sorted(present, key=lambda each: each[0])]
    return [row for _, row in sorted(present, key=lambda each: (each[0], canonical(each[1])))]


def _credit(credit: FrozenCredit) -> dict[str, Any]:
    return {
        "contributor": str(credit.contributor),
        "name": credit.name,
        "ipi": credit.ipi,
        "isni": credit.isni,
        "role": credit.role.value,
        "instrument": credit.instrument,
        "acceptance": credit.acceptance.value,
    }


def _shares(work: Work, pool: Pool) -> list[dict[str, Any]]:
    """The parts of a pool; one that was never divided is the owner's."""
    shares = [share for share in work.shares if share.pool is pool]
    if not shares:
        return [_share(work.owner, work.owner_name, WHOLE, Acceptance.ACCEPTED)]
    return _placed(
        (share.position, _share(share.contributor, share.name, share.basis_points, share.acceptance))
        for share in shares
    )


def _share(holder: Ref, name: str, basis_points: int, acceptance: Acceptance) -> dict[str, Any]:
    return {"holder": str(holder), "name": name, "basisPoints": basis_points, "acceptance": acceptance.value}


@lru_cache(maxsize=1024)
def _policy(policies: tuple[FrozenPolicy, ...]) -> list[dict[str, Any]]:
    """What holds of every use: per layer where the layers differ. Works of one artist often say the same."""
    told: list[dict[str, Any]] = []
    for use in Use:
        by_layer = {layer: _heard(policies, use, layer) for layer in Layer}
        master, composition = by_layer.values()
        if master == composition:
            told.append({"use": use.value, "terms": master})
        else:
            told += [{"use": use.value, "layer": layer.value, "terms": terms} for layer, terms in by_layer.items()]
    return told


def _heard(policies: tuple[FrozenPolicy, ...], use: Use, layer: Layer) -> list[dict[str, Any]]:
    """The terms that may speak of a use in a layer, the more specific level first.

    Below a level that speaks whatever the place, the time and the purpose nobody is heard.
    """
    heard: list[dict[str, Any]] = []
    for level in Level:
        said = [
            (policy, term)
            for policy in policies
            if policy.level is level
            for term in policy.terms
            if term.use is use and term.layer in {None, layer}
        ]
        told = [_present(_term(level, term, policy)) for policy, term in said]
        if level is Level.PLATFORM:
            told = [_present(_term(level, term, None)) for term in PLATFORM_DEFAULT if term.use is use]
        heard += sorted(told, key=canonical) if len(told) > 1 else told
        if any(_speaks_always(term) for _, term in said):
            break
    return heard


def _speaks_always(term: Term) -> bool:
    return not (term.territories or term.starts_on or term.ends_on or term.purpose)


def _term(level: Level, term: Term, policy: FrozenPolicy | None) -> dict[str, Any]:
    return {
        "level": level.value,
        "policy": policy and str(policy.policy),
        "license": policy and policy.license,
        "decision": term.decision.value,
        "attribution": term.attribution or None,
        "shareAlike": term.share_alike,
        "exception": term.exception,
        "territories": sorted(set(term.territories)) if term.territories else None,
        "startsOn": term.starts_on and term.starts_on.isoformat(),
        "endsOn": term.ends_on and term.ends_on.isoformat(),
        "purpose": term.purpose,
        # Money is a string: no reader's number is too small for it.
        "price": None
        if term.price_minor is None
        else {"amountMinor": str(term.price_minor), "currency": term.currency},
        "reachesOutputs": term.reaches_outputs or None,
        "sublicense": term.sublicense or None,
        "royaltyBp": term.royalty_bp,
        "route": term.route,
    }


def _window(window: Window | None) -> dict[str, Any] | None:
    return None if window is None else {"startMs": window.start_ms, "endMs": window.end_ms}


def _present(value: Any) -> Any:
    """The value without anything that is None, all the way down: absent means absent."""
    if isinstance(value, dict):
        return {name: _present(inner) for name, inner in value.items() if inner is not None}
    return [_present(inner) for inner in value] if isinstance(value, list) else value


class DriftKind(StrEnum):
    """In what a work is another now than when it was published."""

    TITLE = "TITLE"
    OWNER = "OWNER"
    BADGES = "BADGES"
    MEDIA = "MEDIA"
    HOOK = "HOOK"
    FILES = "FILES"
    CREDITS = "CREDITS"
    SPLITS = "SPLITS"
    POLICY = "POLICY"
    IDENTIFIERS = "IDENTIFIERS"
    LINEAGE = "LINEAGE"


_DRIFTING = {
    **{kind: (kind.value.lower(),) for kind in DriftKind},
    DriftKind.IDENTIFIERS: ("isrc", "upc", "label", "releaseKind"),
}
"""What of a work is compared, by the words of the manifest."""


def drift(frozen: Manifest, live: Manifest) -> list[tuple[DriftKind, Ref]]:
    """In what the works of a version are others by now: its release first, then its items in their order.

    Args:
        frozen: the manifest as it was published.
        live: what the manifest of the same version would be now.
    """
    was, now = frozen.told, live.told
    found = [] if was["lineage"] == now["lineage"] else [(DriftKind.LINEAGE, parse_ref(was["release"]["id"]))]
    current = {work["id"]: work for work in (now["release"], *now["items"])}
    for work in (was["release"], *was["items"]):
        other = current.get(work["id"], {})
        found += [
            (kind, parse_ref(work["id"]))
            for kind, names in _DRIFTING.items()
            if any(work.get(name) != other.get(name) for name in names)
        ]
    return found
