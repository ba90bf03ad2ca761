"""Handles: the names people and worlds go by, and what keeps one from passing for another."""

from __future__ import annotations

import re
from uuid import UUID

from domain.errors import Invalid
from domain.resolution import Match, recognise

SHORTEST_HANDLE, LONGEST_HANDLE = 3, 30
_LEFT = "left-"
_FORM = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_FOLDED = str.maketrans({"0": "o", "1": "l", "m": "rn", "w": "vv", "-": "", "_": "", ".": ""})
_RESERVED = """
about abuse account accounts admin administrator agent agents anonymous api app artist artists asset assets audio
billing blog bot cards casset cassette contact cron dashboard discover docs edit everyone explore feed graphiql
graphql guest help home hook hooks hostmaster image images import info instrument instruments internal invite jobs
join legal licence license livez login logout mail mcp me media metrics moderator new news nobody null oembed
official openapi owner pages password payments platform postmaster press privacy profile readyz register release
releases reset ritual rituals room rooms root sample samples schema search security session settings sign-in
sign-out sign-up signin signout signup staff static status studio support system team terms track tracks undefined
upload user users verify webhook webhooks webmaster well-known world worlds www you
"""


def skeleton(handle: str) -> str:
    """What is left of a handle when characters that look alike are one: two handles that share it are confusable.

    The ASCII part of Unicode's confusables (UTS 39): 0 and o, 1 and l, rn and m, vv and w; separators do not count.
    The database has the same function.
    """
    return handle.translate(_FOLDED)


def _outline(handle: str) -> str:
    """Wider still, for what nobody may look like at all: i and l, too."""
    return skeleton(handle).replace("i", "l")


_RESERVED_OUTLINES = frozenset(map(_outline, _RESERVED.split()))


def handle_left(id_: UUID) -> str:
    """What an account or an artist goes by of whom nothing is left but an id."""
    return f"{_LEFT}{id_.hex[-12:]}"


def checked_handle(text: str) -> str:
    """A handle somebody may choose, in lower case.

    Raises:
        Invalid: too short or long, of other characters, reserved, or in the form of another reference.
    """
    handle = text.strip().removeprefix("@")
    # Before lower case, which turns some letters of other alphabets into ASCII.
    handle = handle.lower() if handle.isascii() else handle
    if not SHORTEST_HANDLE <= len(handle) <= LONGEST_HANDLE:
        raise _refused(f"A handle has {SHORTEST_HANDLE} to {LONGEST_HANDLE} characters.")
    if not _FORM.fullmatch(handle):
        raise _refused("A handle is made of the letters a to z and digits, with single - or _ between them.")
    if _outline(handle) in _RESERVED_OUTLINES or handle.startswith(_LEFT):
        raise _refused("This handle is reserved, or looks like one that is.")
    found = recognise(handle)
    if found is None or found.match is not Match.HANDLE:
        raise _refused("This is the form of another kind of reference.")
    return handle


def handle_taken() -> Invalid:
    """Refuse a handle that somebody has, or that may be confused with one."""
    return _refused("This handle is taken, or too easily taken for one that is.")


def _refused(message: str) -> Invalid:
    return Invalid(message, path=("handle",))
