"""A root over manifests, the way of each to it, what is wrong with a bundle first, and what is bid for gas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from domain.anchors import Bid, Caps, Fees, Stamp, bid, check_anchor, longest_wait, outbid, rooted, told_of
from domain.bundles import check_document
from domain.manifests import manifest
from domain.merkle import is_included, leaf_hash
from domain.signatures import Signer, Unverified, unbase64
from domain.signers import trusted, with_key
from tests.domain.test_manifests import PLAIN

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DID = with_key(None, "casset.example", KEY.public_key())
SIGNER = Signer(next(iter(trusted(DID))), KEY)
STAMP = Stamp("0x" + "1" * 64, 7, "0x" + "2" * 64, 1_795_311_328)
PRICES = st.integers(1, 10**12)


def address(number: int) -> str:
    return f"sha256:{hashlib.sha256(bytes([number])).hexdigest()}"


@given(st.lists(st.integers(0, 255), min_size=1, max_size=40, unique=True), st.integers(0, 255))
def test_each_manifest_leads_to_the_root_from_its_own_leaf_and_no_other_does(numbers: list[int], other: int) -> None:
    tree = rooted([address(number) for number in numbers])
    root, size = bytes.fromhex(tree.root[2:]), len(numbers)
    for index, (number, hashes) in enumerate(zip(numbers, tree.paths, strict=True)):
        path = [unbase64(each) for each in hashes]
        leaf = leaf_hash(bytes.fromhex(address(number)[7:]))
        assert is_included(leaf, index, size, path, root)
        elsewhere = leaf_hash(bytes.fromhex(address(other)[7:]))
        assert is_included(elsewhere, index, size, path, root) == (other == number)
        check_anchor(told_of(STAMP, tree.root, (index, size, hashes)), address(number))


def test_one_manifest_alone_is_its_own_leaf() -> None:
    tree = rooted([address(1)])
    assert tree.root == "0x" + hashlib.sha256(b"\0" + bytes.fromhex(address(1)[7:])).hexdigest()
    assert tree.paths == [[]]


@pytest.fixture(scope="module")
def bundle() -> dict[str, Any]:
    made = manifest(PLAIN)
    signed = {**made.told, "proof": SIGNER.proof(made.told, datetime(2026, 3, 1, tzinfo=UTC))}
    tree = rooted([address(1), made.hash, address(2)])
    return {"manifest": signed, "anchor": told_of(STAMP, tree.root, (1, 3, tree.paths[1])), "keys": DID}


def test_a_bundle_says_what_was_found_good_and_what_is_left_to_look_up(bundle: dict[str, Any]) -> None:
    said = check_document(bundle, None)
    assert said.startswith(f"The manifest is as it was signed by {SIGNER.method}. It leads to the root 0x")
    assert "eip155:84532 has had it since 2026-11-22" in said
    assert f"by transaction {STAMP.transaction} in block 7" in said


def anchored(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda told: told["anchor"].__setitem__(name, value)


WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda told: told["manifest"].__setitem__("type", "Other"), "does not sign"),
    (lambda told: told.pop("manifest"), "no manifest with a proof"),
    (lambda told: told.__setitem__("anchor", []), "anchor is not"),
    (lambda told: told["anchor"].pop("blockHash"), "anchor is not"),
    (anchored("more", 1), "anchor is not"),
    (anchored("network", "solana:1"), "anchor.network"),
    (anchored("contract", "0x1"), "anchor.contract"),
    (anchored("root", "0x" + "A" * 64), "anchor.root"),
    (anchored("transaction", None), "anchor.transaction"),
    (anchored("blockNumber", 0), "anchor.blockNumber"),
    (anchored("blockNumber", True), "anchor.blockNumber"),
    (anchored("timestampedAt", 10**15), "anchor.timestampedAt"),
    (anchored("leafIndex", "1"), "anchor.leafIndex"),
    (anchored("hashes", [1]), "anchor.hashes"),
    (anchored("hashes", None), "anchor.hashes"),
    (anchored("hashes", ["AA=="]), "does not lead"),
    (anchored("leafIndex", 0), "does not lead"),
    (anchored("leafIndex", 3), "does not lead"),
    (anchored("treeSize", 2), "does not lead"),
    (anchored("root", "0x" + "0" * 64), "does not lead"),
]


def test_the_first_thing_that_is_wrong_is_named(bundle: dict[str, Any]) -> None:
    for change, said in WRONG:
        told = json.loads(json.dumps(bundle))
        change(told)
        with pytest.raises(Unverified) as refused:
            check_document(told, trusted(DID))
        assert said in str(refused.value)


@given(PRICES, PRICES, st.integers(21_000, 200_000), PRICES, PRICES)
def test_nothing_is_ever_bid_above_the_caps_nor_too_little_to_be_taken(
    base: int, tip: int, gas: int, per_gas: int, per_batch: int
) -> None:
    fees, caps = Fees(base, tip), Caps(per_gas, per_batch * 21_000)
    offer = bid(fees, gas, caps)
    affordable = base + tip <= min(caps.per_gas, caps.per_batch // gas)
    assert (offer is not None) == affordable
    while offer is not None:
        assert base + tip <= offer.per_gas <= caps.per_gas
        assert offer.per_gas * gas <= caps.per_batch
        assert offer.tip <= offer.per_gas
        more = outbid(offer, fees, gas, caps)
        assert more is None or (more.per_gas * 8 >= offer.per_gas * 9 and more.tip * 8 >= offer.tip * 9)
        offer = more


def test_more_is_bid_within_the_cap_and_the_wait_grows_to_ten_minutes() -> None:
    assert outbid(Bid(10, 1), Fees(4, 2), 1, Caps(12, 1000)) == Bid(12, 2)
    assert outbid(Bid(12, 2), Fees(4, 2), 1, Caps(12, 1000)) is None
    waits = [longest_wait(n).total_seconds() for n in range(1, 40)]
    assert waits[:3] == [2, 4, 8]
    assert waits == sorted(waits)
    assert max(waits) == 600
