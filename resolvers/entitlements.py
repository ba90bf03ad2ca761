"""What can be done about what is open to whom: join a world and leave it, give somebody something, take it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from db import entitlements
from domain.accounts import person_of
from domain.entitlements import SCOPES, EntitlementSource, EntitlementState
from domain.errors import Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import Event, EventKind
from resolvers.context import Acting, uuid7
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import entitlement_changed


async def join_world(acting: Acting, artist: Ref, idempotency_key: str | None) -> Ref:
    """Join a world, none of which has a price yet; joining again answers the same.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist.
        Moved: nobody signs in for the artist, so that nobody has opened the world.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        claimed = await _claimed(connection, artist)
        if not claimed:
            raise Moved("Nobody signs in for this artist yet, who could let you in.", path=("artist",))
        entitlement = await _open(connection, acting, account, artist, EntitlementSource.FREE_JOIN)
        return {"entitlement": str(entitlement)}

    outcome = await done_once(acting, "joinWorld", {"artist": str(artist)}, idempotency_key, work)
    return parse_ref(outcome["entitlement"])


async def leave_world(acting: Acting, artist: Ref, idempotency_key: str | None) -> Ref:
    """Leave a world one has joined; who has not is outside already. What was given or paid for stays.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        joined = await entitlements.open_entitlement(connection, account, artist.id, EntitlementSource.FREE_JOIN)
        if joined is None:
            await _claimed(connection, artist)
        else:
            await let_stand(connection, acting, Ref(Kind.ENTITLEMENT, joined), EntitlementState.REVOKED)
        return {"artist": str(artist)}

    await done_once(acting, "leaveWorld", {"artist": str(artist)}, idempotency_key, work)
    return artist


async def grant_entitlement(acting: Acting, subject: Ref, handle: str, idempotency_key: str | None) -> Ref:
    """Open a world, a release or a track to somebody, as its owner; giving it again answers the same.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or the viewer does not own it; or nobody goes by that handle.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)
    name = handle.strip().removeprefix("@").lower()

    async def work(connection: Any) -> Outcome:
        owned = await entitlements.owned_subject(connection, acting.viewer, subject)
        if owned is None:
            raise NotFound("There is no such thing to open.", path=("subject",))
        account = await entitlements.account_by_handle(connection, name)
        if account is None:
            raise NotFound("Nobody goes by this handle.", path=("handle",))
        entitlement = await _open(connection, acting, account, Ref(subject.kind, owned.id), EntitlementSource.GRANT)
        return {"entitlement": str(entitlement)}

    request = {"subject": str(subject), "handle": name}
    outcome = await done_once(acting, "grantEntitlement", request, idempotency_key, work)
    return parse_ref(outcome["entitlement"])


async def reward(connection: Any, accounts: Sequence[UUID], subject: Ref, at: datetime) -> list[UUID]:
    """Open something to people who earned it, in a transaction that goes on; those who had it not from there already.

    Nobody's hand does it: it was promised before.
    """
    given = await entitlements.add_rewards(connection, accounts, subject, uuid7)
    payload = {"subject": str(subject), "source": EntitlementSource.REWARD.value}
    events = [
        Event(
            uuid7(),
            Ref(Kind.ENTITLEMENT, id_),
            EventKind.ACCESS_GRANTED,
            at,
            None,
            {"account": str(Ref(Kind.ACCOUNT, account)), **payload},
        )
        for account, id_ in given.items()
    ]
    told = [entitlement_changed(event.subject, EntitlementState.ACTIVE) for event in events]
    await follow(connection, events, told, touched=[subject.id], begins=True)
    return list(given)


async def revoke_entitlement(acting: Acting, entitlement: Ref, idempotency_key: str | None) -> Ref:
    """Take back what an owner gave; what was paid for, earned or joined is not theirs to take.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or the viewer does not own what it opens.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        if not await entitlements.hold_granted(connection, acting.viewer, entitlement.id):
            raise NotFound("There is no such thing that you gave.", path=("id",))
        await let_stand(connection, acting, entitlement, EntitlementState.REVOKED)
        return {"entitlement": str(entitlement)}

    await done_once(acting, "revokeEntitlement", {"id": str(entitlement)}, idempotency_key, work)
    return entitlement


async def _claimed(connection: Any, artist: Ref) -> bool:
    claimed = await entitlements.is_claimed(connection, artist.id)
    if claimed is None:
        raise NotFound("There is no such artist.", path=("artist",))
    return claimed


async def _open(connection: Any, acting: Acting, account: UUID, subject: Ref, source: EntitlementSource) -> Ref:
    """What somebody has of that from that source, or a new one."""
    has = await entitlements.open_entitlement(connection, account, subject.id, source)
    if has is not None:
        return Ref(Kind.ENTITLEMENT, has)
    entitlement, scope = Ref(Kind.ENTITLEMENT, acting.new_id()), SCOPES[subject.kind]
    await entitlements.add_entitlement(connection, entitlement, account, scope, subject.id, source, acting.new_id)
    payload = {"account": str(Ref(Kind.ACCOUNT, account)), "subject": str(subject), "source": source.value}
    event = happened(acting, entitlement, EventKind.ACCESS_GRANTED, payload)
    told = [entitlement_changed(entitlement, EntitlementState.ACTIVE)]
    await follow(connection, [event], told, touched=[subject.id], begins=True)
    return entitlement


async def let_stand(connection: Any, acting: Acting, entitlement: Ref, state: EntitlementState) -> None:
    """Suspend what opens something, open it again, or revoke it for good, in a transaction that goes on.

    Where it stands so already, and where it was revoked, nothing is changed: who says so twice, or late, is not heard.
    """
    if await entitlements.set_state(connection, entitlement.id, state, acting.new_id):
        event = happened(acting, entitlement, EventKind.PERMISSIONS_CHANGED, {"state": state.value})
        await follow(connection, [event], [entitlement_changed(entitlement, state)])
