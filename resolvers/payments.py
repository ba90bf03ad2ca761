"""Paying for a license: a quote that may be paid now, and what is granted once it was.

What was paid for is granted as it was quoted, in one transaction with its provenance and what is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from db import licensing as stored
from db.history import moment_under_locks
from db.ledger import add_entries, splits_of
from db.licensing import Sold
from db.payments import Answered, Paid, answer_request
from db.rights import add_grant, grant_held
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.ledger import Cleared, entries
from domain.licensing import Asked, Unpayable, UseKind, license_told
from domain.payments import SETTLED_IN, PaymentMethod, settled_amount
from domain.provenance import EventKind
from domain.rights import Layer, Outcome, Use
from resolvers.context import Acting
from resolvers.licensing import account_of, digest_of, note, offer_of, signed
from resolvers.writing import follow, happened
from subscriptions.events import grant_changed

_NO_QUOTE = "There is no such quote."


@dataclass(frozen=True, slots=True)
class Ready:
    """A quote that may be paid now.

    Attributes:
        quote: its reference.
        asset: what it is on.
        amount: what is paid, in the units of what settles it.
        row: all of it.
    """

    quote: Ref
    asset: Ref
    amount: str
    row: Any


async def ready_to_pay(acting: Acting, asset: Ref, quote: Ref) -> Ready:
    """A quote of the viewer's on an asset that may be paid: policy is asked once more, before any price is named.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such quote of theirs on that asset.
        PolicyDenied: a policy is in the way by now.
        Moved: the quote has ended, or something else is offered by now.
        Invalid: it cannot be paid here.
    """
    account_of(acting)
    async with acting.database.read() as connection:
        row = await stored.quote_of(connection, acting.viewer, quote.id)
        what = None if row is None else await stored.sold_still(connection, Ref(asset.kind, row.asset_id))
    if row is None or what is None:
        raise NotFound(_NO_QUOTE, path=("quote",))
    asked = _asked(row, what)
    offer = await offer_of(acting, asked, what)
    if row.expires_at <= acting.now():
        raise Moved("The quote has ended. Ask for another.", path=("quote",))
    if what.bound_to != row.bound_to or what.owner != row.owner_id or digest_of(offer) != row.offer_digest:
        raise Moved("Something else is offered by now. Ask for another quote.", path=("quote",))
    if row.amount is None:
        raise Invalid(_UNPAYABLE[_why_not(row)], path=("quote",))
    return Ready(quote, what.ref, row.amount, row)


_UNPAYABLE = {
    Unpayable.NOTHING_TO_CLEAR: "There is nothing a payment to the owner would clear.",
    Unpayable.NO_PRICE: "The owner states no price: ask them.",
    Unpayable.NOBODY_SPOKE: "No person has stated a price for it: ask the owner.",
    Unpayable.OTHER_CURRENCY: "The price is in a currency that is not settled here: only USD is, in USDC.",
}


def _why_not(row: Any) -> Unpayable:
    return Unpayable(orjson.loads(row.body)["unpayable"])


def _asked(row: Any, what: Sold) -> Asked:
    uses = tuple(Use(use) for use in row.uses)
    return Asked(what.ref, row.bound_to, Ref(Kind.ARTIST, row.grantee_id), uses, row.territory, row.purpose)


async def quoted_before(acting: Acting, asset: Ref, quote: Ref) -> tuple[Any, Any]:
    """(a quote of the viewer's on an asset, the license that was taken on it, or None).

    Raises:
        NotFound: there is no such quote of theirs on that asset.
    """
    async with acting.database.read() as connection:
        row = await stored.quote_of(connection, acting.viewer, quote.id)
        named = None if row is None else await stored.sold_still(connection, asset)
        if row is None or named is None or named.ref.id != row.asset_id:
            raise NotFound(_NO_QUOTE, path=("quote",))
        return row, await stored.license_of(connection, quote.id)


async def take_license(
    acting: Acting, quote: Ref, paid: Paid, key: str | None, answer: Callable[[Any], Answered]
) -> Answered:
    """Grant what was paid for, in one transaction with what is answered; a quote leads to one license, however often.

    Args:
        acting: who asked for the quote.
        quote: the quote.
        paid: the payment, which is settled.
        key: under which the request came; None where it has none.
        answer: what is answered, made of the license's row.

    Raises:
        NotFound: there is no such quote of theirs.
    """
    account = account_of(acting)
    async with acting.database.write() as connection:
        row = await stored.quote_of(connection, acting.viewer, quote.id, hold=True)
        if row is None:
            raise NotFound(_NO_QUOTE, path=("quote",))
        known = await stored.license_of(connection, quote.id)
        if known is None:
            known = await _granted(connection, acting, row, quote, account, paid)
        told = answer(known)
        if key is not None:
            await answer_request(connection, account, key, told)
    return told


async def _granted(connection: Any, acting: Acting, row: Any, quote: Ref, account: UUID, paid: Paid) -> Any:
    license_ = Ref(Kind.LICENSE, acting.new_id())
    grantee = Ref(Kind.ARTIST, row.grantee_id)
    held = await stored.hold_assets(connection, {UUID(each["asset"]) for each in row.grants})
    at = await moment_under_locks(connection)
    grants, events, told = [], [], []
    for each in row.grants:
        asset, terms = UUID(each["asset"]), UUID(each["terms"])
        known = await grant_held(connection, asset, grantee.id, terms, at)
        grant = Ref(Kind.GRANT, known or acting.new_id())
        if known is None:
            await add_grant(connection, grant.id, asset, grantee.id, terms, UUID(each["by"]), at)
        grants.append(grant)
        payload = {"grant": str(grant), "grantee": str(grantee), "terms": each["digest"], "status": "GRANTED"}
        payload |= {"license": str(license_), "quote": str(quote), "settlement": paid.reference}
        events.append(happened(acting, held[asset], EventKind.LICENSE_GRANTED, payload))
        told.append(grant_changed(grant, held[asset], grantee, "GRANTED"))
    ref = parse_ref(orjson.loads(row.body)["asset"])
    asked = Asked(ref, row.bound_to, grantee, tuple(Use(use) for use in row.uses), row.territory, row.purpose)
    receipt = license_told(license_, quote, asked, grants, payment_told(paid, row), acting.now())
    body, proof = signed(acting, receipt)
    values = {
        "id": license_.id,
        "quote_id": row.id,
        "payment_id": paid.id,
        "account_id": account,
        "asset_id": row.asset_id,
        "owner_id": row.owner_id,
        "grantee_id": row.grantee_id,
        "body": body,
        "proof": proof,
    }
    await stored.add_license(connection, values, [grant.id for grant in grants])
    if paid.method is PaymentMethod.EVM:
        await _booked(connection, acting, row, paid)
    await follow(connection, events, told, touched=[license_.id, *[grant.id for grant in grants], grantee.id])
    await note(connection, acting, ref, UseKind.LICENSE, asked.uses, Outcome.ALLOWED)
    return await stored.license_of(connection, row.id)


async def _booked(connection: Any, acting: Acting, row: Any, paid: Paid) -> None:
    """Write down who is owed what of a payment; what was tried, or costs nothing, is owed to nobody."""
    cleared = [
        Cleared(
            parse_ref(need["asset"]).id,
            [Layer(layer) for layer in need["layers"]],
            int(settled_amount(need["price"]["amountMinor"], need["price"]["currency"]) or 0),
        )
        for need in orjson.loads(row.body)["clears"]
    ]
    splits = await splits_of(connection, {each.asset for each in cleared})
    await add_entries(connection, paid.id, row.owner_id, entries(cleared, splits), acting.new_id)


def payment_told(paid: Paid, row: Any) -> dict[str, Any]:
    """How something was paid; absent means absent."""
    told: dict[str, Any] = {
        "method": paid.method.value,
        "reference": paid.reference,
        "amount": paid.amount,
        "asset": SETTLED_IN,
        "price": {"amountMinor": row.price_minor, "currency": row.currency},
    }
    return told | {name: value for name, value in (("network", paid.network), ("payer", paid.payer)) if value}
