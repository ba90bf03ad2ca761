"""Payments of programs: what a price comes to in the asset that settles it, and how a payment stands."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum

from domain.errors import CassetError, Code

SETTLED_IN = "USDC"
SETTLED_DECIMALS = 6
_CENTS = 2
CHALLENGE_LASTS = timedelta(minutes=5)
"""How long what a 402 asks for may be paid."""
CLAIM_LASTS = timedelta(seconds=60)
"""How long a request that is under way keeps its key; after that whoever had it is taken to be gone."""


class PaymentMethod(StrEnum):
    """How a program pays."""

    EVM = "EVM"
    TEST = "TEST"
    FREE = "FREE"


class PaymentState(StrEnum):
    """How a payment stands."""

    SUBMITTED = "SUBMITTED"
    SETTLED = "SETTLED"
    FAILED = "FAILED"


class NotSettled(CassetError):
    """A payment is on its way, and nobody knows yet how it ends: nothing is asked for a second time."""

    code = Code.CONFLICT


def settled_amount(minor: int, currency: str) -> str | None:
    """What a price comes to in millionths of a dollar; None for prices in another currency, which are not changed."""
    return str(minor * 10 ** (SETTLED_DECIMALS - _CENTS)) if currency == "USD" else None


def fingerprint(method: str, path: str, body: bytes, principal: str) -> str:
    """By what a request that comes again under its key is known to be the same."""
    told = "\n".join((method, path, hashlib.sha256(body).hexdigest(), principal))
    return hashlib.sha256(told.encode()).hexdigest()
