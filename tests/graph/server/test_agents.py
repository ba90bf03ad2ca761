"""The doors of programs on real sockets: one table over every operation, HTTP's manners, and tools by the SDK's client."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import func, insert, select

from db import tables
from db.engine import Database
from domain.keys import KeyScope
from graph.agents.building import OPENAPI, TOOLS, checked_in
from graph.agents.reading import operations_of
from graph.agents.schemas import output_schema
from graph.execution import Execution
from graph.schema import executable
from graph.server.app import create_app
from graph.server.settings import Settings
from graph.server.signers import KeyFolder
from resolvers.callers import secret_hash
from resolvers.context import now, uuid7
from tests.graph.albums import album, draft, made, version_of
from tests.graph.buyers import BUYS, PRICED, key_of, paid_for, quote, viewer_of
from tests.graph.company import Company, company
from tests.graph.server.running import PATIENCE, running

NOBODYS = "release_01jd0000000000000000000000"
PLENTY = {"points": 1_000_000, "points_per_second": 100_000}


class Shop:
    """The company behind its own door: an album that is out, a draft, and those who ask."""

    def __init__(self, here: Company, client: httpx.AsyncClient, address: str) -> None:
        self.here, self.client, self.address = here, client, address
        self.keys: dict[str, str] = {}
        self.names: dict[str, Any] = {}

    async def ask(
        self, method: str, path: str, who: str | None = None, body: Any = None, **headers: str
    ) -> httpx.Response:
        """An answer; the names of things stand in the path and in the body as `$name`."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            said["authorization"] = f"Bearer {self.keys[who]}"
        return await self.client.request(method, self.filled(path), headers=said, json=self.filled(body))

    def filled(self, value: Any) -> Any:
        """A value with the ids of things."""
        if isinstance(value, str) and value.startswith("$"):
            return self.names[value[1:]]
        if isinstance(value, str):
            for name, id_ in self.names.items():
                value = value.replace(f"${name}", str(id_))
            return value
        if isinstance(value, dict):
            return {key: self.filled(inner) for key, inner in value.items()}
        return [self.filled(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
async def shop(
    new_target: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    target, folder = new_target(), tmp_path_factory.mktemp("shop")
    database = Database(target)
    await database.open()
    keys = KeyFolder(folder / "keys")
    keys.begin("casset.example")
    async with company(database, folder) as here:
        here.house.signer = keys.signer()
        app = create_app(Settings(data=folder, **PLENTY), Database(target))
        with running(app, lifespan="on") as server:
            async with httpx.AsyncClient(base_url=server.address, timeout=PATIENCE, trust_env=False) as client:
                shop = Shop(here, client, server.address)
                await furnish(shop)
                yield shop
    await database.close()


async def furnish(shop: Shop) -> None:
    here = shop.here
    stated = await here.do("ada", "setPolicy", "policy { id }", subject=here.ids["nova"], terms=[PRICED])
    assert stated["__typename"] == "SetPolicySuccess", stated
    release, version, told = await album(here)
    song = told["version"]["items"]["nodes"][0]["asset"]["id"]
    _, closed = await draft(here, await made(here, "Unheard"), title="Unheard")
    secret = await made(here, "Secret", "release", releaseKind="ALBUM")
    shop.names = {
        "release": release,
        "version": version,
        "song": song,
        "draft": closed,
        "secret": secret,
        "handle": "nova",
        "hash": told["version"]["manifest"]["hash"],
        "nova": here.ids["nova"],
        "contributor": await _party(here, song),
        "far": here.ids["far"],
        "theirs": here.ids["other"],
    }
    async with here.database.write() as connection:
        for who in ("ada", "bo"):
            row = {"id": uuid7(), "account_id": here.keys[who], "secret_hash": secret_hash(f"session of {who}")}
            lasts = {"loopback_only": False, "expires_at": now().replace(year=2999)}
            await connection.execute(insert(tables.session).values(**row, **lasts))
            shop.keys[who] = f"session of {who}"
    for scope in KeyScope:
        writes = scope in {KeyScope.ASSETS_WRITE, KeyScope.LINEAGE_WRITE}
        buys = scope in {KeyScope.LICENSE, KeyScope.DERIVE}
        artist = "nova" if writes else "far" if buys else None
        shop.keys[scope.value] = await key_of(here, "bo" if buys else "ada", {scope}, artist)
    await here.alter(tables.media, {"duration_ms": 60_000})
    buyer = await viewer_of(here, shop.keys["LICENSE"])
    quoted = await quote(here, buyer, release, "SYNC", grantee=here.ids["far"])
    shop.names["opens"] = (await paid_for(here, buyer, quoted))["license"]
    shop.keys["stranger"] = await key_of(here, "bo", {KeyScope.READ, KeyScope.CHECK})


async def _party(here: Company, song: str) -> str:
    given = {"asset": song, "credits": [{"party": {"artist": here.ids["nova"]}, "role": "MAIN_ARTIST"}]}
    given["expectedVersion"] = await version_of(here, song)
    told = await here.do("ada", "setCredits", "asset { credits(first: 1) { nodes { contributor { id } } } }", **given)
    return str(told["asset"]["credits"]["nodes"][0]["contributor"]["id"])


# name: (who may, who may not, path with a thing, path without, body)
Row = tuple[str | None, str | None, str, str | None, Any]
IN = "/api/internal"
OUT = "/api/agents"
CHECKED = {"uses": ["SYNC"], "territory": "DE"}
TABLE: Mapping[str, Row] = {
    "ResolveReference": (None, "CHECK", f"{OUT}/resolve?ref=nova", f"{OUT}/resolve?ref=nobody-here", None),
    "SearchWorks": (None, "CHECK", f"{OUT}/search?query=song&kinds=TRACK,RELEASE", None, None),
    "GetArtistBundle": ("BUNDLE", None, f"{OUT}/artists/nova?first=1", f"{OUT}/artists/nobody-here", None),
    "GetAsset": (None, "CHECK", f"{OUT}/assets/$song", f"{OUT}/assets/{NOBODYS}", None),
    "GetAssetLineage": (
        None,
        "CHECK",
        f"{OUT}/assets/$release/lineage?first=1",
        f"{OUT}/assets/{NOBODYS}/lineage",
        None,
    ),
    "CheckAsset": (
        "CHECK",
        "READ",
        f"{OUT}/assets/$song/permission-check",
        f"{OUT}/assets/{NOBODYS}/permission-check",
        CHECKED,
    ),
    "CheckPermissions": (None, "READ", f"{OUT}/permission-check", None, {**CHECKED, "ids": ["$song", "$release"]}),
    "ListReleases": (None, "CHECK", f"{OUT}/releases?artist=$nova&order=TITLE&first=1", None, None),
    "GetRelease": (None, "CHECK", f"{OUT}/releases/$release", f"{OUT}/releases/{NOBODYS}", None),
    "GetReleaseManifest": (
        None,
        "CHECK",
        f"{OUT}/releases/$release/manifest",
        f"{OUT}/releases/{NOBODYS}/manifest",
        None,
    ),
    "GetReleaseProvenance": (
        None,
        "CHECK",
        f"{OUT}/releases/$release/provenance",
        f"{OUT}/releases/{NOBODYS}/provenance",
        None,
    ),
    "GetReleaseLineage": (None, "CHECK", f"{OUT}/releases/$release/lineage", f"{OUT}/releases/{NOBODYS}/lineage", None),
    "CheckRelease": (
        "CHECK",
        None,
        f"{OUT}/releases/$release/permission-check",
        f"{OUT}/releases/{NOBODYS}/permission-check",
        CHECKED,
    ),
    "GetReleaseDna": (None, "CHECK", f"{OUT}/releases/$release/dna?uses=SYNC", f"{OUT}/releases/{NOBODYS}/dna", None),
    "GetDossier": (None, "CHECK", "/api/releases/$release/dossier?uses=SYNC", f"/api/releases/{NOBODYS}/dossier", None),
    "QuoteReleaseLicense": (
        *("LICENSE", "READ", f"{OUT}/releases/$release/license/quote", f"{OUT}/releases/{NOBODYS}/license/quote"),
        {"uses": ["SYNC"], "grantee": "$far", "territory": "DE"},
    ),
    "QuoteAssetLicense": (
        *("LICENSE", "READ", f"{OUT}/assets/$song/license/quote", f"{OUT}/assets/{NOBODYS}/license/quote"),
        {"uses": ["SYNC"], "grantee": "$far", "purpose": "a film"},
    ),
    "RegisterReleaseDerivative": (
        *("DERIVE", "READ", f"{OUT}/releases/$release/derivatives", f"{OUT}/releases/{NOBODYS}/derivatives"),
        {"kind": "REMIX_OF", "child": "$theirs"},
    ),
    "RegisterAssetDerivative": (
        *("DERIVE", "READ", f"{OUT}/assets/$song/derivatives", f"{OUT}/assets/{NOBODYS}/derivatives"),
        {"kind": "SAMPLES", "new": {"kind": "TRACK", "title": "Made of it", "sha256": "a" * 64, "owner": "$far"}},
    ),
    "OpenAccess": (
        "LICENSE",
        "READ",
        f"{OUT}/releases/$release/access",
        f"{OUT}/releases/{NOBODYS}/access",
        {"license": "$opens", "track": "$song"},
    ),
    "OpenAssetAccess": (
        "LICENSE",
        "READ",
        f"{OUT}/assets/$song/access",
        f"{OUT}/assets/{NOBODYS}/access",
        {"license": "$opens"},
    ),
    "GetOwnAnchor": ("ada", None, f"{IN}/releases/$release/anchor", f"{IN}/releases/{NOBODYS}/anchor", None),
    "AnchorOwnVersion": (
        "ada",
        "ASSETS_WRITE",
        f"{IN}/versions/$version/anchor",
        f"{IN}/versions/{NOBODYS}/anchor",
        None,
    ),
    "GetOwnDna": ("ada", None, f"{IN}/releases/$release/dna", f"{IN}/releases/{NOBODYS}/dna", None),
    "GetWorldPreview": (None, "CHECK", "/api/casset/nova/preview", "/api/casset/nobody-here/preview", None),
    "ListOwnVersions": ("ada", None, f"{IN}/releases/$release/versions", f"{IN}/releases/{NOBODYS}/versions", None),
    "GetOwnIntegrity": ("ada", None, f"{IN}/releases/$release/integrity", f"{IN}/releases/{NOBODYS}/integrity", None),
    "PreviewOwnManifest": (
        "ada",
        None,
        f"{IN}/versions/$draft/manifest-preview",
        f"{IN}/versions/{NOBODYS}/manifest-preview",
        None,
    ),
    "GetOwnProvenance": (
        "ada",
        None,
        f"{IN}/releases/$release/provenance-preview",
        f"{IN}/releases/{NOBODYS}/provenance-preview",
        None,
    ),
    "ListOwnContributors": (
        "ada",
        None,
        f"{IN}/releases/$release/contributors",
        f"{IN}/releases/{NOBODYS}/contributors",
        None,
    ),
    "ListOwnSplits": (
        "ada",
        None,
        f"{IN}/releases/$release/splits?pool=MASTER",
        f"{IN}/releases/{NOBODYS}/splits",
        None,
    ),
    "GetOwnPermissions": (
        "ada",
        None,
        f"{IN}/releases/$release/permissions",
        f"{IN}/releases/{NOBODYS}/permissions",
        None,
    ),
    "ListOwnDerivatives": (
        "ada",
        None,
        f"{IN}/releases/$release/derivatives",
        f"{IN}/releases/{NOBODYS}/derivatives",
        None,
    ),
    "SetOwnContributors": (
        *("ASSETS_WRITE", "READ", f"{IN}/releases/$secret/contributors", f"{IN}/releases/{NOBODYS}/contributors"),
        {"credits": [{"party": {"artist": "$nova"}, "role": "MAIN_ARTIST"}]},
    ),
    "SetOwnSplits": (
        *("ada", "READ", f"{IN}/releases/$secret/splits", f"{IN}/releases/{NOBODYS}/splits"),
        {"pool": "MASTER", "shares": [{"contributor": "$contributor", "basisPoints": 10000}]},
    ),
    "SetOwnPermissions": (
        *("ada", "ASSETS_WRITE", f"{IN}/releases/$secret/permissions", f"{IN}/releases/{NOBODYS}/permissions"),
        {"license": "CC-BY-4.0"},
    ),
    "CreateOwnVersion": (
        "ada",
        "ASSETS_WRITE",
        f"{IN}/releases/$release/versions",
        f"{IN}/releases/{NOBODYS}/versions",
        None,
    ),
    "PublishOwnVersion": (
        "ada",
        "ASSETS_WRITE",
        f"{IN}/versions/$draft/publish",
        f"{IN}/versions/{NOBODYS}/publish",
        None,
    ),
}
OPERATIONS = {each.name: each for each in operations_of(executable()) if each.route is not None}


def strictly(schema: Any) -> Any:
    """A schema that lets nothing through it does not name."""
    if isinstance(schema, list):
        return [strictly(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: strictly(value) for key, value in schema.items()}
    return told | (
        {"additionalProperties": False} if isinstance(schema.get("properties"), dict) and "type" in schema else {}
    )


async def headers_for(shop: Shop, name: str, path: str) -> dict[str, str]:
    """What a write comes with: a key of its own, and the version that was read."""
    wires = {each.wire for each in OPERATIONS[name].variables.values()}
    said = {"idempotency_key": uuid7().hex} if "Idempotency-Key" in wires else {}
    if "If-Match" in wires:
        of = (
            shop.names.get("of_draft")
            if "/versions/" in path
            else shop.filled("$secret" if "$secret" in path else "$release")
        )
        said["if_match"] = f'"{await version_of(shop.here, of)}"' if of else '"1"'
    return said


async def test_every_operation_is_in_the_table() -> None:
    assert set(TABLE) == set(OPERATIONS)


@pytest.mark.parametrize("name", TABLE)
async def test_an_operation_answers_as_its_contract_says(shop: Shop, name: str) -> None:
    may, may_not, there, nowhere, body = TABLE[name]
    operation = OPERATIONS[name]
    route = operation.route
    assert route is not None
    said = await headers_for(shop, name, there)
    own = shop.names
    if name == "PublishOwnVersion":
        query = select(tables.release_version.c.release_id)
        async with shop.here.database.read() as connection:
            of = (await connection.execute(query.where(tables.release_version.c.ref == own["draft"]))).scalar_one()
            at = select(tables.asset.c.version).where(tables.asset.c.id == of)
            said["if_match"] = f'"{(await connection.execute(at)).scalar_one()}"'
    # Nobody, who may not, what is not there, what is no id: told before what is good, which may write.
    if not operation.access.open:
        nobody = await shop.ask(route.method, there, None, body, **said)
        assert_problem(nobody, 401, "UNAUTHENTICATED")
        assert nobody.headers["www-authenticate"] == "Bearer"
    if may_not is not None:
        assert_problem(await shop.ask(route.method, there, may_not, body, **said), 403, "FORBIDDEN")
    if nowhere is not None:
        lost = await shop.ask(route.method, nowhere, may, body, x_request_id="same", **said)
        assert_problem(lost, 404, "NOT_FOUND")
        malformed = await shop.ask(
            route.method, nowhere.replace(NOBODYS, "x%00y"), may, body, x_request_id="same", **said
        )
        assert malformed.content == lost.content or NOBODYS not in nowhere
        if "$" in there and "/versions/" not in there:
            theirs = there.replace("$song", "$secret").replace("$release", "$secret")
            hidden = await shop.ask(
                route.method, theirs, "bo" if may == "ada" else "stranger", body, x_request_id="same", **said
            )
            assert (hidden.content == lost.content) or (
                may in {"BUNDLE", "ASSETS_WRITE"} or hidden.status_code == 403
            ), name
    for wrong in await asyncio.gather(
        shop.ask(route.method, there + ("&" if "?" in there else "?") + "nothing=1", may, body, **said),
        *(
            [shop.ask(route.method, there, may, {**(body or {}), "nothing": 1}, **said)]
            if route.method != "GET"
            else []
        ),
    ):
        assert_problem(wrong, 400, "BAD_USER_INPUT")
    assert_problem(await shop.ask(route.method, there, may, body, accept="text/html", **said), 406, "BAD_USER_INPUT")
    other = await shop.ask("PATCH", there, may)
    assert_problem(other, 405, "BAD_USER_INPUT")
    assert route.method in other.headers["allow"]
    good = await shop.ask(route.method, there, may, body, **said)
    if name == "AnchorOwnVersion":
        assert_problem(good, 501, "NOT_OFFERED")  # no chain is named where these tests are: tests/graph/test_anchors.py
        return
    assert good.status_code == route.status, good.text
    assert good.headers["content-type"] == "application/json"
    assert good.headers["ratelimit"].startswith('"agent";r=')
    told = good.json()
    Draft202012Validator(strictly(output_schema(operation, executable()))).validate(told)
    if operation.max_age is None:
        assert good.headers["cache-control"] == "no-store"
        return
    assert good.headers["cache-control"] == ("public, max-age=30" if may is None else "private, no-cache")
    kept = await shop.ask("GET", there, may, if_none_match=f'"x", {good.headers["etag"]}')
    assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", good.headers["etag"])
    head = await shop.ask("HEAD", there, may)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", good.headers["etag"])


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    validator_for(PROBLEM)(PROBLEM).validate(told)


PROBLEM = json.loads(checked_in(OPENAPI))["components"]["schemas"]["Problem"]


async def test_a_list_is_read_to_its_end_by_its_links(shop: Shop) -> None:
    path: str | None = "/api/agents/search?query=song&first=1&kinds=TRACK"
    seen = []
    while path is not None:
        answer = await shop.ask("GET", path)
        seen += [node["id"] for node in answer.json()["nodes"]]
        path = answer.links["next"]["url"] if "next" in answer.links else None
    assert len(seen) == len(set(seen)) == 2
    walk = await shop.ask("GET", "/api/agents/releases/$release/lineage?first=1")
    rest = await shop.ask("GET", walk.links["next"]["url"])
    assert rest.json()["ancestors"]["complete"]
    assert "next" not in rest.links


async def test_the_bytes_of_a_manifest_hash_to_what_it_says(shop: Shop) -> None:
    told = (await shop.ask("GET", "/api/agents/releases/$release/manifest")).json()["currentVersion"]["manifest"]
    assert f"sha256:{hashlib.sha256(told['body'].encode()).hexdigest()}" == told["hash"] == shop.names["hash"]
    assert (await shop.ask("GET", f"/manifests/{told['hash']}")).text == told["body"]


async def test_a_write_happens_once_for_its_key(shop: Shop) -> None:
    path, body = "/api/agents/assets/$song/permission-check", {"uses": ["REMIX"]}

    async def receipts() -> int:
        async with shop.here.database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(tables.permission_receipt))).scalar_one()

    before = await receipts()
    assert_problem(await shop.ask("POST", path, "CHECK", body), 400, "BAD_USER_INPUT")
    assert_problem(await shop.ask("POST", path, "CHECK", body, idempotency_key="two words"), 400, "BAD_USER_INPUT")
    assert await receipts() == before
    first = await shop.ask("POST", path, "CHECK", body, idempotency_key='"once"')
    again = await shop.ask("POST", path, "CHECK", body, idempotency_key="once")
    assert (first.status_code, again.json()) == (200, first.json())
    other = await shop.ask("POST", path, "CHECK", {"uses": ["SYNC"]}, idempotency_key="once")
    assert_problem(other, 422, "IDEMPOTENCY_MISMATCH")
    theirs = await shop.ask("POST", path, "stranger", body, idempotency_key="once")
    assert theirs.status_code == 200, "another account has keys of its own"
    assert theirs.json() != first.json()
    assert await receipts() == before + 2
    crowd = await asyncio.gather(*[shop.ask("POST", path, "CHECK", body, idempotency_key="crowd") for _ in range(8)])
    assert {answer.status_code for answer in crowd} <= {200, 409}
    done = {answer.text for answer in crowd if answer.status_code == 200}
    assert len(done) == 1
    for answer in crowd:
        if answer.status_code == 409:
            assert_problem(answer, 409, "CONFLICT")
    assert await receipts() == before + 3


async def test_who_read_an_older_version_writes_nothing(shop: Shop) -> None:
    path = "/api/internal/releases/$secret/contributors"
    body = {"credits": []}
    version = await version_of(shop.here, shop.names["secret"])
    assert_problem(await shop.ask("PUT", path, "ada", body), 428, "BAD_USER_INPUT")
    assert_problem(await shop.ask("PUT", path, "ada", body, if_match="*"), 400, "BAD_USER_INPUT")
    assert_problem(await shop.ask("PUT", path, "ada", body, if_match=f'"{version + 7}"'), 412, "CONFLICT")
    assert await version_of(shop.here, shop.names["secret"]) == version


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (415, b"{}", {"content-type": "text/plain"}),
        (415, b"{}", {}),
        (415, b"{}", {"content-type": "application/json", "content-encoding": "gzip"}),
        (413, b'{"ids":["' + b"x" * 70_000 + b'"]}', {"content-type": "application/json"}),
        (400, b"{", {"content-type": "application/json"}),
        (400, b"[]", {"content-type": "application/json"}),
        (400, b"null", {"content-type": "application/json"}),
        (400, b"{}", {"content-type": "application/json"}),
        (400, b'{"ids":null}', {"content-type": "application/json"}),
        (400, b'{"ids":["x"]}', {"content-type": "application/json"}),
        (400, b'{"ids":[],"uses":"SYNC"}', {"content-type": "application/json"}),
        (400, b'{"ids":[],"window":{"startMs":1,"more":2}}', {"content-type": "application/json"}),
        (400, b'{"ids":[],"territory":"de"}', {"content-type": "application/json"}),
        (400, b'{"ids":[],"asOf":"yesterday"}', {"content-type": "application/json"}),
        (200, b'{"ids":[]}', {"content-type": "application/json; charset=utf-8"}),
    ],
)
async def test_a_body_is_what_it_is_described_as(shop: Shop, status: int, body: bytes, headers: dict[str, str]) -> None:
    answer = await shop.client.post("/api/agents/permission-check", content=body, headers=headers)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "first=0",
        "first=101",
        "first=",
        "first=1.0",
        "first=1&first=2",
        "order=BEST",
        "artist=x",
        "after=x",
        "artist=%ff",
    ],
)
async def test_a_parameter_is_what_it_is_described_as(shop: Shop, query: str) -> None:
    assert_problem(await shop.ask("GET", f"/api/agents/releases?{query}"), 400, "BAD_USER_INPUT")


