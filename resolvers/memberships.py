"""What can be done about who holds an artist: invite, withdraw, accept, change, remove, leave. A code is told once."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db import memberships
from db.access import Action
from db.accounts import viewer_of_account
from db.artists import artists_owned
from db.memberships import HeldMembers
from domain.accounts import Role, person_of
from domain.artists import MOST_ARTISTS
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.memberships import INVITE_LASTS, Step, check_owned_still, check_room
from domain.provenance import EventKind
from resolvers.callers import secret_hash
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import members_changed


class Invited(NamedTuple):
    """An invite to hold an artist; its code is None where it was told before."""

    artist: Ref
    role: Role
    expires_at: datetime
    code: str | None


async def invite_member(acting: Acting, artist: Ref, role: Role, idempotency_key: str | None) -> Invited:
    """Make a code with which one person comes to hold an artist, within 7 days.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist, or the viewer is not its owner.
        Invalid: these are members enough.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)
    told: dict[str, str] = {}

    async def work(connection: Any) -> Outcome:
        held = await memberships.hold_members(connection, acting.viewer, Action.OWN, artist=artist.id)
        if held is None:
            raise _no_artist()
        check_room(len(held.members), await memberships.count_invites(connection, artist.id))
        member, ends = Ref(Kind.MEMBER, acting.new_id()), acting.now() + INVITE_LASTS
        told["code"] = secrets.token_urlsafe(32)
        hash_ = secret_hash(told["code"])
        await memberships.add_invite(connection, member.id, artist.id, account, role, hash_, ends)
        await _follow(connection, acting, artist, member, Step.INVITED, role)
        return {"expiresAt": ends.isoformat()}

    request = {"artist": str(artist), "role": role.value}
    outcome = await done_once(acting, "inviteMember", request, idempotency_key, work)
    return Invited(artist, role, datetime.fromisoformat(outcome["expiresAt"]), told.get("code"))


async def withdraw_invite(acting: Acting, invite: Ref, idempotency_key: str | None) -> Ref:
    """Let nobody come by an invite any more; the artist. Any owner may, whoever sent it.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such invite, it was followed or is over, or the viewer does not own the artist.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        ended = await memberships.withdraw_invite(connection, acting.viewer, invite.id)
        if ended is None:
            raise NotFound("There is no such invite.", path=("id",))
        artist, member = Ref(Kind.ARTIST, ended.artist), Ref(Kind.MEMBER, ended.member)
        await _follow(connection, acting, artist, member, Step.WITHDRAWN, ended.role)
        return {"artist": str(artist)}

    outcome = await done_once(acting, "withdrawInvite", {"id": str(invite)}, idempotency_key, work)
    return parse_ref(outcome["artist"])


async def accept_invite(acting: Acting, code: str, idempotency_key: str | None) -> Ref:
    """Hold the artist that a code invites to; the code is good once.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: the code is none, was used, or is over.
        Moved: the viewer holds the artist; the code stays good.
        Invalid: they own artists enough.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        hash_ = secret_hash(code)
        # Accounts are locked before artists, here as everywhere.
        if await memberships.invited_as(connection, hash_) is Role.OWNER:
            await _check_artists(connection, account)
        invite = await memberships.follow_invite(connection, hash_)
        if invite is None:
            raise NotFound("This code invites to nothing, or not any more.", path=("code",))
        if not await memberships.add_member(connection, invite, account):
            raise Moved("You hold this artist already. The code is still good for somebody else.", path=("code",))
        artist = Ref(Kind.ARTIST, invite.artist)
        await _follow(connection, acting, artist, Ref(Kind.MEMBER, invite.member), Step.JOINED, invite.role)
        return {"artist": str(artist)}

    outcome = await done_once(acting, "acceptInvite", {"code": code}, idempotency_key, work)
    await _enter_again(acting, account)
    return parse_ref(outcome["artist"])


async def set_member_role(acting: Acting, member: Ref, role: Role, idempotency_key: str | None) -> Ref:
    """Let a member of an artist be something else; the artist.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such member, or the viewer does not own the artist.
        Moved: nobody would own the artist.
        Invalid: the member owns artists enough.
        KeyReused: the idempotency key belongs to another request.
    """
    return await _decide(acting, "setMemberRole", member, role, idempotency_key)


