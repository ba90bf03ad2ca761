"""Claiming an artist nobody signs in for: somebody shows that it is them, and a person of this house looks."""

from __future__ import annotations

from typing import Any

from db import claims
from db.accounts import add_membership
from domain.accounts import Role, person_of
from domain.claims import MOST_CLAIMS, ClaimState, checked_address
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import Event, EventKind
from resolvers.artists import follow_artist
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once
from subscriptions.events import artist_updated


async def claim_artist(acting: Acting, artist: Ref, proof_address: str, idempotency_key: str | None) -> Ref:
    """Say that an unclaimed artist is oneself; claiming again moves the proof to another address.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist.
        Moved: somebody signs in for the artist.
        Invalid: the address is none, or these are claims enough.
        KeyReused: the idempotency key belongs to another request.
    """
    account, address = person_of(acting.viewer), checked_address(proof_address)

    async def work(connection: Any) -> Outcome:
        held = await claims.open_claims(connection, account)
        claimable = await claims.hold_claimable(connection, artist.id)
        if claimable is None:
            raise NotFound("There is no such artist.", path=("artist",))
        if not claimable:
            raise Moved("Somebody signs in for this artist.", path=("artist",))
        if artist.id in held:
            await claims.move_claim(connection, held[artist.id], address)
            return {"claim": str(Ref(Kind.CLAIM, held[artist.id]))}
        if len(held) >= MOST_CLAIMS:
            raise Invalid(f"One account has at most {MOST_CLAIMS} open claims.", path=())
        claim = Ref(Kind.CLAIM, acting.new_id())
        await claims.add_claim(connection, claim.id, artist.id, account, address)
        return {"claim": str(claim)}

    request = {"artist": str(artist), "proofAddress": address}
    outcome = await done_once(acting, "claimArtist", request, idempotency_key, work)
    return parse_ref(outcome["claim"])


async def decide_claim(acting: Acting, claim: Ref, state: ClaimState) -> None:
    """Approve or refuse an open claim, as a person of this house who looked at the proof.

    Approved, the claimant owns the artist, and other claims of it are refused.

    Raises:
        NotFound: there is no such open claim.
        Moved: somebody signs in for the artist meanwhile.
    """
    async with acting.database.write() as connection:
        held = await claims.hold_claim(connection, claim.id)
        if held is None:
            raise NotFound("There is no such open claim.")
        if state is ClaimState.APPROVED:
            if not await claims.hold_claimable(connection, held.artist_id):
                raise Moved("Somebody signs in for this artist.")
            await add_membership(connection, acting.new_id(), held.account_id, held.artist_id, Role.OWNER)
        await claims.decide_claim(connection, claim.id, state)
        if state is ClaimState.APPROVED:
            artist = Ref(Kind.ARTIST, held.artist_id)
            version = await claims.settle_artist(connection, artist.id)
            payload = {"claim": str(claim), "account": str(Ref(Kind.ACCOUNT, held.account_id)), "version": version}
            event = Event(acting.new_id(), artist, EventKind.ARTIST_CLAIMED, acting.now(), None, payload)
            await follow_artist(connection, event, [], artist_updated(artist, version))
