"""Quotes, licenses, access to the sound, and derivatives that programs register.

Policy first: what is denied or to be asked for is refused before a price is thought of. A quote says what one payment
clears and what is still needed; what was paid for is granted as it was quoted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from db import licensing as stored
from db import tables
from db.licensing import Noted, Sold
from db.rights import keep_terms
from domain.canonical import canonical, digest
from domain.errors import Invalid, NotFound, SignInNeeded
from domain.ids import Kind, Ref, parse_ref
from domain.licensing import (
    Asked,
    Offer,
    PolicyDenied,
    Unpayable,
    UseKind,
    granted_terms,
    offered,
    quote_told,
)
from domain.payments import SETTLED_DECIMALS, SETTLED_IN, settled_amount
from domain.rights import Outcome, Term, Use, terms_digest
from domain.verdicts import RouteKind, decide
from resolvers.context import Acting, Told
from resolvers.telling import Telling
from resolvers.verdicts import Terms, facts_for, question_of
from resolvers.writing import Outcome as Done
from resolvers.writing import done_once


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a license for; `grantee` is the artist it is for, where they act for several."""

    asset: Ref
    uses: frozenset[Use]
    grantee: Ref | None = None
    territory: str | None = None
    purpose: str | None = None


async def quote_license(acting: Acting, wish: Wish, idempotency_key: str | None) -> Ref:
    """Say what a license takes, for 15 minutes; nothing is charged.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset, or no such artist that the viewer acts for.
        Invalid: it is their own, or they act for several artists and name none.
        PolicyDenied: a policy is in the way that no payment clears.
        KeyReused: the key belongs to another request.
    """
    account = account_of(acting)
    grantee = await acted_for(acting, wish.grantee)
    what = await stored.sold(acting.database, acting.viewer, wish.asset)
    if what is None:
        raise NotFound("There is no such asset.", path=("asset",))
    if what.owner == grantee.id:
        raise Invalid("It is their own.", path=("grantee",))
    uses = tuple(use for use in Use if use in wish.uses)
    asked = Asked(what.ref, what.bound_to, grantee, uses, wish.territory, wish.purpose)
    try:
        offer = await offer_of(acting, asked, what)
    except PolicyDenied as refused:
        decision = Outcome.CONTACT_OWNER if refused.route is RouteKind.CONTACT else Outcome.DENIED
        async with acting.database.write() as connection:
            await note(connection, acting, what.ref, UseKind.QUOTE, uses, decision)
        raise

    async def work(connection: Any) -> Done:
        quote = Ref(Kind.QUOTE, acting.new_id())
        await stored.add_quote(connection, await _quoted(connection, acting, quote, account, asked, what, offer))
        await note(connection, acting, what.ref, UseKind.QUOTE, uses, Outcome.LICENSE_REQUIRED)
        return {"quote": str(quote)}

    request = {
        "asset": str(wish.asset),
        "uses": [use.value for use in uses],
        "grantee": str(grantee),
        "territory": wish.territory,
        "purpose": wish.purpose,
    }
    done = await done_once(acting, "quoteLicense", request, idempotency_key, work)
    return parse_ref(done["quote"])


def account_of(acting: Acting) -> UUID:
    """The account that asks, in person or by a key.

    Raises:
        SignInNeeded: nobody is signed in.
    """
    if acting.viewer.account is None:
        raise SignInNeeded("Sign in first, or come with a key.")
    return acting.viewer.account


async def acted_for(acting: Acting, wanted: Ref | None) -> Ref:
    """The artist somebody acts for: the one they name, or the only one there is.

    Raises:
        NotFound: they do not act for that one.
        Invalid: they act for several and name none, or for none.
    """
    theirs = acting.viewer.licensees
    if wanted is not None:
        if wanted.id not in theirs:
            raise NotFound("There is no such artist.", path=("grantee",))
        return wanted
    if len(theirs) != 1:
        raise Invalid("Say for which artist of yours.", path=("grantee",))
    return Ref(Kind.ARTIST, theirs[0])


async def offer_of(acting: Acting, asked: Asked, what: Sold) -> Offer:
    """What one payment to the owner would clear as things stand, asked for the grantee alone.

    Raises:
        PolicyDenied: a policy is in the way that no payment clears.
    """
    asking = replace(acting, viewer=acting.viewer.asking_for(asked.grantee.id))
    terms = Terms(frozenset(asked.uses), asked.territory, asked.purpose)
    read = await facts_for(asking, [asked.asset.id], terms)
    if asked.asset.id not in read.named:
        raise NotFound("There is no such asset.", path=("asset",))
    question = question_of(asking, asked.asset.id, terms)._replace(grantees=frozenset({asked.grantee.id}))
    verdicts = decide(read.facts, question)
    offer = offered(verdicts, what.owner, Telling(read).shown(asked.asset.id))
    policies = {need.policy for need in offer.clears if need.policy is not None}
    async with acting.database.read() as connection:
        spoken = await stored.stated_by(connection, policies)
    # A price that no person stated, such as an import's, is nobody's to take.
    clears = [need if need.policy in spoken else need._replace(policy=None) for need in offer.clears]
    return offer._replace(clears=tuple(clears))


