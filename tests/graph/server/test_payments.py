"""Licenses that programs pay for: unmodified clients pay, and nothing else that anybody brings is taken."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_utils.crypto import keccak
from mpp import Challenge, Credential, parse_payment_receipt
from mpp.client import Mpp
from mpp.methods.evm import BASE_SEPOLIA_USDC
from mpp.methods.evm import client as evm_client
from mpp.methods.evm._eip3009 import authorization_domain, sign_authorization, to_source
from sqlalchemy import insert, text
from x402 import x402Client
from x402.extensions.bazaar import validate_discovery_extension_spec
from x402.extensions.payment_identifier import (
    append_payment_identifier_to_extensions,
    is_payment_identifier_extension,
)
from x402.http.clients.httpx import x402HttpxClient
from x402.http.utils import (
    decode_payment_required_header,
    decode_payment_response_header,
    encode_payment_signature_header,
)
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact.register import register_exact_evm_client

from db import tables
from db.engine import Database
from db.payments import claim_request, release_request
from domain.ids import parse_ref
from domain.payments import fingerprint
from graph.server.app import create_app
from graph.server.house import house_of
from graph.server.payments import till_of
from graph.server.settings import Environment, Settings, Settlement
from graph.server.signers import KeyFolder
from resolvers.context import uuid7
from tests.graph.albums import SIGNER, draft, made, publish, rows
from tests.graph.buyers import PRICED, key_of, quote, viewer_of
from tests.graph.company import Company, company
from tests.graph.server.dollars import CHAIN_ID, PAYEE, PAYER, POOR, WEALTH, balance, chain
from tests.graph.server.running import Running, running

USES = ("SYNC", "REMIX", "STEMS", "COMMERCIAL_USE")
CHEAP = [{**PRICED, "use": use, "price": {"amountMinor": 5, "currency": "USD"}} for use in USES]
COST = 2 * 5 * 10_000
"""A release and its track, five cents each, in millionths."""


class Shop:
    """A house that sells, over a real socket, and who buys."""

    def __init__(self, here: Company, server: Running, app: Any, release: str) -> None:
        self.here, self.server, self.app, self.release = here, server, app, release
        self.secrets: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"{self.server.address}/api/agents/releases/{self.release}/license"

    async def key(self, who: str) -> str:
        if who not in self.secrets:
            self.secrets[who] = await key_of(self.here, who)
        return self.secrets[who]

    async def quoted(self, who: str = "bo", use: str = "SYNC") -> str:
        told = await quote(self.here, await viewer_of(self.here, await self.key(who)), self.release, use)
        return str(told["id"])

    async def headers(self, who: str = "bo", key: str | None = None, **more: str) -> dict[str, str]:
        told = {"authorization": f"Bearer {await self.key(who)}", "content-type": "application/json"}
        told |= {} if key is None else {"idempotency-key": key}
        return told | {name.replace("_", "-"): value for name, value in more.items()}

    async def post(self, quote_: str, who: str = "bo", key: str | None = None, **more: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=30) as client:
            headers = await self.headers(who, key, **more)
            return await client.post(self.address, content=json.dumps({"quote": quote_}), headers=headers)

    async def challenge(self, quote_: str, method: str, who: str = "bo") -> Challenge:
        told = await self.post(quote_, who)
        assert told.status_code == 402, told.text
        offers = [Challenge.from_www_authenticate(each) for each in told.headers.get_list("www-authenticate")]
        return next(each for each in offers if each.method == method)

    async def tried(self, quote_: str, who: str = "bo") -> str:
        """A credential of the method that costs nothing."""
        return free_credential(await self.challenge(quote_, "casset-test", who))


def free_credential(challenge: Challenge) -> str:
    return Credential(challenge=challenge.to_echo(), payload={"type": "test", "payer": "x"}).to_authorization()


@asynccontextmanager
async def selling(
    new_target: Callable[[], dict[str, Any]], folder: Path, chain_: Any, **more: Any
) -> AsyncIterator[Shop]:
    target = new_target()
    database = Database(target)
    await database.open()
    (folder / "sender").write_text("unused")
    settlement = None if chain_ is None else Settlement(CHAIN_ID, "http://127.0.0.1:9", PAYEE, folder / "sender")
    async with company(database, folder) as here:
        here.house.signer = SIGNER
        told = await here.do("ada", "setPolicy", "policy { id }", subject=here.ids["nova"], terms=CHEAP)
        assert told["__typename"] == "SetPolicySuccess", told
        song = await made(here, "Song")
        release, version = await draft(here, song)
        assert (await publish(here, release, version))["__typename"] == "PublishVersionSuccess"
        app = create_app(Settings(data=folder, settlement=settlement, **more), Database(target))
        app.payments._chain = chain_
        with running(app, lifespan="on") as server:
            yield Shop(here, server, app, release)
    await database.close()


@pytest.fixture(scope="module")
def dollars() -> Iterator[Any]:
    return chain()


@pytest.fixture
async def shop(new_target: Callable[[], dict[str, Any]], tmp_path: Path, dollars: Any) -> AsyncIterator[Shop]:
    async with selling(new_target, tmp_path, dollars) as each:
        yield each


async def licensed(shop: Shop) -> tuple[int, int, int]:
    """(licenses, grants, payments that have not failed)."""
    here = shop.here
    paid = tables.machine_payment.c.state != "FAILED"
    return (
        await here.count(tables.license_),
        await here.count(tables.permission_grant),
        await here.count(tables.machine_payment, paid),
    )


async def test_unmodified_clients_of_x402_and_of_mpp_pay_one_402_and_lost_answers_are_told_again(
    shop: Shop, dollars: Any
) -> None:
    begun = balance(dollars, PAYEE)
    unpaid = await shop.post(await shop.quoted())
    assert (unpaid.status_code, unpaid.headers["cache-control"]) == (402, "no-store")
    assert unpaid.json()["code"] == "PAYMENT_REQUIRED"
    assert unpaid.headers["content-type"] == "application/problem+json"
    assert len(unpaid.headers.get_list("www-authenticate")) == 2

    pays = x402Client()
    register_exact_evm_client(pays, EthAccountSigner(PAYER), networks=f"eip155:{CHAIN_ID}")
    first = await shop.quoted()
    async with x402HttpxClient(pays, timeout=30) as client:
        asked = {"content": json.dumps({"quote": first}), "headers": await shop.headers(key="x402")}
        bought = await client.post(shop.address, **asked)
        assert bought.status_code == 200, bought.text
        assert bought.headers["cache-control"] == "private"
        settled = decode_payment_response_header(bought.headers["payment-response"])
        assert settled.success
        assert settled.network == f"eip155:{CHAIN_ID}"
        assert balance(dollars, PAYEE) == begun + COST
        # The answer was lost: the same request is answered the same, and nothing is paid.
        again = await client.post(shop.address, **asked)
        assert (again.status_code, again.content) == (200, bought.content)
        assert again.headers["payment-receipt"] == bought.headers["payment-receipt"]
        without = await shop.post(first)
        assert (without.status_code, without.json()) == (200, bought.json())
        changed = await client.post(
            shop.address, content=json.dumps({"quote": await shop.quoted(use="STEMS")}), headers=asked["headers"]
        )
        assert (changed.status_code, changed.json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")
    told = bought.json()["document"]["payment"]
    assert (told["method"], told["reference"], told["amount"]) == ("EVM", settled.transaction, str(COST))
    assert told["payer"].lower() == PAYER.address.lower()

    second = await shop.quoted(use="REMIX")
    async with Mpp(methods=[evm_client.charge(currency=BASE_SEPOLIA_USDC, account=PAYER)]) as client:
        body = {"method": "POST", "content": json.dumps({"quote": second}), "timeout": 30}
        bought = await client.fetch(shop.address, **body, headers=await shop.headers(key="mpp"))
    assert bought.status_code == 200, bought.text
    assert parse_payment_receipt(bought.headers["payment-receipt"]).reference.startswith("0x")
    assert balance(dollars, PAYEE) == begun + 2 * COST
    assert await licensed(shop) == (2, 4, 2)
    assert balance(dollars, PAYER.address) == WEALTH - balance(dollars, PAYEE)


async def test_an_offer_says_what_is_asked_for_and_a_payment_that_bears_a_name_is_answered_once(
    shop: Shop, dollars: Any
) -> None:
    one, other = await shop.quoted(), await shop.quoted(use="REMIX")
    pays = x402Client()
    register_exact_evm_client(pays, EthAccountSigner(PAYER), networks=f"eip155:{CHAIN_ID}")

    async def named(quote_: str, name: str) -> str:
        offer = decode_payment_required_header((await shop.post(quote_)).headers["payment-required"])
        append_payment_identifier_to_extensions(offer.extensions, name)
        return encode_payment_signature_header(await pays.create_payment_payload(offer))

    told = decode_payment_required_header((await shop.post(one)).headers["payment-required"]).extensions
    assert validate_discovery_extension_spec(told["bazaar"]).valid
    assert is_payment_identifier_extension(told["payment-identifier"])
    begun, name = balance(dollars, PAYEE), "a-name-of-the-payer"
    first = await shop.post(one, payment_signature=await named(one, name))
    assert first.status_code == 200, first.text
    # The same name answers the same, whatever it is paid with; for something else it is taken.
    again = await shop.post(one, payment_signature=encoded(name))
    assert (again.status_code, again.content) == (200, first.content)
    taken = await shop.post(other, payment_signature=await named(other, name))
    assert (taken.status_code, taken.json()["code"]) == (409, "CONFLICT")
    assert balance(dollars, PAYEE) == begun + COST
    for wrong in ("short", "x" * 129, "a name with spaces", 5):
        assert (await shop.post(other, payment_signature=encoded(wrong))).status_code == 400
    assert await licensed(shop) == (1, 2, 1)


async def test_what_came_in_is_owed_to_the_last_unit_to_those_who_share_it_and_told_to_their_members(
    shop: Shop,
) -> None:
    here = shop.here
    song = (await rows(here, "SELECT ref FROM asset WHERE title = 'Song'"))[0].ref
    for place, (name, points) in enumerate((("Ana", 3_333), ("Ben", 6_667))):
        person = uuid7()
        row = {"id": uuid7(), "asset_id": parse_ref(song).id, "contributor_id": person, "pool": "MASTER"}
        async with here.database.write() as connection:
            await connection.execute(insert(tables.contributor).values(id=person, name=name))
            await connection.execute(insert(tables.split).values(**row, basis_points=points, position=place))
    tried = await shop.quoted(use="STEMS")
    assert (await shop.post(tried, payment_authorization=await shop.tried(tried))).status_code == 200
    # What is tried is owed to nobody.
    assert await here.count(tables.ledger_entry) == 0
    quoted = await shop.quoted()
    taken = await shop.post(quoted, payment_authorization=signed(await shop.challenge(quoted, "evm"), PAYER))
    assert taken.status_code == 200, taken.text
    asked = "query ($id: ID!) { node(id: $id) { ... on License { shares { pool amount contributor { name } artist { handle } } } } }"
    license_ = taken.json()["license"]
    owed, _ = await here.ask("ada", asked, id=license_)
    # Five cents each, in millionths: half of it is the master's.
    assert owed["shares"] == [
        {"pool": "MASTER", "amount": "25000", "contributor": None, "artist": {"handle": "nova"}},
        {"pool": "PUBLISHING", "amount": "50000", "contributor": None, "artist": {"handle": "nova"}},
        {"pool": "MASTER", "amount": "8333", "contributor": {"name": "Ana"}, "artist": None},
        {"pool": "MASTER", "amount": "16667", "contributor": {"name": "Ben"}, "artist": None},
    ]
    assert (await here.ask("bo", asked, id=license_))[0]["shares"] == []
    line = "INSERT INTO ledger_entry (id, payment_id, position, amount) SELECT gen_random_uuid(), payment_id, 99, -1 FROM license WHERE ref = '{}'"
    with pytest.raises(Exception, match="do not balance"):
        async with here.database.write() as connection:
            await connection.exec_driver_sql(line.format(license_))
    with pytest.raises(Exception, match="permission denied"):
        async with here.database.write() as connection:
            await connection.exec_driver_sql("UPDATE ledger_entry SET amount = amount")


def encoded(name: Any) -> str:
    """A payment that is none, but bears a name."""
    return b64encode(json.dumps({"extensions": {"payment-identifier": {"info": {"id": name}}}}).encode()).decode()


def signed(challenge: Challenge, account: Any, *, spelled: bool = True, **changed: Any) -> str:
    """A transfer for a challenge; its nonce is as the specification has it, or as pympp has."""
    told = (
        (challenge.id + challenge.realm)
        if spelled
        else json.dumps([challenge.id, challenge.realm], separators=(",", ":"))
    )
    request = challenge.request
    payload = {
        "type": "authorization",
        "from": account.address,
        "to": request["recipient"],
        "value": request["amount"],
        "validAfter": "0",
        "validBefore": str(int(datetime.now(UTC).timestamp()) + 240),
        "nonce": "0x" + keccak(text=told).hex(),
        **changed,
    }
    asset = BASE_SEPOLIA_USDC
    domain = authorization_domain(name=asset.name, version=asset.version, chain_id=CHAIN_ID, currency=asset.address)
    payload["signature"] = sign_authorization(account, domain=domain, payload=payload)
    source = to_source(address=account.address, chain_id=CHAIN_ID)
    return Credential(challenge=challenge.to_echo(), payload=payload, source=source).to_authorization()


async def test_both_spellings_of_the_nonce_are_taken_and_no_wrong_or_empty_transfer_is(
    shop: Shop, dollars: Any
) -> None:
    before = balance(dollars, PAYEE)
    one = await shop.quoted()
    offer = await shop.challenge(one, "evm")
    wrong = [
        signed(offer, POOR),
        signed(offer, PAYER, value=str(COST - 1)),
        signed(offer, PAYER, to=POOR.address),
        signed(offer, PAYER, nonce="0x" + "00" * 32),
        signed(offer, PAYER, validBefore="1"),
        signed(offer, PAYER, validBefore=str(int(datetime.now(UTC).timestamp()) + 86_400)),
    ]
    for credential in wrong:
        told = await shop.post(one, payment_authorization=credential)
        assert (told.status_code, told.headers["cache-control"]) == (402, "no-store"), told.text
    assert (balance(dollars, PAYEE), await licensed(shop)) == (before, (0, 0, 0))
    taken = await shop.post(one, payment_authorization=signed(offer, PAYER))
    assert taken.status_code == 200, taken.text
    two = await shop.quoted(use="REMIX")
    again = signed(await shop.challenge(two, "evm"), PAYER, spelled=False)
    assert (await shop.post(two, payment_authorization=again)).status_code == 200
    # What was paid with for one quote pays for no other.
    three = await shop.quoted(use="STEMS")
    assert (await shop.post(three, payment_authorization=again)).status_code in {402, 403}
    assert await licensed(shop) == (2, 4, 2)


async def test_whatever_else_is_brought_is_not_taken(shop: Shop) -> None:
    """Missing, stale, replayed, of another resource, of another key, of another body, expired, malformed."""
    quoted = await shop.quoted()
    good = await shop.tried(quoted)
    other = await shop.quoted()
    # Of another quote (and so of another body), and of another's key with a quote of their own.
    assert (await shop.post(other, payment_authorization=good)).status_code == 402
    theirs = await shop.here.do("cy", "createArtist", "artist { id }", handle="cyan", name="Cyan", kind="CREATOR")
    assert theirs["__typename"] == "ArtistSuccess"
    foreign = await shop.quoted("cy")
    assert (await shop.post(foreign, "cy", payment_authorization=good)).status_code == 402
    # Another's quote is not there, whatever is brought; without a key nobody is told a price.
    assert (await shop.post(quoted, "cy", payment_authorization=good)).status_code == 404
    async with httpx.AsyncClient() as client:
        bare = await client.post(shop.address, json={"quote": quoted}, headers={"payment-authorization": good})
        assert (bare.status_code, bare.json()["code"]) == (401, "UNAUTHENTICATED")
        # Another resource: the same quote at another address.
        elsewhere = shop.address.replace("/releases/", "/assets/")
        headers = await shop.headers(payment_authorization=good)
        assert (await client.post(elsewhere, content=json.dumps({"quote": quoted}), headers=headers)).status_code == 402
        # Another body, whose digest the challenge does not have.
        body = json.dumps({"quote": quoted}, indent=1)
        assert (await client.post(shop.address, content=body, headers=headers)).status_code == 402
        for body in (
            b"",
            b"[]",
            b"{}",
            b'{"quote": 1}',
            b'{"quote": "x"}',
            b'{"quote": "release_01jd0000000000000000000000"}',
        ):
            assert (await client.post(shop.address, content=body, headers=headers)).status_code == 400, body
        assert (await client.post(shop.address, content=b" " * 5000, headers=headers)).status_code == 413
    # Forged and malformed.
    challenge = await shop.challenge(quoted, "casset-test")
    for altered in ({"expires": "2999-01-01T00:00:00Z"}, {"id": "x" * 43}, {"digest": None}):
        echo = challenge.to_echo()
        forged = Credential(
            challenge=type(echo)(**{**_fields(echo), **altered}), payload={"type": "test", "payer": "x"}
        )
        assert (await shop.post(quoted, payment_authorization=forged.to_authorization())).status_code == 402
    for malformed in ("Payment x", "Payment " + "A" * 200, "Bearer x", ""):
        assert (await shop.post(quoted, payment_authorization=malformed)).status_code == 402
    for malformed in ("x", "e30=", "bnVsbA==", "W10="):
        assert (await shop.post(quoted, payment_signature=malformed)).status_code == 402
    # While somebody works on it, it is waited for; what was left lying is taken up.
    body, path = json.dumps({"quote": quoted}).encode(), f"/api/agents/releases/{shop.release}/license"
    principal = str((await viewer_of(shop.here, await shop.key("bo"))).key)
    running_ = shop.here.keys["bo"], "busy", fingerprint("POST", path, body, principal)
    assert await claim_request(shop.here.database, *running_) is None
    assert (await shop.post(quoted, key="busy")).status_code == 409
    await release_request(shop.here.database, *running_[:2])
    assert (await shop.post(quoted, key="busy")).status_code == 402
    assert (await shop.post(quoted, key="k k")).status_code == 400
    long = await shop.post(quoted, key="k" * 101)
    assert (long.status_code, long.json()["code"]) == (400, "BAD_USER_INPUT")
    assert await licensed(shop) == (0, 0, 0)
    # The good one is still good, once.
    assert (await shop.post(quoted, key="once", payment_authorization=good)).status_code == 200
    assert (await shop.post(other, payment_authorization=good)).status_code == 409  # Its terms are granted by now.
    # The same key from another tenant is another key.
    assert (
        await shop.post(foreign, "cy", key="once", payment_authorization=await shop.tried(foreign, "cy"))
    ).status_code == 200
    assert await licensed(shop) == (2, 2 + 2, 2)


def _fields(echo: Any) -> dict[str, Any]:
    return {name: getattr(echo, name) for name in echo.__dataclass_fields__}


async def test_policy_and_time_come_before_any_price(shop: Shop) -> None:
    quoted = await shop.quoted()
    good = await shop.tried(quoted)
    terms = [{"use": "SYNC", "decision": "DENIED"}]
    told = await shop.here.do("ada", "setPolicy", "policy { id }", subject=shop.release, terms=terms)
    assert told["__typename"] == "SetPolicySuccess"
    for credential in ({}, {"payment_authorization": good}):
        refused = await shop.post(quoted, **credential)
        assert (refused.status_code, refused.json()["code"]) == (403, "POLICY_DENIED")
        assert (refused.json()["use"], refused.json()["route"]) == ("SYNC", "NONE")
        assert "www-authenticate" not in refused.headers
        assert "payment-required" not in refused.headers
    await shop.here.do("ada", "withdrawPolicy", "flipped { count }", subject=shop.release)
    async with shop.here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.execute(text("UPDATE license_quote SET expires_at = now() - interval '1 s'"))
    over = await shop.post(quoted, payment_authorization=good)
    assert (over.status_code, over.json()["code"]) == (409, "CONFLICT")
    assert await licensed(shop) == (0, 0, 0)


async def test_twenty_at_once_are_one_license(shop: Shop) -> None:
    quoted = await shop.quoted()
    # One credential under many keys, many credentials under no key, and all under one key.
    same = await shop.tried(quoted)
    several = [await shop.tried(quoted) for _ in range(4)]
    asked = [shop.post(quoted, key=f"k{n}", payment_authorization=same) for n in range(8)]
    asked += [shop.post(quoted, payment_authorization=each) for each in several * 2]
    asked += [shop.post(quoted, key="one", payment_authorization=same) for _ in range(4)]
    answers = await asyncio.gather(*asked)
    good = [each for each in answers if each.status_code == 200]
    assert good
    assert {each.content for each in good} == {good[0].content}
    assert {each.status_code for each in answers} <= {200, 402, 403, 409}
    assert await licensed(shop) == (1, 2, 1)


async def test_what_was_settled_is_granted_though_the_house_fell_over_in_between(shop: Shop, dollars: Any) -> None:
    quoted = await shop.quoted()
    offer = await shop.challenge(quoted, "evm")
    credential = signed(offer, PAYER)
    before = balance(dollars, PAYEE)
    # It fell over once the transfer was on its way: it is noted as submitted, and nothing else is.
    async with shop.here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.exec_driver_sql("REVOKE INSERT ON license FROM casset_app")
    assert (await shop.post(quoted, key="k", payment_authorization=credential)).status_code == 500
    async with shop.here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.exec_driver_sql("GRANT INSERT ON license TO casset_app")
        await connection.exec_driver_sql("UPDATE machine_payment SET state = 'SUBMITTED', settled_at = NULL")
    assert balance(dollars, PAYEE) == before + COST
    assert await licensed(shop) == (0, 0, 1)
    later = await shop.post(quoted, key="k", payment_authorization=credential)
    assert later.status_code == 200, later.text
    assert balance(dollars, PAYEE) == before + COST
    assert await licensed(shop) == (1, 2, 1)
    # What no block has is waited for, and nobody is told to pay again.
    lost = await shop.quoted(use="REMIX")
    async with shop.here.database.write() as connection:
        row = "INSERT INTO machine_payment (id, quote_id, account_id, method, state, amount, reference) SELECT gen_random_uuid(), id, account_id, 'EVM', 'SUBMITTED', '1', '0x{}' FROM license_quote WHERE ref = '{}'"
        await connection.exec_driver_sql(row.format("0" * 64, lost))
    for _ in range(2):
        waits = await shop.post(lost)
        assert (waits.status_code, waits.json()["code"]) == (409, "CONFLICT")


async def test_production_takes_no_tests_and_a_storm_is_told_to_wait(
    new_target: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    async with selling(new_target, tmp_path, None, environment=Environment.PRODUCTION) as shop:
        quoted = await shop.quoted()
        told = await shop.post(quoted)
        assert (told.status_code, told.json()["code"]) == (501, "NOT_OFFERED")
        shop.app.payments._asked_for = shop.app.payments._asked_for._replace(
            buckets=type(shop.app.payments._asked_for.buckets)(3, 0.01)
        )
        # What is asked for in vain is counted, too, and leaves no key behind once it is too much.
        gone = "quote_01jd0000000000000000000000"
        statuses = [(await shop.post(gone, key=f"vain-{number}")).status_code for number in range(2)]
        assert statuses == [404, 404]
        statuses = [(await shop.post(quoted)).status_code for _ in range(3)]
        assert statuses == [501, 429, 429]
        claims = await shop.here.count(tables.request_claim)
        assert (await shop.post(gone, key="one-more")).status_code == 429
        assert await shop.here.count(tables.request_claim) == claims
        assert int((await shop.post(quoted)).headers["retry-after"]) > 0


def test_the_secret_of_challenges_is_that_of_the_keys(tmp_path: Path) -> None:
    KeyFolder(tmp_path / "keys").begin("casset.example")
    tills = [till_of(house_of(Settings(data=tmp_path)), None, realm="x", tries=False) for _ in range(2)]
    assert tills[0] == tills[1]
    KeyFolder(tmp_path / "others").begin("casset.example")
    others = till_of(house_of(Settings(data=tmp_path, keys=tmp_path / "others")), None, realm="x", tries=False)
    assert others.secret != tills[0].secret
    assert tills[0].secret not in repr(tills[0])
