"""A chain to anchor on: py-evm posing as Base Sepolia, with EAS where OP Stack chains have it, asked over HTTP.

The code at the contract's address is that which EAS's own package holds (`eas.json`, with its license). What its
constructor would have set is left out: nothing that is asked of it here reads that. Transactions wait in a pool until
`mine` makes a block of those that bid enough, and `reorganise` takes blocks back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eth_keys import keys
from eth_tester import PyEVMBackend
from eth_tester.exceptions import TransactionFailed

from domain.anchors import CHAIN_ID, CONTRACT

KEY = bytes(31) + b"\x07"  # opens nothing
"""The key of the account that pays."""
GWEI = 10**9


class Refused(Exception):
    """What a node answers instead of a result."""


@cache
def _code() -> bytes:
    return bytes.fromhex("".join(json.loads(Path(__file__).with_name("eas.json").read_text())["code"]))


def address_of(key: bytes) -> bytes:
    return keys.PrivateKey(key).public_key.to_canonical_address()


class ChainPeer:
    """A node with a chain of its own.

    Attributes:
        tip: what makers of blocks ask for a unit of gas, in wei.
        surge: what they burn beside what py-evm does.
        away: it answers 503, whatever it is asked.
        chain_id: what it says it is.
        asked: the methods that were called, in order.
        sent: the hashes of transactions that came, each time they came.
    """

    def __init__(self, accounts: Mapping[bytes, Any] | None = None) -> None:
        """Begin, with more accounts than those that anchoring takes."""
        account = {"nonce": 0, "storage": {}, "code": b""}
        genesis = {
            address_of(KEY): {**account, "balance": 10**18},
            bytes.fromhex(CONTRACT[2:]): {**account, "balance": 0, "code": _code()},
            **(accounts or {}),
        }
        self.backend = PyEVMBackend(genesis_state=genesis)
        type(self.backend.chain).chain_id = CHAIN_ID
        self.tip, self.surge, self.away, self.chain_id = GWEI, 0, False, CHAIN_ID
        self.asked: list[str] = []
        self.sent: list[str] = []
        self.pool: dict[tuple[bytes, int], Any] = {}
        self.lock = threading.Lock()
        self.url = ""

    @property
    def head(self) -> int:
        return int(self.backend.chain.get_canonical_head().block_number)

    def mine(self, blocks: int = 1) -> None:
        """Make blocks; what bids enough goes into the first."""
        with self.lock:
            self.make(blocks)

    def make(self, blocks: int) -> None:
        """Make them, under the lock."""
        base = self.backend.chain.get_block().header.base_fee_per_gas + self.surge
        for place, transaction in sorted(self.pool.items(), key=lambda each: each[0]):
            if min(transaction.max_fee_per_gas - base, transaction.max_priority_fee_per_gas) >= self.tip:
                self.backend.send_raw_transaction(transaction.encode())
                del self.pool[place]
        self.backend.mine_blocks(blocks)

    def reorganise(self, blocks: int, *, forget: bool = False) -> None:
        """Take the last blocks back; what was in them waits again, or nobody knows of it any more."""
        with self.lock:
            chain, first = self.backend.chain, self.head - blocks + 1
            taken = [
                each
                for n in range(first, self.head + 1)
                for each in chain.get_canonical_block_by_number(n).transactions
            ]
            self.backend.revert_to_snapshot(chain.get_canonical_block_header_by_number(first - 1).hash)
            for each in () if forget else taken:
                self.pool[each.sender, each.nonce] = each

    def stamps(self) -> list[tuple[int, str]]:
        """(block, root) of everything the contract ever took."""
        return [(int(log["blockNumber"], 16), log["topics"][1]) for log in self._logs(0, self.head)]

    # -- what a node answers

    def answer(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        known: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(self.chain_id),
            "eth_blockNumber": lambda: hex(self.head),
            "eth_maxPriorityFeePerGas": lambda: hex(self.tip),
            "eth_gasPrice": lambda: hex(self.tip + int(self._block("latest")["baseFeePerGas"], 16)),
            "eth_getCode": lambda address, _: _hex(self._state("latest").get_code(_bytes(address))),
            "eth_getBalance": lambda address, _: hex(self._state("latest").get_balance(_bytes(address))),
            "eth_getTransactionCount": lambda address, block: hex(self._state(block).get_nonce(_bytes(address))),
            "eth_getBlockByNumber": lambda block, _: self._block(block),
            "eth_getTransactionReceipt": self._receipt,
            "eth_getTransactionByHash": self._transaction,
            "eth_getLogs": lambda asked: [
                log
                for log in self._logs(int(asked["fromBlock"], 16), int(asked["toBlock"], 16))
                if all(one in {None, two} for one, two in zip(asked["topics"], log["topics"], strict=False))
            ],
            "eth_call": lambda asked, _: _hex(self.backend.call(_read(asked))),
            "eth_estimateGas": lambda asked, *_: hex(self.backend.estimate_gas(_read(asked))),
            "eth_sendRawTransaction": self._send,
        }
        if method not in known:
            raise Refused(f"the method {method} does not exist")
        try:
            return known[method](*params)
        except TransactionFailed as error:
            raise Refused(f"execution reverted: {error}") from None

    def _state(self, block: str) -> Any:
        chain = self.backend.chain
        if block in {"latest", "pending"}:
            return chain.get_vm().state
        return chain.get_vm(chain.get_canonical_block_header_by_number(int(block, 16))).state

    def _block(self, number: str) -> Any:
        wanted = self.head if number == "latest" else int(number, 16)
        if wanted > self.head:
            return None
        header = self.backend.chain.get_canonical_block_header_by_number(wanted)
        return {
            "number": hex(header.block_number),
            "hash": _hex(header.hash),
            "parentHash": _hex(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "baseFeePerGas": hex(header.base_fee_per_gas + self.surge),
            "extraData": _hex(header.extra_data),
            "transactions": [],
        }

    def _mined(self) -> Iterator[tuple[Any, int, Any]]:
        for number in range(1, self.head + 1):
            block = self.backend.chain.get_canonical_block_by_number(number)
            for index, transaction in enumerate(block.transactions):
                yield block, index, transaction

    def _receipt(self, hash_: str) -> Any:
        for block, index, transaction in self._mined():
            if _hex(transaction.hash) == hash_:
                receipt = block.get_receipts(self.backend.chain.chaindb)[index]
                where = {"blockNumber": hex(block.number), "blockHash": _hex(block.hash), "transactionHash": hash_}
                logs = [_log(log, n, {**where, "transactionIndex": hex(index)}) for n, log in enumerate(receipt.logs)]
                return {**where, "status": _hex(receipt.state_root) if receipt.state_root else "0x0", "logs": logs}
        return None

    def _transaction(self, hash_: str) -> Any:
        for block, _, transaction in self._mined():
            if _hex(transaction.hash) == hash_:
                return {"hash": hash_, "blockNumber": hex(block.number), "nonce": hex(transaction.nonce)}
        waits = [each for each in self.pool.values() if _hex(each.hash) == hash_]
        return {"hash": hash_, "blockNumber": None, "nonce": hex(waits[0].nonce)} if waits else None

    def _logs(self, first: int, last: int) -> list[Any]:
        found = [self._receipt(_hex(each.hash)) for block, _, each in self._mined() if first <= block.number <= last]
        return [log for receipt in found for log in receipt["logs"]]

    def _send(self, raw: str) -> str:
        transaction = self.backend.chain.get_transaction_builder().decode(_bytes(raw))
        sender, hash_ = transaction.sender, _hex(transaction.hash)
        self.sent.append(hash_)
        state = self._state("latest")
        if transaction.nonce < state.get_nonce(sender):
            raise Refused("nonce too low")
        if state.get_balance(sender) < transaction.gas * transaction.max_fee_per_gas:
            raise Refused("insufficient funds for gas * price + value")
        if transaction.max_fee_per_gas < int(self._block("latest")["baseFeePerGas"], 16):
            raise Refused("max fee per gas less than block base fee")
        before = self.pool.get((sender, transaction.nonce))
        if before is not None and _hex(before.hash) == hash_:
            raise Refused("already known")
        if before is not None and transaction.max_fee_per_gas * 10 < before.max_fee_per_gas * 11:
            raise Refused("replacement transaction underpriced")
        self.pool[sender, transaction.nonce] = transaction
        return hash_


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _log(log: Any, number: int, where: dict[str, str]) -> Any:
    topics = [f"0x{topic:064x}" for topic in log.topics]
    return {"address": _hex(log.address), "topics": topics, "data": _hex(log.data), "logIndex": hex(number), **where}


def _read(asked: dict[str, str]) -> Any:
    sender = _bytes(asked["from"]) if "from" in asked else address_of(KEY)
    return {"from": sender, "to": _bytes(asked["to"]), "data": _bytes(asked["data"]), "gas": 1_000_000}


@contextmanager
def served(peer: ChainPeer) -> Iterator[ChainPeer]:
    """A peer that answers at its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            told: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
            try:
                with peer.lock:
                    told["result"] = peer.answer(asked["method"], asked["params"])
            except Refused as error:
                told["error"] = {"code": -32000, "message": str(error)}
            body = json.dumps(told).encode()
            self.send_response(503 if peer.away else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}/key-of-nobody"
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
