"""The mutation of receipts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS, ByQuestion
from domain.ids import parse_ref_of
from domain.keys import KeyScope
from domain.rights import Use
from graph.fields import DateTime, optional, stored
from graph.receipts import PermissionReceipt
from graph.studio.deeds import Act, Deed, key_field, key_of
from graph.verdicts import WindowInput
from resolvers.context import Acting
from resolvers.receipts import record_permission_check
from resolvers.verdicts import Terms


@strawberry.type(description="The receipt.")
class RecordPermissionCheckSuccess:
    """The payload."""

    receipt: PermissionReceipt = stored("The receipt, with the answer in its `body`.")


@strawberry.input(description="May it be used for X? The same question as `Asset.rights`.")
class RecordPermissionCheckInput:
    """The input of `recordPermissionCheck`."""

    id: strawberry.ID = strawberry.field(description="The asset.")
    uses: list[Use] | None = optional("For which uses; all of them where none is named.")
    as_of: DateTime | None = optional("What held at that moment; now where none is given.")
    known_at: DateTime | None = optional("As it was known at that moment; `asOf` where none is given.")
    territory: str | None = optional("Where, as an ISO 3166-1 code such as DE; everywhere where none is given.")
    purpose: str | None = optional("For which purpose.")
    window: WindowInput | None = optional("Only that stretch; the whole where none is given.")
    idempotency_key: str | None = key_field()


def _record(asked: Mapping[str, Any]) -> Act:
    asset, key = parse_ref_of(asked["id"], ASSET_REF_KINDS), key_of(asked)
    terms = Terms(**ByQuestion().read(asked)[1])

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"receipt": await record_permission_check(acting, asset, terms, key)}

    return act


DEEDS = (
    Deed(
        "record_permission_check",
        "Asks what may be done with an asset and keeps a receipt of the answer, which `replay` reproduces byte for "
        "byte from stored history, whatever is written since.",
        RecordPermissionCheckInput,
        RecordPermissionCheckSuccess,
        _record,
        scope=KeyScope.CHECK,
    ),
)
