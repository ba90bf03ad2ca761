"""The chain where roots are anchored, over JSON-RPC, and the key of the account that pays there.

web3 takes a second to import and much memory: it is imported when something is anchored, and only then. Nothing but the
address that was configured is ever asked: redirects are not followed, and no contract sends us elsewhere (CCIP read).
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from db.engine import Database
from domain.anchors import CHAIN_ID, CONTRACT, NETWORK, Bid, Caps, Fees, Stamp
from graph.server.settings import Settings
from resolvers.anchoring import Anchorer
from resolvers.chains import Hindered, Receipt, Wallet
from resolvers.context import now, uuid7

PATIENCE = 10
"""Seconds for an answer."""
_KEY_BYTES = 32
_ABI = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": "data", "type": "bytes32", "internalType": "bytes32"}],
        "outputs": [{"name": "", "type": "uint64", "internalType": "uint64"}],
        "stateMutability": mutability,
    }
    for name, mutability in (("timestamp", "nonpayable"), ("getTimestamp", "view"))
] + [
    {
        "type": "event",
        "name": "Timestamped",
        "anonymous": False,
        "inputs": [
            {"name": "data", "type": "bytes32", "internalType": "bytes32", "indexed": True},
            {"name": "timestamp", "type": "uint64", "internalType": "uint64", "indexed": True},
        ],
    }
]
"""What is used of the contract."""
_KNOWN = ("already known", "known transaction", "nonce too low", "already imported", "underpriced")
"""What nodes say of a transaction that they have, or whose number is used up."""


class RemoteChain:
    """A chain, asked over JSON-RPC."""

    def __init__(self, web3: Any, modules: ModuleType) -> None:
        """Ask through an open client.

        Args:
            web3: the client.
            modules: the library it is of.
        """
        self._eth = web3.eth
        self._errors = modules.exceptions
        self._contract = web3.eth.contract(address=modules.Web3.to_checksum_address(CONTRACT), abi=_ABI)
        self._discard = import_module("web3.logs").DISCARD
        self._checksum = modules.Web3.to_checksum_address

    async def check(self) -> None:
        """Be the chain that is meant, with the contract on it."""
        with _answering():
            id_ = await self._eth.chain_id
            code = await self._eth.get_code(self._contract.address)
        if id_ != CHAIN_ID:
            raise Hindered(f"The chain that was configured is eip155:{id_}, not {NETWORK}.")
        if not code:
            raise Hindered(f"There is no contract at {CONTRACT}.")

    async def head(self) -> int:
        """The number of the last block."""
        with _answering():
            return int(await self._eth.block_number)

    async def fees(self) -> Fees:
        """What a unit of gas costs now."""
        with _answering():
            block = await self._eth.get_block("latest")
            return Fees(int(block["baseFeePerGas"]), int(await self._eth.max_priority_fee))

    async def gas(self, sender: str, root: str) -> int:
        """What it is estimated to use, and a quarter more."""
        with _answering():
            used = await self._contract.functions.timestamp(root).estimate_gas({"from": self._checksum(sender)})
            return int(used) * 5 // 4

    async def balance(self, sender: str) -> int:
        """What an account has, in wei."""
        with _answering():
            return int(await self._eth.get_balance(self._checksum(sender)))

    async def nonce(self, sender: str, block: int | None = None) -> int:
        """How many transactions of an account there are, up to a block or to the last one."""
        with _answering():
            until = "latest" if block is None else block
            return int(await self._eth.get_transaction_count(self._checksum(sender), until))

    async def timestamp(self, root: str) -> int:
        """Since when the contract has a root, in seconds; 0 where it does not."""
        with _answering():
            return int(await self._contract.functions.getTimestamp(root).call())

    async def stamp(self, root: str, timestamp: int) -> Stamp | None:
        """Where a root came to the contract at a time: blocks are halved until the one of that time is found."""
        with _answering():
            first, last = 0, int(await self._eth.block_number)
            while first < last:
                middle = (first + last) // 2
                if (await self._eth.get_block(middle))["timestamp"] < timestamp:
                    first = middle + 1
                else:
                    last = middle
            event = self._contract.events.Timestamped()
            logs = await event.get_logs(from_block=first, to_block=first, argument_filters={"data": root})
            return _stamp(logs[0]) if logs else None

    async def receipt(self, transaction: str, root: str) -> Receipt | None:
        """What became of a transaction that brought a root; None where no block has it."""
        with _answering():
            try:
                receipt = await self._eth.get_transaction_receipt(transaction)
            except self._errors.TransactionNotFound:
                return None
            logs = self._contract.events.Timestamped().process_receipt(receipt, errors=self._discard)
            brought = [each for each in logs if each["address"] == self._contract.address]
            stamps = [_stamp(each) for each in brought if each["args"]["data"] == bytes.fromhex(root[2:])]
            return Receipt(stamps[0] if stamps else None, int(receipt["blockNumber"]))

    async def knows(self, transaction: str) -> bool:
        """Whether the chain has a transaction, or waits to."""
        with _answering():
            try:
                await self._eth.get_transaction(transaction)
            except self._errors.TransactionNotFound:
                return False
            return True

    async def block_hash(self, number: int) -> str | None:
        """The hash of a block; None where there is none of that number."""
        with _answering():
            try:
                return _hex((await self._eth.get_block(number))["hash"])
            except self._errors.BlockNotFound:
                return None

    async def send(self, raw: bytes) -> None:
        """Send a transaction; one that is known, or whose number is used up, is none the worse for it."""
        with _answering():
            try:
                await self._eth.send_raw_transaction(raw)
            except self._errors.Web3RPCError as error:
                said = str(error).lower()
                if not any(words in said for words in _KNOWN):
                    raise


def _stamp(event: Any) -> Stamp:
    return Stamp(
        _hex(event["transactionHash"]),
        int(event["blockNumber"]),
        _hex(event["blockHash"]),
        int(event["args"]["timestamp"]),
    )


def _hex(data: bytes) -> str:
    return f"0x{bytes(data).hex()}"


@contextmanager
def _answering() -> Iterator[None]:
    """Turn whatever comes of asking into one sentence: what a node says may hold its address, and the key in that."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # a node may answer anything, and a library fail at it in any way
        raise Hindered(f"The chain does not answer as it should ({type(error).__name__}).") from None


