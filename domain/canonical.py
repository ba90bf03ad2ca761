"""Canonical JSON (RFC 8785) and the digests taken over it. Texts are NFC, times RFC 3339 in UTC, no floats."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value.

    Raises:
        TypeError: it holds a float or something that is no JSON.
    """
    return rfc8785.dumps(_plain(value))


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def moment(value: datetime) -> str:
    """A moment as RFC 3339 in UTC with microseconds."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return unicodedata.normalize("NFC", value)
        case datetime():
            return moment(value)
        case UUID():
            return str(value)
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case Sequence():
            return [_plain(inner) for inner in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
