"""The mutations of releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS
from domain.errors import CycleClosed, Moved
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyScope
from graph.fields import stored
from graph.releases import Release, ReleaseVersion
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.releases import set_release_items


@strawberry.type(description="The draft with its items as they are now.")
class SetReleaseItemsSuccess:
    """The payload."""

    release: Release = stored("The release.")
    version: ReleaseVersion = stored("Its draft, which only the members of its artist see.")


@strawberry.input(description="All that a release shall hold, in order.")
class SetReleaseItemsInput:
    """The input of `setReleaseItems`."""

    release: strawberry.ID = strawberry.field(description="The release.")
    items: list[strawberry.ID] = strawberry.field(
        description="At most 500 assets of any kind, each once: yours, or any that you may see."
    )
    expected_version: int = strawberry.field(
        description="The `version` of the release you read: refused when it has moved since."
    )
    idempotency_key: str | None = key_field()


def _set_release_items(asked: Mapping[str, Any]) -> Act:
    release = parse_ref_of(asked["release"], frozenset({Kind.RELEASE}))
    items = [parse_ref_of(item, ASSET_REF_KINDS) for item in asked["items"]]
    expected, key = asked["expectedVersion"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        written, version = await set_release_items(acting, release, items, expected, key)
        return {"release": written, "version": version}

    return act


DEEDS = (
    Deed(
        "set_release_items",
        "Says what the draft of a release holds. What was published never changes: where the last version is out, "
        "another draft begins.",
        SetReleaseItemsInput,
        SetReleaseItemsSuccess,
        _set_release_items,
        (Moved, CycleClosed),
        KeyScope.ASSETS_WRITE,
    ),
)
