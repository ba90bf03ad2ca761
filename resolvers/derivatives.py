"""What a license opens: the sound, for a while; and derivatives that programs register, with the grant they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from db import licensing as stored
from domain.assets import AssetDraft, AssetKind, Details
from domain.errors import Invalid, NotFound
from domain.ids import Kind, Ref
from domain.licensing import ACCESS_LASTS, UseKind
from domain.lineage import EdgeKind, EdgeStatus, Registration
from domain.provenance import EventKind
from domain.registration import EdgeDraft
from domain.rights import Use, strictest
from resolvers.assets import make_asset
from resolvers.audio import Ticket, check_heard, hear_by_access
from resolvers.context import Acting
from resolvers.licensing import account_of, acted_for, note
from resolvers.registration import permission_to_register, write_edge
from resolvers.writing import Outcome as Done
from resolvers.writing import done_once, follow, happened


async def open_access(
    acting: Acting, license_: Ref, track: Ref, asset: Ref | None, idempotency_key: str | None
) -> Ticket:
    """Open the sound of a track to whoever took a license on it, for an hour; where it is heard.

    Args:
        acting: who asks.
        license_: the license.
        track: the track.
        asset: what the license is said to be on; None where nothing is said.
        idempotency_key: None where the request may be repeated.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such license of theirs that opens that track, or nothing to hear.
        KeyReused: the key belongs to another request.
    """
    account = account_of(acting)

    async def work(connection: Any) -> Done:
        row = await stored.opens(connection, acting.viewer, license_.id, track.id)
        if row is None or (asset is not None and asset.id != row.asset_id):
            raise NotFound("There is no such license that opens this track.", path=("license",))
        (held,) = (await stored.hold_assets(connection, [row.track_id])).values()
        expires_at = acting.now() + ACCESS_LASTS
        values = {"license_id": row.id, "account_id": account, "track_id": held.id, "expires_at": expires_at}
        await stored.add_access(connection, {"id": acting.new_id(), **values})
        await check_heard(connection, account, held.id)
        said = {"license": str(license_), "until": expires_at}
        await follow(connection, [happened(acting, held, EventKind.ACCESS_GRANTED, said)], [], touched=[row.id])
        await note(connection, acting, held, UseKind.ACCESS, (), None)
        return {"heard": str(held.id)}

    request = {"license": str(license_), "track": str(track), "asset": asset and str(asset)}
    done = await done_once(acting, "openAccess", request, idempotency_key, work)
    return await hear_by_access(acting, account, Ref(Kind.TRACK, UUID(done["heard"])))


@dataclass(frozen=True, slots=True)
class NewWork:
    """A work that is there somewhere else: what is known of it here is its kind, its title and its bytes' hash."""

    kind: AssetKind
    title: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Derived:
    """A derivative somebody registers: of a parent, a child of theirs or one that becomes their private draft."""

    parent: Ref
    relation: EdgeKind
    child: Ref | None
    new: NewWork | None
    owner: Ref | None


class Registered(NamedTuple):
    """How a derivative stands; both by their ids alone, as a key sees nothing private."""

    child: Ref
    edge: Ref
    status: EdgeStatus
    registration: Registration


async def register_derivative(acting: Acting, wish: Derived, idempotency_key: str | None) -> Registered:
    """Register that a work is made from another; the parent's permission, or a grant, decides how it stands.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: the parent is not there for them, or the child is not theirs.
        Invalid: neither or both of a child and a new work are given, or a value breaks a rule.
        CycleClosed: the parent is made from the child.
        Moved: it is registered already.
        KeyReused: the key belongs to another request.
    """
    account_of(acting)
    if (wish.child is None) == (wish.new is None):
        raise Invalid("Give a child of yours, or the kind, title and hash of a work.", path=("child",))
    if wish.new is not None and wish.new.kind is AssetKind.RELEASE:
        raise Invalid("A release is made of its items: register those.", path=("new", "kind"))
    owner = None if wish.new is None else await acted_for(acting, wish.owner)
    theirs, doing = acting.viewer.licensees, replace(acting, viewer=acting.viewer.deriving())
    permission = await permission_to_register(doing, wish.parent, None)

    async def work(connection: Any) -> Done:
        child = wish.child
        if wish.new is not None and owner is not None:
            child = await make_asset(connection, doing, AssetDraft(owner, wish.new.title, Details(wish.new.kind)))
            await stored.add_hash(connection, acting.new_id(), child.id, wish.new.sha256)
            said = {"role": "MASTER", "sha256": wish.new.sha256}
            await follow(connection, [happened(acting, child, EventKind.MEDIA_ATTACHED, said)], [])
        if child is None:
            raise NotFound("There is no such asset.", path=("child",))
        held = await write_edge(connection, doing, EdgeDraft(child, wish.parent, wish.relation), permission)
        if held.child.owner not in theirs:
            raise NotFound("There is no such asset.", path=("child",))
        decision = strictest(permission.values())
        await note(connection, acting, held.parent.ref, UseKind.DERIVE, [Use.DERIVATIVE_REGISTRATION], decision)
        standing = held.standing
        told = {"status": standing.status.value, "registration": standing.registration.value}
        # By bare ids: what is private is read by nobody's leave when the request comes again.
        return {"kind": held.child.ref.kind.value, "child": str(held.child.ref.id), "edge": str(held.id), **told}

    done = await done_once(acting, "registerDerivative", _request(wish), idempotency_key, work)
    child = Ref(Kind(done["kind"]), UUID(done["child"]))
    standing = EdgeStatus(done["status"]), Registration(done["registration"])
    return Registered(child, Ref(Kind.EDGE, UUID(done["edge"])), *standing)


def _request(wish: Derived) -> Mapping[str, Any]:
    new = wish.new
    told = None if new is None else {"kind": new.kind.value, "title": new.title, "sha256": new.sha256}
    return {
        "parent": str(wish.parent),
        "relation": wish.relation.value,
        "child": wish.child and str(wish.child),
        "new": told,
        "owner": wish.owner and str(wish.owner),
    }
