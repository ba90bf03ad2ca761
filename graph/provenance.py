"""The SDL of provenance."""

from __future__ import annotations

import strawberry

from domain.provenance import EventKind
from graph.fields import DateTime, Node, described, stored
from graph.log import LogInclusion

described(
    EventKind,
    ARTIST_CREATED="The artist was written down.",
    ARTIST_UPDATED="The artist changed.",
    ARTIST_CLAIMED="Somebody proved that they are the artist.",
    ASSET_CREATED="The asset was written down.",
    ASSET_UPDATED="Its fields changed.",
    MEDIA_ATTACHED="A file was attached.",
    HOOK_CHANGED="Its hook changed.",
    LINEAGE_CHANGED="What it is made from, or what is made from it, changed.",
    ASSET_MERGED="It took over the ids of another.",
    RELEASE_CREATED="The release was written down.",
    VERSION_CREATED="A version was begun.",
    MANIFEST_GENERATED="A manifest was generated.",
    MANIFEST_SIGNED="A manifest was signed.",
    MANIFEST_ANCHORED="A manifest has an anchored proof.",
    RELEASE_PUBLISHED="The release was published.",
    RELEASE_WITHDRAWN="The release was withdrawn.",
    CONTRIBUTORS_UPDATED="Its credits or splits changed.",
    PERMISSIONS_CHANGED="Its policy changed.",
    DERIVATIVE_REGISTERED="Something made from it was registered.",
    LICENSE_GRANTED="A license was granted.",
    ACCESS_GRANTED="Access was granted.",
    ANCHOR_VERIFIED="An anchored proof was verified.",
)


@strawberry.type(description="One event in the history of one thing. Each carries the hash of the one before.")
class ProvenanceEvent(Node):
    """A provenance event."""

    sequence: int = stored("Its place in the chain of its subject, from 1.")
    kind: EventKind = stored("What happened.")
    at: DateTime = stored("When it happened.")
    hash: str = stored("SHA-256 over the canonical JSON of the event (RFC 8785).")
    previous_hash: str | None = stored("The hash of the event before; null for the first.")
    inclusion: LogInclusion | None = stored("Its place in the log over all events, and the proof of it.")
