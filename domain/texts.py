"""Texts as people write them: in NFC, without space around them, and nothing in them that is no text."""

from __future__ import annotations

import unicodedata

from domain.errors import Invalid


def checked_text(text: str, longest: int, path: tuple[str, ...], *, lines: bool = False) -> str:
    """A text in NFC, without space around it; of several lines where it may have them.

    Raises:
        Invalid: longer than `longest` characters, or with a character that is no text.
    """
    folded = unicodedata.normalize("NFC", text).strip()
    if len(folded) > longest:
        raise Invalid(f"This has at most {longest} characters.", path=path)
    allowed = "\n\t" if lines else ""
    if any(unicodedata.category(character) in {"Cs", "Cc"} and character not in allowed for character in folded):
        raise Invalid("This holds a control character or half a surrogate pair.", path=path)
    return folded
