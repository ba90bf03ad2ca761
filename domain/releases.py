"""Releases and their versions."""

from __future__ import annotations

from enum import StrEnum


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
