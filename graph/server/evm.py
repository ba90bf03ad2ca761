"""Settling on an EVM chain: transfers that payers signed (EIP-3009), sent by the house, who pays for the sending.

Everything here waits for a node, so it runs in a thread. A transfer is noted with its transaction before it is sent, so
that whatever happens in between can be looked up, and nobody is asked to pay twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from eth_account import Account
from eth_utils.crypto import keccak
from mpp import Credential
from mpp._validation import Validation
from mpp.errors import VerificationFailedError
from mpp.methods.evm.assets import BASE_SEPOLIA_USDC, BASE_USDC, EvmAsset
from mpp.methods.evm.intents import Authorization, ChargeIntent
from mpp.x402._types import SYNTHETIC_CHALLENGE_ID_PREFIX, PaymentRequirements
from web3 import Web3
from web3.exceptions import TransactionNotFound, Web3Exception

from db.engine import Database
from db.payments import Claims, Paid, add_payment, end_payment, one_sender
from domain.payments import NotSettled, PaymentMethod, PaymentState

log = structlog.get_logger()

ASSETS: Mapping[int, EvmAsset] = {asset.chain_id: asset for asset in (BASE_SEPOLIA_USDC, BASE_USDC)}
PATIENCE = 30.0
"""Seconds that a request waits for its transfer to be in a block."""
LOOK = 0.5
"""Seconds from one look to the next."""
LONGEST_VALID = 900
"""Seconds for which a transfer may be good: after that one that was never seen is given up."""
_ABI = [
    {
        "type": "function",
        "name": "transferWithAuthorization",
        "stateMutability": "nonpayable",
        "outputs": [],
        "inputs": [
            {"name": name, "type": kind}
            for name, kind in (
                ("from", "address"),
                ("to", "address"),
                ("value", "uint256"),
                ("validAfter", "uint256"),
                ("validBefore", "uint256"),
                ("nonce", "bytes32"),
                ("v", "uint8"),
                ("r", "bytes32"),
                ("s", "bytes32"),
            )
        ],
    }
]
_UNDER_WAY = "The payment is on its way. Ask again in a moment; do not pay again."


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain, and the account that sends on it.

    Attributes:
        web3: a node.
        sender: the account.
        asset: what is paid in.
    """

    web3: Any
    sender: Any
    asset: EvmAsset

    def prepared(self, payload: Mapping[str, Any]) -> tuple[bytes, str]:
        """(a signed transaction, its hash) that makes a transfer; it was tried on the newest block.

        Raises:
            VerificationFailedError: the chain would not do it, such as for want of money.
        """
        signature = bytes.fromhex(payload["signature"][2:])
        said = (
            Web3.to_checksum_address(payload["from"]),
            Web3.to_checksum_address(payload["to"]),
            *(int(payload[name]) for name in ("value", "validAfter", "validBefore")),
            bytes.fromhex(payload["nonce"][2:]),
            signature[64] + (27 if signature[64] < 27 else 0),
            signature[:32],
            signature[32:64],
        )
        token = self.web3.eth.contract(address=Web3.to_checksum_address(self.asset.address), abi=_ABI)
        transfer = token.functions.transferWithAuthorization(*said)
        address = self.sender.address
        try:
            gas = transfer.estimate_gas({"from": address})
        except (Web3Exception, ValueError, TransactionNotFound) as error:
            raise VerificationFailedError("The chain would not make this transfer.") from error
        except Exception as error:
            # A tester's own exceptions are none of web3's; whatever it is, nothing was sent.
            log.info("a transfer was not tried", error=type(error).__name__)
            raise VerificationFailedError("The chain would not make this transfer.") from error
        fields = {
            "from": address,
            "nonce": self.web3.eth.get_transaction_count(address, "pending"),
            "gas": gas * 6 // 5,
            "chainId": self.asset.chain_id,
            "maxFeePerGas": self.web3.eth.gas_price * 2 + 10**9,
            "maxPriorityFeePerGas": min(10**9, self.web3.eth.gas_price),
        }
        signed = self.sender.sign_transaction(transfer.build_transaction(fields))
        return bytes(signed.raw_transaction), signed.hash.to_0x_hex()

    def send(self, raw: bytes) -> None:
        """Send a signed transaction."""
        self.web3.eth.send_raw_transaction(raw)

    def ended(self, reference: str) -> bool | None:
        """Whether a transaction did what it should; None where it is in no block."""
        try:
            return bool(self.web3.eth.get_transaction_receipt(reference)["status"])
        except Exception as error:  # noqa: BLE001  # a node that does not answer tells nothing of how it ended
            log.info("a transfer is in no block", error=type(error).__name__)
            return None