async def _quoted(
    connection: Any, acting: Acting, quote: Ref, account: UUID, asked: Asked, what: Sold, offer: Offer
) -> dict[str, Any]:
    """The row of a quote."""
    price = offer.price
    amount = None if isinstance(price, Unpayable) else settled_amount(*price)
    settled = None
    if amount is not None:
        settled = {"amount": amount, "asset": SETTLED_IN, "decimals": SETTLED_DECIMALS, "reference": str(quote)}
    named = {need.asset for need in (*offer.clears, *offer.still_needed) if need.asset is not None}
    told = quote_told(quote, asked, offer, await stored.refs_of(connection, named), acting.now(), settled)
    body, proof = signed(acting, told)
    return {
        "id": quote.id,
        "account_id": account,
        "key_id": acting.viewer.key,
        "asset_id": asked.asset.id,
        "owner_id": what.owner,
        "grantee_id": asked.grantee.id,
        "uses": [use.value for use in asked.uses],
        "territory": asked.territory,
        "purpose": asked.purpose,
        "bound_to": asked.bound_to,
        "price_minor": None if isinstance(price, Unpayable) else price[0],
        "currency": None if isinstance(price, Unpayable) else price[1],
        "amount": amount,
        "offer_digest": digest_of(offer),
        "grants": [] if amount is None else await _to_grant(connection, acting, asked, offer),
        "body": body,
        "proof": proof,
        "created_at": told["issuedAt"],
        "expires_at": told["expiresAt"],
    }


async def _to_grant(connection: Any, acting: Acting, asked: Asked, offer: Offer) -> list[dict[str, str]]:
    """What is granted once it is paid for: of each asset a set of terms, in the name of who stated its price."""
    spoken = await stored.stated_by(connection, {need.policy for need in offer.clears if need.policy is not None})
    said = {need.asset: spoken[need.policy] for need in offer.clears if need.policy is not None}
    return [
        {
            "asset": str(asset),
            "terms": str(await keep_terms(connection, terms, acting.new_id)),
            "digest": terms_digest(terms),
            "by": str(said[asset]),
        }
        for asset, terms in granted_terms(offer.clears, asked.territory, asked.purpose).items()
    ]


def signed(acting: Acting, told: Mapping[str, Any]) -> tuple[str, str | None]:
    """A document as it is kept: its canonical bytes, and the proof of our keys."""
    body = canonical(told)
    signer = None if acting.caller is None else acting.caller.house.signer
    proof = None if signer is None else canonical(signer.proof(orjson.loads(body), acting.now())).decode()
    return body.decode(), proof


def digest_of(offer: Offer) -> str:
    """By what two offers are known to be the same."""

    def plain(term: Term | None) -> str | None:
        return None if term is None else terms_digest((term,))

    needs = [
        [str(need.asset), need.use.value, [layer.value for layer in need.layers], str(need.policy), plain(need.term)]
        for need in offer.clears
    ]
    return digest(canonical(sorted(needs, key=str)))


async def note(
    connection: Any, acting: Acting, asset: Ref, kind: UseKind, uses: Sequence[Use], decision: Outcome | None
) -> None:
    """Keep who asked what about somebody's work, where it was asked by an account."""
    account = acting.viewer.account
    if account is not None:
        said = tuple([use.value for use in uses])
        noted = Noted(asset.id, account, acting.viewer.key, kind, said, decision and decision.value)
        await stored.note_uses(connection, [(acting.new_id(), noted)])


async def note_check(connection: Any, acting: Acting, asset: Ref, uses: Collection[Use], decision: Outcome) -> None:
    """Keep that a program asked what may be done with somebody's work, and how it was decided."""
    if acting.viewer.key is not None:
        await note(connection, acting, asset, UseKind.CHECK, [use for use in Use if use in uses], decision)


def _told_of(name: str) -> Any:
    async def told(acting: Acting, ids: Sequence[UUID]) -> Mapping[UUID, Any]:
        table = tables.license_ if name == "payment" else tables.license_quote
        bodies = await stored.bodies_of(acting.database, table, ids)
        return {each.id: _TELLING[name](orjson.loads(each.body)) for each in bodies}

    return told


def _needs(name: str) -> Any:
    return lambda body: [_need(need) for need in body[name]]


def _need(need: Mapping[str, Any]) -> Told:
    return {
        "__typename": "LicenseNeed",
        "use": need["use"],
        "layers": need["layers"],
        "decision": need["decision"],
        "asset": parse_ref(need["asset"]) if "asset" in need else None,
        "owner": parse_ref(need["owner"]) if "owner" in need else None,
        "policy": parse_ref(need["policy"]) if "policy" in need else None,
        "price": _price(need.get("price")),
    }


def _price(price: Mapping[str, Any] | None) -> Told | None:
    return None if price is None else {"__typename": "Price", **price}


def _payment(body: Mapping[str, Any]) -> Told:
    paid = body["payment"]
    names = ("method", "reference", "network", "payer", "amount", "asset")
    return {"__typename": "LicensePayment", **{name: paid.get(name) for name in names}, "price": _price(paid["price"])}


_TELLING = {
    "clears": _needs("clears"),
    "stillNeeded": _needs("stillNeeded"),
    "payment": _payment,
}
clears_of, still_needed_of, payment_of_license = map(_told_of, _TELLING)
