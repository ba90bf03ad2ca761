"""The mutations of rights: stating what may be done, and granting it to one artist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.policies import POLICY_SUBJECTS, read_agent, read_said, read_term
from db.verdicts import ASSET_REF_KINDS
from domain.errors import Forbidden, Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.policies import PolicyPreset, stated
from domain.simulations import Paging
from graph.assets import Asset
from graph.fields import optional
from graph.fields import stored as told
from graph.rights import PermissionGrant, PermissionPolicy
from graph.simulations import VerdictChanges
from graph.stating import TermInput
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.policies import set_policy, withdraw_policy
from resolvers.rights import end_grant, grant_use


@strawberry.type(description="The policy that holds now, and the verdicts that it flipped.")
class SetPolicySuccess:
    """The payload."""

    policy: PermissionPolicy = told("The policy.")
    flipped: VerdictChanges = told("The verdicts it flipped, the first hundred; none where a request is repeated.")


@strawberry.type(description="Nothing is stated any more, and the verdicts that this flipped.")
class WithdrawPolicySuccess:
    """The payload."""

    flipped: VerdictChanges = told("The verdicts it flipped, the first hundred; none where a request is repeated.")


@strawberry.type(description="The grant.")
class GrantUseSuccess:
    """The payload."""

    grant: PermissionGrant = told("The grant.")


@strawberry.type(description="The grant holds no longer.")
class EndGrantSuccess:
    """The payload."""

    asset: Asset = told("What it was granted on.")


_AGENT = (
    "Of a version: the artist whose programs alone it speaks to, where they ask with a key. They hear it before all "
    "that is said to everybody, and nobody else hears of it."
)


@strawberry.input(
    description="What may be done with an asset, with all assets of an artist that say nothing themselves, with a "
    "visual world, of which VISUAL_REUSE alone is stated, or with a release while one version of it is out. Begin with "
    "a license or a preset; terms of your own take the place of what it says of the same use."
)
class SetPolicyInput:
    """The input of `setPolicy`."""

    subject: strawberry.ID = strawberry.field(description="The asset, the artist, the visual world, or the version.")
    agent: strawberry.ID | None = optional(_AGENT)
    license: str | None = optional("An SPDX identifier, such as CC-BY-SA-4.0.")
    preset: PolicyPreset | None = optional("What is stated without a license.")
    terms: list[TermInput] | None = optional("Terms of your own, at most 16 with those of the license.")
    expected_policy: strawberry.ID | None = optional("The policy you read: refused where another holds by now.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What shall state nothing any more.")
class WithdrawPolicyInput:
    """The input of `withdrawPolicy`."""

    subject: strawberry.ID = strawberry.field(description="The asset, the artist, the visual world, or the version.")
    agent: strawberry.ID | None = optional(_AGENT)
    expected_policy: strawberry.ID | None = optional("The policy you read: refused where another holds by now.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What one artist may do with an asset, whatever else holds for everybody.")
class GrantUseInput:
    """The input of `grantUse`."""

    asset: strawberry.ID = strawberry.field(description="The asset.")
    grantee: strawberry.ID = strawberry.field(description="The artist it is granted to.")
    terms: list[TermInput] = strawberry.field(description="What is granted: terms that allow.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="A grant to end.")
class EndGrantInput:
    """The input of `endGrant`."""

    id: strawberry.ID = strawberry.field(description="The grant.")
    idempotency_key: str | None = key_field()


def _expected(asked: Mapping[str, Any]) -> Ref | None:
    expected = asked.get("expectedPolicy")
    return None if expected is None else parse_ref_of(expected, frozenset({Kind.POLICY}))


def _set_policy(asked: Mapping[str, Any]) -> Act:
    subject = parse_ref_of(asked["subject"], POLICY_SUBJECTS)
    agent, said, expected, key = read_agent(asked, subject), read_said(asked), _expected(asked), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        wished = stated(*said, of_visual=subject.kind is Kind.VISUAL)
        policy, foreseen = await set_policy(acting, subject, wished, expected, key, agent)
        return {"policy": policy, "flipped": foreseen.told(Paging())}

    return act


def _withdraw_policy(asked: Mapping[str, Any]) -> Act:
    subject = parse_ref_of(asked["subject"], POLICY_SUBJECTS)
    agent, expected, key = read_agent(asked, subject), _expected(asked), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        _, foreseen = await withdraw_policy(acting, subject, expected, key, agent)
        return {"flipped": foreseen.told(Paging())}

    return act


def _grant_use(asked: Mapping[str, Any]) -> Act:
    asset = parse_ref_of(asked["asset"], ASSET_REF_KINDS)
    grantee = parse_ref_of(asked["grantee"], frozenset({Kind.ARTIST}))
    terms, key = [read_term(term) for term in asked["terms"]], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"grant": await grant_use(acting, asset, grantee, terms, key)}

    return act


def _end_grant(asked: Mapping[str, Any]) -> Act:
    grant, key = parse_ref_of(asked["id"], frozenset({Kind.GRANT})), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"asset": await end_grant(acting, grant, key)}

    return act


DEEDS = (
    Deed(
        "set_policy",
        "States what may be done with an asset, with all assets of an artist, with a visual world, or with a release "
        "while one version of it is out. Ask `simulatePolicy` first to see whom it concerns. All that was ever stated "
        "is kept. Only a signed-in person may.",
        SetPolicyInput,
        SetPolicySuccess,
        _set_policy,
        (Moved, Forbidden),
    ),
    Deed(
        "withdraw_policy",
        "States nothing any more: the artist's policy speaks then, or the default of the house.",
        WithdrawPolicyInput,
        WithdrawPolicySuccess,
        _withdraw_policy,
        (Moved, Forbidden),
    ),
    Deed(
        "grant_use",
        "Allows one artist a use of an asset. It passes on to what they make of it where a term says `sublicense`.",
        GrantUseInput,
        GrantUseSuccess,
        _grant_use,
        (Forbidden,),
    ),
    Deed(
        "end_grant",
        "Ends a grant. Who held it when stays known.",
        EndGrantInput,
        EndGrantSuccess,
        _end_grant,
        (Moved, Forbidden),
    ),
)
