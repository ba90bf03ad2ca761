"""Quotes, licenses and derivatives of programs: policy first, granted as quoted, and seen by whose work it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from db import tables
from db.accounts import viewer_of_account
from db.engine import Database
from db.media import playable_track
from domain.errors import Moved
from domain.ids import parse_ref
from domain.keys import KeyScope
from domain.signatures import verified
from resolvers.callers import Caller
from resolvers.context import Acting, now, uuid7
from resolvers.payments import ready_to_pay
from tests.graph.albums import KEYS, SIGNER, draft, made, publish, rows, sound
from tests.graph.buyers import BUYS, PRICED, act, key_of, paid_for, quote, read, viewer_of
from tests.graph.company import Company, company

SHA256 = "ab" * 32
DERIVED = "childId edgeId status registration parent { id }"


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as each:
        each.house.signer = SIGNER
        yield each


async def stated(here: Company, who: str, subject: str, *terms: dict[str, Any]) -> None:
    told = await here.do(who, "setPolicy", "policy { id }", subject=subject, terms=list(terms))
    assert told["__typename"] == "SetPolicySuccess", told


async def out(here: Company, *more: str) -> tuple[str, str]:
    """(release, track) of Nova's, published."""
    song = await made(here, "Song")
    for each in more:
        await sound(here, each, None)
    release, version = await draft(here, song, *more)
    assert (await publish(here, release, version))["__typename"] == "PublishVersionSuccess"
    return release, song


def term(use: str, decision: str, **more: Any) -> dict[str, Any]:
    return {"use": use, "decision": decision, **more}


async def decision(here: Company, viewer: Any, asset: str, **given: Any) -> str:
    document = """query ($ids: [ID!]!, $territory: String, $asOf: DateTime) {
      permissionCheck(ids: $ids, uses: [SYNC], territory: $territory, asOf: $asOf) { decision } }"""
    (answer,) = await read(here, viewer, document, ids=[asset], **given)
    return str(answer["decision"])


async def test_a_license_opens_the_use_to_its_artist_alone_within_what_was_bought(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], {**PRICED, "endsOn": str((now() + timedelta(days=9)).date())})
    release, song = await out(here)
    buyer = await viewer_of(here, await key_of(here, "bo"))
    other = await viewer_of(here, await key_of(here, "cy"))
    quoted = await quote(here, buyer, release, "SYNC", territory="DE")
    assert quoted["boundTo"].startswith("sha256:")
    assert quoted["grantee"]["handle"] == "far"
    # The release and its track, each once for both layers.
    assert sorted(need["asset"]["id"] for need in quoted["clears"]) == sorted([release, song])
    assert all(need["layers"] == ["MASTER", "COMPOSITION"] for need in quoted["clears"])
    assert quoted["price"] == {"amountMinor": 1000, "currency": "USD"}
    assert quoted["settlement"] == {
        "amount": "10000000",
        "asset": "USDC",
        "decimals": 6,
        "reference": quoted["id"],
        "unpayable": None,
    }
    assert quoted["stillNeeded"] == []
    assert quoted["license"] is None
    signed = {**json.loads(quoted["body"]), "proof": json.loads(quoted["proof"])}
    verified(signed, KEYS)

    assert await decision(here, buyer, release, territory="DE") == "LICENSE_REQUIRED"
    taken = await paid_for(here, buyer, quoted)
    assert await decision(here, buyer, release, territory="DE") == "ALLOWED"
    assert await decision(here, other, release, territory="DE") == "LICENSE_REQUIRED"
    assert await decision(here, buyer, release) == "LICENSE_REQUIRED"
    assert await decision(here, buyer, release, territory="FR") == "LICENSE_REQUIRED"
    (over,) = await rows(here, "SELECT max(ends_on) AS ends_on FROM term WHERE decision = 'ALLOWED'")
    assert over.ends_on == (now() + timedelta(days=9)).date()

    kinds = await rows(here, "SELECT kind, body FROM provenance_event WHERE kind = 'LICENSE_GRANTED'")
    assert len(kinds) == 2
    assert all(taken["license"] in row.body and "far" not in row.body for row in kinds)
    again = await paid_for(here, buyer, quoted)
    assert again == taken
    assert await here.count(tables.license_) == 1
    assert await here.count(tables.permission_grant) == 2

    seen = "query ($id: ID!) { node(id: $id) { ... on License { owner { handle } grantee { handle } payment { method price { amountMinor } } } } }"
    told = {
        "owner": {"handle": "nova"},
        "grantee": {"handle": "far"},
        "payment": {"method": "TEST", "price": {"amountMinor": 1000}},
    }
    assert await read(here, buyer, seen, id=taken["license"]) == told
    assert await read(here, other, seen, id=taken["license"]) is None
    assert (await here.ask("ada", seen, id=taken["license"]))[0] == told
    assert (await here.ask("cy", seen, id=taken["license"]))[0] is None