async def remove_member(acting: Acting, member: Ref, idempotency_key: str | None) -> Ref:
    """Let a member hold an artist no longer; the artist.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such member, or the viewer does not own the artist.
        Moved: nobody would own the artist.
        KeyReused: the idempotency key belongs to another request.
    """
    return await _decide(acting, "removeMember", member, None, idempotency_key)


async def leave_artist(acting: Acting, artist: Ref, idempotency_key: str | None) -> Ref:
    """Hold an artist no longer.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist, or the viewer does not hold it.
        Moved: nobody would own the artist.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await memberships.hold_members(connection, acting.viewer, Action.WRITE, artist=artist.id)
        if held is None:
            raise _no_artist()
        await leave(connection, acting, held)
        return {"artist": str(artist)}

    await done_once(acting, "leaveArtist", {"artist": str(artist)}, idempotency_key, work)
    await _enter_again(acting, account)
    return artist


async def leave(connection: Any, acting: Acting, held: HeldMembers, *, ends_it: bool = False) -> None:
    """Let the viewer hold an artist no longer.

    Args:
        connection: a transaction.
        acting: who leaves.
        held: the artist, held.
        ends_it: the artist ends with its last holder.

    Raises:
        Moved: nobody would own the artist, which does not end.
    """
    own = next(id_ for id_, member in held.members.items() if member.decided)
    if not ends_it:
        check_owned_still(held.members, own, None)
    await _change(connection, acting, held, own, None, Step.LEFT)


async def _decide(acting: Acting, name: str, member: Ref, role: Role | None, idempotency_key: str | None) -> Ref:
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        if role is Role.OWNER:
            promoted = await memberships.account_to_promote(connection, acting.viewer, member.id)
            if promoted is not None:
                await _check_artists(connection, promoted)
        held = await memberships.hold_members(connection, acting.viewer, Action.OWN, member=member.id)
        if held is None or member.id not in held.members:
            raise NotFound("There is no such member.", path=("id",))
        if role is not held.members[member.id].role:
            check_owned_still(held.members, member.id, role)
            await _change(connection, acting, held, member.id, role, Step.CHANGED if role else Step.REMOVED)
        return {"artist": str(Ref(Kind.ARTIST, held.artist))}

    request = {"id": str(member)} | ({} if role is None else {"role": role.value})
    outcome = await done_once(acting, name, request, idempotency_key, work)
    await _enter_again(acting, account)
    return parse_ref(outcome["artist"])


async def _change(
    connection: Any, acting: Acting, held: HeldMembers, member_id: UUID, role: Role | None, step: Step
) -> None:
    """Give a member another role, or none, and end at once what the one they had allowed."""
    was = held.members[member_id]
    if role is None:
        await memberships.end_membership(connection, member_id)
    else:
        await memberships.set_role(connection, member_id, role)
    if was.role is Role.OWNER:
        await memberships.end_ownership(connection, held.artist, was.account)
    await _follow(connection, acting, Ref(Kind.ARTIST, held.artist), Ref(Kind.MEMBER, member_id), step, role)


async def _follow(connection: Any, acting: Acting, artist: Ref, member: Ref, step: Step, role: Role | None) -> None:
    payload = {"changed": ["members"], "member": str(member), "step": step.value}
    if role is not None:
        payload["role"] = role.value
    event = happened(acting, artist, EventKind.ARTIST_UPDATED, payload)
    await follow(connection, [event], [members_changed(artist, member, step)], touched=[member.id])


async def _check_artists(connection: Any, account: UUID) -> None:
    if await artists_owned(connection, account) >= MOST_ARTISTS:
        raise Invalid(f"One account owns at most {MOST_ARTISTS} artists.", path=())


def _no_artist() -> NotFound:
    return NotFound("There is no such artist.", path=("artist",))


async def _enter_again(acting: Acting, account: UUID) -> None:
    """Be from now on who one is by the memberships one has: what follows in the same request sees no more."""
    if acting.caller is not None:
        async with acting.database.read() as connection:
            acting.caller.became = await viewer_of_account(connection, account, acting.viewer.signed_in_at)
