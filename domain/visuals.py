"""Visual worlds: the atmosphere of a hook or a world, and the cover of a release."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.artists import Texture
from domain.assets import Badge, checked_badges
from domain.contributors import CreditWish
from domain.errors import Invalid
from domain.ids import Kind, Ref
from domain.texts import checked_text

WEARERS = frozenset({Kind.HOOK, Kind.ARTIST, Kind.RELEASE})
"""What has an atmosphere: a hook, the world of an artist, and a release, whose cover it is."""
LONGEST_TITLE, LONGEST_BEHAVIOUR = 300, 200
LOOKS = ("texture", "colour", "lyric_behaviour", "motion")
"""What is said of how it looks: it goes on when another picture takes the place of the one before."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class VisualWish:
    """What somebody wants an atmosphere to be.

    Attributes:
        subject: what wears it.
        expected_version: of the visual world that is worn; None where there is none yet.
        values: by column, `source_id` as a reference; what is not there stays as it is.
        credits: all of its credits; None leaves them as they are.
    """

    subject: Ref
    expected_version: int | None
    values: Mapping[str, Any] = field(default_factory=dict)
    credits: Sequence[CreditWish] | None = None


def checked_visual(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of an atmosphere as it is stored, by column.

    Raises:
        Invalid: a value breaks a rule.
    """
    return {name: _CHECKS[name](value) for name, value in values.items() if name in _CHECKS}


def _title(title: str | None) -> str | None:
    return None if title is None else checked_text(title, LONGEST_TITLE, ("title",)) or None


def _texture(texture: Texture | None) -> str | None:
    return None if texture is None else texture.value


def _colour(colour: str | None) -> str | None:
    if colour is not None and _COLOUR.fullmatch(colour) is None:
        raise Invalid("A colour is written #rrggbb.", path=("colour",))
    return None if colour is None else colour.lower()


def _lyric_behaviour(text: str | None) -> str | None:
    return None if text is None else checked_text(text, LONGEST_BEHAVIOUR, ("lyricBehaviour",)) or None


def _motion(text: str | None) -> str | None:
    return None if text is None else checked_text(text, LONGEST_BEHAVIOUR, ("motion",)) or None


def _badges(badges: frozenset[Badge]) -> list[str]:
    return [badge.value for badge in checked_badges(badges)]


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "title": _title,
    "texture": _texture,
    "colour": _colour,
    "lyric_behaviour": _lyric_behaviour,
    "motion": _motion,
    "badges": _badges,
}
