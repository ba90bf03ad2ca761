"""The queue of a room: what its hosts mean to play, and what playing it there asks of those whose it is."""

from __future__ import annotations

from enum import StrEnum

from domain.rights import Use
from domain.rooms import RoomVisibility

LONGEST_QUEUE = 100


class QueueState(StrEnum):
    """Where something stands that was put into a room's queue."""

    QUEUED = "QUEUED"
    PLAYED = "PLAYED"
    REMOVED = "REMOVED"


PLAYING = frozenset({Use.COMMERCIAL_USE, Use.SYNC})
"""What playing something in a room may be, at most."""


def uses_of_playing(visibility: RoomVisibility, *, is_recorded: bool) -> frozenset[Use]:
    """What it is to play something in a room, beyond hearing it together, which whoever may hear it may do.

    Where people come who paid for it, it is a commercial use; where it is recorded, music is joined with pictures.
    """
    asked = {Use.COMMERCIAL_USE: visibility is RoomVisibility.SUPPORTERS, Use.SYNC: is_recorded}
    return frozenset(use for use in PLAYING if asked[use])
