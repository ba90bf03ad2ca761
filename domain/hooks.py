"""Hooks and the visual worlds around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.errors import Invalid
from domain.ids import Ref
from domain.texts import checked_text
from domain.windows import Window

HOOK_MS = 30_000
"""How long a hook is, everywhere; shorter only where the media is."""
FIRST_START_MS = 35_000
"""Where a hook starts that nobody chose, pulled back so that the window fits."""
LONGEST_START_MS = 24 * 60 * 60 * 1000
"""Where a hook starts at the latest while the length of the media is not known."""
LONGEST_CAPTION = 300


class VisualState(StrEnum):
    """Whether a visual world is worn now."""

    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"


class HookOrder(StrEnum):
    """The order of a list of hooks."""

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"


@dataclass(frozen=True, slots=True)
class HookWish:
    """What somebody wants the hook of a track to be, by column; what is not in `values` stays as it is.

    Attributes:
        track: whose hook it is.
        expected_version: of the hook that stands; None where there is none yet.
        values: `start_ms`, `caption`, `badges`.
    """

    track: Ref
    expected_version: int | None
    values: Mapping[str, Any]


def hook_window(start_ms: int | None, duration_ms: int | None) -> Window:
    """The window of a hook.

    Args:
        start_ms: where it starts; None where nobody chose.
        duration_ms: how long the media is; None while that is not known.

    Raises:
        Invalid: it starts before the media, or ends after it.
    """
    latest = LONGEST_START_MS if duration_ms is None else max(duration_ms - HOOK_MS, 0)
    start = min(FIRST_START_MS, latest) if start_ms is None else start_ms
    if not 0 <= start <= latest:
        said = f"A hook is {HOOK_MS} ms long: here it starts at 0 ms or later, and at {latest} ms at the latest."
        raise Invalid(said, path=("startMs",))
    end = start + HOOK_MS
    return Window(start, end if duration_ms is None else min(end, duration_ms))


def checked_caption(caption: str | None) -> str | None:
    """A caption of at most 300 characters, or None.

    Raises:
        Invalid: it is longer, or holds what is no text.
    """
    return None if caption is None else checked_text(caption, LONGEST_CAPTION, ("caption",)) or None
