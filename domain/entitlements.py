"""Entitlements: what opens the whole of a work to somebody, and where that came from."""

from __future__ import annotations

from enum import StrEnum

from domain.ids import Kind


class EntitlementScope(StrEnum):
    """How much an entitlement opens."""

    CASSET = "CASSET"
    RELEASE = "RELEASE"
    TRACK = "TRACK"


class EntitlementSource(StrEnum):
    """Where an entitlement came from."""

    PURCHASE = "PURCHASE"
    FREE_JOIN = "FREE_JOIN"
    REWARD = "REWARD"
    GRANT = "GRANT"


class EntitlementState(StrEnum):
    """Whether an entitlement opens anything; what is revoked is so for good."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"


SCOPES = {
    Kind.ARTIST: EntitlementScope.CASSET,
    Kind.RELEASE: EntitlementScope.RELEASE,
    Kind.TRACK: EntitlementScope.TRACK,
}
"""The scope of an entitlement by the kind of what it is to."""
