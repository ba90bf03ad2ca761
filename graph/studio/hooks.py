"""The mutations of hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.assets import Badge
from domain.errors import BadInput, Moved
from domain.hooks import HookWish
from domain.ids import Kind, parse_ref_of
from graph.fields import optional, stored
from graph.hooks import Hook
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.hooks import set_hook


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
)
