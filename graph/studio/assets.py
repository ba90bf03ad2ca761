"""The mutations of assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS
from domain.assets import AssetUpdate, Badge
from domain.errors import Moved
from domain.ids import parse_ref_of
from graph.assets import Asset
from graph.fields import Date, optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.assets import update_asset
from resolvers.context import Acting


@strawberry.type(description="The asset as it is now.")
class UpdateAssetSuccess:
    """The payload."""

    asset: Asset = stored("The asset after the update.")


@strawberry.input(description="What to change of an asset. What is left out stays as it is.")
class UpdateAssetInput:
    """The input of `updateAsset`."""

    id: strawberry.ID = strawberry.field(description="The asset.")
    expected_version: int = strawberry.field(description="The `version` you read: refused when it has moved since.")
    title: str | None = optional("A new title, at most 300 characters.")
    badges: list[Badge] | None = optional("All badges it shall wear.")
    made_on: Date | None = optional("The work's own date; null takes it away.")
    idempotency_key: str | None = key_field()


def _update_asset(asked: Mapping[str, Any]) -> Act:
    badges = asked.get("badges")
    change = AssetUpdate(
        asset=parse_ref_of(asked["id"], ASSET_REF_KINDS),
        expected_version=asked["expectedVersion"],
        title=asked.get("title"),
        badges=None if badges is None else frozenset(Badge(badge) for badge in badges),
        made_on=asked.get("madeOn"),
        clears_made_on="madeOn" in asked and asked["madeOn"] is None,
    )
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await update_asset(acting, change, key)}

    return act


DEEDS = (
    Deed(
        "update_asset",
        "Changes the title, the badges or the date of an asset.",
        UpdateAssetInput,
        UpdateAssetSuccess,
        _update_asset,
        (Moved,),
    ),
)
