"""A chain in this process with a dollar on it, posing as Base Sepolia: the contract is `mock_usdc.sol`, at the address
that unmodified clients of x402 accept."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils.crypto import keccak
from mpp.methods.evm import BASE_SEPOLIA_USDC
from web3 import EthereumTesterProvider, Web3
from web3.providers.eth_tester.defaults import API_ENDPOINTS

from graph.server.evm import Chain
from tests.graph.server.chain import ChainPeer

SENDER = Account.from_key(bytes(31) + b"\x05")  # opens nothing
PAYER = Account.from_key(bytes(31) + b"\x06")  # opens nothing
POOR = Account.from_key(bytes(31) + b"\x08")  # opens nothing
PAYEE = "0x742d35Cc6634C0532925a3b844Bc9e7595f8fE00"
CHAIN_ID = BASE_SEPOLIA_USDC.chain_id
WEALTH = 1_000_000_000


class _OneAtATime(EthereumTesterProvider):
    """A tester is no server: whoever asks it waits for who asked before."""

    def __init__(self, tester: Any) -> None:
        ethers = {**API_ENDPOINTS["eth"], "chainId": lambda *_: CHAIN_ID}
        super().__init__(tester, api_endpoints={**API_ENDPOINTS, "eth": ethers})
        self._lock = threading.Lock()

    def make_request(self, method: Any, params: Any) -> Any:
        with self._lock:
            return super().make_request(method, params)


def chain() -> Chain:
    """The chain, with the house's sender on it."""
    backend = PyEVMBackend(genesis_state=_accounts())
    type(backend.chain).chain_id = CHAIN_ID
    return Chain(Web3(_OneAtATime(EthereumTester(backend))), SENDER, BASE_SEPOLIA_USDC)


def _accounts() -> dict[bytes, Any]:
    slot = int.from_bytes(keccak(bytes(12) + bytes.fromhex(PAYER.address[2:]) + bytes(32)))
    code = bytes.fromhex(json.loads(Path(__file__).with_name("mock_usdc.json").read_text())["code"][2:])
    nobody = {"nonce": 0, "storage": {}, "code": b"", "balance": 0}
    return {
        bytes.fromhex(SENDER.address[2:]): {**nobody, "balance": 10**20},
        bytes.fromhex(BASE_SEPOLIA_USDC.address[2:]): {**nobody, "code": code, "storage": {slot: WEALTH}},
    }


class DollarPeer(ChainPeer):
    """A node over HTTP with the same dollar on it, for a house in a process of its own; it mines what comes."""

    def __init__(self) -> None:
        super().__init__(_accounts())

    def _send(self, raw: str) -> str:
        hash_ = super()._send(raw)
        self.make(1)
        return hash_


def balance(chain_: Chain, address: str) -> int:
    """What somebody has."""
    asked = keccak(text="balanceOf(address)")[:4] + bytes(12) + bytes.fromhex(address[2:])
    told = chain_.web3.eth.call({"from": SENDER.address, "to": BASE_SEPOLIA_USDC.address, "data": "0x" + asked.hex()})
    return int.from_bytes(told)
