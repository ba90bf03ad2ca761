"""Naming a cycle, as far as whoever would close it may see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.assets import refs_shown
from domain.errors import CycleClosed
from domain.ids import Ref
from resolvers.context import Acting


async def cycle_closed(
    connection: Any, acting: Acting, saying: str, start: Ref, way: Sequence[UUID], path: tuple[str, ...]
) -> CycleClosed:
    """The refusal of a cycle.

    Args:
        connection: of the transaction that would close it.
        acting: who would.
        saying: what is wrong, without a full stop.
        start: where the cycle begins and ends.
        way: from there once around, the start at its end included.
        path: the place in the input.
    """
    refs = await refs_shown(connection, acting.viewer, way)
    cycle = [start, *[refs.get(id_) for id_ in way]]
    named = " → ".join("(hidden)" if ref is None else str(ref) for ref in cycle)
    return CycleClosed(f"{saying}: {named}.", cycle, path=path)
