"""Registered documents: named by their hash in three ways, bounded by nothing but their cost, and checked before."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from db.engine import Database
from graph.server import documents
from graph.server.app import create_app
from graph.server.settings import Documents, Settings

QUERY = "query Artists($n: Int = 1) { artists(first: $n) { totalCount } }"
HASH = hashlib.sha256(QUERY.encode()).hexdigest()
UNKNOWN = "0" * 64
LARGE = "{ " + " ".join(f"a{n}: artists(first: 1) {{ totalCount }}" for n in range(60)) + " }"


@pytest.fixture
async def said(database: Database, tmp_path: Path) -> io.StringIO:
    """What registering QUERY said."""
    console = Console(file=io.StringIO(), width=200)
    file = tmp_path / "artists.graphql"
    file.write_text(QUERY)
    assert await documents.add(database, [file], console)
    return console.file


def client(database: Database, accepted: Documents = Documents.ANY) -> httpx.AsyncClient:
    app = create_app(Settings(documents=accepted), database)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 4000))
    return httpx.AsyncClient(
        transport=transport, base_url="http://casset", headers={"accept": "application/graphql-response+json"}
    )


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    "named",
    [
        {"documentId": f"sha256:{HASH}"},
        {"documentId": HASH},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}, "query": QUERY},
    ],
    ids=["graphql over http", "relay", "apollo", "apollo with its text"],
)
@pytest.mark.parametrize("accepted", Documents)
async def test_a_registered_document_is_named_by_its_hash(
    database: Database, said: Any, named: dict[str, Any], accepted: Documents
) -> None:
    answer = await client(database, accepted).post("/graphql", json={**named, "variables": {"n": 2}})
    assert (answer.status_code, answer.json()["data"]) == (200, {"artists": {"totalCount": 0}})
    got = await client(database, accepted).get(
        "/graphql",
        params={name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()},
    )
    assert got.json() == {"data": {"artists": {"totalCount": 0}}}


async def test_a_hash_nobody_registered_is_told_as_apollos_clients_know_it(database: Database, said: Any) -> None:
    answer = await client(database).post("/graphql", json={"documentId": f"sha256:{UNKNOWN}"})
    assert (answer.status_code, codes(answer)) == (404, ["PERSISTED_QUERY_NOT_FOUND"])
    assert answer.json()["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_a_hash_of_another_text_is_refused(database: Database, said: Any) -> None:
    answer = await client(database).post("/graphql", json={"documentId": HASH, "query": "{ __typename }"})
    assert (answer.status_code, codes(answer)) == (400, ["BAD_USER_INPUT"])


async def test_a_text_sent_with_its_hash_registers_nothing(database: Database) -> None:
    asked = client(database)
    assert (await asked.post("/graphql", json={"documentId": HASH, "query": QUERY})).status_code == 200
    assert codes(await asked.post("/graphql", json={"documentId": HASH})) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_where_only_registered_documents_are_answered_no_text_is(database: Database, said: Any) -> None:
    closed = client(database, Documents.TRUSTED)
    assert codes(await closed.post("/graphql", json={"query": QUERY})) == ["DOCUMENT_NOT_FOUND"]
    unregistered = "{ __typename }"
    named = {"documentId": hashlib.sha256(unregistered.encode()).hexdigest(), "query": unregistered}
    assert codes(await closed.post("/graphql", json=named)) == ["PERSISTED_QUERY_NOT_FOUND"]


async def test_a_registered_document_may_be_larger_than_a_strangers(database: Database, tmp_path: Path) -> None:
    assert codes(await client(database).post("/graphql", json={"query": LARGE})) == ["TOO_COSTLY"]
    file = tmp_path / "large.graphql"
    file.write_text(LARGE)
    assert await documents.add(database, [file], Console(file=io.StringIO()))
    answer = await client(database).post("/graphql", json={"documentId": hashlib.sha256(LARGE.encode()).hexdigest()})
    assert len(answer.json()["data"]) == 60


@pytest.mark.parametrize(
    ("name", "content", "because"),
    [
        ("a.graphql", "{ nothing }", "Cannot query field 'nothing'"),
        ("a.graphql", "{", "Syntax Error"),
        ("a.json", "[]", "neither a .graphql file nor an object"),
        ("a.json", "{", "not JSON"),
        ("a.json", json.dumps({f"sha256:{UNKNOWN}": QUERY}), "is not the SHA-256 of its document"),
        ("a.json", json.dumps({HASH: 1}), "neither a .graphql file nor an object"),
    ],
)
async def test_what_is_not_good_is_named_and_nothing_is_registered(
    database: Database, tmp_path: Path, name: str, content: str, because: str
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / name
    good.write_text(json.dumps({f"sha256:{HASH}": QUERY}))
    bad.write_text(content)
    console = Console(file=io.StringIO(), width=500)
    assert not await documents.add(database, [good, bad], console)
    assert because in console.file.getvalue()
    assert codes(await client(database).post("/graphql", json={"documentId": HASH})) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize("prefix", ["sha256:", ""], ids=["graphql-codegen", "relay"])
async def test_the_files_of_compilers_are_read(database: Database, tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "persisted.json"
    file.write_text(json.dumps({prefix + HASH: QUERY}))
    assert await documents.add(database, [file], Console(file=io.StringIO()))
    assert (await client(database).post("/graphql", json={"documentId": HASH})).status_code == 200


async def test_registered_documents_are_listed_and_checked(database: Database, said: Any) -> None:
    console = Console(file=io.StringIO(), width=200)
    assert await documents.list_(database, console)
    assert await documents.check(database, console)
    assert f"sha256:{HASH}  query Artists" in console.file.getvalue()
    assert "1 documents, 0 of them not good any more." in console.file.getvalue()