async def test_pages_of_anywhere_may_read_and_may_ask_first(shop: Shop) -> None:
    answer = await shop.ask("GET", "/api/agents/releases", origin="https://elsewhere.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    asking = {"origin": "https://elsewhere.example", "access_control_request_method": "PUT"}
    allowed = (await shop.ask("OPTIONS", "/api/internal/releases/x/splits", **asking)).headers
    assert "PUT" in allowed["access-control-allow-methods"]
    assert {"idempotency-key", "if-match", "authorization"} <= set(allowed["access-control-allow-headers"].split(", "))


async def test_what_is_only_announced_is_no_programs_business(shop: Shop) -> None:
    here = shop.here
    release, _ = await draft(here, await made(here, "Soon"), title="Soon")
    given = {"release": release, "expectedVersion": await version_of(here, release)}
    told = await here.do(
        "ada", "scheduleRelease", "release { status }", at=(now() + timedelta(days=1)).isoformat(), **given
    )
    assert told["__typename"] == "ReleaseSuccess", told
    seen = await here.ask(None, "query ($id: ID!) { release(id: $id) { title } }", id=release)
    assert seen[0] == {"title": "Soon"}
    for who in (None, "stranger"):
        assert (await shop.ask("GET", f"/api/agents/releases/{release}", who)).status_code == 404
        listed = (await shop.ask("GET", "/api/agents/releases?first=100", who)).json()["nodes"]
        assert release not in {node["id"] for node in listed}


async def test_a_bad_key_is_told_so_everywhere(shop: Shop) -> None:
    shop.keys["bad"] = "cas_live_" + "x" * 38
    for method, path in (("GET", "/api/agents/releases"), ("GET", "/api/casset/nova/preview"), ("POST", "/mcp")):
        assert_problem(await shop.ask(method, path, "bad"), 401, "UNAUTHENTICATED")


async def test_there_is_an_end_to_what_one_may_ask_in_a_minute(database: Database, tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path), database)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="https://casset.example") as client:
        for left in range(29, -1, -1):
            answer = await client.get("/api/agents/releases")
            assert answer.headers["ratelimit"].startswith(f'"agent";r={left};')
            assert answer.headers["ratelimit-policy"] == '"agent";q=30;w=60'
        spent = await client.get("/api/agents/releases")
    assert_problem(spent, 429, "RATE_LIMIT")
    assert 1 <= int(spent.headers["retry-after"]) <= 2
    app.studio.blobs.close()


