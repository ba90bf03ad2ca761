"""What anchoring needs of a chain, and of the account that pays there."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from domain.anchors import Bid, Fees, Stamp
from domain.errors import Unavailable


class Hindered(Unavailable):
    """Nothing can be done with the chain for the moment; it says why, and nothing of where the chain is asked."""


class Receipt(NamedTuple):
    """What became of a transaction.

    Attributes:
        stamp: where it put the root; None where it put none.
        block: of what number.
    """

    stamp: Stamp | None
    block: int


class Chain(Protocol):
    """What is asked of the chain. Every method raises Hindered where there is no answer, or no sensible one."""

    async def check(self) -> None:
        """Be the chain that is meant, with the contract on it."""

    async def head(self) -> int:
        """The number of the last block."""

    async def fees(self) -> Fees:
        """What a unit of gas costs now."""

    async def gas(self, sender: str, root: str) -> int:
        """How much a transaction that brings a root may use."""

    async def balance(self, sender: str) -> int:
        """What an account has, in wei."""

    async def nonce(self, sender: str, block: int | None = None) -> int:
        """How many transactions of an account there are, up to a block or to the last one."""

    async def timestamp(self, root: str) -> int:
        """Since when the contract has a root, in seconds; 0 where it does not."""

    async def stamp(self, root: str, timestamp: int) -> Stamp | None:
        """Where a root came to the contract at a time."""

    async def receipt(self, transaction: str, root: str) -> Receipt | None:
        """What became of a transaction that brought a root; None where no block has it."""

    async def knows(self, transaction: str) -> bool:
        """Whether the chain has a transaction, or waits to."""

    async def block_hash(self, number: int) -> str | None:
        """The hash of a block; None where there is none of that number."""

    async def send(self, raw: bytes) -> None:
        """Send a transaction; one that is known, or whose number is used up, is none the worse for it."""


class Wallet(Protocol):
    """The account that pays."""

    @property
    def address(self) -> str:
        """Its address."""

    def signed(self, nonce: int, gas: int, offer: Bid, root: str) -> tuple[str, bytes]:
        """The hash and the bytes of a transaction that brings a root."""
