"""Uses, layers, decisions, presets and the licenses Casset can read."""

from __future__ import annotations

from enum import StrEnum


class Use(StrEnum):
    """What somebody may want to do with an asset."""

    REMIX = "REMIX"
    STEMS = "STEMS"
    SYNC = "SYNC"
    VISUAL_REUSE = "VISUAL_REUSE"
    AI_TRAINING = "AI_TRAINING"
    AI_GENERATION = "AI_GENERATION"
    DERIVATIVE_REGISTRATION = "DERIVATIVE_REGISTRATION"
    COMMERCIAL_USE = "COMMERCIAL_USE"


class Layer(StrEnum):
    """The recording or the work it records."""

    MASTER = "MASTER"
    COMPOSITION = "COMPOSITION"


class Decision(StrEnum):
    """What a policy says of a use, from open to closed."""

    ALLOWED = "ALLOWED"
    LICENSE_REQUIRED = "LICENSE_REQUIRED"
    CONTACT_OWNER = "CONTACT_OWNER"
    DENIED = "DENIED"


class Level(StrEnum):
    """Which level of the house spoke, from specific to general."""

    AGENT_RULE = "AGENT_RULE"
    VERSION = "VERSION"
    ASSET = "ASSET"
    ARTIST = "ARTIST"
    PLATFORM = "PLATFORM"


class LicenseFamily(StrEnum):
    """The family a license belongs to."""

    CC0 = "CC0"
    CC_BY = "CC_BY"
    CC_BY_SA = "CC_BY_SA"
    CC_BY_NC = "CC_BY_NC"
    CC_BY_ND = "CC_BY_ND"
    CC_BY_NC_SA = "CC_BY_NC_SA"
    CC_BY_NC_ND = "CC_BY_NC_ND"
    GPL = "GPL"
    ALL_RIGHTS_RESERVED = "ALL_RIGHTS_RESERVED"
    OPEN_TO_REMIX = "OPEN_TO_REMIX"
    CUSTOM = "CUSTOM"
