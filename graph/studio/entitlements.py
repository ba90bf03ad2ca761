"""The mutations of what is open to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from domain.entitlements import SCOPES
from domain.errors import Moved
from domain.ids import Kind, parse_ref_of
from graph.artists import Artist
from graph.entitlements import Entitlement
from graph.fields import stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.entitlements import grant_entitlement, join_world, leave_world, revoke_entitlement

_ARTISTS, _ENTITLEMENTS = frozenset({Kind.ARTIST}), frozenset({Kind.ENTITLEMENT})
_SUBJECTS = frozenset(SCOPES)


@strawberry.type(description="What is open, or was.")
class EntitlementSuccess:
    """The payload of what opens something to somebody, or closes it."""

    entitlement: Entitlement = stored("The entitlement as it is now.")


@strawberry.type(description="The artist whose world you left.")
class LeaveWorldSuccess:
    """The payload."""

    artist: Artist = stored("The artist.")


@strawberry.input(description="Which world to join.")
class JoinWorldInput:
    """The input of `joinWorld`."""

    artist: strawberry.ID = strawberry.field(description="Whose world it is.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which world to leave.")
class LeaveWorldInput:
    """The input of `leaveWorld`."""

    artist: strawberry.ID = strawberry.field(description="Whose world it is.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to open, and to whom.")
class GrantEntitlementInput:
    """The input of `grantEntitlement`."""

    subject: strawberry.ID = strawberry.field(description="An artist you own, or a release or a track of theirs.")
    handle: str = strawberry.field(description="The handle of whoever it is for.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to take back.")
class RevokeEntitlementInput:
    """The input of `revokeEntitlement`."""

    id: strawberry.ID = strawberry.field(description="The entitlement.")
    idempotency_key: str | None = key_field()


def _join_world(asked: Mapping[str, Any]) -> Act:
    artist, key = parse_ref_of(asked["artist"], _ARTISTS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"entitlement": await join_world(acting, artist, key)}

    return act


def _leave_world(asked: Mapping[str, Any]) -> Act:
    artist, key = parse_ref_of(asked["artist"], _ARTISTS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await leave_world(acting, artist, key)}

    return act


def _grant_entitlement(asked: Mapping[str, Any]) -> Act:
    subject, key = parse_ref_of(asked["subject"], _SUBJECTS), key_of(asked)
    handle = clean_text("handle", asked["handle"])

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"entitlement": await grant_entitlement(acting, subject, handle, key)}

    return act


def _revoke_entitlement(asked: Mapping[str, Any]) -> Act:
    entitlement, key = parse_ref_of(asked["id"], _ENTITLEMENTS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"entitlement": await revoke_entitlement(acting, entitlement, key)}

    return act


DEEDS = (
    Deed(
        "join_world",
        "Joins a world that asks nothing for it: you hear the whole of what its artist shows.",
        JoinWorldInput,
        EntitlementSuccess,
        _join_world,
        (Moved,),
    ),
    Deed(
        "leave_world",
        "Leaves a world you joined. What you were given stays.",
        LeaveWorldInput,
        LeaveWorldSuccess,
        _leave_world,
    ),
    Deed(
        "grant_entitlement",
        "Opens a world, a release or a track to somebody, as its owner.",
        GrantEntitlementInput,
        EntitlementSuccess,
        _grant_entitlement,
    ),
    Deed(
        "revoke_entitlement",
        "Takes back what an owner gave. What was joined or paid for is not yours to take.",
        RevokeEntitlementInput,
        EntitlementSuccess,
        _revoke_entitlement,
    ),
)
