"""Erasing an account: what stands in its way, and what is left of it, which says nothing of who it was."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from domain.assets import AssetState
from domain.releases import ReleaseStatus
from domain.rituals import RitualState

_MET_BY_NOBODY = (AssetState.PRIVATE.value, AssetState.WITHDRAWN.value)
_OVER = (RitualState.MEMORY.value, RitualState.CANCELLED.value)


async def is_met(connection: AsyncConnection, artist_id: UUID) -> bool:
    """Whether others meet what is an artist's: a work that is shown or will be, or a ritual that is not over."""
    asset, release, ritual = tables.asset, tables.release, tables.ritual
    coming = exists().where(release.c.id == asset.c.id, release.c.status == ReleaseStatus.SCHEDULED.value)
    shown = or_(asset.c.state.not_in(_MET_BY_NOBODY), coming)
    works = exists().where(asset.c.owner_id == artist_id, shown)
    rituals = exists().where(ritual.c.artist_id == artist_id, ritual.c.state.not_in(_OVER))
    return bool((await connection.execute(select(or_(works, rituals)))).scalar_one())


async def erase_account(connection: AsyncConnection, account_id: UUID, artists: Sequence[UUID]) -> None:
    """Leave nothing of an account, but a name that is nobody's, and of what its artists were called; its keys end."""
    erased = func.erase_account(literal(account_id, Uuid), literal(list(artists), ARRAY(Uuid)))
    await connection.execute(select(erased))
