"""The events that writes announce: a topic and a payload of ids, told to subscribers after commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.ids import Ref


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is put into the outbox."""

    topic: str
    payload: dict[str, Any]


def asset_updated(asset: Ref, version: int) -> Announcement:
    """An asset changed; whoever shows it may read it again."""
    return Announcement("asset.updated", {"asset": str(asset), "version": version})
