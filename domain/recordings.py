"""Recordings: what the tags of a file say, read as what a track and its album are here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from domain.assets import LONGEST_TITLE, AssetKind, Details, checked_details
from domain.cells import LONGEST_NAME, Drop, one_of, read_day, read_text, shown
from domain.contributors import LONGEST_INSTRUMENT, MOST_PARTIES, CreditRole
from domain.errors import Invalid
from domain.releases import ReleaseKind
from domain.search import fold

Tags = Mapping[str, Sequence[str]]
"""Values by name, as Vorbis comments name them."""

_ROLES = {
    "artist": CreditRole.MAIN_ARTIST,
    "composer": CreditRole.COMPOSER,
    "lyricist": CreditRole.LYRICIST,
    "arranger": CreditRole.ARRANGER,
    "producer": CreditRole.PRODUCER,
    "mixer": CreditRole.MIXING_ENGINEER,
    "mix": CreditRole.MIXING_ENGINEER,
    "mastering": CreditRole.MASTERING_ENGINEER,
    "remixer": CreditRole.REMIXER,
}
_SUNG = re.compile(r"\b(vocals?|voices?|singer|choir)\b", re.IGNORECASE)
_PLAYED = re.compile(r"(?P<name>.*\S)\s*\((?P<instrument>[^()]+)\)\s*")
_NUMBER = re.compile(r"\s*0*([0-9]{1,6})\b")
_LAST = 10**6
"""The number of what says none: there is one disc, and it comes last on it."""


class Played(NamedTuple):
    """Somebody's part in a recording, by name."""

    name: str
    role: CreditRole
    instrument: str | None = None


class Album(NamedTuple):
    """What files say of the album they are on; files that say the same are on one."""

    title: str
    artist: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """How it is told from others: its names without case and accents."""
        return fold(self.artist or "") or (self.artist or ""), fold(self.title) or self.title


@dataclass(frozen=True, slots=True)
class Recording:
    """What a file says of itself.

    Attributes:
        title: from its tags, or its name.
        people: who did what.
        isrc: where it says a good one.
        made_on: where it says a whole date.
        album: None where it is on none.
        place: disc and number on it.
        album_details: the columns of a release that its tags fill.
    """

    title: str
    people: Sequence[Played]
    isrc: str | None
    made_on: date | None
    album: Album | None
    place: tuple[int, int]
    album_details: Mapping[str, Any]


def read_recording(tags: Tags, name: str, drop: Drop) -> Recording:
    """What the tags of a file come to; what cannot be kept is dropped with a reason.

    Args:
        tags: as they were found.
        name: of the file, without its ending: the title where the tags have none.
        drop: takes the reasons.
    """

    def text(field: str, longest: int = LONGEST_NAME) -> str:
        values = tags.get(field, ())
        return read_text(field, values[0].strip(), longest, drop).strip() if values else ""

    title = text("title", LONGEST_TITLE) or read_text("name", name.strip(), LONGEST_TITLE, drop).strip()
    album = text("album", LONGEST_TITLE)
    return Recording(
        title=title,
        people=_people(tags, drop),
        isrc=_detail(AssetKind.TRACK, "isrc", text("isrc").replace(" ", ""), drop),
        made_on=_day(text("date")),
        album=Album(album, text("albumartist") or None) if album else None,
        place=(_number(text("discnumber"), 1), _number(text("tracknumber"), _LAST)),
        album_details=_album_details(text, drop),
    )


def _people(tags: Tags, drop: Drop) -> Sequence[Played]:
    people: dict[Played, None] = {}
    for field, role in _ROLES.items():
        for value in tags.get(field, ()):
            people[Played(_name(field, value, drop), role)] = None
    for value in tags.get("performer", ()):
        found = _PLAYED.fullmatch(value)
        name = _name("performer", found["name"] if found else value, drop)
        instrument = read_text("instrument", found["instrument"].strip(), LONGEST_INSTRUMENT, drop) if found else ""
        sung = _SUNG.search(instrument) is not None
        role = CreditRole.VOCALIST if sung else CreditRole.INSTRUMENTALIST
        people[Played(name, role, None if sung else instrument or None)] = None
    named = [played for played in people if played.name]
    if len(named) > MOST_PARTIES:
        drop(f"{len(named)} people are credited; the first {MOST_PARTIES} are kept")
    return named[:MOST_PARTIES]


def _name(field: str, value: str, drop: Drop) -> str:
    return read_text(field, value.strip(), LONGEST_NAME, drop).strip()


def _detail(kind: AssetKind, name: str, text: str, drop: Drop) -> Any:
    """A value of a detail row; one that breaks its rule is dropped."""
    if not text:
        return None
    try:
        return checked_details(Details(kind, {name: text}))[name]
    except Invalid as error:
        drop(f"{name} {shown(text)} is left out: {error.message}")
        return None


def _album_details(text: Any, drop: Drop) -> Mapping[str, Any]:
    told = {
        "release_kind": one_of(ReleaseKind, text("releasetype")),
        "label": text("label") or None,
        "upc": _detail(AssetKind.RELEASE, "upc", text("barcode"), drop),
    }
    return {name: value for name, value in told.items() if value is not None}


def _day(text: str) -> date | None:
    """A whole date; a year alone is none."""
    return read_day(text[:10], lambda _: None) if len(text) >= 10 else None


def _number(text: str, otherwise: int) -> int:
    """`3` and `03/12` are three."""
    found = _NUMBER.match(text)
    return int(found[1]) if found else otherwise
