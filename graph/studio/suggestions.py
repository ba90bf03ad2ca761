"""The mutations of suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import strawberry

from domain.colours import Hsl
from domain.errors import Moved
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyScope
from domain.suggestions import Answer, SuggestionDraft
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from graph.studio.lyrics import LyricsInput, timing_of
from graph.suggestions import Suggestion
from resolvers.context import Acting
from resolvers.suggestions import answer_suggestion, suggest


@strawberry.type(description="The suggestion as it is now.")
class SuggestionSuccess:
    """The payload."""

    suggestion: Suggestion = stored("The suggestion.")


@strawberry.input(description="Lyrics with their times, as they are suggested.")
class TimingInput:
    """Timed lyrics."""

    lyrics: LyricsInput = strawberry.field(description="All lines.")
    language: str | None = optional("Their language, a tag of BCP 47 such as `pt-BR`.")


@strawberry.input(description="A colour from which the theme of the hook may grow.")
class SuggestedColourInput:
    """HSL."""

    hue: int = strawberry.field(description="Hue in degrees, 0 to 359.")
    saturation: int = strawberry.field(description="Saturation in percent.")
    lightness: int = strawberry.field(description="Lightness in percent.")


@strawberry.input(description="What is suggested. The field that is given says what it is about.", one_of=True)
class SuggestionContentInput:
    """One of the kinds."""

    hook_start_ms: int | None = optional("Where the hook may start, in milliseconds; it is as long as a hook is.")
    caption: str | None = optional("A caption of the hook, at most 300 characters.")
    timing: TimingInput | None = optional("The lyrics, with their times.")
    colour: SuggestedColourInput | None = optional("The colour from which the theme of the hook may grow.")


@strawberry.input(description="What a program suggests for a track: it changes nothing before a person applies it.")
class SuggestInput:
    """The input of `suggest`."""

    track: strawberry.ID = strawberry.field(description="The track.")
    content: SuggestionContentInput = strawberry.field(description="What is suggested.")
    provider: str = strawberry.field(description="Who or what suggests it, at most 100 characters.")
    version: str = strawberry.field(description="Which version of the provider, at most 50 characters.")
    confidence: float = strawberry.field(description="How sure the provider is, 0 to 1.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="A suggestion to apply.")
class ApplySuggestionInput:
    """The input of `applySuggestion`."""

    id: strawberry.ID = strawberry.field(description="The suggestion.")
    expected_version: int | None = optional(
        "The `version` of the hook, or of the lyrics, that it takes the place of; leave it out where there is none "
        "yet. Refused when it has moved since."
    )
    expected_theme: strawberry.ID | None = optional(
        "For a colour: the theme of the hook you read; leave it out where there is none yet. Refused where another is "
        "worn by now. All but its colours stays as it is."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="A suggestion to put aside.")
class DismissSuggestionInput:
    """The input of `dismissSuggestion`."""

    id: strawberry.ID = strawberry.field(description="The suggestion.")
    idempotency_key: str | None = key_field()


def _suggest(asked: Mapping[str, Any]) -> Act:
    given, key = asked["content"], key_of(asked)
    draft = SuggestionDraft(
        parse_ref_of(asked["track"], frozenset({Kind.TRACK})),
        asked["provider"],
        asked["version"],
        Decimal(str(asked["confidence"])),
        given.get("hookStartMs"),
        given.get("caption"),
        timing_of(given["timing"]) if "timing" in given else None,
        Hsl(**given["colour"]) if "colour" in given else None,
    )

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"suggestion": await suggest(acting, draft, key)}

    return act


def _answer(asked: Mapping[str, Any], *, applies: bool) -> Act:
    suggestion = parse_ref_of(asked["id"], frozenset({Kind.SUGGESTION}))
    theme = asked.get("expectedTheme")
    worn = None if theme is None else parse_ref_of(theme, frozenset({Kind.THEME}))
    answer, key = Answer(suggestion, applies, asked.get("expectedVersion"), worn), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"suggestion": await answer_suggestion(acting, answer, key)}

    return act


DEEDS = (
    Deed(
        "suggest",
        "Suggests something for a track, in place of what the same provider suggested before.",
        SuggestInput,
        SuggestionSuccess,
        _suggest,
        scope=KeyScope.ASSETS_WRITE,
    ),
    Deed(
        "apply_suggestion",
        "Takes a suggestion over, as if it was done by hand; only a signed-in person may. The track's history names "
        "the suggestion.",
        ApplySuggestionInput,
        SuggestionSuccess,
        lambda asked: _answer(asked, applies=True),
        (Moved,),
    ),
    Deed(
        "dismiss_suggestion",
        "Puts a suggestion aside; only a signed-in person may.",
        DismissSuggestionInput,
        SuggestionSuccess,
        lambda asked: _answer(asked, applies=False),
        (Moved,),
    ),
)
