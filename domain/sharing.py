"""Share alike: what must carry the license of its source, and which two such licenses one work can carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import TypeVar

from domain.rights import Use

Item = TypeVar("Item")

CLOSED_BY_CONFLICT = (Use.REMIX, Use.STEMS, Use.DERIVATIVE_REGISTRATION, Use.COMMERCIAL_USE)
"""What cannot be done with a work of two sources whose licenses exclude each other, before an owner is asked."""

_BY_SA = "CC-BY-SA-"
_ANY_GPL_2 = frozenset({"GPL-2.0-only", "GPL-2.0-or-later"})
# CC BY-SA 4.0 may be adapted into GPL-3.0 (https://creativecommons.org/compatiblelicenses), where 3.0 may be chosen.
_TAKES_BY_SA_4 = frozenset({"GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"})


@lru_cache(maxsize=1024)
def agree(one: str, other: str) -> bool:
    """Whether one work can carry both licenses (SPDX, unported): the same, or one that leads to the other.

    BY-SA leads to its later versions, GPL-2.0-or-later to GPL-2.0-only, BY-SA-4.0 to a GPL that allows 3.0.
    Any other pair is a conflict.
    """
    pair = {one, other}
    return (
        len(pair) == 1
        or all(license_.startswith(_BY_SA) for license_ in pair)
        or pair == _ANY_GPL_2
        or (f"{_BY_SA}4.0" in pair and bool(pair & _TAKES_BY_SA_4))
    )


def conflicting(licenses: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs that do not agree, each in order."""
    return [(one, other) for one, other in combinations(sorted(set(licenses)), 2) if not agree(one, other)]


def left_out(carried: Iterable[str], given: Sequence[tuple[Item, frozenset[str]]]) -> list[Item]:
    """Which items to leave out, so that the licenses of the others agree with each other and with `carried`.

    No smaller part of the answer is enough. Items whose licenses are more frequent stay first; where items are as
    frequent as each other, the earlier one stays.
    """
    count: dict[str, int] = {}
    for _, licenses in given:
        for license_ in licenses:
            count[license_] = count.get(license_, 0) + 1
    standing, out = set(carried), set()
    order = sorted(
        range(len(given)), key=lambda place: (-min(map(count.__getitem__, given[place][1]), default=0), place)
    )
    for place in order:
        licenses = given[place][1]
        if conflicting(standing | licenses):
            out.add(place)
        else:
            standing |= licenses
    return [item for place, (item, _) in enumerate(given) if place in out]
