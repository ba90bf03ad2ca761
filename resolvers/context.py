"""What a mutation acts with: the database, who acts, and the time and ids it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import uuid6

from db.engine import Database
from domain.accounts import Viewer


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562)."""
    return UUID(int=uuid6.uuid7().int)


@dataclass(frozen=True, slots=True)
class Acting:
    """One caller's hands.

    Attributes:
        database: where everything is written.
        viewer: who acts.
        now: the clock.
        new_id: makes a UUIDv7.
    """

    database: Database
    viewer: Viewer
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