async def test_what_is_closed_or_to_be_asked_for_is_refused_with_the_way_on_and_never_priced(here: Company) -> None:
    release, song = await out(here)
    buyer = await viewer_of(here, await key_of(here, "bo"))
    cases = [
        ((), "AI_TRAINING", "CONTACT"),  # Nobody has spoken: they are asked, and not quoted as refusing.
        ((term("AI_TRAINING", "DENIED"),), "AI_TRAINING", "NONE"),
        ((term("REMIX", "CONTACT_OWNER"),), "REMIX", "CONTACT"),
    ]
    for terms, use, route in cases:
        if terms:
            for subject in (release, song):
                await stated(here, "ada", subject, *terms)
        told = await quote(here, buyer, release, use)
        assert (told["code"], told["use"], told["route"]) == ("POLICY_DENIED", use, route), told
    assert await here.count(tables.license_quote) == 0
    # One use that is closed closes all of what is asked together.
    await stated(here, "ada", release, PRICED, term("AI_TRAINING", "DENIED"))
    assert (await quote(here, buyer, release, "SYNC", "AI_TRAINING"))["code"] == "POLICY_DENIED"


async def test_every_owner_in_the_way_is_listed_and_a_payment_clears_its_own_alone(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], PRICED)
    await stated(here, "bo", here.ids["far"], {**PRICED, "price": {"amountMinor": 70, "currency": "EUR"}})
    release, song = await out(here, here.ids["other"])
    buyer = await viewer_of(here, await key_of(here, "cy", artist=None))
    assert (await quote(here, buyer, release, "SYNC"))["path"] == ["grantee"]  # Cy acts for nobody.
    told = await here.do("cy", "createArtist", "artist { id }", handle="cyan", name="Cyan", kind="CREATOR")
    assert told["__typename"] == "ArtistSuccess", told
    buyer = await viewer_of(here, await key_of(here, "cy"))
    quoted = await quote(here, buyer, release, "SYNC")
    assert {need["owner"]["handle"] for need in quoted["clears"]} == {"nova"}
    assert [(need["owner"]["handle"], need["asset"]["id"], need["price"]) for need in quoted["stillNeeded"]] == [
        ("far", here.ids["other"], {"amountMinor": 70})
    ]
    await paid_for(here, buyer, quoted)
    assert await decision(here, buyer, release) == "LICENSE_REQUIRED"
    assert await decision(here, buyer, song) == "ALLOWED"
    foreign = await quote(here, buyer, here.ids["other"], "SYNC")
    assert foreign["settlement"]["unpayable"] == "OTHER_CURRENCY"
    assert foreign["settlement"]["amount"] is None
    assert foreign["price"] == {"amountMinor": 70, "currency": "EUR"}


async def test_a_quote_is_for_who_asked_and_may_be_paid_as_long_as_it_says_what_holds(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], PRICED)
    release, song = await out(here)
    buyer = await viewer_of(here, await key_of(here, "bo"))
    quoted = await quote(here, buyer, release, "SYNC")
    asset, ref = parse_ref(release), parse_ref(quoted["id"])

    async def ready(viewer: Any = buyer, on: Any = asset, clock: Any = now) -> str:
        try:
            return (
                await ready_to_pay(Acting(here.database, viewer, clock, uuid7, Caller(here.house, "x")), on, ref)
            ).amount
        except Exception as error:
            return f"{type(error).__name__}"

    assert await ready() == "10000000"
    assert await ready(await viewer_of(here, await key_of(here, "cy"))) == "NotFound"
    assert await ready(clock=lambda: now() + timedelta(minutes=16)) == "Moved"
    unseen = "query ($id: ID!) { node(id: $id) { id } }"
    assert await read(here, await viewer_of(here, await key_of(here, "dee")), unseen, id=quoted["id"]) is None
    # Another price, then a refusal, then another version that is out.
    await stated(here, "ada", song, {**PRICED, "price": {"amountMinor": 501, "currency": "USD"}})
    assert await ready() == Moved.__name__
    await stated(here, "ada", song, term("SYNC", "DENIED"))
    assert await ready() == "PolicyDenied"
    await here.do("ada", "withdrawPolicy", "flipped { count }", subject=song)
    assert await ready() == "10000000"
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.execute(update(tables.release).values(current_version_id=None))
    assert await ready() in {"Moved", "PolicyDenied", "NotFound"}


