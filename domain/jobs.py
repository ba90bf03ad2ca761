"""Jobs: what is done after a write, at least once, with one effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

MOST_ATTEMPTS = 8
MOST_DEATHS = 3
"""Workers that one job may take along before nobody touches it again."""
LEASE = timedelta(seconds=30)
"""How long a job is its worker's without a word from it."""
HEARTBEAT = timedelta(seconds=10)
_FIRST, _LONGEST = 1.0, 3600.0


class JobKind(StrEnum):
    """What is to be done."""

    HASH_MEDIA = "HASH_MEDIA"
    COMPUTE_WAVEFORM = "COMPUTE_WAVEFORM"
    ANALYZE_MUSIC = "ANALYZE_MUSIC"
    PUBLISH_RELEASE = "PUBLISH_RELEASE"
    REGENERATE_MANIFEST = "REGENERATE_MANIFEST"
    VERIFY_SNAPSHOT = "VERIFY_SNAPSHOT"
    VERIFY_SIGNATURE = "VERIFY_SIGNATURE"
    VERIFY_LINEAGE = "VERIFY_LINEAGE"
    SIGN_MANIFEST = "SIGN_MANIFEST"
    CHECK_MANIFESTS = "CHECK_MANIFESTS"
    ANCHOR_MANIFEST = "ANCHOR_MANIFEST"
    VERIFY_ANCHOR = "VERIFY_ANCHOR"
    MOVE_RITUAL = "MOVE_RITUAL"
    UNLOCK_RITUAL = "UNLOCK_RITUAL"
    PROVE_RITUAL = "PROVE_RITUAL"
    PLAY_NEXT = "PLAY_NEXT"
    FORGET_EVENTS = "FORGET_EVENTS"
    TELL_FOLLOWERS = "TELL_FOLLOWERS"
    TAKE_MEASURES = "TAKE_MEASURES"
    TAKE_UPLOAD = "TAKE_UPLOAD"
    SWEEP_BLOBS = "SWEEP_BLOBS"
    COMPOSE_DEMO = "COMPOSE_DEMO"
    PUBLISH_DEMO = "PUBLISH_DEMO"


class JobState(StrEnum):
    """Where a job stands."""

    READY = "READY"
    RUNNING = "RUNNING"
    DONE = "DONE"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be done.

    Attributes:
        id: a UUIDv7.
        kind: what is to be done.
        subject: the row it is about.
        owner: the artist whose members may watch it; None where nobody does.
        payload: ids and numbers, as JSON.
        run_after: not before that; None for at once.
    """

    id: UUID
    kind: JobKind
    subject: UUID
    owner: UUID | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    run_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job in the hands of a worker; `fence` tells this claim from every other one, `owner` is for whom it is done."""

    id: UUID
    kind: JobKind
    subject: UUID
    payload: Mapping[str, Any]
    attempts: int
    fence: int
    owner: UUID | None = None


def longest_wait(attempts: int) -> timedelta:
    """How long at most a job waits after so many attempts; it waits a random part of that (full jitter)."""
    return timedelta(seconds=min(_FIRST * 2.0 ** max(attempts - 1, 0), _LONGEST))
