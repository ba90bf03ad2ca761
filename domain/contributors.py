"""Credits and splits: who did what, and who holds which share."""

from __future__ import annotations

from enum import StrEnum


class CreditRole(StrEnum):
    """What somebody did (DDEX role codes)."""

    MAIN_ARTIST = "MAIN_ARTIST"
    FEATURED_ARTIST = "FEATURED_ARTIST"
    COMPOSER = "COMPOSER"
    LYRICIST = "LYRICIST"
    ARRANGER = "ARRANGER"
    PRODUCER = "PRODUCER"
    MIXING_ENGINEER = "MIXING_ENGINEER"
    MASTERING_ENGINEER = "MASTERING_ENGINEER"
    REMIXER = "REMIXER"
    INSTRUMENTALIST = "INSTRUMENTALIST"
    VOCALIST = "VOCALIST"
    VISUAL_ARTIST = "VISUAL_ARTIST"


class Acceptance(StrEnum):
    """Whether the credited person agreed."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"


class Pool(StrEnum):
    """Which income a split divides."""

    MASTER = "MASTER"
    PUBLISHING = "PUBLISHING"
