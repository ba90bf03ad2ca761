"""The mutation that makes two assets one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS
from domain.errors import CycleClosed, Moved
from domain.ids import parse_ref_of
from domain.simulations import Paging
from graph.assets import Asset
from graph.fields import stored
from graph.simulations import VerdictChanges
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.redirects import Merge, merge_assets


@strawberry.type(description="The asset that stayed, and the verdicts that this flipped.")
class MergeAssetsSuccess:
    """The payload."""

    asset: Asset = stored("The asset. The id of the other one leads to it.")
    flipped: VerdictChanges = stored("The verdicts it flipped: the first hundred of them.")


@strawberry.input(description="Two assets that are one.")
class MergeAssetsInput:
    """The input of `mergeAssets`."""

    keep: strawberry.ID = strawberry.field(description="The one that stays.")
    retire: strawberry.ID = strawberry.field(description="The other one, of the same kind and owner.")
    expected_version: int = strawberry.field(
        description="The `version` of the one that stays, as you read it: refused when it has moved since."
    )
    expected_retired_version: int = strawberry.field(
        description="The `version` of the other one, as you read it: refused when it has moved since."
    )
    idempotency_key: str | None = key_field()


def _merge_assets(asked: Mapping[str, Any]) -> Act:
    keep, retire = (parse_ref_of(asked[name], ASSET_REF_KINDS) for name in ("keep", "retire"))
    merge, key = Merge(keep, retire, asked["expectedVersion"], asked["expectedRetiredVersion"]), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        written, foreseen = await merge_assets(acting, merge, key)
        return {"asset": written, "flipped": foreseen.told(Paging())}

    return act


DEEDS = (
    Deed(
        "merge_assets",
        "Makes two assets one; only a signed-in person may. The one that stays takes over what it lacks: lineage, "
        "credits, splits, policy, files, the hook and the places in drafts. The other one is withdrawn, and its id "
        "leads to the one that stays.",
        MergeAssetsInput,
        MergeAssetsSuccess,
        _merge_assets,
        (Moved, CycleClosed),
    ),
)
