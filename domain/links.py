"""Share links: seven characters without look-alikes, which say what kind of thing they lead to.

What is kept of a visitor is a digest under a key that is forgotten: it tells visitors apart for a while, and leads back
to nobody afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.ids import Kind, Ref

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""No 0 beside O, no I beside l."""
LENGTH = 7
SHARED: Final = (Kind.ARTIST, Kind.HOOK, Kind.RELEASE, Kind.ROOM)
"""What is shared; the first character of a code says which."""
KEY_LASTS = timedelta(days=30)
"""How long a visitor who comes again is known to be the same."""
LINKS_A_DAY = 200
"""New ones of one account."""
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def spelled(kind: Kind, drawn: Sequence[int]) -> str:
    """A code that leads to a thing of that kind.

    Args:
        kind: one of `SHARED`.
        drawn: as many random numbers as a code has characters.
    """
    first = (drawn[0] % (len(ALPHABET) // len(SHARED))) * len(SHARED) + SHARED.index(kind)
    return "".join(ALPHABET[number % len(ALPHABET)] for number in (first, *drawn[1:LENGTH]))


def kind_of(code: str) -> Kind | None:
    """What kind of thing a code leads to; None where it is no code."""
    if _CODE.fullmatch(code) is None:
        return None
    return SHARED[ALPHABET.index(code[0]) % len(SHARED)]


def visitor_of(secret: bytes, subject: UUID, network: str) -> bytes:
    """What is kept of who comes from a network to a thing: 16 bytes that differ from thing to thing."""
    return hmac.new(secret, subject.bytes + network.encode(), hashlib.sha256).digest()[:16]


def address_of(handle: str, subject: Ref) -> str:
    """Where a link leads: the world, and in it the thing that was shared."""
    return f"/{handle}" if subject.kind is Kind.ARTIST else f"/{handle}?{subject.kind.value}={subject}"
