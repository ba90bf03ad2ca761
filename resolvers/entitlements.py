"""What can be done about what is open to whom: join a world and leave it, give somebody something, take it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db import entitlements
from domain.accounts import person_of
from domain.entitlements import SCOPES, EntitlementSource, EntitlementState
from domain.errors import Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from resolvers.context import Acting
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
            await _revoke(connection, acting, Ref(Kind.ENTITLEMENT, joined))
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
        entitlement = await _open(connection, acting, account, Ref(subject.kind, owned), EntitlementSource.GRANT)
        return {"entitlement": str(entitlement)}

    request = {"subject": str(subject), "handle": name}
    outcome = await done_once(acting, "grantEntitlement", request, idempotency_key, work)
    return parse_ref(outcome["entitlement"])


async def revoke_entitlement(acting: Acting, entitlement: Ref, idempotency_key: str | None) -> Ref:
    """Take back what an owner gave; what was paid for, earned or joined is not theirs to take.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or the viewer does not own what it opens.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        state = await entitlements.hold_granted(connection, acting.viewer, entitlement.id)
        if state is None:
            raise NotFound("There is no such thing that you gave.", path=("id",))
        if state is not EntitlementState.REVOKED:
            await _revoke(connection, acting, entitlement)
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


async def _revoke(connection: Any, acting: Acting, entitlement: Ref) -> None:
    state = EntitlementState.REVOKED
    await entitlements.set_state(connection, entitlement.id, state, acting.new_id)
    event = happened(acting, entitlement, EventKind.PERMISSIONS_CHANGED, {"state": state.value})
    await follow(connection, [event], [entitlement_changed(entitlement, state)])
