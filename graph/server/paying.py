"""The wire of machine payments: one 402 with an MPP challenge for every method and an x402 offer, made by `pympp`.

A challenge is bound to the request's method, address and body, to the quote, and to who asks: what was paid for
something else, or by somebody else's key, is not taken here. Imported when somebody pays.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson
from mpp import Credential, Receipt
from mpp.errors import CredentialReplayedError, PaymentError
from mpp.methods import Method
from mpp.methods.evm.intents import CREDENTIAL_TYPE
from mpp.methods.evm.intents import charge as evm_charge
from mpp.server.http import PaymentVerified
from mpp.server.http import Request as Asked
from mpp.server.method import RequestContext, ServerMethod, ValidateContext, VerifyContext
from mpp.server.mpp import Mpp
from mpp.x402._header import encode_payment_response
from pydantic import BaseModel, ConfigDict, Field

from db.engine import Database
from db.payments import Claims, Paid, add_payment
from domain.errors import Code, NotOffered
from domain.payments import CHALLENGE_LASTS, NotSettled, PaymentMethod, PaymentState
from graph.server.evm import Bill, Chain, Charge
from graph.server.extensions import extended
from resolvers.context import Acting
from resolvers.payments import Ready

if TYPE_CHECKING:
    from graph.server.payments import Till

TEST_METHOD = "casset-test"
"""A payment that costs nothing, for where nothing is sold; never offered in production."""
_CODES = {402: Code.PAYMENT_REQUIRED, 403: Code.FORBIDDEN, 400: Code.BAD_USER_INPUT}


class _TestRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: str = Field(pattern=r"^[0-9]{1,78}$")
    currency: str
    extra: dict[str, str]


class _TestPayload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["test"]
    payer: str = Field(max_length=100)


_TEST: Method[_TestRequest, _TestPayload] = Method(
    name=TEST_METHOD, intent="charge", request_model=_TestRequest, payload_model=_TestPayload
)


def bill_of(acting: Acting, ready: Ready) -> Bill:
    """What is paid for."""
    buyer = hashlib.sha256(f"{acting.viewer.key or acting.viewer.account}".encode()).hexdigest()[:32]
    return Bill(acting.new_id(), ready.row.account_id, ready.quote.id, buyer)


Refused = tuple[int, Sequence[tuple[str, str]], bytes]
"""(status, headers, problem) of an answer that is not paid for."""


class Counter:
    """Takes one payment, for one quote."""

    def __init__(self, database: Database, till: Till, chain: Chain | None, bill: Bill, turn: asyncio.Lock) -> None:
        """Take it on a chain, where there is one, when it is its turn."""
        self._database, self._till, self._bill, self._turn = database, till, bill, turn
        methods = [] if chain is None or till.settlement is None else [self._on_chain(chain, till.settlement.payee)]
        self._methods = [*methods, *([self._tried()] if till.tries else [])]

    async def ask(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, ready: Ready
    ) -> Refused | None:
        """None where the request brings a payment that is settled now; else what to pay, or why it is not taken.

        Raises:
            NotOffered: nothing is sold here.
            NotSettled: a payment is on its way, and nobody knows yet how it ends.
        """
        if not self._methods:
            raise NotOffered("This house was not set up to be paid by programs.")
        bound: dict[str, Any] = {"realm": self._till.realm, "secret_key": self._till.secret}
        till = Mpp(self._methods, **bound, store=Claims(self._database), requires_auth=True)
        quote = str(ready.quote)
        price = till["charge"](
            amount=ready.amount,
            extra={"quote": quote},
            body=body,
            meta={"quote": quote, "bound_to": ready.row.bound_to, "buyer": self._bill.buyer},
            expires=min(ready.row.expires_at, datetime.now(UTC) + CHALLENGE_LASTS).astimezone(UTC).isoformat(),
            description=f"A license on {ready.asset}",
        )
        try:
            result = await price(Asked(method, url, headers, body))
        except PaymentError as error:
            return error.status, [("cache-control", "no-store")], _problem(error.to_problem_details())
        if isinstance(result, PaymentVerified):
            return None
        told = result.challenge
        kept = [
            (name, extended(value) if name == "payment-required" else value)
            for name, value in told.headers.multi_items()
            if name != "content-type"
        ]
        return told.status, kept, _problem(orjson.loads(told.body or b"{}"))

    def _on_chain(self, chain: Chain, payee: str) -> ServerMethod:
        asset, charge = chain.asset, Charge(self._database, chain, self._bill, self._turn)

        def resolved(context: RequestContext) -> dict[str, Any]:
            details = {"chainId": asset.chain_id, "credentialTypes": [CREDENTIAL_TYPE], "decimals": asset.decimals}
            return {**_given(context), "currency": asset.address, "recipient": payee, "methodDetails": details}

        async def validate(context: ValidateContext) -> Any:
            return await charge.validate(_native(context.credential), context.challenge.request)

        async def broadcast(context: VerifyContext) -> Receipt:
            return await charge.broadcast(_native(context.credential), context.challenge.request)

        return ServerMethod(
            method=evm_charge, validate=validate, broadcast=broadcast, resolve_request=resolved, x402=charge
        )

    def _tried(self) -> ServerMethod:
        def resolved(context: RequestContext) -> dict[str, Any]:
            return {**_given(context), "currency": "TEST"}

        async def verify(context: VerifyContext) -> Receipt:
            challenge, bill = context.challenge, self._bill
            reference = f"test_{hashlib.sha256(challenge.id.encode()).hexdigest()[:32]}"
            if not await Claims(self._database).put_if_absent(f"{TEST_METHOD}:{challenge.id}", reference):
                raise CredentialReplayedError("This was paid with before.")
            payload: Any = context.credential.payload
            told = PaymentMethod.TEST, PaymentState.SETTLED, reference, None, payload.payer
            paid = Paid(bill.id, *told, context.request["amount"])
            async with self._database.write() as connection:
                if not await add_payment(connection, bill.quote, bill.account, paid):
                    raise NotSettled("Another payment was faster. Ask again; do not pay again.")
            return Receipt("success", datetime.now(UTC), reference, TEST_METHOD)

        return ServerMethod(method=_TEST, verify=verify, resolve_request=resolved)


def _given(context: RequestContext) -> dict[str, Any]:
    return {"amount": context.request["amount"], "extra": context.request["extra"]}


def _native(credential: Credential) -> Credential:
    """The credential with its payload as it came over the wire."""
    payload: Any = credential.payload
    if isinstance(payload, BaseModel):
        payload = payload.model_dump(mode="json", by_alias=True)
    return replace(credential, payload=payload)


def _problem(details: Mapping[str, Any]) -> bytes:
    """A problem of theirs (RFC 9457), with the code that all of ours have."""
    code = _CODES.get(details.get("status", 402), Code.INTERNAL)
    return orjson.dumps({**details, "code": code.value})


def receipt_headers(paid: Paid, *, for_x402: bool) -> dict[str, str]:
    """What says of a paid answer how it was paid, as both protocols have it."""
    name = TEST_METHOD if paid.method is PaymentMethod.TEST else paid.method.value.lower()
    headers = {"payment-receipt": Receipt("success", datetime.now(UTC), paid.reference, name).to_payment_receipt()}
    if for_x402 and paid.network is not None:
        told: Any = {"success": True, "transaction": paid.reference, "network": paid.network, "payer": paid.payer}
        headers["payment-response"] = encode_payment_response(told)
    return headers
