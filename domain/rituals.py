"""Rituals: a time around one hook or release in which people gather, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.canonical import moment
from domain.errors import Invalid
from domain.ids import Ref
from domain.texts import checked_text

LONGEST_TITLE = 200
LATEST = timedelta(days=365)
"""How far ahead a ritual is announced at most."""
LONGEST = timedelta(days=31)
"""From its opening to its memory."""
SHORTEST = timedelta(minutes=1)
"""Between two of its times."""
BEST_MOMENTS = 3
PROOF_TYPE = "CassetParticipationProof"


class RitualState(StrEnum):
    """Where a ritual stands in its life."""

    ANNOUNCED = "ANNOUNCED"
    OPEN = "OPEN"
    RELEASED = "RELEASED"
    MEMORY = "MEMORY"
    CANCELLED = "CANCELLED"


class RitualOrder(StrEnum):
    """The orders of rituals."""

    SOONEST = "SOONEST"
    NEWEST = "NEWEST"


AWAITED = frozenset({RitualState.ANNOUNCED, RitualState.OPEN})
"""Before what it is about is out: until then people presave, and it may be called off."""
OVER = frozenset({RitualState.MEMORY, RitualState.CANCELLED})


@dataclass(frozen=True, slots=True)
class RitualTimes:
    """When a ritual opens, when what it is about is out, and when it becomes a memory."""

    opens_at: datetime
    releases_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class RitualDraft:
    """A ritual somebody announces, around a hook or a release.

    Attributes:
        unlocks: what those get who wait for it, once it is out; a world, a release or a track, or nothing.
    """

    subject: Ref
    title: str
    times: RitualTimes
    unlocks: Ref | None = None


def checked_ritual(title: str, times: RitualTimes, now: datetime) -> str:
    """The title of a ritual that may be announced.

    Raises:
        Invalid: the title breaks a rule, or a time is past, too far away, or not after the one before it.
    """
    named = checked_text(title, LONGEST_TITLE, ("title",))
    if not named:
        raise Invalid("A ritual has a title.", path=("title",))
    if not now < times.opens_at <= now + LATEST:
        raise Invalid("A ritual opens in the future, within a year.", path=("opensAt",))
    if times.releases_at < times.opens_at + SHORTEST:
        raise Invalid("It is out at least a minute after it opens.", path=("releasesAt",))
    # Differences: a time near the end of all time has none after it.
    if times.ends_at - times.releases_at < SHORTEST or times.ends_at - times.opens_at > LONGEST:
        raise Invalid(
            "It ends at least a minute after it is out, and 31 days after it opens at most.", path=("endsAt",)
        )
    return named


def state_due(state: RitualState, times: RitualTimes, now: datetime, *, is_out: bool) -> RitualState:
    """Where a ritual stands by now: it never goes back, and what did not come out is called off at its end.

    Args:
        state: where it stood.
        times: of the ritual.
        now: the moment.
        is_out: what it is about is there for everybody.
    """
    if state in OVER:
        return state
    if now >= times.ends_at:
        return RitualState.MEMORY if is_out or state is RitualState.RELEASED else RitualState.CANCELLED
    if state is RitualState.RELEASED or (is_out and now >= times.releases_at):
        return RitualState.RELEASED
    return RitualState.OPEN if now >= times.opens_at else state


@dataclass(frozen=True, slots=True)
class Presave:
    """Somebody who was there before it was out.

    Attributes:
        account: who.
        at: since when.
        nth: their place in the order of arrival, from 1.
    """

    account: Ref
    at: datetime
    nth: int


def participation(ritual: Ref, subject: Ref, presave: Presave, of: int) -> Mapping[str, Any]:
    """What a participant can show: what it was, when, and the nth of how many; to be signed."""
    return {
        "type": PROOF_TYPE,
        "ritual": str(ritual),
        "subject": str(subject),
        "participant": str(presave.account),
        "what": "PRESAVE",
        "at": moment(presave.at),
        "nth": presave.nth,
        "of": of,
    }
