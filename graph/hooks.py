"""The SDL of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.assets import Badge
from domain.hooks import HookOrder
from graph.clips import Clip
from graph.fields import PAGE, Connection, DateTime, Node, described, stored
from graph.lyrics import LyricLine
from graph.playback import Playback
from graph.social import Comment, ParticipationSnapshot
from graph.themes import Theme
from graph.verdicts import QUESTION, Verdict
from graph.visuals import VisualWorld

if TYPE_CHECKING:
    from graph.artists import World
    from graph.assets import Track
    from graph.rooms import Room

described(HookOrder, NEWEST="Newest first.", OLDEST="Oldest first.")


@strawberry.type(description="The window of a track that people remember, and everything around it.")
class Hook(Node):
    """A hook."""

    start_ms: int = stored("Where it starts in the track, in milliseconds.")
    end_ms: int = stored("Where it ends, in milliseconds.")
    duration_ms: int = stored("Its length: 30 seconds, less only where the track is shorter.")
    caption: str | None = stored("Its caption.")
    url: str = stored("Where people find it, in its world: an address like `World.url`.")
    badges: list[Badge] = stored("How it was made.")
    version: int = stored("Grows with every write; send it back as `expectedVersion`.")
    created_at: DateTime = stored("When the row was written.")
    rights: list[Verdict] | None = stored(
        "May it be used for X? The verdicts of its own window, which may be open where the track is not; null where "
        "you may not read its track.",
        *QUESTION[:-1],  # the window is the hook's own
    )
    remix_terms: str | None = stored(
        "Whether it may be remixed, in one plain sentence; null where you may not read its track."
    )
    playback: Playback | None = stored("Where you hear it; null where there is nothing to hear, or not for you.")
    timed_text: list[LyricLine] = stored(
        "What is sung in it, and when: lines and words of its track inside of its window, cut at its ends, in "
        "milliseconds of the track."
    )
    waveform: list[float] | None = stored(
        "The shape of its sound: the peaks of its track inside of its window; null where there is no sound."
    )
    track: Annotated["Track", strawberry.lazy("graph.assets")] | None = stored(
        "The track; null while the viewer may not see it."
    )
    theme: Theme | None = stored("How it looks.")
    visual_world: VisualWorld | None = stored("Its atmosphere.")
    room: Annotated["Room", strawberry.lazy("graph.rooms")] | None = stored("Where people gather around it.")
    world: Annotated["World", strawberry.lazy("graph.artists")] = stored("The world it opens onto.")
    like_count: int = stored("How many like it.")
    save_count: int = stored("How many keep it.")
    comment_count: int = stored("How many comments there are.")
    share_count: int = stored("How many share it.")
    viewer_likes: bool = stored("You like it.")
    viewer_saves: bool = stored("You keep it.")
    comments: Connection[Comment] = stored("What people say about it, newest first.", *PAGE)
    replies: Connection[Clip] = stored("What people made from it: the clips its artist approved, newest first.", *PAGE)
    participation: ParticipationSnapshot | None = stored(
        "How people gather around it, measured every hour; null where nothing was."
    )
