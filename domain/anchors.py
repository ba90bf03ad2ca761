"""Anchored proof: one root over many manifests, which a public chain has timestamped, and what is paid for that.

A leaf is the 32 bytes a manifest's address names, and leaves are hashed as those of the log are (RFC 6962). Who has a
manifest and its way to the root needs nobody's word for either; when the root was there is looked up on the chain.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from domain.manifests import PREFIX
from domain.merkle import Range, inclusion, is_included, leaf_hash, root_hash
from domain.signatures import Unverified, unbase64

CHAIN_ID = 84532
NETWORK = f"eip155:{CHAIN_ID}"
"""Base Sepolia (CAIP-2)."""
CONTRACT = "0x4200000000000000000000000000000000000021"
"""The Ethereum Attestation Service, which is part of every OP Stack chain."""
CONFIRMATIONS = 12
"""Blocks from the one that holds a root on, itself counted, after which it counts as there to stay."""
MOST_IN_BATCH = 256
GATHERING = timedelta(seconds=30)
"""How long what is asked for waits for more to share its transaction."""
STUCK = timedelta(minutes=2)
"""How long a transaction may wait before more is bid for it."""
CHECK_EVERY = timedelta(days=1)
_LONGEST_WAIT = timedelta(minutes=10)
_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_NETWORK = re.compile(r"eip155:[1-9]\d{0,18}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_PLACE = ("leafIndex", "treeSize", "hashes")
_MEMBERS = frozenset(
    {"network", "contract", "root", *_PLACE, "transaction", "blockNumber", "blockHash", "timestampedAt"}
)
_LATEST = 253402300799
"""The last second that has a date."""


class AnchorState(StrEnum):
    """Where an anchored proof stands."""

    PREPARED = "PREPARED"
    SUBMITTED = "SUBMITTED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    MISMATCH = "MISMATCH"


UNDER_WAY = frozenset({AnchorState.PREPARED, AnchorState.SUBMITTED, AnchorState.MINED})
OVER = frozenset({AnchorState.FAILED, AnchorState.MISMATCH})
"""What may be asked for again."""


class Rooted(NamedTuple):
    """A tree over some manifests.

    Attributes:
        root: as the chain has it, `0x…`.
        paths: by leaf, the hashes beside its way to the root, from below, in base64.
    """

    root: str
    paths: list[list[str]]


def rooted(manifests: Sequence[str]) -> Rooted:
    """The tree over the manifests at some addresses, in their order."""
    leaves = [leaf_hash(_digest(address)) for address in manifests]
    known: dict[Range, bytes] = {}

    def over(leaves_: Range) -> bytes:
        if leaves_ not in known:
            known[leaves_] = root_hash(leaves[leaves_.begin : leaves_.end])
        return known[leaves_]

    paths = [[base64.b64encode(over(each)).decode() for each in inclusion(n, len(leaves))] for n in range(len(leaves))]
    return Rooted(f"0x{root_hash(leaves).hex()}", paths)


def _digest(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix(PREFIX))


class Stamp(NamedTuple):
    """Where a chain holds a root.

    Attributes:
        transaction: the hash of the transaction that brought it.
        block: the number of its block.
        block_hash: the hash of that.
        at: the timestamp the contract keeps, in seconds.
    """

    transaction: str
    block: int
    block_hash: str
    at: int


class Fees(NamedTuple):
    """What the chain asks for a unit of gas, in wei: what is burnt, and what whoever makes the block gets."""

    base: int
    tip: int


class Caps(NamedTuple):
    """The most this house pays, in wei: for a unit of gas, and for a batch."""

    per_gas: int
    per_batch: int


class Bid(NamedTuple):
    """The most a transaction pays for a unit of gas, and of that to whoever makes the block, in wei."""

    per_gas: int
    tip: int


def bid(fees: Fees, gas: int, caps: Caps) -> Bid | None:
    """What to bid for so much gas; None where the chain asks for more than this house pays."""
    most = _most(gas, caps)
    if fees.base + fees.tip > most:
        return None
    return Bid(min(2 * fees.base + fees.tip, most), fees.tip)


def outbid(before: Bid, fees: Fees, gas: int, caps: Caps) -> Bid | None:
    """What to bid instead: nodes take an eighth more of both; None where that is more than this house pays."""
    wanted = Bid(max(2 * fees.base + fees.tip, _eighth_more(before.per_gas)), max(fees.tip, _eighth_more(before.tip)))
    most = _most(gas, caps)
    per_gas = min(wanted.per_gas, most)
    if per_gas < _eighth_more(before.per_gas) or wanted.tip > per_gas or fees.base + fees.tip > per_gas:
        return None
    return Bid(per_gas, wanted.tip)


def _most(gas: int, caps: Caps) -> int:
    return min(caps.per_gas, caps.per_batch // gas)


def _eighth_more(price: int) -> int:
    return price + price // 8 + 1


def longest_wait(hindrances: int) -> timedelta:
    """How long to leave a chain alone that so many turns in a row could do nothing with."""
    return min(timedelta(seconds=2.0 ** min(hindrances, 16)), _LONGEST_WAIT)


def told_of(stamp: Stamp, root: str, place: tuple[int, int, Sequence[str]]) -> dict[str, Any]:
    """An anchor as a bundle carries it; `place` is the leaf, how many there are, and the path."""
    return {
        "network": NETWORK,
        "contract": CONTRACT,
        "root": root,
        **dict(zip(_PLACE, (place[0], place[1], list(place[2])), strict=True)),
        "transaction": stamp.transaction,
        "blockNumber": stamp.block,
        "blockHash": stamp.block_hash,
        "timestampedAt": stamp.at,
    }


def check_anchor(anchor: Any, address: str) -> str:
    """Check as much of an anchor as can be without the chain; a sentence about what is left to look up there.

    Args:
        anchor: as a bundle carries it.
        address: of the manifest it is of.

    Raises:
        Unverified: it says what is wrong first.
    """
    if not isinstance(anchor, Mapping) or set(anchor) != _MEMBERS:
        raise Unverified(f"anchor is not {', '.join(sorted(_MEMBERS))}, and nothing else.")
    for name, form in _FORMS.items():
        if not isinstance(anchor[name], str) or form.fullmatch(anchor[name]) is None:
            raise Unverified(f"anchor.{name} is not written as chains write it.")
    for name, last in (("blockNumber", 2**53 - 1), ("timestampedAt", _LATEST)):
        if type(anchor[name]) is not int or not 0 < anchor[name] <= last:
            raise Unverified(f"anchor.{name} is no number of that kind.")
    index, size = anchor["leafIndex"], anchor["treeSize"]
    try:
        path = [unbase64(each) for each in anchor["hashes"]]
    except (TypeError, ValueError):
        raise Unverified("anchor.hashes are not hashes in base64.") from None
    if type(index) is not int or type(size) is not int:
        raise Unverified("anchor.leafIndex and anchor.treeSize are not numbers.")
    if not is_included(leaf_hash(_digest(address)), index, size, path, bytes.fromhex(anchor["root"][2:])):
        raise Unverified("anchor does not lead from this manifest to its root.")
    at = datetime.fromtimestamp(anchor["timestampedAt"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"It leads to the root {anchor['root']}. That {anchor['network']} has had it since {at} is said here, and is "
        f"looked up there: getTimestamp of {anchor['contract']} answers {anchor['timestampedAt']} for it, by "
        f"transaction {anchor['transaction']} in block {anchor['blockNumber']}."
    )


_FORMS = {"network": _NETWORK, "contract": _ADDRESS, "root": _HASH, "transaction": _HASH, "blockHash": _HASH}
