"""The SDL of the feed: what to go and see, and why."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.discovery import FeedKind, FeedReason
from graph.fields import DateTime, PageInfo, argument, described, stored
from graph.hooks import Hook
from graph.releases import Release
from graph.rituals import Ritual

described(
    FeedKind,
    WORLDS="What is now, soon or new in the worlds you follow.",
    RITUALS="Rituals under way, and those that open within a week.",
    HOOKS="Hooks around which more goes on than a day ago.",
    RELEASES="Releases that came out in the last 30 days.",
)
described(
    FeedReason,
    FOLLOWED_WORLD="It is in a world you follow: a ritual that is now or soon, or a new hook or release. Latest first.",
    RITUAL_NOW="A ritual that is under way; the one that opened last first.",
    RISING_HOOK="A hook around which more goes on than a day ago; what rose most first.",
    RITUAL_SOON="A ritual that opens within a week; soonest first.",
    NEW_RELEASE="A release that came out in the last 30 days; newest first.",
)
FEED_KIND = argument("kind", FeedKind | None, "Only this part of it.")
FeedItem = Annotated[
    Ritual | Hook | Release,
    strawberry.union("FeedItem", description="Something to go and see."),
]


@strawberry.type(
    description="How people come upon a release, and the hooks of what it holds. Its own people never count."
)
class DiscoverySummary:
    """Those who took part, by how they came."""

    people: int = stored("How many did something around it.")
    newcomers: int = stored("How many of them for the first time in the last seven days.")
    entered: int = stored("How many of them had done nothing in its world before: by it they came in.")
    brought: int = stored("How many of them a link of somebody's had brought into its world.")


@strawberry.type(description="A place in the feed.")
class FeedEdge:
    """An edge that says why it is there."""

    node: FeedItem = stored("What to go and see.")
    cursor: str = stored("The name of this place, bound to the order of the feed.")
    why: FeedReason = stored("Why it is told: the first reason that holds.")
    in_words: str = stored("The same, in one plain sentence.")
    at: DateTime = stored("When it opens, was set or came out; of what rises, when that was measured.")


@strawberry.type(description="A page of the feed: fifty of each kind of thing for each reason, at most.")
class FeedConnection:
    """A connection."""

    edges: list[FeedEdge] = stored("The places of this page, in the order of the feed.")
    nodes: list[FeedItem] = stored("The things of this page, in the order of the feed.")
    page_info: PageInfo = stored("Where this page stands.")
    total_count: int = stored("How many there are in all, for this viewer. Counted only when asked for.")
