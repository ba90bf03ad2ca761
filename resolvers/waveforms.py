"""What can be seen of sounds: their waveforms, and the stretches of them that hooks are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.waveforms import drawn_hooks, drawn_tracks
from domain.audio import FULL_SCALE, peaks_inside
from resolvers.context import Acting


async def waveforms_of_tracks(acting: Acting, tracks: Sequence[UUID]) -> Mapping[UUID, list[float]]:
    """500 peaks from 0 to 1 for each of some tracks that has a sound."""
    found = await drawn_tracks(acting.database, tracks)
    return {track: _written(drawn.peaks) for track, drawn in found.items()}


async def waveforms_of_hooks(acting: Acting, hooks: Sequence[UUID]) -> Mapping[UUID, list[float]]:
    """The peaks of the tracks of some hooks, as far as they are in their windows."""
    found = await drawn_hooks(acting.database, hooks)
    return {
        hook: _written(peaks_inside(window, drawn.duration_ms, drawn.peaks)) for hook, (window, drawn) in found.items()
    }


def _written(peaks: Sequence[int]) -> list[float]:
    return [peak / FULL_SCALE for peak in peaks]
