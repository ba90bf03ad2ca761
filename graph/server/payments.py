"""Licenses that programs pay for over HTTP: a 402 that MPP and x402 can both pay, and what follows from it, once.

In this order: who asks; whether the request was answered before; whether it is paid already; policy; and only then a
price. A payment is settled before anything is granted, and what was settled leads to its license whatever happens.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.payments import Answered, Paid, add_payment, claim_request, end_payment, payment_of, release_request
from db.verdicts import ASSET_REF_KINDS
from domain.accounts import Viewer, allow
from domain.errors import BadInput, KeyReused, Moved, NotFound, SignInNeeded, TooLarge
from domain.ids import Kind, Ref, parse_ref_of
from domain.keys import KeyScope
from domain.licensing import PolicyDenied
from domain.payments import (
    NotSettled,
    PaymentMethod,
    PaymentState,
    fingerprint,
)
from graph.server.extensions import IDENTIFIER, payment_name
from graph.server.guard import PROBLEM_TYPE, problem
from graph.server.rest import UNCACHED, Allowance, Reception, address
from graph.server.settings import Settlement
from resolvers.callers import Caller, House
from resolvers.context import Acting
from resolvers.payments import Ready, quoted_before, ready_to_pay, take_license

if TYPE_CHECKING:
    from graph.server.evm import Chain

_LARGEST_QUESTION = 4 * 1024
_KEY = re.compile(r'"?([A-Za-z0-9._:~-]{1,100})"?', re.ASCII)
_PRIVATE = {"cache-control": "private"}
GIVEN_UP = 3600.0
"""Seconds after which a transfer that is in no block is taken to have failed: it could not be made any more."""


@dataclass(frozen=True, slots=True)
class Till:
    """How this process is paid.

    Attributes:
        realm: the name it goes by in a challenge.
        secret: what binds a challenge to it.
        settlement: the chain it is paid on; None for none.
        tries: a payment that costs nothing is taken, too: where nothing is sold.
    """

    realm: str
    secret: str = field(repr=False)
    settlement: Settlement | None
    tries: bool


def till_of(house: House, settlement: Settlement | None, *, realm: str, tries: bool) -> Till:
    """The till of a process; challenges are bound by a secret that all processes with the same keys have."""
    if house.signer is None:
        return Till(realm, secrets.token_hex(32), settlement, tries)
    bound = hmac.new(house.signer.key.private_bytes_raw(), b"casset payment challenges", hashlib.sha256)
    return Till(realm, bound.hexdigest(), settlement, tries)


class Payments:
    """The routes that are paid for."""

    def __init__(self, reception: Reception, house: House, till: Till, asked_for: Allowance) -> None:
        """Take payments.

        Args:
            reception: knows who asks.
            house: signs what is given.
            till: how it is paid.
            asked_for: how often somebody may ask for a license, whatever they are answered.
        """
        self._reception, self._house, self._till, self._asked_for = reception, house, till, asked_for
        self._chain: Chain | None = None
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/api/agents/releases/{id}/license", self.license, methods=["POST"]),
            Route("/api/agents/assets/{id}/license", self.license, methods=["POST"]),
        ]

    async def license(self, request: Request) -> Response:
        """`{"quote"}`: the license on a quote, for what it costs."""
        actor = await self._reception.actor(request)
        account = _buyer(actor.viewer)
        # Before a row is written: a request under a key leaves one, whatever comes of it.
        await self._asked_for.take(actor)
        asset = _named(request)
        body = await _small_body(request)
        quote = _quote(body)
        key = _key(request)
        acting = self._reception.acting(actor.viewer, Caller(self._house, address(request)))
        if key is not None:
            said = fingerprint("POST", request.url.path, body, str(actor.viewer.key or account))
            answered = await self._claimed(request, account, key, said)
            if answered is not None:
                return _told(answered)
        try:
            return await self._licensed(request, acting, actor, asset, quote, body, key)
        except PolicyDenied as refused:
            return _denied(refused)
        finally:
            if key is not None:
                # What was answered is kept, and not let go of by this.
                await asyncio.shield(release_request(self._reception.database, account, key))

    async def _claimed(self, request: Request, account: UUID, key: str, said: str) -> Answered | None:
        try:
            return await claim_request(self._reception.database, account, key, said)
        except KeyReused:
            if "idempotency-key" in request.headers:
                raise
            raise Moved("This id was given to another payment.", path=(IDENTIFIER,)) from None

    async def _licensed(
        self, request: Request, acting: Acting, actor: Any, asset: Ref, quote: Ref, body: bytes, key: str | None
    ) -> Response:
        row, license_ = await quoted_before(acting, asset, quote)
        paid = await self._paid_before(row, license_)
        if paid is None:
            ready = await ready_to_pay(acting, asset, quote)
            if ready.amount == "0":
                paid = await self._noted(acting, ready, PaymentMethod.FREE, f"free_{quote.id.hex}")
            else:
                asked = await self._asked(request, acting, ready, body)
                paid = await self._paid(quote.id)
                # Who comes with what was just paid with is too late to pay, and not to be told the license.
                if asked is not None and (paid is None or asked.status_code == 402):
                    return asked
                if paid is None or paid.state is not PaymentState.SETTLED:
                    raise NotSettled("The payment is on its way. Ask again in a moment; do not pay again.")
        for_x402 = "payment-signature" in request.headers
        headers = await _receipt(paid, for_x402=for_x402)
        return _told(await take_license(acting, quote, paid, key, lambda taken: _answered(taken, headers)))

    async def _paid(self, quote: UUID) -> Paid | None:
        async with self._reception.database.read() as connection:
            return await payment_of(connection, quote)

    async def _paid_before(self, row: Any, license_: Any) -> Paid | None:
        """The payment for a quote, if it is settled; one that was on its way is looked up.

        Raises:
            NotSettled: nobody knows yet how it ends.
        """
        paid = await self._paid(row.id)
        if paid is None or paid.state is PaymentState.SETTLED or license_ is not None:
            return paid
        chain = await self._open_chain()
        ended = None if chain is None else await asyncio.to_thread(chain.ended, paid.reference)
        if ended is None and (datetime.now(row.created_at.tzinfo) - row.created_at).total_seconds() < GIVEN_UP:
            raise NotSettled("The payment is on its way. Ask again in a moment; do not pay again.")
        state = PaymentState.SETTLED if ended else PaymentState.FAILED
        await end_payment(self._reception.database, paid.id, state)
        return await self._paid(row.id)

    async def _noted(self, acting: Acting, ready: Ready, method: PaymentMethod, reference: str) -> Paid:
        account = acting.viewer.account
        paid = Paid(acting.new_id(), method, PaymentState.SETTLED, reference, None, None, ready.amount)
        async with self._reception.database.write() as connection:
            if account is None or not await add_payment(connection, ready.quote.id, account, paid):
                raise Moved("Another payment was faster. Ask again.", path=("quote",))
        return paid

    async def _asked(self, request: Request, acting: Acting, ready: Ready, body: bytes) -> Response | None:
        """None where the request brings a payment that is settled now; else what to pay, or why it was refused."""
        paying = await asyncio.to_thread(_paying)
        chain = await self._open_chain()
        counter = paying.Counter(self._reception.database, self._till, chain, paying.bill_of(acting, ready), self._turn)
        told = await counter.ask(request.method, str(request.url), list(request.headers.items()), body, ready)
        if told is None:
            return None
        status, headers, problem = told
        response = Response(problem, status, media_type=PROBLEM_TYPE)
        for name, value in headers:
            response.headers.append(name, value)
        return response

    async def _open_chain(self) -> Chain | None:
        settlement = self._till.settlement
        if settlement is not None and self._chain is None:
            self._chain = await asyncio.to_thread(_chain, settlement)
        return self._chain


def _paying() -> Any:
    """The wire, imported beside the event loop."""
    from graph.server import paying  # noqa: PLC0415  # two seconds of chain libraries, where nobody pays

    return paying


def _chain(settlement: Settlement) -> Chain:
    from graph.server.evm import chain_of  # noqa: PLC0415  # a second of chain libraries, where nobody pays

    return chain_of(settlement.chain_id, settlement.node, settlement.key_file)


def _buyer(viewer: Viewer) -> UUID:
    if viewer.account is None:
        raise SignInNeeded("Come with a key that may take licenses.")
    allow(viewer, KeyScope.LICENSE, writes=True)
    return viewer.account


def _named(request: Request) -> Ref:
    """What a license is asked on: what is no id is not there."""
    kinds = frozenset({Kind.RELEASE}) if "/releases/" in request.url.path else ASSET_REF_KINDS
    try:
        return parse_ref_of(request.path_params["id"], kinds)
    except BadInput:
        raise NotFound("There is no such thing, or it is not yours.") from None


async def _small_body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_QUESTION:
            raise TooLarge(f"A question has at most {_LARGEST_QUESTION} bytes.")
    return body


def _quote(body: bytes) -> Ref:
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("Send JSON in UTF-8.") from None
    if not isinstance(given, dict) or set(given) != {"quote"} or not isinstance(given["quote"], str):
        raise BadInput('Send {"quote": "quote_…"}, and nothing else.')
    return parse_ref_of(given["quote"], frozenset({Kind.QUOTE}))


def _key(request: Request) -> str | None:
    """The idempotency key, with or without the quotes of a structured string; else the name a payment bears."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return payment_name(request.headers.get("payment-signature"))
    found = _KEY.fullmatch(given)
    if found is None:
        raise BadInput("An idempotency key has 1 to 100 letters, digits and any of . _ : ~ -")
    return found[1]


async def _receipt(paid: Paid, *, for_x402: bool) -> dict[str, str]:
    """What says of a paid answer how it was paid."""
    if paid.method is PaymentMethod.FREE:
        return dict(_PRIVATE)
    paying = await asyncio.to_thread(_paying)
    return {**_PRIVATE, **paying.receipt_headers(paid, for_x402=for_x402)}


def _answered(license_: Any, headers: Mapping[str, str]) -> Answered:
    told: dict[str, Any] = {"license": license_.ref, "document": orjson.loads(license_.body)}
    if license_.proof is not None:
        told["proof"] = orjson.loads(license_.proof)
    return Answered(200, headers, orjson.dumps(told).decode())


def _denied(refused: PolicyDenied) -> Response:
    """A policy in the way, with the way on; never a price."""
    told = orjson.loads(problem(403, refused.message, refused.code))
    body = orjson.dumps(told | {"use": refused.use.value, "route": refused.route.value})
    return Response(body, 403, UNCACHED, PROBLEM_TYPE)


def _told(answered: Answered) -> Response:
    return Response(answered.body, answered.status, dict(answered.headers), "application/json")
