"""Where references of every form lead: to the one row, among those the viewer may read, that carries the identifier."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Text, Uuid, func, select

from db import tables
from db.access import Action, Exposure, Predicate, allowed, asset_shown
from db.arguments import Bound, Given, Reading, clean_text, parameter
from db.assets import current_id
from db.links import subject_of_code
from db.places import Resolved, ToOne
from domain.ids import Kind
from domain.manifests import PREFIX
from domain.resolution import Match, recognise

NODES = {
    Kind.ARTIST: "Artist",
    Kind.TRACK: "Track",
    Kind.SAMPLE: "Sample",
    Kind.INSTRUMENT: "Instrument",
    Kind.RELEASE: "Release",
    Kind.VERSION: "ReleaseVersion",
    Kind.ITEM: "ReleaseItem",
    Kind.HOOK: "Hook",
    Kind.VISUAL: "VisualWorld",
    Kind.THEME: "Theme",
    Kind.MEDIA: "Media",
    Kind.CONTRIBUTOR: "Contributor",
    Kind.CREDIT: "Credit",
    Kind.SPLIT: "Split",
    Kind.EDGE: "LineageEdge",
    Kind.POLICY: "PermissionPolicy",
    Kind.GRANT: "PermissionGrant",
    Kind.RECEIPT: "PermissionReceipt",
    Kind.QUOTE: "LicenseQuote",
    Kind.LICENSE: "License",
    Kind.USE: "AgentUse",
    Kind.EVENT: "ProvenanceEvent",
    Kind.RITUAL: "Ritual",
    Kind.PRESAVE: "Presave",
    Kind.ROOM: "Room",
    Kind.MESSAGE: "RoomMessage",
    Kind.QUEUED: "QueueItem",
    Kind.GUEST: "RoomGuest",
    Kind.ACCOUNT: "Account",
    Kind.KEY: "AgentKey",
    Kind.CLAIM: "ArtistClaim",
    Kind.IDENTITY: "Identity",
    Kind.INVITE: "Invite",
    Kind.JOB: "Job",
    Kind.SUGGESTION: "Suggestion",
    Kind.MEMBER: "Membership",
    Kind.ENTITLEMENT: "Entitlement",
    Kind.CLIP: "Clip",
    Kind.COMMENT: "Comment",
    Kind.SHARE: "ShareLink",
    Kind.ACTIVITY: "Activity",
}
"""The SDL type of every kind of reference: what `node(id:)` answers."""


def by_id(_: Any, target: Any, bound: Bound) -> ColumnElement[bool]:
    """The row an id names now, merges followed."""
    return target.c.id == current_id(bound["id"])


def node_of(kind: Any) -> ToOne:
    """The node a TypeID of that kind names."""
    return ToOne(NODES[kind], by_id, action=Action.READ)


def met(kind: Any) -> ToOne:
    """The node of that kind that something else leads to: what may be read by its id alone is not met."""
    return ToOne(NODES[kind], by_id, action=Action.CITE if kind in _CITED else Action.REACH)


_CITED = {Kind.EDGE, Kind.POLICY}
"""What an answer about the past names as it was then."""


@dataclass(frozen=True, slots=True)
class ByReference:
    """`ref:` in any form; the shape is what it was recognised as."""

    def read(self, given: Given) -> Reading:
        """Recognise the form; a text of no form we know matches nothing."""
        found = recognise(clean_text("ref", given["ref"]))
        if found is None:
            return None, {}
        return (found.match.value, found.kind), {"id" if isinstance(found.value, UUID) else "text": found.value}

    def bind(self, shape: Hashable, prefix: str) -> Bound:
        """The id, or the identifier's text."""
        return {"id": parameter(prefix, "id", Uuid()), "text": parameter(prefix, "text", Text())}


def _first(table: Table, column: str, *also: Predicate) -> Any:
    """The oldest asset the viewer may read whose row (or detail row) carries the identifier."""

    def on(_: Any, target: Any, bound: Bound) -> ColumnElement[bool]:
        asset, row = tables.asset.alias(), table.alias()
        key = row.c.asset_id if "asset_id" in row.c else row.c.id
        first = (
            select(asset.c.id)
            .join_from(asset, row, key == asset.c.id)
            .where(row.c[column] == bound["text"], *[predicate(row) for predicate in also])
            .where(allowed(tables.asset, Action.READ, asset), asset_shown(asset, Exposure.FULL))
            .order_by(asset.c.created_at, asset.c.id)
            .limit(1)
        )
        return target.c.id == first.correlate_except(asset, row).scalar_subquery()

    return on


def _media_seen(media: Any) -> ColumnElement[bool]:
    return allowed(tables.media, Action.REACH, media)


def _by_mbid(_: Any, target: Any, bound: Bound) -> ColumnElement[bool]:
    origin = tables.origin.alias()
    known = select(origin.c.asset_id).where(origin.c.source == "musicbrainz", origin.c.source_ref == bound["text"])
    return target.c.id == known.correlate_except(origin).scalar_subquery()


_BY_HANDLE = ToOne("Artist", lambda _, artist, bound: artist.c.handle == bound["text"], action=Action.READ)
_LOOKUPS = {
    Match.ADDRESS: _BY_HANDLE,
    Match.HANDLE: _BY_HANDLE,
    Match.ISRC: ToOne("Track", _first(tables.track, "isrc"), action=Action.READ),
    Match.UPC: ToOne("Release", _first(tables.release, "upc"), action=Action.READ),
    Match.MBID: ToOne("Asset", _by_mbid, action=Action.READ),
    Match.MEDIA_SHA256: ToOne("Asset", _first(tables.media, "sha256", _media_seen), action=Action.READ),
}


def _by_manifest(_: Any, version: Any, bound: Bound) -> ColumnElement[bool]:
    manifest = tables.manifest.alias()
    known = select(manifest.c.id).where(manifest.c.hash == func.concat(PREFIX, bound["text"]))
    return version.c.id == known.correlate_except(manifest).scalar_subquery()


_BY_MANIFEST = ToOne("ReleaseVersion", _by_manifest, action=Action.READ)


def _choose(shape: Any) -> dict[str, ToOne]:
    """A digest does not say of what it is one: of a file, or else of a manifest."""
    if shape is None:
        return {}
    match, kind = Match(shape[0]), shape[1]
    if match is Match.SHARE_LINK:
        return {match.value: ToOne(NODES[kind], subject_of_code(kind), action=Action.READ)}
    # An id, or an address that ends in one.
    by_its_id = kind is not None and match in {Match.ID, Match.ADDRESS}
    found = {match.value: node_of(kind) if by_its_id else _LOOKUPS[match]}
    return found | {Match.MANIFEST_SHA256.value: _BY_MANIFEST} if match is Match.MEDIA_SHA256 else found


RESOLVE = Resolved(_choose, ByReference())
