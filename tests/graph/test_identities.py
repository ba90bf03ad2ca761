"""What another house vouches for, as its account sees it: by nobody else, and never the last way in that goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref
from graph.execution import Execution
from resolvers.context import uuid7
from tests.graph.company import Company, company

NOBODYS = "identity_01jd0000000000000000000000"
LOCKED = "SELECT FROM account WHERE handle = 'ada' FOR UPDATE"


@pytest.fixture(params=Execution, ids=lambda execution: execution.name)
async def here(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path, request.param) as each:
        yield each


async def link(here: Company, name: str, provider: str) -> str:
    """Link an identity to somebody's account."""
    id_ = uuid7()
    row = {"provider": provider, "issuer": f"https://{provider}.example", "subject": f"{name}-there"}
    async with here.database.write() as connection:
        who = {"account_id": here.keys[name], "email": f"{name}@example.com"}
        await connection.execute(insert(tables.identity).values(id=id_, **row, **who))
    return str(Ref(Kind.IDENTITY, id_))


async def give_password(here: Company, name: str) -> None:
    async with here.database.write() as connection:
        await connection.execute(insert(tables.password).values(account_id=here.keys[name], encoded="x"))


async def identities(here: Company, who: str) -> list[Any]:
    asked = "{ viewer { account { identities { nodes { id provider email createdAt } totalCount } } } }"
    found = (await here.ask(who, asked))[0]["account"]["identities"]
    assert found["totalCount"] == len(found["nodes"])
    return list(found["nodes"])


async def unlink(here: Company, who: str | None, id_: str, **more: Any) -> Any:
    asked = "account { handle identities { nodes { provider } } }"
    return await here.do(who, "unlinkIdentity", asked, id=id_, **more)


async def test_what_is_linked_is_known_to_its_account_only(here: Company) -> None:
    id_ = await link(here, "ada", "google")
    await link(here, "bo", "spotify")
    (own,) = await identities(here, "ada")
    assert own | {"createdAt": ""} == {"id": id_, "provider": "google", "email": "ada@example.com", "createdAt": ""}
    document = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await here.ask("ada", document, id=id_))[0] == {"id": id_}
    for who in ("bo", None):
        assert (await here.ask(who, document, id=id_))[1] == (await here.ask(who, document, id=NOBODYS))[1]


async def test_what_is_unlinked_is_gone_and_the_rest_stays(here: Company) -> None:
    google, apple = await link(here, "ada", "google"), await link(here, "ada", "apple")
    told = await unlink(here, "ada", google, idempotencyKey="one")
    assert told["account"] == {"handle": "ada", "identities": {"nodes": [{"provider": "apple"}]}}
    assert await unlink(here, "ada", google, idempotencyKey="one") == told
    assert (await unlink(here, "ada", google))["code"] == "NOT_FOUND", "it is unlinked"
    assert [node["id"] for node in await identities(here, "ada")] == [apple]


async def test_the_last_way_to_sign_in_stays(here: Company) -> None:
    google = await link(here, "ada", "google")
    refused = await unlink(here, "ada", google)
    assert (refused["code"], refused["path"]) == ("CONFLICT", ["id"])
    assert len(await identities(here, "ada")) == 1
    await give_password(here, "ada")
    assert (await unlink(here, "ada", google))["account"]["identities"] == {"nodes": []}


async def test_the_last_way_to_sign_in_stays_when_two_go_at_once(here: Company) -> None:
    ids = [await link(here, "ada", provider) for provider in ("google", "apple")]
    told = await here.at_once(LOCKED, *[unlink(here, "ada", id_) for id_ in ids])
    assert sorted(each["__typename"] for each in told) == ["AccountSuccess", "ConflictError"]
    assert len(await identities(here, "ada")) == 1


async def test_what_is_not_theirs_to_unlink_answers_as_what_is_not_there(here: Company) -> None:
    google = await link(here, "ada", "google")
    await give_password(here, "ada")
    await link(here, "bo", "google")
    told = await unlink(here, "bo", google)
    assert told["code"] == "NOT_FOUND"
    assert told == await unlink(here, "bo", NOBODYS)
    assert (await unlink(here, None, google))["code"] == "UNAUTHENTICATED"
    assert await here.count(tables.identity, tables.identity.c.ended_at.is_(None)) == 2
