"""The SDL of rituals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.entitlements import EntitlementScope
from domain.rituals import RitualOrder, RitualState
from graph.clips import Clip
from graph.fields import PAGE, Connection, DateTime, Node, described, stored
from graph.rooms import Room
from graph.social import Comment

if TYPE_CHECKING:
    from graph.artists import World
    from graph.assets import Asset
    from graph.hooks import Hook
    from graph.releases import Release


described(
    RitualState,
    ANNOUNCED="People know of it, and wait.",
    OPEN="The room is open, and what it is about is not out yet.",
    RELEASED="It is out.",
    MEMORY="It is over, and remembered: nothing of it changes any more.",
    CANCELLED="It was called off, or nothing came out.",
)
described(RitualOrder, SOONEST="By when they open.", NEWEST="By when they were announced, newest first.")


@strawberry.type(description="Somebody who was there before it was out, and agreed to be named.")
class Presave(Node):
    """A presave."""

    handle: str = stored("The handle of the account.")
    nth: int = stored("Their place in the order of arrival, from 1.")
    since: DateTime = stored("Since when.")
    ritual: Annotated["Ritual", strawberry.lazy("graph.rituals")] | None = stored("What they waited for.")


@strawberry.type(description="How you were there.")
class RitualParticipation:
    """The viewer's own."""

    nth: int = stored("Your place in the order of arrival, from 1.")
    since: DateTime = stored("Since when.")
    is_named: bool = stored("Others read that you were there.")
    proof: str | None = stored(
        "What you can show for it, as JSON: what, when, nth of how many, signed with the keys of "
        "`/.well-known/did.json` (W3C `eddsa-jcs-2022`). Null until the ritual is a memory."
    )


@strawberry.type(description="What a ritual came to, counted once when it was over.")
class RitualMemory:
    """The numbers."""

    presaves: int = stored("How many were there before it was out.")
    people: int = stored("How many people were there in all.")
    messages: int = stored("How much was said in its room.")
    reactions: int = stored("How many reactions its room heard.")
    clips: int = stored("How many clips were heard with it.")
    best_moments: list[DateTime] = stored("The minutes in which most happened, in order: three at most.")


@strawberry.type(
    description="A time around a hook or a release in which people gather; nothing in it can be handed on."
)
class Ritual(Node):
    """A ritual."""

    title: str = stored("Its title.")
    url: str = stored("Where people gather for it, in its world: an address like `World.url`.")
    state: RitualState = stored("Where it stands.")
    opens_at: DateTime = stored("When it opens.")
    releases_at: DateTime = stored(
        "When what it is around is out; a release that is scheduled comes out at its own time."
    )
    ends_at: DateTime = stored("When it becomes a memory.")
    presave_count: int = stored("How many are waiting, or waited.")
    version: int = stored("Grows with every change.")
    world: Annotated["World", strawberry.lazy("graph.artists")] = stored("The world it belongs to.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The hook it is around.")
    release: Annotated["Release", strawberry.lazy("graph.releases")] | None = stored("The release it is around.")
    room: Room | None = stored("Where people gather; null where you may not enter.")
    first_supporters: Connection[Presave] = stored(
        "Who was there first, in the order of arrival; of those who agreed to be named.", *PAGE
    )
    participation: RitualParticipation | None = stored("How you were there; null where you were not.")
    unlock_scope: EntitlementScope | None = stored(
        "How much is opened to those who waited, once it is out: its world, or a release or a track; null for nothing."
    )
    unlocked: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "The release or the track that is opened to them; null for a world, and where you may not see it."
    )
    comment_count: int = stored("How many comments there are.")
    comments: Connection[Comment] = stored("What people say about it, newest first.", *PAGE)
    clips: Connection[Clip] = stored("What people made from it: the clips its artist approved, newest first.", *PAGE)
    memory: RitualMemory | None = stored("What is remembered; null until it is over.")