async def test_what_there_is_is_found_from_the_address_alone(shop: Shop) -> None:
    told = (await shop.ask("GET", "/api/agents")).json()
    assert {each["name"] for each in told["operations"]} == {*OPERATIONS, "TakeReleaseLicense", "TakeAssetLicense"}
    for where in told["links"].values():
        if where not in {"/mcp", "/graphql", "/log/checkpoint"}:  # a client's door, and a log where nothing is yet
            answer = await shop.ask("GET", where)
            assert answer.status_code == 200, where
            kept = await shop.ask("GET", where, if_none_match=answer.headers.get("etag", "none"))
            assert kept.status_code == (304 if "etag" in answer.headers else 200), where
    assert (await shop.ask("GET", "/openapi.json")).content == checked_in(OPENAPI)
    catalogue = await shop.ask("HEAD", "/.well-known/api-catalog")
    assert catalogue.headers["link"] == '</.well-known/api-catalog>; rel="api-catalog"'
    lines = (await shop.ask("GET", "/llms.txt")).text.splitlines()
    assert lines[0] == "# Casset"
    assert lines[2].startswith("> ")


@asynccontextmanager
async def tools(shop: Shop, who: str | None = None, path: str = "/mcp") -> AsyncIterator[Client]:
    said = {} if who is None else {"authorization": f"Bearer {shop.keys[who]}"}
    async with (
        httpx.AsyncClient(headers=said, timeout=PATIENCE, trust_env=False) as http,
        Client(streamable_http_client(shop.address + path, http_client=http)) as client,
    ):
        yield client


