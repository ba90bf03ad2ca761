"""What a change may reach, and how the arguments of a simulation are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Uuid, any_, bindparam, func, or_, select, true, union_all

from db import tables
from db.arguments import Given, Reading
from db.containment import contained
from db.engine import Database
from db.history import holds_now
from db.orders import FLIPPED
from db.policies import POLICY_SUBJECTS, read_said
from db.verdicts import ASSET_REF_KINDS, Unbound, read_count, read_uses, read_window
from domain.errors import BadInput, Invalid
from domain.ids import Kind, parse_ref_of
from domain.lineage import EdgeKind
from domain.policies import stated
from domain.registration import EdgeDraft
from domain.simulations import Paging
from domain.windows import Window

DEFAULT_CHANGES, MOST_CHANGES = 100, 1000
MOST_REACHED = 10_000
"""Assets one simulation looks at; beyond, it says so."""


def _paged(given: Given) -> dict[str, Paging]:
    after = given.get("after")
    first = read_count(given, "first", DEFAULT_CHANGES, MOST_CHANGES)
    return {"paging": Paging(read_uses(given), first, None if after is None else FLIPPED.read(after)[0])}


class ByPolicy(Unbound):
    """`subject license preset terms uses first after`."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, and what cannot be stated; nothing stated is silence."""
        subject = parse_ref_of(given["subject"], POLICY_SUBJECTS)
        said = read_said(given)
        try:
            wished = stated(*said, of_visual=subject.kind is Kind.VISUAL) if any(said) else None
            return None, {"subject": subject, "stated": wished, **_paged(given)}
        except Invalid as error:
            raise BadInput(error.message) from None


class ByEdge(Unbound):
    """`child parent kind childWindow parentWindow uses first after`."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds, and windows that are none."""
        child, parent = (parse_ref_of(given[name], ASSET_REF_KINDS) for name in ("child", "parent"))
        windows = read_window(given, "childWindow"), read_window(given, "parentWindow")
        return None, {"draft": EdgeDraft(child, parent, EdgeKind(given["kind"]), *windows), **_paged(given)}


class ByTakedown(Unbound):
    """`id uses first after`."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds."""
        return None, {"asset": parse_ref_of(given["id"], ASSET_REF_KINDS), **_paged(given)}


class BySince(Unbound):
    """`since uses first after`."""

    def read(self, given: Given) -> Reading:
        """Refuse sizes out of bounds, and cursors of other lists."""
        since: datetime = given["since"]
        return None, {"since": since, **_paged(given)}


@dataclass(frozen=True, slots=True)
class Reach:
    """What a change may reach.

    Attributes:
        assets: itself and everything made of it over binding edges.
        hooks: the hooks of those assets: the track of each, and its window there.
        is_whole: nothing was left out.
    """

    assets: Sequence[UUID]
    hooks: Mapping[UUID, tuple[UUID, Window]]
    is_whole: bool


_STARTS = bindparam("starts", type_=ARRAY(Uuid), required=True)


def _below() -> Any:
    """Everything made of some assets: children over binding edges, and the releases that hold something."""
    edge, item = tables.lineage_edge.alias(), contained()
    starts = select(func.unnest(_STARTS).label("id")).cte("reached", recursive=True)
    made = select(edge.c.child_id.label("id")).where(edge.c.parent_id == starts.c.id, edge.c.binding, holds_now(edge))
    holding = select(item.c.release_id).where(item.c.asset_id == starts.c.id)
    over = union_all(made, holding).lateral("below")
    reached = starts.union(select(over.c.id).select_from(starts.join(over, true())))
    return select(reached.c.id).limit(MOST_REACHED + 1)


_BELOW = _below()
_MADE_BEFORE = bindparam("made_before", type_=DateTime(timezone=True))
_HELD = select(tables.asset.c.id).where(
    tables.asset.c.owner_id == any_(bindparam("artists", type_=ARRAY(Uuid))),
    or_(_MADE_BEFORE.is_(None), tables.asset.c.created_at < _MADE_BEFORE),
)
_RELEASE = select(tables.release_version.c.release_id).where(
    tables.release_version.c.id == bindparam("version", type_=Uuid)
)
_HOOKS = select(tables.hook.c.id, tables.hook.c.track_id, tables.hook.c.start_ms, tables.hook.c.end_ms).where(
    tables.hook.c.track_id == any_(bindparam("tracks", type_=ARRAY(Uuid)))
)


async def assets_of(database: Database, artists: Sequence[UUID], made_before: datetime | None = None) -> list[UUID]:
    """The assets that some artists own; of those, the ones that were there before a moment."""
    async with database.read() as connection:
        values = {"artists": list(artists), "made_before": made_before}
        return list((await connection.execute(_HELD, values)).scalars())


async def release_of(database: Database, version: UUID) -> list[UUID]:
    """The release that a version is of."""
    async with database.read() as connection:
        return list((await connection.execute(_RELEASE, {"version": version})).scalars())


async def reach_of(database: Database, starts: Sequence[UUID], *, downwards: bool = True) -> Reach:
    """What a change of some assets may reach; themselves only, where not downwards."""
    async with database.read(snapshot=True) as connection:
        if downwards:
            found = list((await connection.execute(_BELOW, {"starts": list(starts)})).scalars())
        else:
            found = list(starts)
        assets = found[:MOST_REACHED]
        rows = (await connection.execute(_HOOKS, {"tracks": assets})).all()
    hooks = {row.id: (row.track_id, Window(row.start_ms, row.end_ms)) for row in rows}
    return Reach(assets, hooks, len(found) <= MOST_REACHED)
