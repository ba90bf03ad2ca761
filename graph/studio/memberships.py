"""The mutations of who holds an artist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from domain.accounts import Role
from domain.errors import Moved
from domain.ids import Kind, parse_ref_of
from domain.memberships import LONGEST_CODE
from graph.artists import Artist
from graph.fields import DateTime, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.memberships import (
    accept_invite,
    invite_member,
    leave_artist,
    remove_member,
    set_member_role,
    withdraw_invite,
)

_ARTISTS, _INVITES, _MEMBERS = frozenset({Kind.ARTIST}), frozenset({Kind.INVITE}), frozenset({Kind.MEMBER})


@strawberry.type(description="An invite, with the code that whoever you invite sends back.")
class InviteMemberSuccess:
    """The payload."""

    artist: Artist = stored("Whom they will hold.")
    role: Role = stored("What they will be.")
    expires_at: DateTime = stored("Until when the code is good.")
    invite_code: str | None = stored(
        "The code, good for one person, once. It is told this once; null where the request is repeated."
    )


@strawberry.type(description="The artist, with the members it has now.")
class MembersSuccess:
    """The payload of what changes who holds an artist."""

    artist: Artist = stored("The artist.")


@strawberry.input(description="Whom to share, and as what.")
class InviteMemberInput:
    """The input of `inviteMember`."""

    artist: strawberry.ID = strawberry.field(description="An artist you own.")
    role: Role = strawberry.field(description="What whoever comes may do.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which invite is good no longer.")
class WithdrawInviteInput:
    """The input of `withdrawInvite`."""

    id: strawberry.ID = strawberry.field(description="The invite.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="The code you were sent.")
class AcceptInviteInput:
    """The input of `acceptInvite`."""

    code: str = strawberry.field(description="The code.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What a member is from now on.")
class SetMemberRoleInput:
    """The input of `setMemberRole`."""

    id: strawberry.ID = strawberry.field(description="The membership.")
    role: Role = strawberry.field(description="What they may do.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Who is a member no longer.")
class RemoveMemberInput:
    """The input of `removeMember`."""

    id: strawberry.ID = strawberry.field(description="The membership.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Whom you hold no longer.")
class LeaveArtistInput:
    """The input of `leaveArtist`."""

    artist: strawberry.ID = strawberry.field(description="The artist.")
    idempotency_key: str | None = key_field()


def _invite_member(asked: Mapping[str, Any]) -> Act:
    artist, role, key = parse_ref_of(asked["artist"], _ARTISTS), Role(asked["role"]), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        invited = await invite_member(acting, artist, role, key)
        said = {"role": invited.role.value, "expiresAt": invited.expires_at, "inviteCode": invited.code}
        return {"artist": invited.artist, **said}

    return act


def _withdraw_invite(asked: Mapping[str, Any]) -> Act:
    invite, key = parse_ref_of(asked["id"], _INVITES), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await withdraw_invite(acting, invite, key)}

    return act


def _accept_invite(asked: Mapping[str, Any]) -> Act:
    code, key = clean_text("code", asked["code"], longest=LONGEST_CODE), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await accept_invite(acting, code, key)}

    return act


def _set_member_role(asked: Mapping[str, Any]) -> Act:
    member, role, key = parse_ref_of(asked["id"], _MEMBERS), Role(asked["role"]), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await set_member_role(acting, member, role, key)}

    return act


def _remove_member(asked: Mapping[str, Any]) -> Act:
    member, key = parse_ref_of(asked["id"], _MEMBERS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await remove_member(acting, member, key)}

    return act


def _leave_artist(asked: Mapping[str, Any]) -> Act:
    artist, key = parse_ref_of(asked["artist"], _ARTISTS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await leave_artist(acting, artist, key)}

    return act


DEEDS = (
    Deed(
        "invite_member",
        "Makes a code, as an owner, with which one person comes to hold the artist with you. It is good for 7 days.",
        InviteMemberInput,
        InviteMemberSuccess,
        _invite_member,
    ),
    Deed(
        "withdraw_invite",
        "Lets nobody come by an invite any more, as an owner. Its code is good no longer at once.",
        WithdrawInviteInput,
        MembersSuccess,
        _withdraw_invite,
    ),
    Deed(
        "accept_invite",
        "Holds the artist that a code invites to. The code is good once.",
        AcceptInviteInput,
        MembersSuccess,
        _accept_invite,
        (Moved,),
    ),
    Deed(
        "set_member_role",
        "Lets a member of an artist be something else, as an owner. The last owner stays one.",
        SetMemberRoleInput,
        MembersSuccess,
        _set_member_role,
        (Moved,),
    ),
    Deed(
        "remove_member",
        "Lets somebody hold an artist no longer, as an owner. What it allowed them ends at once.",
        RemoveMemberInput,
        MembersSuccess,
        _remove_member,
        (Moved,),
    ),
    Deed(
        "leave_artist",
        "Holds an artist no longer. The last owner cannot leave.",
        LeaveArtistInput,
        MembersSuccess,
        _leave_artist,
        (Moved,),
    ),
)