async def test_a_client_finds_its_tools_and_calls_every_one(shop: Shop) -> None:
    song, release = shop.names["song"], shop.names["release"]
    new = {"kind": "TRACK", "title": "By a tool", "sha256": "b" * 64, "owner": shop.names["far"]}
    given = {
        "resolve_reference": {"ref": "nova"},
        "search_works": {"query": "song", "kinds": ["TRACK"], "first": None},
        "list_releases": {"first": 1},
        "check_permission": {"id": song, "uses": ["COMMERCIAL_USE"]},
        "check_asset": {"id": song, "uses": ["SYNC"], "idempotencyKey": "tool"},
        "quote_asset_license": {"id": song, "uses": ["SYNC"], "grantee": shop.names["far"], "idempotencyKey": "quoted"},
        "register_asset_derivative": {"id": song, "kind": "SAMPLES", "new": new, "idempotencyKey": "derived"},
        **{name: {"id": release} for name in ("get_release", "get_release_manifest", "get_release_provenance")},
        **{name: {"id": song} for name in ("get_asset", "get_asset_lineage")},
    }
    named = {tool["name"]: tool for tool in json.loads(checked_in(TOOLS))}
    shop.keys["buyer"] = await key_of(shop.here, "bo", BUYS, "far")
    async with tools(shop, "buyer", "/mcp/") as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == set(given) == set(named)
        for name, arguments in given.items():
            told = await client.call_tool(name, arguments)
            assert not told.is_error, told
            Draft202012Validator(strictly(named[name]["outputSchema"])).validate(told.structured_content)
            assert json.dumps(told.structured_content) in {
                json.dumps(json.loads(part.text)) for part in told.content if part.text.startswith("{")
            }
            people = bool(named[name]["_meta"]["casset/fromPeople"])
            assert ("no instructions" in told.content[-1].text) is people
        said = (await client.call_tool("check_permission", given["check_permission"])).content[0].text
        assert said == f"{song} is LICENSE_REQUIRED in all. LICENSE_REQUIRED: COMMERCIAL_USE."


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_tools_are_called_with_post_and_nobody_holds_a_stream_open(shop: Shop, method: str) -> None:
    answer = await shop.ask(method, "/mcp", accept="application/json, text/event-stream")
    assert_problem(answer, 405, "BAD_USER_INPUT")
    assert answer.headers["allow"] == "POST"


