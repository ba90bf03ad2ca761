"""The four kinds of asset and what all of them share."""

from __future__ import annotations

from enum import StrEnum


class AssetKind(StrEnum):
    """The four kinds of asset; the list is closed."""

    TRACK = "TRACK"
    SAMPLE = "SAMPLE"
    INSTRUMENT = "INSTRUMENT"
    RELEASE = "RELEASE"


class AssetState(StrEnum):
    """Who may see an asset."""

    PRIVATE = "PRIVATE"
    UNLISTED = "UNLISTED"
    PUBLIC = "PUBLIC"
    ARCHIVED = "ARCHIVED"
    WITHDRAWN = "WITHDRAWN"


class Badge(StrEnum):
    """How a work was made: information, never a ranking input."""

    HUMAN_MADE = "HUMAN_MADE"
    NO_AI_USED = "NO_AI_USED"
    AI_ASSISTED = "AI_ASSISTED"
    GENERATED = "GENERATED"
    GENERATED_VISUAL_WORLD = "GENERATED_VISUAL_WORLD"
    REMIX = "REMIX"
    CO_CREATED = "CO_CREATED"
    DERIVATIVE = "DERIVATIVE"


class SampleSubkind(StrEnum):
    """What sort of sample it is."""

    LOOP = "LOOP"
    ONE_SHOT = "ONE_SHOT"
    VOICE_MEMO = "VOICE_MEMO"
    JAM = "JAM"
    STEM = "STEM"


class MediaRole(StrEnum):
    """What a media file is to its asset."""

    MASTER = "MASTER"
    PREVIEW = "PREVIEW"
    COVER = "COVER"
    LOOP = "LOOP"
    SOURCE = "SOURCE"


class AssetOrder(StrEnum):
    """The order of a list of assets."""

    NEWEST = "NEWEST"
    TITLE = "TITLE"
    MOST_DERIVED = "MOST_DERIVED"
