"""Releases and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from domain.errors import Invalid
from domain.ids import Ref


class ReleaseKind(StrEnum):
    """The form of a release."""

    SINGLE = "SINGLE"
    EP = "EP"
    ALBUM = "ALBUM"
    MIXTAPE = "MIXTAPE"
    DEMO = "DEMO"


class ReleaseStatus(StrEnum):
    """Where a release stands in its life."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    PUBLISHED = "PUBLISHED"
    ARCHIVED = "ARCHIVED"
    WITHDRAWN = "WITHDRAWN"


class VersionState(StrEnum):
    """Where a version stands in its life."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    SUPERSEDED = "SUPERSEDED"
    WITHDRAWN = "WITHDRAWN"


MOST_ITEMS = 500


def checked_items(items: Sequence[Ref]) -> None:
    """Whether a version may hold some assets, in their order.

    Raises:
        Invalid: there are too many, or one stands twice.
    """
    if len(items) > MOST_ITEMS:
        raise Invalid(f"A release holds at most {MOST_ITEMS} items.", path=("items",))
    known: set[Ref] = set()
    for number, item in enumerate(items):
        if item in known:
            raise Invalid("This item stands twice.", path=("items", str(number)))
        known.add(item)
