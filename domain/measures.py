"""What is measured of how people gather: energy, heat, early motion, trusted circulation. Each names its formula.

A measure takes signals and nothing else. It never falls when one is added that counts, never moves by what the owner's
own people do, and what one person does counts so often a day and no more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

FORMULA = "casset-measures/1"
"""The version of everything below: a change of a weight, a cap or a law is another one."""
SATURATION = 200
"""The weight at which a measure stands at 63 of 100."""
ENERGY_HALVES = timedelta(hours=48)
HEAT_HALVES = timedelta(minutes=10)
FORGOTTEN_AFTER = 32
"""Half-lives: what is older adds less than any digit that is told."""
APART = timedelta(days=1)
"""What rises is compared with what it was so long ago."""
TENTH = 10
"""Steps of heat in which a room is told of it."""
EARLY = timedelta(hours=72)
"""How long after it is out motion is early."""
TRUSTED_AGE = timedelta(days=7)
"""How old an account is whose shares circulate."""


class SignalKind(StrEnum):
    """What somebody does around a song."""

    HOOK_PLAY = "HOOK_PLAY"
    LIKE = "LIKE"
    COMMENT = "COMMENT"
    REACTION = "REACTION"
    SHARE = "SHARE"
    PRESAVE = "PRESAVE"
    FOLLOW = "FOLLOW"
    CLIP = "CLIP"
    UNLOCK = "UNLOCK"
    REFERRAL = "REFERRAL"
    ROOM_MINUTE = "ROOM_MINUTE"


class Weight(NamedTuple):
    """What one signal adds, and how many of its kind one person adds in a day (UTC)."""

    weight: float
    a_day: int


WEIGHTS: Final[Mapping[SignalKind, Weight]] = {
    SignalKind.HOOK_PLAY: Weight(1, 10),
    SignalKind.LIKE: Weight(2, 5),
    SignalKind.COMMENT: Weight(3, 10),
    SignalKind.REACTION: Weight(1, 20),
    SignalKind.SHARE: Weight(4, 3),
    SignalKind.PRESAVE: Weight(5, 1),
    SignalKind.FOLLOW: Weight(4, 1),
    SignalKind.CLIP: Weight(8, 3),
    SignalKind.UNLOCK: Weight(10, 1),
    SignalKind.REFERRAL: Weight(8, 5),
    SignalKind.ROOM_MINUTE: Weight(0.2, 20),
}


SPENT = frozenset({SignalKind.UNLOCK})
"""What may come of having paid: it adds to energy, and never to what people are led to."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something somebody did.

    Attributes:
        actor: the account.
        own: they held the artist then.
    """

    kind: SignalKind
    actor: UUID
    at: datetime
    own: bool = False


def counted(signals: Iterable[Signal]) -> list[Signal]:
    """Those that count: not the owner's own, and of one person, kind and day the first ones, up to the cap."""
    done: Counter[tuple[UUID, SignalKind, date]] = Counter()
    kept = []
    for signal in sorted(signals, key=lambda each: each.at):
        day = signal.actor, signal.kind, signal.at.astimezone(UTC).date()
        if not signal.own and done[day] < WEIGHTS[signal.kind].a_day:
            done[day] += 1
            kept.append(signal)
    return kept


def energy(signals: Iterable[Signal], now: datetime, halves: timedelta = ENERGY_HALVES) -> float:
    """100·(1 - e^(-Σ w·2^(-age/halves)/200)), to one decimal. What lies ahead of `now` is as new as can be."""
    total = sum(
        WEIGHTS[signal.kind].weight * 2.0 ** -(max(now - signal.at, timedelta()) / halves)
        for signal in counted(signals)
    )
    return round(100 * -math.expm1(-total / SATURATION), 1)


def heat(signals: Iterable[Signal], now: datetime) -> float:
    """The energy of a room, of what is done in it: the same law, and what is done cools in minutes."""
    return energy(signals, now, HEAT_HALVES)


def rise(signals: Iterable[Signal], now: datetime) -> float:
    """How much the energy grew in a day, where it did, to one decimal. What may have been paid for is left out.

    It is no measure of all that is done but of what is new: only what is done in that day adds to it.
    """
    free = [signal for signal in signals if signal.kind not in SPENT and signal.at <= now]
    earlier = now - APART
    before = energy([signal for signal in free if signal.at <= earlier], earlier)
    return max(0.0, round(energy(free, now) - before, 1))


def early_motion(signals: Iterable[Signal], out_at: datetime | None) -> int:
    """How many people took part before it was out, or within 72 hours of that; all of them where it is not out yet."""
    return len({each.actor for each in signals if not each.own and (out_at is None or each.at <= out_at + EARLY)})


@dataclass(frozen=True, slots=True)
class Share:
    """A link somebody made.

    Attributes:
        actor: the account, which is there since `actor_since`.
        own: they held the artist then.
    """

    link: UUID
    actor: UUID
    actor_since: datetime
    at: datetime
    own: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody came by a link for the first time; `visitor` tells them apart."""

    link: UUID
    visitor: bytes
    at: datetime


def trusted_circulation(shares: Iterable[Share], visits: Iterable[Visit]) -> int:
    """How many shares of one thing brought somebody whom none had brought before, made by accounts of 7 days or more.

    Of one person and day the first ones count, up to the cap of shares.
    """
    done: Counter[tuple[UUID, date]] = Counter()
    trusted = set()
    for share in sorted(shares, key=lambda each: each.at):
        day = share.actor, share.at.astimezone(UTC).date()
        if share.own or share.at - share.actor_since < TRUSTED_AGE or done[day] >= WEIGHTS[SignalKind.SHARE].a_day:
            continue
        done[day] += 1
        trusted.add(share.link)
    known: set[bytes] = set()
    brought = set()
    for visit in sorted(visits, key=lambda each: each.at):
        if visit.link in trusted and visit.visitor not in known:
            known.add(visit.visitor)
            brought.add(visit.link)
    return len(brought)