@asynccontextmanager
async def remote_chain(url: str) -> AsyncIterator[RemoteChain]:
    """The chain at a URL, until the end of the block."""
    web3 = await asyncio.to_thread(import_module, "web3")
    client = await asyncio.to_thread(import_module, "aiohttp")
    limits = {"timeout": client.ClientTimeout(PATIENCE), "allow_redirects": False}
    provider = web3.AsyncHTTPProvider(url, request_kwargs=limits, exception_retry_configuration=None)
    provider.global_ccip_read_enabled = False
    try:
        # Without what web3 does around every call: it asks for the chain's id each time, and looks names up.
        yield RemoteChain(web3.AsyncWeb3(provider, middleware=[]), web3)
    finally:
        await provider.disconnect()


class KeyWallet:
    """An account of which this house has the key."""

    def __init__(self, account: Any) -> None:
        """Pay with an account of `eth_account`."""
        self._account = account

    @property
    def address(self) -> str:
        """Its address, in small letters."""
        return str(self._account.address).lower()

    def signed(self, nonce: int, gas: int, offer: Bid, root: str) -> tuple[str, bytes]:
        """The hash and the bytes of a transaction that brings a root (EIP-1559)."""
        utils = import_module("eth_utils")
        selector = utils.function_signature_to_4byte_selector("timestamp(bytes32)")
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": CHAIN_ID,
                "nonce": nonce,
                "to": utils.to_checksum_address(CONTRACT),
                "value": 0,
                "data": selector + bytes.fromhex(root[2:]),
                "gas": gas,
                "maxFeePerGas": offer.per_gas,
                "maxPriorityFeePerGas": offer.tip,
            }
        )
        return _hex(signed.hash), bytes(signed.raw_transaction)


async def wallet_of(file: Path | None) -> Wallet:
    """The account whose key is in a file: 64 hexadecimal digits, which nobody else may read.

    Raises:
        Hindered: it is not there, cannot be read, is no key, or others may read it.
    """
    if file is None:
        raise Hindered("There is no key to pay with: CASSET_ANCHOR_KEY names no file.")
    return await asyncio.to_thread(_wallet, file)


def _wallet(file: Path) -> KeyWallet:
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise Hindered("The key to pay with can be read by others: chmod 600.")
        key = bytes.fromhex(file.read_text().strip().removeprefix("0x"))
    except OSError as error:
        raise Hindered(f"The key to pay with cannot be read: {error.strerror}.") from None
    except ValueError:
        key = b""
    try:
        return KeyWallet(import_module("eth_account").Account.from_key(key if len(key) == _KEY_BYTES else b""))
    except Exception:  # noqa: BLE001  # whatever the library says of a key, it is not repeated
        raise Hindered("The key to pay with is no key: 64 hexadecimal digits.") from None


def anchorer_of(settings: Settings, database: Database) -> Anchorer | None:
    """What brings roots to the chain in a process; None where no chain was named."""
    url = settings.chain_url
    if url is None:
        return None
    fees = settings.anchor_fees
    return Anchorer(
        database, lambda: remote_chain(url), lambda: wallet_of(settings.anchor_key), Caps(*fees), now, uuid7
    )
