"""The SDL of clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.clips import ClipState
from graph.fields import DateTime, Node, described, optional, stored
from graph.playback import Playback

if TYPE_CHECKING:
    from graph.artists import World
    from graph.assets import Sample
    from graph.hooks import Hook
    from graph.rituals import Ritual

described(
    ClipState,
    PENDING="It waits for the artist to decide.",
    APPROVED="It is heard with the hook.",
    REJECTED="The artist did not take it.",
    REMOVED="It was heard, and the artist took it away.",
    WITHDRAWN="Who sent it in has taken it back.",
)


@strawberry.type(
    description="Sound that somebody made from a hook and sent in, 60 seconds at most. Its artist decides whether it "
    "is heard with the hook; before, it is seen by the artist's editors and by who sent it in."
)
class Clip(Node):
    """A clip."""

    state: ClipState = stored("Where it stands.")
    start_ms: int = stored("Where the hook that it was made from started in its track, in milliseconds.")
    end_ms: int = stored("Where that hook ended, in milliseconds.")
    duration_ms: int = stored("How long it is, in milliseconds.")
    created_at: DateTime = stored("When it was sent in.")
    decided_at: DateTime | None = stored("When it came to stand where it stands; null while it waits.")
    playback: Playback | None = stored("Where you hear all of it; null where it is not there any more.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The hook it was sent in to.")
    ritual: Annotated["Ritual", strawberry.lazy("graph.rituals")] | None = stored(
        "The ritual it is a part of; null where it is of none, or came when that was over."
    )
    sample: Annotated["Sample", strawberry.lazy("graph.assets")] | None = stored(
        "What was sent in, with its credits and what it is made from; null where it is not there any more."
    )
    world: Annotated["World", strawberry.lazy("graph.artists")] = stored("The world of who made it.")


@strawberry.input(description="Conditions on clips; all that are given must hold.")
class ClipFilter:
    """Filters of `clips`."""

    artist: strawberry.ID | None = optional("Sent in to a hook of this artist.")
    hook: strawberry.ID | None = optional("Sent in to this hook.")
    sender: strawberry.ID | None = optional("Sent in by this artist.")
    states: list[ClipState] | None = optional("Standing so.")
