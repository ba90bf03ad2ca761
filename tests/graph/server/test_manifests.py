"""Manifests by their address: the bytes are what is hashed, for ever, and what is not yours is not there."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from sqlalchemy import insert

from db import tables
from db.engine import Database
from domain.attestations import opened
from domain.canonical import canonical
from domain.signatures import Unverified, verified
from domain.signers import trusted
from graph.server.app import create_app
from graph.server.house import close
from graph.server.settings import Settings
from graph.server.signers import KeyFolder
from graph.server.verifying import verify
from resolvers.callers import secret_hash
from resolvers.context import now, uuid7
from tests.graph.albums import album, draft, made, publish, version_of
from tests.graph.company import Company, company

NOBODYS = "sha256:" + "0" * 64


class Shop:
    """The company behind its own door."""

    def __init__(self, here: Company, client: httpx.AsyncClient, keys: KeyFolder) -> None:
        self.here, self.client, self.keys = here, client, keys

    async def get(self, path: str, who: str | None = None, method: str = "GET", **headers: str) -> httpx.Response:
        said = {} if who is None else {"authorization": f"Bearer session of {who}"}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, path, headers=said)


@pytest.fixture
async def shop(database: Database, tmp_path: Path) -> AsyncIterator[Shop]:
    keys = KeyFolder(tmp_path / "keys")
    keys.begin("casset.example")
    async with company(database, tmp_path) as here:
        here.house.signer = keys.signer()
        async with database.write() as connection:
            for who in ("ada", "bo"):
                row = {"id": uuid7(), "account_id": here.keys[who], "secret_hash": secret_hash(f"session of {who}")}
                lasts = {"loopback_only": False, "expires_at": now().replace(year=2999)}
                await connection.execute(insert(tables.session).values(**row, **lasts))
        app = create_app(Settings(data=tmp_path), database)
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
        async with httpx.AsyncClient(transport=transport, base_url="https://casset.example") as client:
            yield Shop(here, client, keys)
        await close(app._house)
        app.studio.blobs.close()


async def out(shop: Shop) -> tuple[str, str, str]:
    """(release, version, address) of an album that is out."""
    release, version, told = await album(shop.here)
    return release, version, str(told["version"]["manifest"]["hash"])


async def test_the_bytes_at_the_address_hash_to_it_and_may_be_kept_for_ever(shop: Shop) -> None:
    _, _, address = await out(shop)
    answer = await shop.get(f"/manifests/{address}")
    sha256 = hashlib.sha256(answer.content)
    assert (answer.status_code, address) == (200, f"sha256:{sha256.hexdigest()}")
    assert answer.content == canonical(answer.json())
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["etag"] == f'"{address}"'
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(sha256.digest()).decode()}:"
    assert '</schemas/casset-manifest-1.json>; rel="describedby"' in answer.headers["link"]
    assert f'</manifests/{address}/signed>; rel="alternate"' in answer.headers["link"]
    again = await shop.get(f"/manifests/{address}", if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    head = await shop.get(f"/manifests/{address}", method="HEAD")
    assert head.status_code == 200
    assert {name: head.headers[name] for name in ("etag", "content-length", "repr-digest")} == {
        name: answer.headers[name] for name in ("etag", "content-length", "repr-digest")
    }


@pytest.mark.parametrize("address", [NOBODYS, NOBODYS.upper(), "sha256:", "0" * 64, NOBODYS + "0", "sha256:%00"])
async def test_what_is_no_address_is_not_there(shop: Shop, address: str) -> None:
    assert (await shop.get(f"/manifests/{address}")).status_code == 404


async def test_a_withdrawn_manifest_is_there_for_its_owner_and_for_others_as_if_it_never_was(shop: Shop) -> None:
    release, _, address = await out(shop)
    given = {"release": release, "expectedVersion": await version_of(shop.here, release)}
    await shop.here.do("ada", "withdrawRelease", "release { id }", **given)
    for suffix in ("", "/signed", "/attestation"):
        for who in (None, "bo"):
            theirs, nobodys = [
                await shop.get(f"/manifests/{at}{suffix}", who, x_request_id="same") for at in (address, NOBODYS)
            ]
            assert theirs.status_code == 404
            assert theirs.content == nobodys.content
        own = await shop.get(f"/manifests/{address}{suffix}", "ada")
        assert (own.status_code, own.headers["cache-control"]) == (200, "no-store")


async def test_a_manifest_names_the_one_before_it(shop: Shop) -> None:
    release, _, first = await out(shop)
    _, version = await draft(shop.here, await made(shop.here, "Third"), release=release)
    told = await publish(shop.here, release, version)
    answer = await shop.get(f"/manifests/{told['version']['manifest']['hash']}")
    assert answer.json()["previous"] == first
    assert f'</manifests/{first}>; rel="predecessor-version"' in answer.headers["link"]
    assert (await shop.get(f"/manifests/{first}")).status_code == 200, "what was superseded stays where it was"


async def test_the_signed_manifest_is_verified_with_the_published_keys(shop: Shop) -> None:
    _, _, address = await out(shop)
    document = (await shop.get(f"/manifests/{address}/signed")).json()
    keys = trusted((await shop.get("/.well-known/did.json")).json())
    assert verified(document, keys) in keys
    del document["proof"]
    assert f"sha256:{hashlib.sha256(canonical(document)).hexdigest()}" == address


async def test_what_is_served_is_verified_offline(shop: Shop, tmp_path: Path) -> None:
    _, _, address = await out(shop)
    for path in (
        ".well-known/did.json",
        f"manifests/{address}",
        f"manifests/{address}/signed",
        f"manifests/{address}/attestation",
    ):
        (tmp_path / path.rpartition("/")[2]).write_bytes((await shop.get(f"/{path}")).content)
    for name in (address, "signed", "attestation"):
        assert verify(tmp_path / name, tmp_path / "did.json")


async def test_what_is_downloaded_is_verified_offline_and_every_change_of_it_is_named(
    shop: Shop, tmp_path: Path
) -> None:
    _, _, address = await out(shop)
    signed, keys = tmp_path / "manifest.json", tmp_path / "did.json"
    signed.write_bytes((await shop.get(f"/manifests/{address}/signed")).content)
    keys.write_bytes((await shop.get("/.well-known/did.json")).content)
    assert verify(signed, keys, None)
    document = json.loads(signed.read_text())
    for name in sorted(document.keys() - {"proof"}):
        signed.write_text(json.dumps({key: value for key, value in document.items() if key != name}))
        with pytest.raises(Unverified):
            verify(signed, keys, None)


async def test_the_attestation_names_the_manifest_and_every_file_and_is_checked_by_others(shop: Shop) -> None:
    _, _, address = await out(shop)
    envelope = (await shop.get(f"/manifests/{address}/attestation")).json()
    keys = trusted((await shop.get("/.well-known/did.json")).json())
    statement = opened(envelope, keys)
    digests = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    manifest = (await shop.get(f"/manifests/{address}")).json()
    sounds = {item["id"]: item["media"].removeprefix("sha256:") for item in manifest["items"]}
    assert digests == {"manifest": address.removeprefix("sha256:"), **sounds}
    (method, key), *_ = keys.items()
    theirs = SSlibKey(method, "ed25519", "ed25519", {"public": key.public_bytes_raw().hex()})
    Envelope.from_dict(envelope).verify([theirs], 1)


async def test_the_schema_is_served_where_manifests_say_it_is(shop: Shop) -> None:
    answer = await shop.get("/schemas/casset-manifest-1.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


async def test_a_digest_leads_to_the_version_whose_manifest_it_is_of(shop: Shop) -> None:
    release, version, address = await out(shop)
    asked = "query ($ref: String!) { resolve(ref: $ref) { matched node { id } } }"
    for ref in (address, address.removeprefix("sha256:").upper()):
        told, _ = await shop.here.ask(None, asked, ref=ref)
        assert told == {"matched": "MANIFEST_SHA256", "node": {"id": version}}
    given = {"release": release, "expectedVersion": await version_of(shop.here, release)}
    await shop.here.do("ada", "withdrawRelease", "release { id }", **given)
    assert (await shop.here.ask(None, asked, ref=address))[0] is None
    sound = json.loads((await shop.get(f"/manifests/{address}", "ada")).content)["items"][0]
    told, _ = await shop.here.ask(None, asked, ref=sound["media"])
    assert told == {"matched": "MEDIA_SHA256", "node": {"id": sound["id"]}}


async def test_a_manifest_the_house_did_not_sign_is_never_attested(shop: Shop) -> None:
    shop.here.house.signer = None
    _, _, address = await out(shop)
    answers: list[Any] = [await shop.get(f"/manifests/{address}/{name}") for name in ("signed", "attestation")]
    assert [answer.status_code for answer in answers] == [404, 404]
