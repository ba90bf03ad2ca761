"""Clips: short sound that people make from a hook and send in; its artist decides what everybody hears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.assets import AssetState
from domain.errors import Invalid, Moved
from domain.media import ContentState

LONGEST_MS = 60_000
"""Of the sound, as it was read."""
MOST_WAITING = 10
"""Clips of one account that wait for one artist to decide."""


class ClipState(StrEnum):
    """Where a clip stands: its artist decides, and whoever sent it in may take it back."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    REMOVED = "REMOVED"
    WITHDRAWN = "WITHDRAWN"


STEPS: Final[Mapping[ClipState, frozenset[ClipState]]] = {
    ClipState.PENDING: frozenset({ClipState.APPROVED, ClipState.REJECTED, ClipState.WITHDRAWN}),
    ClipState.APPROVED: frozenset({ClipState.REMOVED, ClipState.WITHDRAWN}),
    ClipState.REJECTED: frozenset(),
    ClipState.REMOVED: frozenset(),
    ClipState.WITHDRAWN: frozenset(),
}
"""Where a clip may go from where it stands: what was decided against stays so."""


def check_step(state: ClipState, to: ClipState) -> None:
    """Let a clip stand elsewhere.

    Raises:
        Moved: it does not go there from where it stands.
    """
    if to not in STEPS[state]:
        raise Moved(f"The clip is {state.value}.", path=("clip",))


@dataclass(frozen=True, slots=True)
class Sound:
    """What somebody sends in, as it is found.

    Attributes:
        state: of the sample.
        is_credited: it says who made it.
        media: its newest master; None where there is none that was uploaded.
        content: how far that was read.
        duration_ms: how long it is, once it was read.
        is_anothers: the same sound is the master of somebody else's work, whoever may see that.
    """

    state: AssetState
    is_credited: bool
    media: UUID | None
    content: ContentState | None
    duration_ms: int | None
    is_anothers: bool


def checked_sound(sound: Sound) -> UUID:
    """The media of what may be sent in.

    Raises:
        Invalid: it is private, or withdrawn; it says nothing of who made it, has no sound, too much of it, or
            somebody else's.
        Moved: its sound was not read to its end yet.
    """
    at = ("asset",)
    if sound.state in {AssetState.PRIVATE, AssetState.WITHDRAWN}:
        raise Invalid("Others are to hear a clip: let your sample be unlisted or public first.", path=at)
    if not sound.is_credited:
        raise Invalid("A clip says who made it: give your sample its credits first.", path=at)
    if sound.media is None or sound.content is ContentState.REFUSED:
        raise Invalid("A clip sounds: give your sample a master first.", path=at)
    if sound.content is not ContentState.READY or sound.duration_ms is None:
        raise Moved("Its sound was not read to its end yet. Send it in a moment later.", path=at)
    if sound.duration_ms > LONGEST_MS:
        raise Invalid(f"A clip lasts {LONGEST_MS // 1000} seconds at most.", path=at)
    if sound.is_anothers:
        raise Invalid("A clip is of your own making: this sound cannot be taken.", path=at)
    return sound.media