async def test_a_price_that_no_person_stated_is_nobodys_to_take(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], PRICED)
    release, _ = await out(here)
    async with here.database.write() as connection:
        # As an import writes it.
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.exec_driver_sql("ALTER TABLE policy DISABLE TRIGGER USER")
        await connection.execute(update(tables.policy).values(stated_by_id=None))
    quoted = await quote(here, await viewer_of(here, await key_of(here, "bo")), release, "SYNC")
    assert quoted["settlement"]["unpayable"] == "NOBODY_SPOKE"
    assert quoted["price"] is None


async def test_scopes_and_owners_decide_who_asks_and_requests_come_once(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], PRICED)
    release, _ = await out(here)
    narrow = await viewer_of(here, await key_of(here, "bo", {KeyScope.READ}))
    assert (await quote(here, narrow, release, "SYNC"))["code"] == "FORBIDDEN"
    buyer = await viewer_of(here, await key_of(here, "bo"))
    assert (await quote(here, buyer, release, "SYNC", grantee=here.ids["nova"]))["code"] == "NOT_FOUND"
    owner = await viewer_of(here, await key_of(here, "ada"))
    assert (await quote(here, owner, release, "SYNC"))["code"] == "VALIDATION"
    hidden = await made(here, "Hidden")
    assert (await quote(here, buyer, hidden, "SYNC"))["code"] == "NOT_FOUND"
    once = await quote(here, buyer, release, "SYNC", idempotencyKey="k")
    assert (await quote(here, buyer, release, "SYNC", idempotencyKey="k"))["id"] == once["id"]
    assert (await quote(here, buyer, release, "REMIX", idempotencyKey="k"))["code"] in {
        "IDEMPOTENCY_MISMATCH",
        "POLICY_DENIED",
    }
    assert await here.count(tables.license_quote) == 1


async def test_a_license_opens_the_sound_for_a_while_and_an_ended_grant_opens_nothing(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], PRICED)
    release, song = await out(here)
    buyer = await viewer_of(here, await key_of(here, "bo"))
    await here.alter(tables.media, {"duration_ms": 60_000})
    taken = await paid_for(here, buyer, await quote(here, buyer, release, "SYNC"))

    async def opened(viewer: Any, track: str = song) -> Any:
        return await act(here, viewer, "openAccess", "url durationMs", license=taken["license"], track=track)

    told = await opened(buyer)
    assert told["durationMs"] == 60_000
    assert told["url"].startswith(f"/api/audio/{song}?token=")
    assert await here.count(tables.access_grant) == 1
    assert len(await rows(here, "SELECT 1 FROM provenance_event WHERE kind = 'ACCESS_GRANTED'")) == 1
    assert (await opened(await viewer_of(here, await key_of(here, "cy"))))["code"] == "NOT_FOUND"
    assert [await hears(here, who, song) for who in ("bo", "cy")] == [True, False]
    assert (await opened(buyer, here.ids["other"]))["code"] == "NOT_FOUND"
    for grant in await rows(here, "SELECT ref FROM permission_grant"):
        assert (await here.do("ada", "endGrant", "asset { id }", id=grant.ref))["__typename"] == "EndGrantSuccess"
    assert (await opened(buyer))["code"] == "NOT_FOUND"
    # What was opened before is asked about again at every request.
    assert not await hears(here, "bo", song)


async def hears(here: Company, who: str, track: str) -> bool:
    """Whether an account is entitled to all of a track."""
    async with here.database.read() as connection:
        viewer = await viewer_of_account(connection, here.keys[who])
        playable = await playable_track(connection, viewer, parse_ref(track).id)
    return playable is not None and playable.entitled


