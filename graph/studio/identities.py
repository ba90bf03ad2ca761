"""The mutation of sign-ins with other houses. They are linked by going there: `GET /api/auth/{provider}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from domain.errors import Moved
from domain.ids import Kind, parse_ref_of
from graph.studio.accounts import AccountSuccess
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.identities import unlink_identity

_IDENTITIES = frozenset({Kind.IDENTITY})


@strawberry.input(description="Which sign-in is linked no longer.")
class UnlinkIdentityInput:
    """The input of `unlinkIdentity`."""

    id: strawberry.ID = strawberry.field(description="The linked sign-in.")
    idempotency_key: str | None = key_field()


def _unlink_identity(asked: Mapping[str, Any]) -> Act:
    identity, key = parse_ref_of(asked["id"], _IDENTITIES), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"account": await unlink_identity(acting, identity, key)}

    return act


DEEDS = (
    Deed(
        "unlink_identity",
        "Signs in by another house no longer. The last way to sign in stays one.",
        UnlinkIdentityInput,
        AccountSuccess,
        _unlink_identity,
        (Moved,),
    ),
)
