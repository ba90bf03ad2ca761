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
_IN_TURN: Final = (Kind.ARTIST, Kind.HOOK, Kind.RELEASE, Kind.ROOM)
_FIRST: Final = {kind: ALPHABET[turn:56:4] for turn, kind in enumerate(_IN_TURN)} | {Kind.RITUAL: ALPHABET[56:]}
"""The first character of a code says what it leads to. Rituals have what the others left over: no code changed."""
SHARED: Final = tuple(_FIRST)
"""What is shared."""
KEY_LASTS = timedelta(days=30)
"""How long a visitor who comes again is known to be the same."""
LINKS_A_DAY = 200
"""New ones of one account."""
VIA: Final = "via"
"""The parameter of an address that holds the code of the link somebody came by: in the address, and in no cookie."""
CARD_WIDTH, CARD_HEIGHT = 1200, 630
"""Of the picture that is shown beside a link, in pixels."""
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def spelled(kind: Kind, drawn: Sequence[int]) -> str:
    """A code that leads to a thing of that kind.

    Args:
        kind: one of `SHARED`.
        drawn: as many random numbers as a code has characters.
    """
    first = _FIRST[kind][drawn[0] % len(_FIRST[kind])]
    return first + "".join(ALPHABET[number % len(ALPHABET)] for number in drawn[1:LENGTH])


def kind_of(code: str) -> Kind | None:
    """What kind of thing a code leads to; None where it is no code."""
    if _CODE.fullmatch(code) is None:
        return None
    return next(kind for kind, first in _FIRST.items() if code[0] in first)


def visitor_of(secret: bytes, subject: UUID, network: str) -> bytes:
    """What is kept of who comes from a network to a thing: 16 bytes that differ from thing to thing."""
    return hmac.new(secret, subject.bytes + network.encode(), hashlib.sha256).digest()[:16]


def address_of(handle: str, subject: Ref) -> str:
    """Where something is for people: a world at its handle, and below it what is in that world."""
    return f"/{handle}" if subject.kind is Kind.ARTIST else f"/{handle}/{subject.kind.value}s/{subject}"


def came_by(address: str, code: str) -> str:
    """An address, as whoever is led there by a link meets it: what they do there first may name the link."""
    return f"{address}?{VIA}={code}"
