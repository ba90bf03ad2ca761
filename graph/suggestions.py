"""The SDL of suggestions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.suggestions import SuggestionKind, SuggestionState
from graph.fields import DateTime, Node, described, stored
from graph.lineage import TimeWindow
from graph.lyrics import LyricLine

if TYPE_CHECKING:
    from graph.assets import Track

described(
    SuggestionKind,
    HOOK_WINDOW="Where the hook of the track may be.",
    CAPTION="A caption of its hook.",
    TIMING="Its lyrics, with their times.",
    COLOURS="The colour from which the theme of its hook may grow.",
)
described(
    SuggestionState,
    OPEN="Nobody has answered it.",
    APPLIED="Somebody took it over.",
    DISMISSED="Somebody put it aside.",
    REPLACED="The same program has suggested something else since.",
)


@strawberry.type(description="A colour from which a theme may grow.")
class SuggestedColour:
    """HSL."""

    hue: int | None = stored("Hue in degrees, 0 to 359.")
    saturation: int | None = stored("Saturation in percent.")
    lightness: int | None = stored("Lightness in percent.")


@strawberry.type(
    description="What a program suggests for a track. It changes nothing before a person applies it, and only the "
    "track's own people read it."
)
class Suggestion(Node):
    """A suggestion."""

    kind: SuggestionKind = stored("What it is about.")
    state: SuggestionState = stored("What became of it.")
    window: TimeWindow | None = stored("Where the hook may be; null where it is about something else.")
    caption: str | None = stored("The caption; null where it is about something else.")
    language: str | None = stored("The language of the lyrics, a tag of BCP 47, where it is said.")
    lines: list[LyricLine] | None = stored("The lyrics; null where it is about something else.")
    colour: SuggestedColour | None = stored("The colour; null where it is about something else.")
    provider: str = stored("Who or what suggests it.")
    version: str = stored("Which version of the provider.")
    confidence: float = stored("How sure the provider is, 0 to 1.")
    created_at: DateTime = stored("When it was suggested.")
    answered_at: DateTime | None = stored("When a person applied or dismissed it.")
    track: Annotated["Track", strawberry.lazy("graph.assets")] | None = stored("The track it is for.")
