"""What can be done with suggestions: a program makes them, a person applies or dismisses them."""

from __future__ import annotations

import json
from typing import Any

from db.assets import hold_asset
from db.changes import announce, record_changes
from db.hooks import hook_of
from db.lyrics import HeldLyrics, lyrics_held
from db.suggestions import HeldSuggestion, add_suggestion, hold_suggestion, note_answer
from db.themes import worn_theme
from domain.canonical import digest
from domain.errors import Invalid, Moved, NotFound
from domain.hooks import HookWish, hook_window
from domain.ids import Kind, Ref, parse_ref
from domain.lyrics import LyricsWish
from domain.suggestions import (
    Answer,
    Suggestion,
    SuggestionDraft,
    SuggestionKind,
    SuggestionState,
    checked_suggestion,
)
from domain.themes import ThemeWish, recoloured
from resolvers.context import Acting
from resolvers.hooks import write_hook
from resolvers.lyrics import wanted_lyrics, write_lyrics
from resolvers.themes import write_theme
from resolvers.wearers import held_wearer
from resolvers.writing import Outcome, done_once
from subscriptions.events import suggestion_changed


async def suggest(acting: Acting, draft: SuggestionDraft, idempotency_key: str | None) -> Ref:
    """Keep what a program suggests for a track; nothing of the track changes.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such track, or it is not the viewer's to change.
        Invalid: it could not be applied, or a value breaks a rule.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        asset = await hold_asset(connection, acting.viewer, draft.track.id)
        held = None if asset is None else await lyrics_held(connection, asset.ref.id)
        if asset is None or held is None:
            raise NotFound("There is no such track.", path=("track",))
        suggestion = Ref(Kind.SUGGESTION, acting.new_id())
        await add_suggestion(connection, suggestion.id, asset.ref.id, checked_suggestion(_drafted(draft, held)))
        await tell(connection, suggestion, asset.ref, SuggestionState.OPEN)
        return {"suggestion": str(suggestion)}

    content = [draft.hook_start_ms, draft.caption, draft.timing, draft.colour]
    said = [draft.provider, draft.version, str(draft.confidence), *content]
    # Whatever was sent has a digest, also what is no text.
    request = {"track": str(draft.track), "said": digest(json.dumps(said, sort_keys=True).encode())}
    outcome = await done_once(acting, "suggest", request, idempotency_key, work)
    return parse_ref(outcome["suggestion"])


def _drafted(draft: SuggestionDraft, held: HeldLyrics) -> Suggestion:
    """What is suggested, for the track as it is."""
    start = draft.hook_start_ms
    window = None if start is None else hook_window(start, held.duration_ms)
    timing = None if draft.timing is None else wanted_lyrics(held, draft.timing)
    return Suggestion(draft.provider, draft.version, draft.confidence, window, draft.caption, timing, draft.colour)


async def answer_suggestion(acting: Acting, answer: Answer, idempotency_key: str | None) -> Ref:
    """Apply a suggestion, as if its person had done it by hand, or dismiss it; the suggestion.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such suggestion, or it is not the viewer's to answer.
        Moved: it was answered already; or something else stands than what was read.
        Invalid: it does not fit the track any more.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        held = await hold_suggestion(connection, acting.viewer, answer.suggestion.id)
        if held is None:
            raise NotFound("There is no such suggestion.", path=("id",))
        if held.state is not SuggestionState.OPEN:
            raise Moved(f"It is {held.state.value.lower()} already.", path=("id",))
        if answer.applies:
            await _apply(connection, acting, held, answer)
        state = SuggestionState.APPLIED if answer.applies else SuggestionState.DISMISSED
        await note_answer(connection, held, state, acting.viewer.account, acting.now())
        await tell(connection, held.ref, held.track, state)
        return {"suggestion": str(held.ref)}

    request = {
        "id": str(answer.suggestion),
        "expectedVersion": answer.expected_version,
        "expectedTheme": answer.expected_theme and str(answer.expected_theme),
    }
    name = "applySuggestion" if answer.applies else "dismissSuggestion"
    return parse_ref((await done_once(acting, name, request, idempotency_key, work))["suggestion"])


async def _apply(connection: Any, acting: Acting, held: HeldSuggestion, answer: Answer) -> None:
    told, expected_version = held.suggestion, answer.expected_version
    match told.kind:
        case SuggestionKind.HOOK_WINDOW:
            values: dict[str, Any] = {"start_ms": told.window and told.window.start_ms}
            await write_hook(connection, acting, HookWish(held.track, expected_version, values), held.ref)
        case SuggestionKind.CAPTION:
            values = {"caption": told.caption}
            await write_hook(connection, acting, HookWish(held.track, expected_version, values), held.ref)
        case SuggestionKind.TIMING:
            values = {} if told.timing is None else told.timing._asdict()
            await write_lyrics(connection, acting, LyricsWish(held.track, expected_version, values), held.ref)
        case SuggestionKind.COLOURS:
            await _recolour(connection, acting, held, answer.expected_theme)


async def _recolour(connection: Any, acting: Acting, held: HeldSuggestion, expected: Ref | None) -> None:
    """Let the theme of the hook grow from the colour; what else the theme says stays."""
    hook, colour = await hook_of(connection, held.track.id), held.suggestion.colour
    if hook is None or hook.id is None or colour is None:
        raise Invalid("The track has no hook yet that could look like this.", path=("id",))
    subject = Ref(Kind.HOOK, hook.id)
    worn = await worn_theme(connection, await held_wearer(connection, acting, subject))
    look = recoloured(None if worn is None else worn.values, colour)
    await write_theme(connection, acting, ThemeWish(subject, expected, look), held.ref)


async def tell(connection: Any, suggestion: Ref, track: Ref, state: SuggestionState) -> None:
    """What becomes of a suggestion is logged and announced; the track's own chain tells what was applied."""
    await record_changes(connection, [(track.id, f"SUGGESTION_{state.value}", [suggestion.id])])
    announcement = suggestion_changed(suggestion, track, state)
    await announce(connection, announcement.topic, announcement.payload)
