"""The mutations of credits and splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import strawberry

from db.contributors import read_shares
from db.verdicts import ASSET_REF_KINDS
from domain.contributors import CreditRole, CreditWish, Pool
from domain.errors import Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.keys import KeyScope
from graph.assets import Asset
from graph.contributors import Credit, ShareInput, Split
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.contributors import answer_proposal, set_credits, set_splits


@strawberry.type(description="The asset with its credits as they are now.")
class SetCreditsSuccess:
    """The payload."""

    asset: Asset = stored("The asset.")


@strawberry.type(description="The asset with its splits as they are now.")
class SetSplitsSuccess:
    """The payload."""

    asset: Asset = stored("The asset.")


@strawberry.type(description="The credit as it stands now.")
class AnswerCreditSuccess:
    """The payload."""

    credit: Credit = stored("The credit.")


@strawberry.type(description="The share as it stands now, under a new id: the old one tells how it stood before.")
class AnswerSplitSuccess:
    """The payload."""

    split: Split = stored("The share.")


@strawberry.input(description="Who is credited.", one_of=True)
class PartyInput:
    """One of three ways to name somebody."""

    contributor: strawberry.ID | None = optional("Somebody who is credited already.")
    artist: strawberry.ID | None = optional("An artist on Casset.")
    name: str | None = optional("Somebody outside, by name; at most 300 characters.")


@strawberry.input(description="What somebody did.")
class CreditInput:
    """A credit."""

    party: PartyInput = strawberry.field(description="Who did it.")
    role: CreditRole = strawberry.field(description="What they did.")
    instrument: str | None = optional("What an instrumentalist played, at most 100 characters.")


@strawberry.input(description="All credits of an asset, in order: what is not named any more is taken back.")
class SetCreditsInput:
    """The input of `setCredits`."""

    asset: strawberry.ID = strawberry.field(description="The asset.")
    credits: list[CreditInput] = strawberry.field(description="At most 100 credits.")
    expected_version: int = strawberry.field(
        description="The `version` of the asset you read: refused when it has moved since."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="How a pool is divided: 10,000 basis points in all.")
class SetSplitsInput:
    """The input of `setSplits`."""

    asset: strawberry.ID = strawberry.field(description="The asset.")
    pool: Pool = strawberry.field(description="Which income is divided.")
    shares: list[ShareInput] = strawberry.field(
        description="All shares of the pool, in order; none where it shall be the owner's alone."
    )
    expected_version: int = strawberry.field(
        description="The `version` of the asset you read: refused when it has moved since."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="A credit that names you, and what you say of it.")
class AnswerCreditInput:
    """The input of `answerCredit`."""

    id: strawberry.ID = strawberry.field(description="The credit.")
    accept: bool = strawberry.field(description="Whether you agree to it.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="A share that names you, and what you say of it.")
class AnswerSplitInput:
    """The input of `answerSplit`."""

    id: strawberry.ID = strawberry.field(description="The share. Refused when it has changed since you read it.")
    accept: bool = strawberry.field(description="Whether you agree to it.")
    idempotency_key: str | None = key_field()


def _party(given: Mapping[str, Any]) -> Ref | str:
    ((way, value),) = given.items()
    return str(value) if way == "name" else parse_ref_of(value, frozenset({Kind(way)}))


def read_credits(given: Sequence[Mapping[str, Any]]) -> list[CreditWish]:
    """Credits somebody gives.

    Raises:
        BadInput: an id is none, or of another kind.
    """
    return [
        CreditWish(_party(credit["party"]), CreditRole(credit["role"]), credit.get("instrument")) for credit in given
    ]


def _set_credits(asked: Mapping[str, Any]) -> Act:
    asset, expected, key = parse_ref_of(asked["asset"], ASSET_REF_KINDS), asked["expectedVersion"], key_of(asked)
    wishes = read_credits(asked["credits"])

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await set_credits(acting, asset, wishes, expected, key)}

    return act


def _set_splits(asked: Mapping[str, Any]) -> Act:
    asset, expected, key = parse_ref_of(asked["asset"], ASSET_REF_KINDS), asked["expectedVersion"], key_of(asked)
    pool = Pool(asked["pool"])
    shares = read_shares(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await set_splits(acting, asset, pool, shares, expected, key)}

    return act


def _answering(kind: Kind) -> Callable[[Mapping[str, Any]], Act]:
    def read(asked: Mapping[str, Any]) -> Act:
        proposal, accept, key = parse_ref_of(asked["id"], frozenset({kind})), asked["accept"], key_of(asked)

        async def act(acting: Acting) -> Mapping[str, Any]:
            return {kind.value: await answer_proposal(acting, proposal, accept, key)}

        return act

    return read


DEEDS = (
    Deed(
        "set_credits",
        "Says who did what. Your own people agree at once; others are asked, and are shown as proposed until they "
        "answer.",
        SetCreditsInput,
        SetCreditsSuccess,
        _set_credits,
        (Moved,),
        KeyScope.ASSETS_WRITE,
    ),
    Deed(
        "set_splits",
        "Divides the income of a pool; only a signed-in person may. Others than your own people are asked, and again "
        "whenever their share changes. How it was divided before stays known.",
        SetSplitsInput,
        SetSplitsSuccess,
        _set_splits,
        (Moved,),
    ),
    Deed(
        "answer_credit",
        "Agrees to a credit that names you or an artist of yours, or declines it: only the owner still sees it then.",
        AnswerCreditInput,
        AnswerCreditSuccess,
        _answering(Kind.CREDIT),
        (Moved,),
    ),
    Deed(
        "answer_split",
        "Agrees to a share that names you or an artist of yours, or declines it.",
        AnswerSplitInput,
        AnswerSplitSuccess,
        _answering(Kind.SPLIT),
        (Moved,),
    ),
)
