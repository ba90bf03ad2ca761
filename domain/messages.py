"""What people say in rooms: the words, how fast, and who is not heard."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import Forbidden, Invalid, TooSoon
from domain.texts import checked_text

LONGEST_MESSAGE = 1_000
MINUTE = timedelta(minutes=1)
MESSAGES_A_MINUTE, REACTIONS_A_MINUTE = 20, 60
"""Of one account, in all rooms together."""
LONGEST_MUTE = timedelta(days=7)
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_message(text: str) -> str:
    """What somebody says: 1 to 1,000 characters in NFC, without space around them; lines and tabs are text.

    Signs that turn the direction of what follows (UAX #9: embeddings, overrides and isolates) are refused: they reach
    beyond the message they stand in. Arabic and Hebrew need none of them.

    Raises:
        Invalid: nothing is said, too much, or with a character that is no text.
    """
    said = checked_text(text, LONGEST_MESSAGE, ("text",), lines=True)
    if not _TURNING.isdisjoint(said):
        raise Invalid("This holds a sign that turns the direction of the text around it.", path=("text",))
    if all(unicodedata.category(character)[0] in "ZC" for character in said):
        raise Invalid("Say something.", path=("text",))
    return said


@dataclass(frozen=True, slots=True)
class Pace:
    """How somebody has been heard, as the room they are about to be heard in knows it.

    Attributes:
        now: the clock of the database.
        is_host: they edit the artist whose room it is.
        muted_until: until when they are not heard there; None where nobody muted them.
        slow_mode_seconds: how long lies between two messages of one person there.
        said_here_at: when they were heard there last, as far as slow mode asks.
        recent: how often they were heard within the last minute, wherever that was.
        oldest: when the first of these was.
    """

    now: datetime
    is_host: bool
    muted_until: datetime | None
    slow_mode_seconds: int
    said_here_at: datetime | None
    recent: int
    oldest: datetime | None


def much_said(ago: timedelta) -> TooSoon:
    """The refusal of somebody who was heard often enough, the first of these times so long ago."""
    return TooSoon("That was much within a minute.", (MINUTE - ago).total_seconds())


def refuse_haste(pace: Pace, most: int) -> None:
    """Let somebody be heard once more, `most` times within a minute.

    Raises:
        Forbidden: a host muted them.
        TooSoon: they were heard too often, or a moment ago in a room that goes slowly.
    """
    if pace.muted_until is not None and pace.muted_until > pace.now:
        raise Forbidden("A host of this room muted you for a while.")
    if pace.recent >= most and pace.oldest is not None:
        raise much_said(pace.now - pace.oldest)
    if pace.said_here_at is not None and not pace.is_host:
        wait = pace.said_here_at + timedelta(seconds=pace.slow_mode_seconds) - pace.now
        if wait > timedelta(0):
            raise TooSoon("This room goes slowly.", wait.total_seconds())


def checked_mute(minutes: int) -> timedelta:
    """For how long somebody is muted; for no time where they are heard again.

    Raises:
        Invalid: less than no time, or more than a week.
    """
    most = LONGEST_MUTE // MINUTE
    if not 0 <= minutes <= most:
        raise Invalid(f"Somebody is muted for 0 to {most} minutes.", path=("minutes",))
    return timedelta(minutes=minutes)