def chain_of(chain_id: int, address: str, key_file: Path) -> Chain:
    """The chain behind a node's address."""
    web3 = Web3(Web3.HTTPProvider(address, request_kwargs={"timeout": 10}))
    web3.provider.global_ccip_read_enabled = False
    return Chain(web3, Account.from_key(key_file.read_text().strip()), ASSETS[chain_id])


@dataclass(frozen=True, slots=True)
class Bill:
    """What is paid for: which payment it becomes, of which account for which quote; and who asks, as a digest."""

    id: UUID
    account: UUID
    quote: UUID
    buyer: str


class Charge(ChargeIntent):
    """Takes one transfer for one quote, from clients of MPP and of x402."""

    def __init__(self, database: Database, chain: Chain, bill: Bill, turn: asyncio.Lock) -> None:
        """Settle on a chain, and note it in a database; one after the other, of this process by `turn`."""
        asset = chain.asset
        super().__init__(
            name=asset.name,
            version=asset.version,
            settle=_never,
            route_binding="resource",
            store=Claims(database),
            max_validity_seconds=LONGEST_VALID,
        )
        self._database, self._chain, self._bill, self._turn = database, chain, bill, turn

    def x402_requirements(self, request: dict[str, Any]) -> PaymentRequirements:
        """What x402 asks for, with the quote in it: a payment for another quote does not fit."""
        asked = super().x402_requirements(request)
        return {**asked, "extra": {**asked["extra"], **request.get("extra", {})}}

    async def validate(self, credential: Credential, request: dict[str, Any]) -> Validation:
        """Check a transfer; its nonce is the hash of the challenge as the specification has it, or as pympp has."""
        challenge = credential.challenge
        spelled = "0x" + keccak(text=challenge.id + challenge.realm).hex()
        payload: Any = credential.payload
        if isinstance(payload, Mapping) and str(payload.get("nonce")).lower() == spelled:
            # Its own check knows one of the two; under an id of x402's it leaves the nonce to us.
            known = replace(challenge, id=f"{SYNTHETIC_CHALLENGE_ID_PREFIX}{challenge.id}")
            credential = replace(credential, challenge=known)
        return await super().validate(credential, request)

    async def _settle(self, credential: Credential, payload: dict[str, Any], request: dict[str, Any]) -> str:
        try:
            return await self._sent(payload)
        except _NotTaken:
            # Nothing was sent for this one: another payment for the same quote was faster.
            await Claims(self._database).delete(self._claim_key(payload, request))
            raise NotSettled(_UNDER_WAY) from None

    async def _sent(self, payload: dict[str, Any]) -> str:
        chain, bill = self._chain, self._bill
        # Whoever waits for another process holds a connection: one of this process does.
        async with self._turn, one_sender(self._database, chain.sender.address):
            raw, reference = await asyncio.to_thread(chain.prepared, payload)
            told = (PaymentMethod.EVM, PaymentState.SUBMITTED, reference, chain.asset.network, payload["from"])
            paid = Paid(bill.id, *told, payload["value"])
            async with self._database.write() as connection:
                if not await add_payment(connection, bill.quote, bill.account, paid):
                    raise _NotTaken
            try:
                await asyncio.to_thread(chain.send, raw)
            except Exception as error:
                log.warning("nobody knows whether a transfer was sent", error=type(error).__name__)
                raise NotSettled(_UNDER_WAY) from error
        ended = await _ended(chain, reference)
        if ended is None:
            raise NotSettled(_UNDER_WAY)
        await end_payment(self._database, bill.id, PaymentState.SETTLED if ended else PaymentState.FAILED)
        if not ended:
            raise VerificationFailedError("The chain did not make this transfer.")
        return reference


async def _ended(chain: Chain, reference: str) -> bool | None:
    """How a transaction ended; None where it is in no block after all patience."""
    ended = await asyncio.to_thread(chain.ended, reference)
    until = time.monotonic() + PATIENCE
    while ended is None and time.monotonic() < until:
        await asyncio.sleep(LOOK)
        ended = await asyncio.to_thread(chain.ended, reference)
    return ended


class _NotTaken(Exception):
    """There is a payment for the quote."""


def _never(_: Authorization) -> str:
    """What settles here is `Charge` itself."""
    raise NotSettled(_UNDER_WAY)
