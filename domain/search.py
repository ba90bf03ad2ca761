"""What can be found, and how names are folded for looking."""

from __future__ import annotations

import unicodedata
from enum import StrEnum


class FoundKind(StrEnum):
    """What a search can find."""

    ARTIST = "ARTIST"
    TRACK = "TRACK"
    SAMPLE = "SAMPLE"
    INSTRUMENT = "INSTRUMENT"
    RELEASE = "RELEASE"
    CONTRIBUTOR = "CONTRIBUTOR"


LONGEST_QUERY_WORDS = 12
LONGEST_WORD = 60


def fold(text: str) -> str:
    """The form in which names are compared: no accents, no case, words of letters and digits, one space between."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in bare.casefold()).split())


def words_of(*texts: str) -> list[str]:
    """The distinct folded words of some names, in order."""
    return list(dict.fromkeys(word for text in texts for word in fold(text).split()))
