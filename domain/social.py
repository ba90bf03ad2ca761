"""What people do around a song: they follow, like, save, comment and share, and hear of what others did."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from domain.errors import Invalid

COMMENTS_A_MINUTE = 20
"""Of one account."""
HEARD_MS = 10_000
"""How much of a hook somebody has heard who has played it."""
PLAYS_APART = timedelta(seconds=30)
"""Between two plays of one hook by one person: it is as long as that."""


class TieKind(StrEnum):
    """What binds somebody to an artist or a hook."""

    FOLLOW = "FOLLOW"
    LIKE = "LIKE"
    SAVE = "SAVE"


class ActivityKind(StrEnum):
    """What somebody is told in their inbox."""

    FOLLOWED = "FOLLOWED"
    LIKED = "LIKED"
    SAVED = "SAVED"
    COMMENTED = "COMMENTED"
    RELEASE_PUBLISHED = "RELEASE_PUBLISHED"
    CLIP_SENT = "CLIP_SENT"
    CLIP_APPROVED = "CLIP_APPROVED"
    CLIP_REJECTED = "CLIP_REJECTED"
    CLIP_REMOVED = "CLIP_REMOVED"


def check_position(position_ms: int | None, start_ms: int, end_ms: int) -> None:
    """Let something be said at a place of a hook, all in milliseconds of its track; None: at none.

    Raises:
        Invalid: it lies outside of the hook.
    """
    if position_ms is not None and not start_ms <= position_ms < end_ms:
        said = f"The hook is heard from {start_ms} ms to {end_ms} ms of its track."
        raise Invalid(said, path=("positionMs",))
