"""Programs that others wrote find the house, read it and pay it, unmodified; and one that knows its address walks the loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conformance.conftest import ROOT
from tests.conformance.node import HERE, Node
from tests.conformance.selling import CENTS, OWNER, Selling, selling
from tests.graph.server.dollars import PAYER

PURSE = PAYER.key.to_0x_hex()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Selling]:
    with selling(tmp_path_factory.mktemp("selling")) as each:
        yield each


def test_a_program_that_knows_the_address_alone_walks_the_whole_loop(shop: Selling) -> None:
    told = {
        "AGENT_KEY": shop.key("walker"),
        "PURSE": PURSE,
        "OWNER_SESSION": shop.session(OWNER),
        "CASSET_VERIFIER": f"{sys.executable} -m graph.server.cli verify",
        "PYTHONPATH": str(ROOT),
    }
    # It stands elsewhere: nothing of the house is there to be imported by mistake.
    done = subprocess.run(
        [sys.executable, str(HERE / "machine_loop.py"), shop.base],
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["manifest"].startswith("The document is as it was signed by did:web:")
    assert found["license"].startswith("The document is as it was signed by did:web:")
    assert "as it was signed" in found["provenance"]
    assert {"RELEASE_CREATED", "MANIFEST_SIGNED", "RELEASE_PUBLISHED"} <= set(found["happened"])
    assert (found["price"], found["stillNeeded"]) == ({"amountMinor": 2 * CENTS, "currency": "USD"}, [])
    assert [found[name] for name in ("rights", "lineage", "paid", "heard")] == [True] * 4
    assert (found["registered"], found["ownerSees"]) == (["CONFIRMED", "REGISTERED"], ["CONFIRMED"])
    asked = '{ artist(handle: "seller") { usage(first: 50) { nodes { kind handle } } } }'
    usage = shop.ask(asked, shop.session(OWNER))["usage"]["nodes"]
    assert {each["kind"] for each in usage if each["handle"]} >= {"QUOTE", "LICENSE", "ACCESS", "DERIVE"}


def test_x402s_fetch_pays(node: Node, shop: Selling) -> None:
    told = node.outcome("clients/x402.mjs", *shop.quoted("buyer", "SYNC"), KEY=shop.key("buyer"), PURSE=PURSE)
    assert (told["status"], told["settled"]["success"]) == (200, True)
    assert told["document"]["payment"]["reference"] == told["settled"]["transaction"]


def test_mppx_finds_the_house_valid_and_pays_it(node: Node, shop: Selling) -> None:
    address, body = shop.quoted("buyer", "REMIX")
    mppx = "node_modules/mppx/dist/bin.js"
    described = node.run(mppx, "discover", "validate", f"{shop.base}/openapi.json")
    assert described.returncode == 0, described.stdout + described.stderr
    # A key first, then a price (RFC 9110: who is not known is told 401): with one, everything is asked for and paid.
    words = ["--endpoint", f"POST:{address.removeprefix(shop.base)}", "--body", body, "--yes"]
    words += ["-H", f"authorization: Bearer {shop.key('buyer')}"]
    done = node.run(mppx, "validate", shop.base, *words, MPPX_PRIVATE_KEY=PURSE)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "✗" not in said, said
    assert "✓ Payment: successful (HTTP 200)" in said
    assert '✓ Receipt status is "success"' in said


def test_agentcash_finds_every_route_with_who_may_ask_it_and_what_is_paid(node: Node, shop: Selling) -> None:
    done = node.run("node_modules/@agentcash/discovery/bin/discovery.js", shop.base)
    assert done.returncode == 0, done.stdout + done.stderr
    warned = done.stdout[done.stdout.index("Warnings") :]
    for code in ("AUTH_MODE_MISSING", "FAVICON_MISSING", "PRICE", "SCHEMA"):
        assert code not in warned, warned
    assert done.stdout.count("[x402, mpp]") == 2


def test_the_tools_are_used_by_the_sdk_of_node(node: Node, shop: Selling) -> None:
    told = node.outcome("clients/mcp.mjs", f"{shop.base}/mcp", "resolve_reference", json.dumps({"ref": OWNER}))
    assert {"resolve_reference", "check_permission", "get_release_manifest"} <= set(told["tools"])
    assert (told["isError"], told["told"]["node"]["handle"]) == (False, OWNER)
