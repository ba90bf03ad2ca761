"""Where suggestions live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.engine import Database
from db.lyrics import read_lines
from db.places import Computed, Inline, ToOne, Type, columns, refer
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.colours import Hsl
from domain.ids import Kind, Ref
from domain.lyrics import Line, Lyrics
from domain.suggestions import Suggestion, SuggestionState
from domain.windows import stretch

_WINDOW = Inline(
    "TimeWindow",
    columns(tables.suggestion, "start_ms", "end_ms"),
    present=lambda row: row.c.start_ms.is_not(None),
)
_COLOUR = Inline(
    "SuggestedColour",
    columns(tables.suggestion, "hue", "saturation", "lightness"),
    present=lambda row: row.c.hue.is_not(None),
)
SUGGESTION = Type(
    "Suggestion",
    tables.suggestion,
    {
        **columns(tables.suggestion, "kind", "state", "caption", "language", "provider", "confidence", id="ref"),
        **columns(tables.suggestion, "created_at", "answered_at", version="provider_version"),
        "window": _WINDOW,
        "colour": _COLOUR,
        "lines": Computed(),
        "track": ToOne("Track", refer("track_id")),
    },
)


async def add_suggestion(connection: AsyncConnection, id_: UUID, track_id: UUID, suggestion: Suggestion) -> None:
    """Keep what a program suggests for a held track, in place of what it suggested before and nobody answered."""
    table, kind = tables.suggestion, suggestion.kind.value
    before = (table.c.track_id == track_id, table.c.kind == kind, table.c.provider == suggestion.provider)
    replaced = update(table).where(*before, table.c.state == SuggestionState.OPEN.value)
    await connection.execute(replaced.values(state=SuggestionState.REPLACED.value))
    content = [each._asdict() for each in (suggestion.window, suggestion.timing, suggestion.colour) if each is not None]
    row = {
        "id": id_,
        "track_id": track_id,
        "kind": kind,
        **{name: value for each in content for name, value in each.items()},
        "caption": suggestion.caption,
        "provider": suggestion.provider,
        "provider_version": suggestion.version,
        "confidence": suggestion.confidence,
    }
    await connection.execute(insert(table).values(row))


@dataclass(frozen=True, slots=True)
class HeldSuggestion:
    """A suggestion under the writer's lock."""

    ref: Ref
    track: Ref
    state: SuggestionState
    suggestion: Suggestion


async def hold_suggestion(connection: AsyncConnection, viewer: Viewer, id_: UUID) -> HeldSuggestion | None:
    """Lock a suggestion the viewer may answer; None where there is none, or it is not theirs."""
    table = tables.suggestion.alias()
    query = (
        select(table)
        .where(table.c.id == id_, allowed(tables.suggestion, Action.WRITE, table))
        .with_for_update(of=table)
    )
    row = (await connection.execute(query, viewer_values(viewer))).first()
    if row is None:
        return None
    timing = None if row.lines is None else Lyrics(row.language, read_lines(row.lines))
    window = stretch(row.start_ms, row.end_ms)
    colour = None if row.hue is None else Hsl(row.hue, row.saturation, row.lightness)
    told = Suggestion(row.provider, row.provider_version, row.confidence, window, row.caption, timing, colour)
    state = SuggestionState(row.state)
    return HeldSuggestion(Ref(Kind.SUGGESTION, row.id), Ref(Kind.TRACK, row.track_id), state, told)


async def note_answer(
    connection: AsyncConnection, held: HeldSuggestion, state: SuggestionState, account_id: UUID | None, at: datetime
) -> None:
    """Keep who answered a held suggestion, and how."""
    table = tables.suggestion
    values = {"state": state.value, "answered_by_id": account_id, "answered_at": at}
    await connection.execute(update(table).where(table.c.id == held.ref.id).values(values))


async def lines_suggested(database: Database, suggestions: Sequence[UUID]) -> Mapping[UUID, tuple[Line, ...]]:
    """The timed lines of some suggestions, where they have any. They were seen before."""
    table = tables.suggestion
    mine = table.c.id == any_(bindparam("suggestions", type_=ARRAY(Uuid)))
    query = select(table.c.id, table.c.lines).where(mine, table.c.lines.is_not(None))
    async with database.read() as connection:
        rows: Any = await connection.execute(query, {"suggestions": list(suggestions)})
        return {row.id: read_lines(row.lines) for row in rows}
