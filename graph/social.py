"""The SDL of what people do around a song: comments, share links, the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.social import ActivityKind
from graph.fields import DateTime, Node, described, stored

if TYPE_CHECKING:
    from graph.artists import Artist, World
    from graph.hooks import Hook
    from graph.releases import Release
    from graph.rituals import Ritual
    from graph.rooms import Room

described(
    ActivityKind,
    FOLLOWED="Somebody follows an artist you care for.",
    LIKED="Somebody likes a hook of theirs.",
    SAVED="Somebody saved a hook of theirs.",
    COMMENTED="Somebody said something about a hook, a ritual or the world of theirs.",
    RELEASE_PUBLISHED="An artist you follow has published a release.",
    CLIP_SENT="Somebody sent a clip in to a hook of theirs: it waits for you.",
    CLIP_APPROVED="A clip of yours is heard with the hook.",
    CLIP_REJECTED="A clip of yours was not taken.",
    CLIP_REMOVED="A clip of yours is heard with the hook no more.",
)


@strawberry.type(description="How people gathered around something, as it was measured at one hour; most recently.")
class ParticipationSnapshot:
    """A snapshot of measures."""

    energy: float = stored("How much is done around it, 0 to 100; half of what is done is forgotten in 48 hours.")
    rise: float = stored(
        "How much of that came in the last day, where it grew: the energy less what it was a day before. Purchases and "
        "what they unlock are left out; hooks that rise are told in this order."
    )
    early_motion: int = stored("How many took part before it was out, or within 72 hours of that.")
    trusted_circulation: int = stored(
        "How many links that people shared brought somebody new; of accounts that were there for a week."
    )
    participants: int = stored("How many took part lately. Its own people never count.")
    formula: str = stored("By which version of the measures.")
    taken_at: DateTime = stored("At which hour.")


@strawberry.type(description="What somebody said about a hook, a world or a ritual, until they take it back.")
class Comment(Node):
    """A comment."""

    handle: str = stored("The handle of who said it.")
    text: str = stored("What they said.")
    position_ms: int | None = stored(
        "Where in the hook, in milliseconds of its track; null where it is about all of it."
    )
    created_at: DateTime = stored("When they said it.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored(
        "The hook it is about; null where it is about something else."
    )
    world: Annotated["World", strawberry.lazy("graph.artists")] | None = stored(
        "The world it is about; null where it is about something in it."
    )
    ritual: Annotated["Ritual", strawberry.lazy("graph.rituals")] | None = stored("The ritual it is about.")


@strawberry.type(description="A link with which somebody shares something. Only they see who came by it, and how many.")
class ShareLink(Node):
    """A share link."""

    code: str = stored("Its seven characters, none of which looks like another.")
    path: str = stored("Where it is, on this host; `resolve` takes it, too.")
    visit_count: int = stored("How often somebody came by it.")
    visitor_count: int = stored("How many came by it, told apart by where they came from; you are not counted.")
    referral_count: int = stored(
        "How many who were new to the world it leads into came by it, and stayed: signed up, followed, presaved or "
        "joined a room."
    )
    created_at: DateTime = stored("When it was made.")
    artist: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored(
        "The artist whose world it leads to; null where it leads into it."
    )
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The hook it leads to.")
    release: Annotated["Release", strawberry.lazy("graph.releases")] | None = stored("The release it leads to.")
    room: Annotated["Room", strawberry.lazy("graph.rooms")] | None = stored("The room it leads to.")
    ritual: Annotated["Ritual", strawberry.lazy("graph.rituals")] | None = stored("The ritual it leads to.")


@strawberry.type(
    description="A line in somebody's inbox. What is alike gathers in one until it is read: only they see it."
)
class Activity(Node):
    """A line of the inbox."""

    kind: ActivityKind = stored("What happened.")
    handle: str | None = stored("The handle of who did it, the last one where several did; null where nobody is named.")
    times: int = stored("How often it happened since you read of it.")
    at: DateTime = stored("When it happened, the last time.")
    read_at: DateTime | None = stored("When you read it; null where you have not yet.")
    artist: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Whose world it happened in.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The hook it is about.")
    release: Annotated["Release", strawberry.lazy("graph.releases")] | None = stored("The release it is about.")
    comment: Comment | None = stored("What was said; null where it was taken back.")