async def test_a_tool_refuses_what_its_schema_does_not_take_and_whom_it_is_not_for(shop: Shop) -> None:
    song = shop.names["song"]
    async with tools(shop) as client:
        offered = {tool.name for tool in (await client.list_tools()).tools}
        assert "check_asset" not in offered
        for name, arguments, code in (
            ("check_permission", {}, "BAD_USER_INPUT"),
            ("check_permission", {"id": "x"}, "BAD_USER_INPUT"),
            ("check_permission", {"id": song, "uses": "SYNC"}, "BAD_USER_INPUT"),
            ("check_permission", {"id": song, "more": 1}, "BAD_USER_INPUT"),
            ("get_release", {"id": NOBODYS}, "NOT_FOUND"),
            ("get_release", {"id": shop.names["secret"]}, "NOT_FOUND"),
            ("check_asset", {"id": song, "idempotencyKey": "x"}, "UNAUTHENTICATED"),
        ):
            told = await client.call_tool(name, arguments)
            assert (told.is_error, json.loads(told.content[0].text)["code"]) == (True, code), (name, arguments)
        with pytest.raises(Exception, match="There is no tool"):
            await client.call_tool("execute_graphql", {})
    async with tools(shop, "READ") as client:
        told = await client.call_tool("check_asset", {"id": song, "idempotencyKey": "x"})
        assert json.loads(told.content[0].text)["code"] == "FORBIDDEN"


