"""The mutations of anchored proof."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.errors import Moved, NotOffered
from domain.ids import Kind, parse_ref_of
from graph.fields import stored
from graph.releases import Release, ReleaseVersion
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.anchors import anchor_release
from resolvers.context import Acting


@strawberry.type(description="The release, and the version: `manifest { anchor { state } }` tells how it goes.")
class AnchorReleaseSuccess:
    """The payload."""

    release: Release = stored("The release.")
    version: ReleaseVersion = stored("The version.")


@strawberry.input(description="A version that is out, and signed.")
class AnchorReleaseInput:
    """The input of `anchorRelease`."""

    version: strawberry.ID = strawberry.field(description="The version: `version_…`.")
    idempotency_key: str | None = key_field()


def _anchor_release(asked: Mapping[str, Any]) -> Act:
    version = parse_ref_of(asked["version"], frozenset({Kind.VERSION}))
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        release, out = await anchor_release(acting, version, key)
        return {"release": release, "version": out}

    return act


DEEDS = (
    Deed(
        "anchor_release",
        "Asks for anchored proof of a version that is out: a root over its manifest and others is timestamped by a "
        "public chain. Nothing waits for it; where it is on its way or there, nothing is written. Sign in within 12 "
        "hours.",
        AnchorReleaseInput,
        AnchorReleaseSuccess,
        _anchor_release,
        (Moved, NotOffered),
    ),
)
