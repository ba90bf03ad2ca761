"""The mutations of clips."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import strawberry

from domain.clips import ClipState
from domain.errors import CycleClosed, Moved
from domain.ids import Kind, parse_ref_of
from graph.clips import Clip
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.clips import approve_clip, decide_clip, submit_clip
from resolvers.context import Acting

_CLIPS, _HOOKS = frozenset({Kind.CLIP}), frozenset({Kind.HOOK})
_SAMPLES, _RITUALS = frozenset({Kind.SAMPLE}), frozenset({Kind.RITUAL})


@strawberry.type(description="The clip as it is now.")
class ClipSuccess:
    """The payload of what is done with a clip."""

    clip: Clip = stored("The clip.")


@strawberry.input(description="What to send in, and where.")
class SubmitClipInput:
    """The input of `submitClip`."""

    asset: strawberry.ID = strawberry.field(
        description="A sample of yours, unlisted or public, with its credits and a master of 60 seconds at most."
    )
    hook: strawberry.ID = strawberry.field(description="The hook that it was made from.")
    ritual: strawberry.ID | None = optional("The ritual around the hook, or its release, that it shall be a part of.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which clip.")
class ClipInput:
    """The input of what is decided about a clip."""

    clip: strawberry.ID = strawberry.field(description="The clip.")
    idempotency_key: str | None = key_field()


def _submit(asked: Mapping[str, Any]) -> Act:
    sample, hook = parse_ref_of(asked["asset"], _SAMPLES), parse_ref_of(asked["hook"], _HOOKS)
    ritual, key = asked.get("ritual"), key_of(asked)
    within = None if ritual is None else parse_ref_of(ritual, _RITUALS)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"clip": await submit_clip(acting, sample, hook, within, key)}

    return act


def _approve(asked: Mapping[str, Any]) -> Act:
    clip, key = parse_ref_of(asked["clip"], _CLIPS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"clip": await approve_clip(acting, clip, key)}

    return act


def _decide(to: ClipState, name: str, asked: Mapping[str, Any]) -> Act:
    clip, key = parse_ref_of(asked["clip"], _CLIPS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"clip": await decide_clip(acting, clip, to, name, key)}

    return act


DEEDS = (
    Deed(
        "submit_clip",
        "Sends a sample of yours in as a clip made from a hook, with the edge to its track; its artist decides. Who "
        "decides hears it at once, and everybody once it was approved, also where it is unlisted.",
        SubmitClipInput,
        ClipSuccess,
        _submit,
        (Moved, CycleClosed),
    ),
    Deed(
        "approve_clip",
        "Lets a clip that waits be heard with a hook of yours, and agrees to what it is made from; only a signed-in "
        "person may.",
        ClipInput,
        ClipSuccess,
        _approve,
        (Moved, CycleClosed),
    ),
    *[
        Deed(name, said, ClipInput, ClipSuccess, partial(_decide, to, mutation), (Moved,))
        for name, mutation, to, said in (
            ("reject_clip", "rejectClip", ClipState.REJECTED, "Does not take a clip that waits; for good."),
            ("remove_clip", "removeClip", ClipState.REMOVED, "Takes a clip that is heard away at once, and for good."),
            (
                "withdraw_clip",
                "withdrawClip",
                ClipState.WITHDRAWN,
                "Takes a clip of yours back that waits or is heard; you may send it in again.",
            ),
        )
    ],
)
