"""Provenance: what was done to whom, chained by hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.canonical import canonical, digest
from domain.ids import Kind, Ref


class EventKind(StrEnum):
    """What a provenance event records."""

    ARTIST_CREATED = "ARTIST_CREATED"
    ARTIST_UPDATED = "ARTIST_UPDATED"
    ARTIST_CLAIMED = "ARTIST_CLAIMED"
    ASSET_CREATED = "ASSET_CREATED"
    ASSET_UPDATED = "ASSET_UPDATED"
    MEDIA_ATTACHED = "MEDIA_ATTACHED"
    HOOK_CHANGED = "HOOK_CHANGED"
    LINEAGE_CHANGED = "LINEAGE_CHANGED"
    ASSET_MERGED = "ASSET_MERGED"
    RELEASE_CREATED = "RELEASE_CREATED"
    VERSION_CREATED = "VERSION_CREATED"
    MANIFEST_GENERATED = "MANIFEST_GENERATED"
    MANIFEST_SIGNED = "MANIFEST_SIGNED"
    MANIFEST_ANCHORED = "MANIFEST_ANCHORED"
    RELEASE_PUBLISHED = "RELEASE_PUBLISHED"
    RELEASE_WITHDRAWN = "RELEASE_WITHDRAWN"
    CONTRIBUTORS_UPDATED = "CONTRIBUTORS_UPDATED"
    PERMISSIONS_CHANGED = "PERMISSIONS_CHANGED"
    DERIVATIVE_REGISTERED = "DERIVATIVE_REGISTERED"
    LICENSE_GRANTED = "LICENSE_GRANTED"
    ACCESS_GRANTED = "ACCESS_GRANTED"
    ANCHOR_VERIFIED = "ANCHOR_VERIFIED"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to one subject. The payload holds ids, digests and decisions, never names, mail or free text."""

    id: UUID
    subject: Ref
    kind: EventKind
    at: datetime
    actor: UUID | None
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An event in its place: its canonical body and the hash of it."""

    event: Event
    sequence: int
    prev: str | None
    body: str
    hash: str


def chain(event: Event, head: tuple[int, str] | None) -> ChainedEvent:
    """Put an event after the head (sequence, hash) of its subject's chain, or at its beginning."""
    sequence, prev = (head[0] + 1, head[1]) if head else (1, None)
    body: dict[str, Any] = {
        "id": str(Ref(Kind.EVENT, event.id)),
        "subject": str(event.subject),
        "sequence": sequence,
        "kind": event.kind.value,
        "at": event.at,
        "payload": event.payload,
    }
    if event.actor is not None:
        body["actor"] = str(Ref(Kind.ACCOUNT, event.actor))
    if prev is not None:
        body["prev"] = prev
    data = canonical(body)
    return ChainedEvent(event, sequence, prev, data.decode(), digest(data))
