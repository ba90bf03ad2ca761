"""Suggestions: what a program proposes for a track, and a person applies or dismisses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from domain.colours import Hsl
from domain.errors import Invalid
from domain.hooks import checked_caption
from domain.ids import Ref
from domain.lyrics import Lyrics
from domain.texts import checked_text
from domain.windows import Window

LONGEST_PROVIDER, LONGEST_VERSION = 100, 50
HOUSE = "casset"
"""The provider of what this house suggests; nobody else goes by it."""


class SuggestionKind(StrEnum):
    """What is suggested."""

    HOOK_WINDOW = "HOOK_WINDOW"
    CAPTION = "CAPTION"
    TIMING = "TIMING"
    COLOURS = "COLOURS"


class SuggestionState(StrEnum):
    """What became of a suggestion."""

    OPEN = "OPEN"
    APPLIED = "APPLIED"
    DISMISSED = "DISMISSED"
    REPLACED = "REPLACED"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a program suggests for a track, one thing of the four.

    Attributes:
        provider: who or what suggests it, and `version` which one of it.
        confidence: how sure it is, 0 to 1.
        window: of the hook.
        caption: of the hook.
        timing: lyrics with their times.
        colour: from which the theme of the hook may grow.
    """

    provider: str
    version: str
    confidence: Decimal
    window: Window | None = None
    caption: str | None = None
    timing: Lyrics | None = None
    colour: Hsl | None = None

    @property
    def kind(self) -> SuggestionKind:
        """What is suggested."""
        if self.window is not None:
            return SuggestionKind.HOOK_WINDOW
        if self.colour is not None:
            return SuggestionKind.COLOURS
        return SuggestionKind.CAPTION if self.timing is None else SuggestionKind.TIMING


@dataclass(frozen=True, slots=True)
class SuggestionDraft:
    """What somebody's program suggests, as it was sent: one of the four.

    Attributes:
        track: for which track.
        hook_start_ms: where its hook starts.
        timing: `language`, and `lines` or `lrc`, the text of an LRC file.
        colour: from which the theme of the hook may grow.
    """

    track: Ref
    provider: str
    version: str
    confidence: Decimal
    hook_start_ms: int | None = None
    caption: str | None = None
    timing: Mapping[str, Any] | None = None
    colour: Hsl | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to a suggestion.

    Attributes:
        suggestion: which.
        applies: whether it is applied, else it is dismissed.
        expected_version: of the hook or the lyrics that it takes the place of; None where there are none yet.
        expected_theme: that a new one takes the place of; None where the hook has none yet.
    """

    suggestion: Ref
    applies: bool
    expected_version: int | None = None
    expected_theme: Ref | None = None


def checked_suggestion(suggestion: Suggestion) -> Suggestion:
    """What somebody's program suggests, as it is kept.

    Raises:
        Invalid: it breaks a rule, or suggests nothing.
    """
    provider = checked_text(suggestion.provider, LONGEST_PROVIDER, ("provider",))
    version = checked_text(suggestion.version, LONGEST_VERSION, ("version",))
    if not provider or provider.casefold() == HOUSE:
        raise Invalid("Say who or what suggests it, by a name of its own.", path=("provider",))
    if not version:
        raise Invalid("Say which version of it suggests this.", path=("version",))
    if not 0 <= suggestion.confidence <= 1:
        raise Invalid("A confidence is a number from 0 to 1.", path=("confidence",))
    for name, most in zip(Hsl._fields, (359, 100, 100), strict=True):
        if suggestion.colour is not None and not 0 <= getattr(suggestion.colour, name) <= most:
            raise Invalid(f"This is 0 to {most}.", path=("content", "colour", name))
    caption = checked_caption(suggestion.caption)
    if suggestion.kind is SuggestionKind.CAPTION and caption is None:
        raise Invalid("A caption has some text.", path=("content", "caption"))
    confidence = round(suggestion.confidence, 4)
    return replace(suggestion, provider=provider, version=version, confidence=confidence, caption=caption)
