"""Claims: somebody says that an artist nobody signs in for is them, and shows it where others could not."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from domain.errors import Invalid
from domain.ids import Kind, Ref

LONGEST_ADDRESS = 500
MOST_CLAIMS = 5
"""Open ones of an account."""
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class ClaimState(StrEnum):
    """Where a claim stands."""

    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"


def proof_text(claim: UUID) -> str:
    """The text that the claimant shows at an address only the artist can write to: no secret, and made for nobody else.

    A reviewer looks for it there; this house fetches nothing from addresses it is given.
    """
    return f"casset {Ref(Kind.CLAIM, claim)}"


def checked_address(text: str) -> str:
    """The public address of a page.

    Raises:
        Invalid: no https address of a named host, or too long.
    """
    address = text.strip()
    try:
        parts = urlsplit(address)
        named = parts.scheme == "https" and _HOST.fullmatch(parts.netloc.lower()) is not None
    except ValueError:
        named = False
    if not named or len(address) > LONGEST_ADDRESS or not address.isprintable() or " " in address:
        raise Invalid("Name a public page, like https://example.com/about.", path=("proofAddress",))
    return address
