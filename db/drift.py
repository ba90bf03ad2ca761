"""Where works that are made of others are found, the newest first, a page at a time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, bindparam, exists, or_, select

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.arguments import DEFAULT_PAGE, LARGEST_PAGE, Given, Reading
from db.assets import current_id
from db.containment import contained
from db.engine import Database
from db.history import holds_now
from db.orders import NEWEST
from db.verdicts import ByQuestion, read_count
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import asset_ref
from domain.ids import Kind, Ref, parse_ref_of

_ARTISTS = frozenset({Kind.ARTIST})
Place = tuple[Any, UUID]
"""(when it was written, its id): where a work stands in the list."""


class ByDrift(ByQuestion):
    """`owner first after`, and the question."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, pages out of bounds, and cursors of other lists."""
        _, values = super().read(given)
        owner, after = given.get("owner"), given.get("after")
        values["owner"] = None if owner is None else parse_ref_of(owner, _ARTISTS).id
        values["most"] = read_count(given, "first", DEFAULT_PAGE, LARGEST_PAGE)
        values["after"] = NEWEST.nowhere(after=True) if after is None else NEWEST.read(after)
        return None, values


def _derived(*, of_owner: bool) -> Any:
    asset, edge, item = tables.asset.alias(), tables.lineage_edge.alias(), contained()
    made = exists().where(edge.c.child_id == asset.c.id, edge.c.binding, holds_now(edge)).correlate_except(edge)
    holds = exists().where(item.c.release_id == asset.c.id)
    key, id_ = bindparam("key", type_=DateTime(timezone=True)), bindparam("id", type_=Uuid)
    wanted = [asset.c.owner_id == current_id(bindparam("owner", type_=Uuid))] if of_owner else []
    return (
        select(asset.c.id, asset.c.kind, asset.c.created_at)
        .where(
            *wanted,
            allowed(tables.asset, Action.LIST, asset),
            asset_shown(asset, Exposure.FULL),
            or_(made, holds.correlate_except(item)),
            NEWEST.past(asset, key, id_, after=True),
        )
        .order_by(*NEWEST.columns(asset, backward=False))
        .limit(bindparam("most", type_=Integer))
    )


_STATEMENTS = {of_owner: _derived(of_owner=of_owner) for of_owner in (True, False)}


async def derived_after(
    database: Database, viewer: Viewer, owner: UUID | None, after: Place, most: int
) -> list[tuple[Ref, Place]]:
    """The next works the viewer may list that are made of something: at most so many, of one owner or of all."""
    key, id_ = after
    values = {**viewer_values(viewer), "key": key, "id": id_, "most": most}
    if owner is not None:
        values["owner"] = owner
    async with database.read() as connection:
        rows = (await connection.execute(_STATEMENTS[owner is not None], values)).all()
    return [(asset_ref(row.kind, row.id), (row.created_at, row.id)) for row in rows]
