"""What can be done with lyrics: set them, and read what of them is sung where."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.assets import hold_asset
from db.lyrics import HeldLyrics, lines_around, lyrics_held, lyrics_of
from db.lyrics import write_lyrics as keep_lyrics
from db.search import index_lyrics
from db.suggestions import lines_suggested
from domain.canonical import canonical, digest
from domain.errors import Moved, NotFound
from domain.ids import Ref, parse_ref
from domain.lrc import read_lrc, write_lrc
from domain.lyrics import Line, Lyrics, LyricsWish, checked_language, checked_lines, part_of
from domain.provenance import EventKind
from resolvers.context import Acting, Told, unhurried
from resolvers.telling import Later
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import lyrics_changed


async def set_lyrics(acting: Acting, wish: LyricsWish, idempotency_key: str | None) -> Ref:
    """Give a track its lyrics, or others than it has; the track.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such track, or it is not the viewer's to change.
        Moved: other lyrics stand than those that were read.
        Invalid: a line, a time or the language breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        return {"track": str(await write_lyrics(connection, acting, wish))}

    # Whatever was sent has a digest, also what is no text.
    sent = digest(json.dumps(wish.values, sort_keys=True).encode())
    request = {"track": str(wish.track), "expectedVersion": wish.expected_version, "values": sent}
    outcome = await done_once(acting, "setLyrics", request, idempotency_key, work)
    return parse_ref(outcome["track"])


async def write_lyrics(connection: Any, acting: Acting, wish: LyricsWish, suggestion: Ref | None = None) -> Ref:
    """Do it, in the transaction of the connection; `suggestion` is what was applied.

    Raises:
        NotFound: there is no such track, or it is not the viewer's to change.
        Moved: other lyrics stand than those that were read.
        Invalid: a line, a time or the language breaks a rule.
    """
    asset = await hold_asset(connection, acting.viewer, wish.track.id)
    held = None if asset is None else await lyrics_held(connection, asset.ref.id)
    if asset is None or held is None:
        raise NotFound("There is no such track.", path=("track",))
    if held.version != wish.expected_version:
        stand = "There are no lyrics yet." if held.version is None else f"The lyrics are at version {held.version}."
        raise Moved(f"{stand} Read them again.", path=("expectedVersion",))
    lyrics = wanted_lyrics(held, wish.values)
    if held.version is None or lyrics != held.lyrics:
        await keep_lyrics(connection, asset.ref.id, lyrics)
        await index_lyrics(connection, asset.ref.id, [line.text for line in lyrics.lines])
        version = (held.version or 0) + 1
        payload = {"changed": ["lyrics"], "digest": digest(canonical(lyrics._asdict())), "lyricsVersion": version}
        payload |= {} if suggestion is None else {"suggestion": str(suggestion)}
        event = happened(acting, asset.ref, EventKind.ASSET_UPDATED, payload)
        await follow(connection, [event], [lyrics_changed(asset.ref, version)])
    return asset.ref


def wanted_lyrics(held: HeldLyrics, values: Mapping[str, Any]) -> Lyrics:
    """The lyrics a track would have with new `language`, and `lines` or `lrc`.

    Raises:
        Invalid: a line, a time or the language breaks a rule.
    """
    language, lines = held.lyrics
    if "language" in values:
        language = checked_language(values["language"])
    if "lines" in values:
        lines = checked_lines(values["lines"], held.duration_ms)
    if "lrc" in values:
        lines = read_lrc(values["lrc"], held.duration_ms)
    return Lyrics(language, lines)


async def lyrics_of_tracks(acting: Acting, tracks: Sequence[UUID]) -> Mapping[UUID, Told]:
    """The lyrics of some tracks; those that never had any are left out."""
    found = await lyrics_of(acting.database, tracks)
    return {track: _told(*kept) async for track, kept in unhurried(found.items())}


def _told(version: int, lyrics: Lyrics) -> Told:
    told = {"__typename": "Lyrics", "language": lyrics.language, "version": version}
    later = {"lines": lambda: _lines(lyrics.lines), "lrc": lambda: write_lrc(lyrics.lines)}
    return Later(told, later)


async def timed_texts_of(acting: Acting, hooks: Sequence[UUID]) -> Mapping[UUID, list[Told]]:
    """What is sung inside the windows of some hooks."""
    found = await lines_around(acting.database, hooks)
    told = {hook: _lines(part_of(lines, window)) async for hook, (window, lines) in unhurried(found.items())}
    return {hook: told.get(hook, []) for hook in hooks}


async def suggested_lines(acting: Acting, suggestions: Sequence[UUID]) -> Mapping[UUID, list[Told]]:
    """The timed lines that some suggestions are about."""
    found = await lines_suggested(acting.database, suggestions)
    return {id_: _lines(lines) async for id_, lines in unhurried(found.items())}


def _lines(lines: Sequence[Line]) -> list[Told]:
    return [
        {
            "__typename": "LyricLine",
            "startMs": line.start_ms,
            "endMs": line.end_ms,
            "text": line.text,
            "words": [
                {"__typename": "LyricWord", "startMs": word.start_ms, "endMs": word.end_ms, "text": word.text}
                for word in line.words
            ],
        }
        for line in lines
    ]
