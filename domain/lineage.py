"""Lineage: how a child is made from a parent."""

from __future__ import annotations

from enum import StrEnum


class EdgeKind(StrEnum):
    """How a child is made from its parent."""

    SAMPLES = "SAMPLES"
    REMIX_OF = "REMIX_OF"
    MASHUP_OF = "MASHUP_OF"
    EDIT_OF = "EDIT_OF"
    DJ_MIX_OF = "DJ_MIX_OF"
    COMPILATION_OF = "COMPILATION_OF"
    KARAOKE_OF = "KARAOKE_OF"
    STEM_OF = "STEM_OF"
    ALTERNATE_OF = "ALTERNATE_OF"
    VERSION_OF = "VERSION_OF"
    DERIVED_FROM = "DERIVED_FROM"
    COVER_OF = "COVER_OF"
    INTERPOLATES = "INTERPOLATES"
    GENERATED_FROM = "GENERATED_FROM"
    USES_INSTRUMENT = "USES_INSTRUMENT"
    INSPIRED_BY = "INSPIRED_BY"


class StepKind(StrEnum):
    """A step from something to what it is made of: along an edge, or from a release to an item it holds."""

    SAMPLES = "SAMPLES"
    REMIX_OF = "REMIX_OF"
    MASHUP_OF = "MASHUP_OF"
    EDIT_OF = "EDIT_OF"
    DJ_MIX_OF = "DJ_MIX_OF"
    COMPILATION_OF = "COMPILATION_OF"
    KARAOKE_OF = "KARAOKE_OF"
    STEM_OF = "STEM_OF"
    ALTERNATE_OF = "ALTERNATE_OF"
    VERSION_OF = "VERSION_OF"
    DERIVED_FROM = "DERIVED_FROM"
    COVER_OF = "COVER_OF"
    INTERPOLATES = "INTERPOLATES"
    GENERATED_FROM = "GENERATED_FROM"
    USES_INSTRUMENT = "USES_INSTRUMENT"
    INSPIRED_BY = "INSPIRED_BY"
    CONTAINS = "CONTAINS"


class EdgeStatus(StrEnum):
    """What the owners say of an edge."""

    CLAIMED = "CLAIMED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    DISPUTED = "DISPUTED"


class Registration(StrEnum):
    """Where the registration of a derivative stands."""

    REGISTERED = "REGISTERED"
    PENDING = "PENDING"
    REFUSED = "REFUSED"


class EvidenceSource(StrEnum):
    """Who says so."""

    IMPORT = "IMPORT"
    CHILD_OWNER = "CHILD_OWNER"
    PARENT_OWNER = "PARENT_OWNER"
    THIRD_PARTY = "THIRD_PARTY"
    DETECTION = "DETECTION"
