"""The mutations of visual worlds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.artists import Texture
from domain.assets import Badge
from domain.errors import BadInput, Moved
from domain.ids import Kind, parse_ref_of
from domain.visuals import WEARERS, VisualWish
from graph.fields import optional, stored
from graph.studio.contributors import CreditInput, read_credits
from graph.studio.deeds import Act, Deed, key_field, key_of
from graph.visuals import VisualWorld
from resolvers.context import Acting
from resolvers.visuals import set_visual_world


@strawberry.type(description="The visual world as it is now.")
class SetVisualWorldSuccess:
    """The payload."""

    visual_world: VisualWorld = stored("The visual world.")


@strawberry.input(
    description="The atmosphere of a hook or a world, or the cover of a release. What is left out stays as it is; null "
    "takes it away. Another picture begins another visual world: how it looks goes on, and what was said of the "
    "picture (title, badges, credits, policy) stays with the one before, which is put away."
)
class SetVisualWorldInput:
    """The input of `setVisualWorld`."""

    subject: strawberry.ID = strawberry.field(
        description="What wears it: a hook, an artist with their world, or a release."
    )
    source: strawberry.ID | None = optional(
        "The image or the loop it shows: uploaded for the artist or an asset of theirs as COVER or LOOP, and read."
    )
    title: str | None = optional("Its title, at most 300 characters.")
    texture: Texture | None = optional("The grain over it.")
    colour: str | None = optional("Its colour, `#rrggbb`.")
    lyric_behaviour: str | None = optional("How words appear in it, at most 200 characters.")
    motion: str | None = optional("How it moves, at most 200 characters.")
    badges: list[Badge] | None = optional("All badges it shall wear.")
    credits: list[CreditInput] | None = optional(
        "All of its credits, in order: what is not named any more is taken back. Others than your own people are asked."
    )
    expected_version: int | None = optional(
        "The `version` of the visual world you read; leave it out where nothing is worn yet. Refused when it has "
        "moved since."
    )
    idempotency_key: str | None = key_field()


_TEXTS = {"title": "title", "colour": "colour", "lyricBehaviour": "lyric_behaviour", "motion": "motion"}


def _set_visual_world(asked: Mapping[str, Any]) -> Act:
    values: dict[str, Any] = {column: asked[name] for name, column in _TEXTS.items() if name in asked}
    if "texture" in asked:
        values["texture"] = None if asked["texture"] is None else Texture(asked["texture"])
    if "source" in asked:
        source = asked["source"]
        values["source_id"] = None if source is None else parse_ref_of(source, frozenset({Kind.MEDIA}))
    for name in ("badges", "credits"):
        if name in asked and asked[name] is None:
            raise BadInput(f"{name} cannot be taken away; an empty list takes all of them off.")
    if "badges" in asked:
        values["badges"] = frozenset(Badge(badge) for badge in asked["badges"])
    credits_ = read_credits(asked["credits"]) if "credits" in asked else None
    wish = VisualWish(parse_ref_of(asked["subject"], WEARERS), asked.get("expectedVersion"), values, credits_)
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"visualWorld": await set_visual_world(acting, wish, key)}

    return act


DEEDS = (
    Deed(
        "set_visual_world",
        "Gives a hook or a world its atmosphere or a release its cover, or changes the one it wears; only a signed-in "
        "person may. Each wears one at a time.",
        SetVisualWorldInput,
        SetVisualWorldSuccess,
        _set_visual_world,
        (Moved,),
    ),
)