async def test_the_prompts_teach_ways_that_are_there(shop: Shop) -> None:
    named = {tool["name"] for tool in json.loads(checked_in(TOOLS))}
    async with tools(shop) as client:
        for prompt in (await client.list_prompts()).prompts:
            arguments = {each.name: 'a "quoted"\nline' for each in prompt.arguments or ()}
            told = (await client.get_prompt(prompt.name, arguments)).messages[0].content.text
            assert any(name in told for name in named)
            assert 'a \\"quoted\\"\\nline' in told, "what is asked about stays in its quotes"
        with pytest.raises(Exception, match="is missing"):
            await client.get_prompt("may_i_use", {})


async def test_both_executions_answer_programs_the_same(shop: Shop, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, execution=Execution.REFERENCE, **PLENTY)
    app = create_app(settings, shop.here.database)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url=shop.address) as client:
        for name, (may, _, there, nowhere, _) in TABLE.items():
            if OPERATIONS[name].outcome is None and may is None and name != "CheckPermissions":
                one, other = await shop.ask("GET", there), await client.get(shop.filled(there))
                assert (one.status_code, other.status_code) == (200, 200), name
                assert one.json() == other.json(), name
                assert one.headers.get("link") == other.headers.get("link"), name
                assert nowhere is None or (await client.get(nowhere)).status_code == 404, name
    app.studio.blobs.close()
