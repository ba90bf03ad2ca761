"""A program that knows the address of a house, its own key and its own purse, and nothing else: python machine_loop.py URL

Everything else it reads there: the catalogue leads to OpenAPI, and from then on operations go by their names. It walks
resolve → manifest → rights → provenance → lineage → quote → pay → access → derivative, and asks at last as the owner of
what it was made from. What is signed is checked by a tool, `CASSET_VERIFIER`; it is paid by the client of x402 that others
wrote. Answers as JSON what it found. It imports nothing of the house.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import rfc8785
from eth_account import Account
from jsonschema import Draft202012Validator
from x402 import x402Client
from x402.http.clients.httpx import x402HttpxClient
from x402.http.utils import decode_payment_response_header
from x402.mechanisms.evm import EthAccountSigner
from x402.mechanisms.evm.exact.register import register_exact_evm_client

WANTED = ["SYNC", "DERIVATIVE_REGISTRATION"]
"""What the program is about to do: set a work to its pictures, and register what comes of it."""


class House:
    """A house, as its own documents describe it."""

    def __init__(self, base: str, client: httpx.AsyncClient) -> None:
        """Know where it is, and nothing of it."""
        self._base, self._client = base, client
        self._described: Any = {}
        self._ways: dict[str, tuple[str, str]] = {}
        self.links: dict[str, str] = {}

    async def learn(self) -> int:
        """Find its operations, from the catalogue on; how many there are."""
        catalogue = (await self._client.get(urljoin(self._base, "/.well-known/api-catalog"))).json()["linkset"]
        described = next(link["service-desc"][0] for link in catalogue if "service-desc" in link)
        self._described = (await self._client.get(described["href"])).json()
        self._ways = {
            operation["operationId"]: (method.upper(), path)
            for path, item in self._described["paths"].items()
            for method, operation in item.items()
            if isinstance(operation, dict) and "operationId" in operation
        }
        told = (await self.do("describeAgents")).json()
        self.links = told["links"]
        # The map and the contract tell of the same.
        mapped = {(each["method"], each["path"]) for each in told["operations"]}
        assert mapped == set(self._ways.values()) - {self._ways["describeAgents"]}
        return len(self._ways)

    async def do(self, name: str, body: Any = None, *, token: str | None = None, **given: Any) -> httpx.Response:
        """An answer of an operation, which is as its contract says; what `given` names goes into path and query."""
        method, path = self._ways[name]
        asked = {key: value for key, value in given.items() if f"{{{key}}}" not in path}
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        if method != "GET":
            headers["idempotency-key"] = uuid.uuid4().hex
        address = urljoin(self._base, path.format(**given))
        answer = await self._client.request(method, address, params=asked, json=body, headers=headers)
        assert answer.is_success, f"{name}: {answer.status_code} {answer.text}"
        self._check(self._described["paths"][path][method.lower()], answer)
        return answer

    async def get(self, link: str) -> httpx.Response:
        """What is at one of its links."""
        return await self._client.get(urljoin(self._base, self.links[link]))

    def _check(self, operation: Any, answer: httpx.Response) -> None:
        schema = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": self._described["components"]}).validate(answer.json())


async def for_sale(house: House, key: str) -> str:
    """A release that one payment opens for what is wanted.

    Raises:
        LookupError: there is none.
    """
    listed = [each["id"] for each in (await house.do("listReleases", first=100)).json()["nodes"]]
    answers = (await house.do("checkPermissions", {"ids": listed, "uses": WANTED}, token=key)).json()
    for id_ in [each["id"] for each in answers if each["decision"] == "LICENSE_REQUIRED"]:
        quote = (await house.do("quoteReleaseLicense", {"uses": WANTED}, token=key, id=id_)).json()["quote"]
        if quote["settlement"]["amount"] is not None and not quote["stillNeeded"]:
            return str(id_)
    raise LookupError("nothing here is for sale")


def verified(document: Any, keys: bytes) -> str:
    """What the tool says of a document that is signed by the keys of a house."""
    with tempfile.TemporaryDirectory() as folder:
        file, known = Path(folder) / "document.json", Path(folder) / "did.json"
        file.write_bytes(rfc8785.dumps(document))
        known.write_bytes(keys)
        words = [*shlex.split(os.environ["CASSET_VERIFIER"]), str(file), "--keys", str(known)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def chained(events: list[Any]) -> Iterator[str]:
    """The kinds of events, each of which names the hash of the one before it."""
    before = None
    for event in events:
        assert event["previousHash"] == before, event
        before = event["hash"]
        yield event["kind"]


async def walk(base: str, key: str, purse: Any, owner: str) -> dict[str, Any]:
    """The loop: what was found on the way."""
    payer = x402Client()
    register_exact_evm_client(payer, EthAccountSigner(purse), networks="eip155:84532")
    found: dict[str, Any] = {}
    async with x402HttpxClient(payer, timeout=60) as client:
        house = House(base, client)
        found["operations"] = await house.learn()
        keys = (await house.get("keys")).content

        held = await for_sale(house, key)
        work = (await house.do("resolveReference", ref=held)).json()["node"]
        found["title"], id_ = work["title"], work["id"]

        manifest = (await house.do("getReleaseManifest", id=id_)).json()["currentVersion"]["manifest"]
        assert f"sha256:{hashlib.sha256(manifest['body'].encode()).hexdigest()}" == manifest["hash"]
        said = json.loads(manifest["body"])
        found["manifest"] = verified({**said, "proof": json.loads(manifest["proof"])}, keys)

        receipt = (await house.do("checkRelease", {"uses": WANTED}, token=key, id=id_)).json()["receipt"]
        found["rights"] = hashlib.sha256(receipt["body"].encode()).hexdigest() == receipt["hash"]

        events = (await house.do("getReleaseProvenance", id=id_, first=100)).json()["provenance"]["nodes"]
        found["happened"] = list(chained(events))
        last = events[-1]
        place = {name: last["inclusion"][name] for name in ("leafIndex", "treeSize", "hashes")}
        proof = {"hash": last["hash"], "inclusion": place, "checkpoint": last["inclusion"]["checkpoint"]}
        found["provenance"] = verified(proof, keys)

        lineage = (await house.do("getReleaseLineage", id=id_)).json()["ancestors"]
        found["lineage"] = lineage["complete"]

        quote = (await house.do("quoteReleaseLicense", {"uses": WANTED}, token=key, id=id_)).json()["quote"]
        found["price"], found["stillNeeded"] = quote["price"], quote["stillNeeded"]
        bought = await house.do("takeReleaseLicense", {"quote": quote["id"]}, token=key, id=id_)
        settled = decode_payment_response_header(bought.headers["payment-response"])
        license_ = bought.json()
        found["paid"] = settled.success and settled.transaction == license_["document"]["payment"]["reference"]
        found["license"] = verified({**license_["document"], "proof": license_["proof"]}, keys)

        track = next(item for item in said["items"] if item["kind"] == "track")
        asked = {"license": license_["license"], "track": track["id"]}
        opened = (await house.do("openAccess", asked, token=key, id=id_)).json()
        sound = await client.get(urljoin(base, opened["url"]))
        found["heard"] = f"sha256:{hashlib.sha256(sound.content).hexdigest()}" == track["media"]

        made = {"kind": "TRACK", "title": "What a program made of it", "sha256": hashlib.sha256(b"made").hexdigest()}
        asked = {"kind": "REMIX_OF", "new": made}
        registered = (await house.do("registerReleaseDerivative", asked, token=key, id=id_)).json()
        found["registered"] = registered["status"], registered["registration"]

        theirs = (await house.do("listOwnDerivatives", token=owner, id=id_)).json()["children"]["nodes"]
        found["ownerSees"] = [each["status"] for each in theirs if each["id"] == registered["edgeId"]]
    return found


if __name__ == "__main__":
    import asyncio

    keys = os.environ["AGENT_KEY"], Account.from_key(os.environ["PURSE"]), os.environ["OWNER_SESSION"]
    sys.stdout.write(json.dumps(asyncio.run(walk(sys.argv[1], *keys))))
