"""The mutations of hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.assets import Badge
from domain.errors import BadInput, Moved
from domain.hooks import HookWish
from domain.ids import Kind, parse_ref_of
from graph.artists import Artist
from graph.fields import optional, stored
from graph.hooks import Hook
from graph.releases import Release
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.hooks import set_hook, set_lead_hook


@strawberry.type(description="The hook as it is now.")
class SetHookSuccess:
    """The payload."""

    hook: Hook = stored("The hook.")


@strawberry.input(
    description="The window of a track that people shall remember. What is left out stays as it is, and begins as the "
    "house has it."
)
class SetHookInput:
    """The input of `setHook`."""

    track: strawberry.ID = strawberry.field(description="The track.")
    start_ms: int | None = optional(
        "Where it starts, in milliseconds. It is 30 seconds long, shorter only where the track is, and may not end "
        "after it; null starts it at 35 seconds, or earlier so that it fits."
    )
    caption: str | None = optional("Its caption, at most 300 characters; null takes it away.")
    badges: list[Badge] | None = optional("All badges it shall wear.")
    expected_version: int | None = optional(
        "The `version` of the hook you read; leave it out where there is none yet. Refused when it has moved since."
    )
    idempotency_key: str | None = key_field()


@strawberry.type(description="What leads now.")
class SetLeadHookSuccess:
    """The payload."""

    hook: Hook | None = stored("The hook; null where none leads.")
    release: Release | None = stored("The release it leads; null where it leads a world.")
    artist: Artist = stored("The artist whose world or release it leads.")


@strawberry.input(description="The hook to remember a world or a release by.")
class SetLeadHookInput:
    """The input of `setLeadHook`."""

    subject: strawberry.ID = strawberry.field(description="The artist whose world it leads, or the release.")
    expected_version: int = strawberry.field(
        description="The `version` of the artist or the release you read: refused when it has moved since."
    )
    hook: strawberry.ID | None = optional(
        "A hook of a track that the artist owns, or that the release holds; null for none."
    )
    idempotency_key: str | None = key_field()


def _set_hook(asked: Mapping[str, Any]) -> Act:
    values: dict[str, Any] = {column: asked[name] for name, column in _COLUMNS.items() if name in asked}
    if "badges" in asked:
        if asked["badges"] is None:
            raise BadInput("badges cannot be taken away; an empty list takes all of them off.")
        values["badges"] = frozenset(Badge(badge) for badge in asked["badges"])
    wish = HookWish(parse_ref_of(asked["track"], frozenset({Kind.TRACK})), asked.get("expectedVersion"), values)
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"hook": await set_hook(acting, wish, key)}

    return act


def _set_lead_hook(asked: Mapping[str, Any]) -> Act:
    subject = parse_ref_of(asked["subject"], frozenset({Kind.ARTIST, Kind.RELEASE}))
    if "hook" not in asked:
        raise BadInput("Say which hook leads, or null for none.")
    hook = None if asked["hook"] is None else parse_ref_of(asked["hook"], frozenset({Kind.HOOK}))
    expected, key = asked["expectedVersion"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        done = await set_lead_hook(acting, subject, hook, expected, key)
        release = done["subject"] if subject.kind is Kind.RELEASE else None
        return {"hook": done["hook"], "release": release, "artist": done["artist"]}

    return act


_COLUMNS = {"startMs": "start_ms", "caption": "caption"}
DEEDS = (
    Deed(
        "set_hook",
        "Gives a track its hook, or changes the one it has; only a signed-in person may. A track has one hook.",
        SetHookInput,
        SetHookSuccess,
        _set_hook,
        (Moved,),
    ),
    Deed(
        "set_lead_hook",
        "Says which hook leads a world or a release; only a signed-in person may.",
        SetLeadHookInput,
        SetLeadHookSuccess,
        _set_lead_hook,
        (Moved,),
    ),
)
