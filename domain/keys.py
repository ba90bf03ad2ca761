"""Keys of programs: how they are spelled, what they allow, how long they last.

`cas_live_` or `cas_test_`, 32 characters drawn from 62 (190 bits), and 6 that check them: what was mistyped, cut or
lower-cased is no key, and a scanner of leaked secrets knows one by its form.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import Invalid
from domain.ids import Ref

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DRAWN = 32
"""Random characters of a key."""
_CHECKS = 6
LONGEST_NAME = 100
LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=90)
LONGEST_OVERLAP = timedelta(days=7)
MOST_KEYS = 50
"""Live ones of an account."""


class KeyMode(StrEnum):
    """Whether a key acts, or only tries."""

    LIVE = "LIVE"
    TEST = "TEST"


class KeyScope(StrEnum):
    """What a key allows."""

    READ = "READ"
    CHECK = "CHECK"
    LICENSE = "LICENSE"
    DERIVE = "DERIVE"
    BUNDLE = "BUNDLE"
    ASSETS_WRITE = "ASSETS_WRITE"
    LINEAGE_WRITE = "LINEAGE_WRITE"


WRITING = frozenset({KeyScope.ASSETS_WRITE, KeyScope.LINEAGE_WRITE})
"""For one artist only, who issues the key."""


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A key somebody asks for; `artist` issues it, or else the person; None lasts as long as keys usually do."""

    name: str
    scopes: frozenset[KeyScope]
    mode: KeyMode
    artist: Ref | None
    expires_at: datetime | None


def spelled(mode: KeyMode, drawn: Sequence[str]) -> str:
    """A key, from its random characters."""
    body = f"cas_{mode.value.lower()}_{''.join(drawn)}"
    return body + _check(body)


def is_key(text: str) -> bool:
    """Whether a text was ever spelled as a key: its form, and its check."""
    if not text.startswith(("cas_live_", "cas_test_")) or len(text) != len("cas_live_") + DRAWN + _CHECKS:
        return False
    return text[-_CHECKS:] == _check(text[:-_CHECKS])


def _check(body: str) -> str:
    number = zlib.crc32(body.encode(errors="surrogatepass"))
    digits = []
    for _ in range(_CHECKS):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def checked_draft(draft: KeyDraft, now: datetime) -> datetime:
    """When a key that may be issued ends.

    Raises:
        Invalid: it has no name or no scope, lasts too long, or could write more than it should.
    """
    if not 1 <= len(draft.name) <= LONGEST_NAME or not draft.name.isprintable():
        raise Invalid(f"A key is named in 1 to {LONGEST_NAME} printable characters.", path=("name",))
    if not draft.scopes:
        raise Invalid("A key without scopes opens nothing.", path=("scopes",))
    if draft.scopes & WRITING and draft.artist is None:
        raise Invalid("Only an artist issues keys that write, for what is theirs.", path=("artist",))
    if draft.scopes & WRITING and draft.mode is KeyMode.TEST:
        raise Invalid("A test key writes nothing.", path=("mode",))
    expires_at = draft.expires_at or now + USUAL_LIFE
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid(f"A key ends in the future, within {LONGEST_LIFE.days} days.", path=("expiresAt",))
    return expires_at


def checked_overlap(seconds: int) -> timedelta:
    """How long a key that is replaced goes on.

    Raises:
        Invalid: longer than 7 days, or negative.
    """
    if not 0 <= seconds <= LONGEST_OVERLAP.total_seconds():
        raise Invalid(f"Two keys overlap for at most {LONGEST_OVERLAP.days} days.", path=("overlapSeconds",))
    return timedelta(seconds=seconds)
