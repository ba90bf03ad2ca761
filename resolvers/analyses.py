"""What can be done with what is heard in recordings: keep it, suggest a hook, and tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.analyses import analyses_of, keep_analysis
from db.changes import record_changes
from db.hooks import hook_of
from db.suggestions import add_suggestion
from domain.analyses import VERSION, Heard, Loudest
from domain.hooks import hook_window
from domain.ids import Kind, Ref
from domain.suggestions import HOUSE, Suggestion, SuggestionState
from resolvers.context import Acting, Told, uuid7
from resolvers.suggestions import tell


async def keep_heard(connection: Any, media: UUID, asset: UUID, heard: Heard) -> None:
    """Keep what was heard in the master of an asset; for a track, suggest where its hook may be."""
    await keep_analysis(connection, media, heard)
    await record_changes(connection, [(asset, "MUSIC_ANALYZED", [media])])
    if heard.hook is not None:
        await _suggest_hook(connection, asset, heard.timing.duration_ms, heard.hook)


async def _suggest_hook(connection: Any, asset: UUID, duration_ms: int, loudest: Loudest) -> None:
    held = await hook_of(connection, asset)
    if held is None or held.values.get("start_ms") == loudest.start_ms:
        return
    suggestion = Ref(Kind.SUGGESTION, uuid7())
    window = hook_window(loudest.start_ms, duration_ms)
    told = Suggestion(HOUSE, VERSION, Decimal(str(loudest.confidence)), window)
    await add_suggestion(connection, suggestion.id, asset, told)
    await tell(connection, suggestion, Ref(Kind.TRACK, asset), SuggestionState.OPEN)


async def analyses_of_tracks(acting: Acting, tracks: Sequence[UUID]) -> Mapping[UUID, Told]:
    """What was heard in some tracks; those that nobody has listened to yet are left out."""
    found = await analyses_of(acting.database, tracks)
    return {track: _told(row) for track, row in found.items()}


def _number(kept: Decimal | None) -> float | None:
    return None if kept is None else float(kept)


def _told(row: Any) -> Told:
    timing = {
        "__typename": "TimingLayer",
        "durationMs": row.duration_ms,
        "sampleRate": row.sample_rate,
        "channels": row.channels,
        "soundStartMs": row.sound_start_ms,
        "soundEndMs": row.sound_end_ms,
    }
    musical = {
        "__typename": "MusicalLayer",
        "bpm": _number(row.bpm),
        "otherBpm": _number(row.other_bpm),
        "key": row.musical_key,
        "energy": _number(row.energy),
        "provider": row.provider,
        "version": row.provider_version,
        "confidence": _number(row.confidence),
        "error": row.error,
    }
    return {"__typename": "MusicAnalysis", "timing": timing, "musical": musical}
