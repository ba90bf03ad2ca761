"""A house in a process of its own that sells for dollars on a chain beside it: who owns what is sold, and who buys."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.conftest import ENVIRONMENT, PATIENCE, ROOT, opened
from tests.graph.server.chain import served as chain_served
from tests.graph.server.dollars import PAYEE, SENDER, DollarPeer
from tests.graph.server.recordings import wav

OWNER, BUYERS = "seller", ("walker", "buyer")
"""Who is there, each with an artist of that name."""
PASSWORD = "nine lamps over the water"  # opens a house that is gone after the test
USES = ("SYNC", "DERIVATIVE_REGISTRATION", "REMIX", "STEMS", "COMMERCIAL_USE", "VISUAL_REUSE")
CENTS = 5


@dataclass(frozen=True)
class Selling:
    """The house, and the release that is for sale there.

    Attributes:
        base: its address.
        data: its data folder.
        release: the id of the release.
    """

    base: str
    data: Path
    release: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def session(self, handle: str) -> str:
        """The secret of a new session of somebody."""
        command = [sys.executable, "-m", "graph.server.cli", "token", handle, "--data", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def ask(self, document: str, session: str | None = None, **variables: Any) -> Any:
        """The first field's answer of the graph."""
        headers = {} if session is None else {"authorization": f"Bearer {session}"}
        asked = {"query": document, "variables": variables}
        told = httpx.post(f"{self.base}/graphql", json=asked, headers=headers, timeout=PATIENCE).json()
        assert "errors" not in told, told
        return next(iter(told["data"].values()))

    def key(self, handle: str) -> str:
        """The secret of a key that buys for somebody."""
        if handle not in self.keys:
            document = "mutation ($i: IssueKeyInput!) { issueKey(input: $i) { ... on KeySuccess { secret } } }"
            given = {"name": "a buyer", "scopes": ["READ", "CHECK", "LICENSE", "DERIVE"]}
            self.keys[handle] = self.ask(document, self.session(handle), i=given)["secret"]
        return self.keys[handle]

    def quoted(self, handle: str, use: str) -> tuple[str, str]:
        """(address, body) of the license on a new quote."""
        headers = {"authorization": f"Bearer {self.key(handle)}", "idempotency-key": uuid.uuid4().hex}
        address = f"{self.base}/api/agents/releases/{self.release}/license"
        told = httpx.post(f"{address}/quote", json={"uses": [use]}, headers=headers, timeout=PATIENCE)
        assert told.status_code == 200, told.text
        return address, json.dumps({"quote": told.json()["quote"]["id"]})


@contextmanager
def selling(folder: Path) -> Iterator[Selling]:
    """A house that sells a release of one song, and nothing else."""
    (folder / "sender").write_text(SENDER.key.hex())
    with chain_served(DollarPeer()) as node:
        settled = f"eip155:84532 {node.url} {PAYEE} {folder / 'sender'}"
        words = ["serve", "--port", "0", "--no-demo", "--data", str(folder / "data")]
        more = {"CASSET_SETTLEMENT": settled, "CASSET_HOSTS": "127.0.0.1"}
        with opened(folder / "served.log", "graph.server.cli", *words, environment=more) as url:
            house = Selling(url.removesuffix("/graphql"), folder / "data")
            yield Selling(house.base, house.data, furnished(house))


def furnished(house: Selling) -> str:
    """The id of the release: recorded, published and priced by its owner, as people do."""
    joined = "mutation ($i: SignUpInput!) { signUp(input: $i) { ... on SignUpSuccess { artist { id } } } }"
    for handle in (OWNER, *BUYERS):
        given = {"handle": handle, "email": f"{handle}@casset.example", "password": PASSWORD, "artistName": handle}
        artist = house.ask(joined, i=given)["artist"]["id"]
        if handle == OWNER:
            owner = artist
    session = house.session(OWNER)
    song = made(house, session, owner, "Song", track={})
    headers = {"authorization": f"Bearer {session}", "content-type": "audio/wav"}
    address = f"{house.base}/api/upload/media?asset={song}&role=MASTER"
    sent = httpx.post(address, content=wav(2.0), headers=headers, timeout=PATIENCE)
    assert sent.status_code == 201, sent.text
    release = made(house, session, owner, "Single", release={"releaseKind": "SINGLE"})
    held = "mutation ($i: SetReleaseItemsInput!) { setReleaseItems(input: $i) { ... on SetReleaseItemsSuccess { version { id } } } }"
    given = {"release": release, "items": [song], "expectedVersion": version_of(house, session, release)}
    version = house.ask(held, session, i=given)["version"]["id"]
    publish(house, session, release, version)
    price = {"decision": "LICENSE_REQUIRED", "price": {"amountMinor": CENTS, "currency": "USD"}}
    stated = "mutation ($i: SetPolicyInput!) { setPolicy(input: $i) { __typename } }"
    for subject in (release, song):
        decided = price if subject == release else {"decision": "ALLOWED"}
        given = {"subject": subject, "terms": [{"use": use, **decided} for use in USES]}
        assert house.ask(stated, session, i=given) == {"__typename": "SetPolicySuccess"}
    return release


def made(house: Selling, session: str, owner: str, title: str, **details: Any) -> str:
    """The id of a new asset."""
    document = (
        "mutation ($i: CreateAssetInput!) { createAsset(input: $i) { ... on CreateAssetSuccess { asset { id } } } }"
    )
    told = house.ask(document, session, i={"owner": owner, "title": title, "details": details})
    return str(told["asset"]["id"])


def version_of(house: Selling, session: str, asset: str) -> int:
    """The optimistic version an asset is at."""
    told = house.ask("query ($id: ID!) { asset(id: $id) { version } }", session, id=asset)
    return int(told["version"])


def publish(house: Selling, session: str, release: str, version: str) -> None:
    """Let the release be out, as soon as the house has heard what is on it."""
    document = "mutation ($i: PublishVersionInput!) { publishVersion(input: $i) { __typename } }"
    until = time.monotonic() + PATIENCE
    told = None
    while time.monotonic() < until:
        given = {"version": version, "expectedVersion": version_of(house, session, release)}
        told = house.ask(document, session, i=given)
        if told == {"__typename": "PublishVersionSuccess"}:
            return
        time.sleep(0.2)
    raise AssertionError(f"it is not out: {told}")
