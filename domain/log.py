"""The log over all events: its name, what it says of an event, and the names of its tiles (C2SP tlog-tiles)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote

from domain.merkle import WIDTH

_DID = "did:web:"
_TILE = re.compile(r"(?P<level>\d|[1-5]\d|6[0-3])/(?P<number>[x\d/]+?)(\.p/(?P<width>[1-9]\d{0,2}))?", re.ASCII)
_ENTRIES = re.compile(r"(?P<level>entries)/(?P<number>[x\d/]+?)(\.p/(?P<width>[1-9]\d{0,2}))?", re.ASCII)


class LogState(StrEnum):
    """Whether an event is in the log."""

    PENDING = "PENDING"
    LOGGED = "LOGGED"


class Tile(NamedTuple):
    """A tile, or a bundle of entries.

    Attributes:
        level: of the tiles; None for a bundle.
        number: its number in its level.
        width: how many hashes or entries are asked for.
    """

    level: int | None
    number: int
    width: int


def origin_of(method: str) -> str:
    """The name of the log of a house whose keys have such URLs: `casset.example/log` for `did:web:casset.example#…`."""
    return f"{unquote(method.partition('#')[0].removeprefix(_DID))}/log"


def tile_of(path: str) -> Tile | None:
    """Which tile a path names, such as `0/x001/234.p/17` or `entries/000`; None where it is no path of a tile."""
    read = _TILE.fullmatch(path) or _ENTRIES.fullmatch(path)
    if read is None:
        return None
    width = int(read["width"] or WIDTH)
    number = read["number"].replace("/", "").replace("x", "")
    index = int(number) if number and len(number) <= 15 else -1
    if index < 0 or spelled(index) != read["number"] or width > WIDTH or (width == WIDTH and read["width"]):
        return None
    return Tile(None if read["level"] == "entries" else int(read["level"]), index, width)


def spelled(index: int) -> str:
    """The number of a tile as it stands in a path: three digits at a time, an x before all but the last."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))
