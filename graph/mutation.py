"""The root of writing: what each mutation takes, what it answers, and the function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from db.arguments import clean_text
from db.verdicts import ASSET_REF_KINDS
from domain import errors
from domain.assets import AssetUpdate, Badge
from domain.errors import RefusalCode
from domain.ids import parse_ref_of
from graph.assets import Asset
from graph.fields import Date, argument, described, optional, stored
from resolvers.assets import update_asset
from resolvers.context import Acting

LONGEST_KEY = 100

described(
    RefusalCode,
    UNAUTHENTICATED="Sign in first.",
    NOT_FOUND="There is no such thing, or it is not yours.",
    VALIDATION="A value breaks a rule; `path` says which.",
    CONFLICT="Somebody else wrote first.",
    IDEMPOTENCY_MISMATCH="The idempotency key belongs to another request.",
)


@strawberry.interface(description="Why a mutation was refused. Nothing was written.")
class UserError:
    """An expected refusal."""

    code: RefusalCode = stored("A stable code.")
    message: str = stored("A sentence for the person who asked.")
    path: list[str] = stored("Where in the input it points; empty when nowhere.")


@strawberry.type(description="Nobody is signed in.")
class SignInNeededError(UserError):
    """Anonymous."""


@strawberry.type(description="There is no such thing, or it is not yours: the two answer alike.")
class NotFoundError(UserError):
    """Not found."""


@strawberry.type(description="A value breaks a rule.")
class InvalidError(UserError):
    """Invalid."""


@strawberry.type(description="Somebody else wrote first: read again, and decide again.")
class ConflictError(UserError):
    """The version moved."""


@strawberry.type(description="The idempotency key was used for another request.")
class IdempotencyError(UserError):
    """The key was reused."""


_REFUSALS: Mapping[type[errors.CassetError], str] = {
    errors.SignInNeeded: "SignInNeededError",
    errors.NotFound: "NotFoundError",
    errors.Invalid: "InvalidError",
    errors.VersionMoved: "ConflictError",
    errors.KeyReused: "IdempotencyError",
}


@strawberry.type(description="The asset as it is now.")
class UpdateAssetSuccess:
    """The payload."""

    asset: Asset = stored("The asset after the update.")


UpdateAssetResult = Annotated[
    UpdateAssetSuccess | SignInNeededError | NotFoundError | InvalidError | ConflictError | IdempotencyError,
    strawberry.union("UpdateAssetResult", description="The updated asset, or why nothing was written."),
]


@strawberry.input(description="What to change of an asset. What is left out stays as it is.")
class UpdateAssetInput:
    """The input of `updateAsset`."""

    id: strawberry.ID = strawberry.field(description="The asset.")
    expected_version: int = strawberry.field(description="The `version` you read: refused when it has moved since.")
    title: str | None = optional("A new title, at most 300 characters.")
    badges: list[Badge] | None = optional("All badges it shall wear.")
    made_on: Date | None = optional("The work's own date; null takes it away.")
    idempotency_key: str | None = optional("Repeating a request with the same key answers the same and writes nothing.")


@strawberry.type(description="Writing. Every mutation is one transaction; expected refusals are answers, not errors.")
class Mutation:
    """The mutation root."""

    update_asset: UpdateAssetResult = stored(
        "Changes the title, the badges or the date of an asset.",
        argument("input", UpdateAssetInput, "What to change."),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation answers: a member of its union, and the values from which its fields are read."""

    type: str
    values: Mapping[str, Any]


Act = Callable[[Acting], Awaitable[Mapping[str, Any]]]


def _update_asset(given: Mapping[str, Any]) -> Act:
    """Read the input, refusing what is malformed before anything runs."""
    asked = given["input"]
    key = asked.get("idempotencyKey")
    badges = asked.get("badges")
    change = AssetUpdate(
        asset=parse_ref_of(asked["id"], ASSET_REF_KINDS),
        expected_version=asked["expectedVersion"],
        title=asked.get("title"),
        badges=None if badges is None else frozenset(Badge(badge) for badge in badges),
        made_on=asked.get("madeOn"),
        clears_made_on="madeOn" in asked and asked["madeOn"] is None,
    )
    if key is not None:
        clean_text("idempotencyKey", key, longest=LONGEST_KEY)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await update_asset(acting, change, key)}

    return act


_READERS: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Act]]] = {
    "updateAsset": ("UpdateAssetSuccess", _update_asset),
}


def read_mutation(name: str, given: Mapping[str, Any]) -> Callable[[Acting], Awaitable[Outcome]]:
    """Make a mutation ready.

    Raises:
        BadInput: its input is malformed.
    """
    success, reader = _READERS[name]
    act = reader(given)

    async def run(acting: Acting) -> Outcome:
        try:
            return Outcome(success, await act(acting))
        except tuple(_REFUSALS) as refusal:
            values = {"code": refusal.code.value, "message": refusal.message, "path": list(refusal.path)}
            return Outcome(_REFUSALS[type(refusal)], values)

    return run