async def test_a_derivative_is_registered_with_the_grant_it_has_and_the_parents_owner_sees_it(here: Company) -> None:
    await stated(here, "ada", here.ids["track"], {**PRICED, "use": "DERIVATIVE_REGISTRATION"})
    buyer = await viewer_of(here, await key_of(here, "bo"))
    parent = here.ids["track"]

    async def register(viewer: Any, **given: Any) -> Any:
        return await act(here, viewer, "registerDerivative", DERIVED, parent=parent, kind="REMIX_OF", **given)

    waits = await register(buyer, child=here.ids["other"], idempotencyKey="d")
    assert (waits["status"], waits["registration"], waits["childId"]) == ("CLAIMED", "PENDING", here.ids["other"])
    assert await register(buyer, child=here.ids["other"], idempotencyKey="d") == waits
    await paid_for(here, buyer, await quote(here, buyer, parent, "DERIVATIVE_REGISTRATION"))
    new = {"kind": "TRACK", "title": "Remix", "sha256": SHA256}
    done = await register(buyer, new=new, idempotencyKey="n")
    assert (done["status"], done["registration"]) == ("CONFIRMED", "REGISTERED")
    assert await register(buyer, new=new, idempotencyKey="n") == done
    (row,) = await rows(
        here,
        "SELECT asset.state, asset.owner_id, media.sha256 FROM asset JOIN media ON media.asset_id = asset.id WHERE title = 'Remix'",
    )
    assert (row.state, row.owner_id, row.sha256) == ("PRIVATE", here.keys["far"], SHA256)
    assert len(await rows(here, "SELECT 1 FROM provenance_event WHERE kind = 'DERIVATIVE_REGISTERED'")) == 1
    # Not somebody else's child, not both, not neither, not a release, not what is made of it.
    assert (await register(buyer, child=here.ids["release"]))["code"] == "NOT_FOUND"
    assert (await register(buyer, child=here.ids["other"], new=new))["code"] == "VALIDATION"
    assert (await register(buyer))["code"] == "VALIDATION"
    assert (await register(buyer, new={**new, "kind": "RELEASE"}))["code"] == "VALIDATION"
    assert (await register(await viewer_of(here, await key_of(here, "bo", {KeyScope.LICENSE})), new=new))[
        "code"
    ] == "FORBIDDEN"
    seen = "query ($id: ID!) { asset(id: $id) { derivedCount children { nodes { status kind } } } }"
    told, _ = await here.ask("ada", seen, id=parent)
    assert told["derivedCount"] == 2
    assert {node["status"] for node in told["children"]["nodes"]} >= {"CLAIMED"}


async def test_members_read_what_programs_asked_of_their_work_and_nobody_else_does(here: Company) -> None:
    await stated(here, "ada", here.ids["nova"], PRICED)
    release, _ = await out(here)
    buyer = await viewer_of(here, await key_of(here, "bo"))
    assert (await quote(here, buyer, release, "AI_TRAINING"))["code"] == "POLICY_DENIED"
    await paid_for(here, buyer, await quote(here, buyer, release, "SYNC"))
    own = await viewer_of(here, await key_of(here, "ada"))
    await quote(here, own, release, "SYNC")
    asked = """{ artist(handle: "nova") { usage(first: 10) { totalCount nodes {
      kind agent handle asset { id } uses decision } } } }"""
    told, _ = await here.ask("ada", asked)
    line = {"agent": "bo's crawler", "handle": "bo", "asset": {"id": release}}
    assert told["usage"]["nodes"] == [
        {**line, "kind": "LICENSE", "uses": ["SYNC"], "decision": "ALLOWED"},
        {**line, "kind": "QUOTE", "uses": ["SYNC"], "decision": "LICENSE_REQUIRED"},
        {**line, "kind": "QUOTE", "uses": ["AI_TRAINING"], "decision": "CONTACT_OWNER"},
    ]
    for who in ("bo", None):
        assert (await here.ask(who, asked))[0]["usage"]["totalCount"] == 0
    writes = await viewer_of(here, await key_of(here, "ada", {*BUYS, KeyScope.ASSETS_WRITE}, "nova"))
    assert (await read(here, writes, asked))["usage"]["totalCount"] == 0


async def test_nothing_of_a_quote_or_a_license_is_rewritten_by_who_serves(here: Company) -> None:
    for table in (tables.license_quote, tables.license_, tables.agent_use, tables.access_grant):
        with pytest.raises(Exception, match="permission denied"):
            async with here.database.write() as connection:
                await connection.execute(update(table).values(created_at=now()))
    async with here.database.read() as connection:
        assert (await connection.execute(select(tables.license_.c.id))).first() is None
