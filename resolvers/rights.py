"""Granting a use: what the owner of an asset allows one artist, for as long as it holds.

A grant is a word of a person: no key, job or import gives one. Who held it when stays known after it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db import rights
from db.assets import HeldAsset, hold_asset
from db.history import moment_under_locks
from domain.accounts import person_of
from domain.errors import NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import EventKind
from domain.rights import Term, checked_grant, terms_digest
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import grant_changed


async def grant_use(
    acting: Acting, asset: Ref, grantee: Ref, terms: Sequence[Term], idempotency_key: str | None
) -> Ref:
    """Allow an artist some uses of an asset; the grant. Where the same is granted already, it is that grant.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: it is not a person who asks.
        NotFound: there is no such asset, it is not the viewer's to change, or there is no such artist.
        Invalid: a term breaks a rule.
        KeyReused: the key belongs to another request.
    """
    person = person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await hold_asset(connection, acting.viewer, asset.id)
        if held is None:
            raise NotFound("There is no such asset.", path=("asset",))
        artist = await rights.grantee_of(connection, grantee.id)
        if artist is None:
            raise NotFound("There is no such artist.", path=("grantee",))
        granted = checked_grant(terms)
        term_set = await rights.keep_terms(connection, granted, acting.new_id)
        at = await moment_under_locks(connection)
        known = await rights.grant_held(connection, held.ref.id, artist, term_set, at)
        if known is not None:
            return {"grant": str(Ref(Kind.GRANT, known))}
        grant = Ref(Kind.GRANT, acting.new_id())
        await rights.add_grant(connection, grant.id, held.ref.id, artist, term_set, person, at)
        told = {"terms": terms_digest(granted), "status": "GRANTED"}
        await _follow(connection, acting, EventKind.LICENSE_GRANTED, grant, held, Ref(Kind.ARTIST, artist), told)
        return {"grant": str(grant)}

    request = {"asset": str(asset), "grantee": str(grantee), "terms": terms_digest(tuple(terms))}
    done = await done_once(acting, "grantUse", request, idempotency_key, work)
    return parse_ref(done["grant"])


async def end_grant(acting: Acting, grant: Ref, idempotency_key: str | None) -> Ref:
    """Let a grant hold no longer; the asset it was on.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: it is not a person who asks.
        NotFound: there is no such grant, or its asset is not the viewer's to change.
        Moved: it has ended already.
        KeyReused: the key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        held = await rights.hold_grant(connection, acting.viewer, grant.id)
        if held is None:
            raise NotFound("There is no such grant.", path=("id",))
        await rights.end_grant(connection, grant.id, held.at, acting.new_id)
        grantee = Ref(Kind.ARTIST, held.grantee)
        told = {"status": "ENDED"}
        await _follow(connection, acting, EventKind.PERMISSIONS_CHANGED, grant, held.asset, grantee, told)
        return {"asset": str(held.asset.ref)}

    done = await done_once(acting, "endGrant", {"grant": str(grant)}, idempotency_key, work)
    return parse_ref(done["asset"])


async def _follow(
    connection: Any, acting: Acting, kind: EventKind, grant: Ref, held: HeldAsset, grantee: Ref, told: dict[str, str]
) -> None:
    """What a grant leaves behind: provenance of the asset, the change log and an announcement."""
    payload = {"grant": str(grant), "grantee": str(grantee), **told}
    event = happened(acting, held.ref, kind, payload)
    said = [grant_changed(grant, held.ref, grantee, told["status"])]
    await follow(connection, [event], said, touched=[grant.id, grantee.id])
