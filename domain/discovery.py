"""What a feed tells of and why: what is followed, what is now, what rises, what is new.

It is ordered by times and by how many gather, never by badges and never by what was spent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

NEW = timedelta(days=30)
"""For how long a hook or a release is new."""
SOON = timedelta(days=7)
"""How long before it opens a ritual is told."""
NEWCOMER = timedelta(days=7)
"""For how long somebody is new to a release."""
MOST_TOLD = 50
"""Things of a kind that are told for one reason."""
MOST_FOLLOWED = 500
"""Worlds that are looked at for what is new there, the ones followed last."""


class FeedKind(StrEnum):
    """Parts of a feed."""

    WORLDS = "WORLDS"
    RITUALS = "RITUALS"
    HOOKS = "HOOKS"
    RELEASES = "RELEASES"


class FeedReason(StrEnum):
    """Why something is told, in the order of the feed: what several hold for is told once, for the first."""

    FOLLOWED_WORLD = "FOLLOWED_WORLD"
    RITUAL_NOW = "RITUAL_NOW"
    RISING_HOOK = "RISING_HOOK"
    RITUAL_SOON = "RITUAL_SOON"
    NEW_RELEASE = "NEW_RELEASE"


PART_OF: Final[Mapping[FeedReason, FeedKind]] = {
    FeedReason.FOLLOWED_WORLD: FeedKind.WORLDS,
    FeedReason.RITUAL_NOW: FeedKind.RITUALS,
    FeedReason.RISING_HOOK: FeedKind.HOOKS,
    FeedReason.RITUAL_SOON: FeedKind.RITUALS,
    FeedReason.NEW_RELEASE: FeedKind.RELEASES,
}
IN_WORDS: Final[Mapping[FeedReason, str]] = {
    FeedReason.FOLLOWED_WORLD: "It is new, or about to begin, in a world you follow.",
    FeedReason.RITUAL_NOW: "People gather for it now.",
    FeedReason.RISING_HOOK: "More goes on around it than a day ago.",
    FeedReason.RITUAL_SOON: "It opens within a week.",
    FeedReason.NEW_RELEASE: f"It came out in the last {NEW.days} days.",
}
