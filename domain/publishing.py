"""What a version lacks before it can be published: all of it at once, so that nobody is sent around twice.

Publishing asks for no form. Silence is filled by the rules: a pool that was never divided is the owner's, and where
nobody spoke the platform's default is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.assets import AssetState
from domain.contributors import WHOLE, Pool
from domain.errors import CassetError, Code, Invalid
from domain.ids import Kind, Ref
from domain.media import ContentState
from domain.releases import ReleaseStatus


class LackKind(StrEnum):
    """What a version lacks before it can be published."""

    ITEMS = "ITEMS"
    ITEM_CLOSED = "ITEM_CLOSED"
    RELEASE_NOT_OUT = "RELEASE_NOT_OUT"
    MEDIA = "MEDIA"
    MEDIA_UNREAD = "MEDIA_UNREAD"
    SPLITS = "SPLITS"


class Lack(NamedTuple):
    """One thing that is missing: of which asset, where it is about one, and a sentence for the person who asks."""

    kind: LackKind
    message: str
    asset: Ref | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item as it stands before it is published.

    Attributes:
        ref: its reference.
        position: its place.
        state: who may see it now.
        is_own: it belongs to the artist of the release.
        is_shown: whoever publishes may read it.
        master: how far its sound was read; None where it has none.
        status: of a release; None of everything else.
        pools: basis points of the pools that were divided, without what was declined.
    """

    ref: Ref
    position: int
    state: AssetState
    is_own: bool
    is_shown: bool
    master: ContentState | None = None
    status: ReleaseStatus | None = None
    pools: Mapping[Pool, int] | None = None


class NotReady(CassetError):
    """A version cannot be published yet; `lacks` is all that is missing."""

    code = Code.VALIDATION

    def __init__(self, lacks: Sequence[Lack], *, path: tuple[str, ...] = ()) -> None:
        """Keep what is missing."""
        count = len(lacks)
        super().__init__(f"{count} {'thing is' if count == 1 else 'things are'} missing: {lacks[0].message}", path=path)
        self.lacks = tuple(lacks)


_SOUNDING = frozenset({Kind.TRACK, Kind.SAMPLE})
_OUT = frozenset({ReleaseStatus.PUBLISHED, ReleaseStatus.ARCHIVED})
_FURTHEST_DAYS = 3650


def lacks_of(release: Candidate, items: Sequence[Candidate]) -> list[Lack]:
    """All that a version lacks, in the order of its items."""
    found = [] if items else [Lack(LackKind.ITEMS, "A release holds at least one item.")]
    found += _divided(release)
    for item in sorted(items, key=lambda item: item.position):
        found += _lacks(item)
    return found


def _lacks(item: Candidate) -> Iterator[Lack]:
    at = f"Item {item.position}"
    is_closed = item.state is AssetState.WITHDRAWN or (item.state is AssetState.PRIVATE and not item.is_own)
    if is_closed or not item.is_shown:
        said = f"{at} is withdrawn, or is shown to nobody by whom it belongs to."
        yield Lack(LackKind.ITEM_CLOSED, said, item.ref)
        return
    if item.status is not None and item.status not in _OUT:
        yield Lack(LackKind.RELEASE_NOT_OUT, f"{at} is a release that is not out: publish it first.", item.ref)
    if item.ref.kind in _SOUNDING and item.master is None:
        yield Lack(LackKind.MEDIA, f"{at} has no sound that can be read: upload a master.", item.ref)
    elif item.ref.kind in _SOUNDING and item.master is not ContentState.READY:
        said = f"The sound of item {item.position} is still being read: this takes a moment."
        yield Lack(LackKind.MEDIA_UNREAD, said, item.ref)
    yield from _divided(item)


def _divided(work: Candidate) -> Iterator[Lack]:
    where = f"of item {work.position}" if work.position else "of the release"
    for pool, points in (work.pools or {}).items():
        if points != WHOLE:
            said = (
                f"The {pool.value.lower()} pool {where} comes to {points} of {WHOLE} basis points: divide what is left."
            )
            yield Lack(LackKind.SPLITS, said, work.ref)


def checked_schedule(at: datetime, now: datetime) -> datetime:
    """A moment at which a release may come out.

    Raises:
        Invalid: it is past, or further away than ten years.
    """
    if at <= now or (at - now).days >= _FURTHEST_DAYS:
        raise Invalid("A release comes out in the future, within ten years.", path=("at",))
    return at
