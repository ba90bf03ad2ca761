"""The facts a question of rights is decided from: everything some assets are made of, and what was said about it.

One statement reads one state: the parts, the bonds between them, and the policies that speak. Visibility decides
nothing here and hides nothing: a part carries whether the viewer may see it, and what is told of it follows from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)

from db import tables
from db.access import Action, Exposure, allowed, asset_shown, stood, viewer_values
from db.engine import Database
from db.statements import statement_text
from domain.accounts import Viewer
from domain.assets import AssetKind
from domain.facts import CONTAINS, Bond, BondKind, Facts, Part, Statement
from domain.lineage import EdgeKind
from domain.rights import Decision, Layer, Level, LicenseFamily, Term, Use
from domain.windows import Window

MOST_PARTS = 20_000
"""Of one answer; what is beyond is unread, and what is unread is never allowed."""
MOST_SETS = 10_000


@dataclass(frozen=True, slots=True)
class Read:
    """Facts as a viewer read them.

    Attributes:
        facts: what is decided from, whoever asks.
        seen: the parts the viewer may meet.
        named: those they may ask about by id.
    """

    facts: Facts
    seen: frozenset[UUID]
    named: frozenset[UUID]


_ASKED = bindparam("asked", type_=ARRAY(Uuid), required=True)


def _above(child: ColumnElement[Any], *, now: bool) -> Any:
    """(edge or null, parent, kind, windows) of what an asset is made of; items are what a release is made of."""
    edge, release, item = (table.alias() for table in (tables.lineage_edge, tables.release, tables.release_item))
    windows = ("child_start_ms", "child_end_ms", "parent_start_ms", "parent_end_ms")
    stored = select(edge.c.id, edge.c.parent_id, edge.c.kind, *[edge.c[name] for name in windows]).where(
        edge.c.child_id == child, edge.c.binding, stood(edge, now=now)
    )
    nothing: list[ColumnElement[Any]] = [literal_column("NULL::int").label(name) for name in windows]
    contained = (
        select(item.c.id, item.c.asset_id, literal("CONTAINS", Text), *nothing)
        .join_from(release, item, item.c.version_id == release.c.current_version_id)
        .where(release.c.id == child)
    )
    return union_all(stored, contained).lateral("above")


def _listed(query: Any) -> ColumnElement[Any]:
    """A query as a JSON array of arrays."""
    rows = query.subquery()
    whole = func.json_build_array(*rows.c)
    return select(func.coalesce(func.json_agg(whole), literal_column("'[]'::json"))).select_from(rows).scalar_subquery()


def _statement(*, now: bool) -> tuple[str, tuple[str, ...]]:
    asked = select(func.unnest(_ASKED).label("id")).cte("reached", recursive=True)
    above = _above(asked.c.id, now=now)
    reached = asked.union(select(above.c.parent_id).select_from(asked.join(above, true())))
    within = select(reached.c.id).limit(MOST_PARTS + 1).cte("within")
    asset, track, sample, policy = (
        table.alias() for table in (tables.asset, tables.track, tables.sample, tables.policy)
    )
    told = asset_shown(asset, Exposure.FULL)
    seen, named = (and_(allowed(tables.asset, action, asset), told) for action in (Action.REACH, Action.READ))
    parts = (
        select(
            asset.c.id,
            asset.c.owner_id,
            asset.c.kind,
            asset.c.made_on,
            func.coalesce(track.c.duration_ms, sample.c.duration_ms),
            seen,
            named,
        )
        .join_from(within, asset, asset.c.id == within.c.id)
        .outerjoin(track, track.c.id == asset.c.id)
        .outerjoin(sample, sample.c.id == asset.c.id)
    )
    over = _above(within.c.id, now=now)
    bonds = select(over.c.id, within.c.id.label("child_id"), *list(over.c)[1:]).select_from(within.join(over, true()))
    owners = select(asset.c.owner_id).join_from(within, asset, asset.c.id == within.c.id)
    subjects = union_all(select(within.c.id), owners.distinct()).subquery()
    said = select(
        policy.c.id,
        policy.c.subject_id,
        policy.c.level,
        policy.c.term_set_id,
        policy.c.license_family,
        policy.c.license,
    ).where(policy.c.subject_id.in_(select(subjects.c.id)), stood(policy, now=now))
    answer = func.json_build_array(_listed(parts), _listed(bonds), _listed(said))
    return statement_text(select(func.convert_to(func.cast(answer, Text), literal_column("'UTF8'"))))


_NOW, _PAST = _statement(now=True), _statement(now=False)


async def facts_of(
    database: Database, viewer: Viewer, assets: Sequence[UUID], moment: tuple[datetime, datetime] | None = None
) -> Read:
    """Everything some assets are made of, and what was said about it.

    Args:
        database: where it is read.
        viewer: who may see which part.
        assets: the assets that are asked about.
        moment: (valid at, known at): what held then, as it was known then; None for now.
    """
    sql, names = _NOW if moment is None else _PAST
    values: dict[str, Any] = {"asked": list(assets), **viewer_values(viewer)}
    if moment is not None:
        values |= {"valid_at": moment[0], "known_at": moment[1]}
    parts, bonds, said = orjson.loads(await database.fetch(sql, [values[name] for name in names], keep=True))
    terms = await _terms_of(database, {row[3] for row in said})
    facts = Facts(
        {part.id: part for part in map(_part, parts[:MOST_PARTS])},
        [_bond(row) for row in bonds],
        [_statement_of(row, terms) for row in said],
        frozenset(UUID(row[0]) for row in parts[MOST_PARTS:]),
    )
    seen, named = (frozenset(UUID(row[0]) for row in parts if row[column]) for column in (5, 6))
    return Read(facts, seen, named)


_SETS: WeakKeyDictionary[Database, dict[str, tuple[Term, ...]]] = WeakKeyDictionary()
"""The sets of terms read so far: they never change."""


async def _terms_of(database: Database, sets: set[str]) -> Mapping[str, tuple[Term, ...]]:
    kept = _SETS.setdefault(database, {})
    if len(kept) > MOST_SETS:
        kept.clear()
    missing = [UUID(id_) for id_ in sets if id_ not in kept]
    if missing:
        async with database.read() as connection:
            rows = (await connection.execute(_TERMS, {"sets": missing})).all()
        kept.update({str(id_): () for id_ in missing})
        for id_, listed in groupby(rows, lambda row: str(row.term_set_id)):
            kept[id_] = tuple(_term(row) for row in listed)
    return kept


_TERMS = (
    select(tables.term)
    .where(tables.term.c.term_set_id == any_(bindparam("sets", type_=ARRAY(Uuid))))
    .order_by(tables.term.c.term_set_id, tables.term.c.position)
)


def _term(row: Any) -> Term:
    values = {name: getattr(row, name) for name in Term._fields}
    values |= {"use": Use(row.use), "layer": row.layer and Layer(row.layer), "decision": Decision(row.decision)}
    values["territories"] = tuple(row.territories or ()) or None
    return Term(**values)


def _part(row: Sequence[Any]) -> Part:
    id_, owner, kind, made_on, duration_ms, *_ = row
    return Part(UUID(id_), UUID(owner), AssetKind(kind), made_on and date.fromisoformat(made_on), duration_ms)


def _bond(row: Sequence[Any]) -> Bond:
    id_, child, parent, kind, *windows = row
    bound: BondKind = "CONTAINS" if kind == CONTAINS else EdgeKind(kind)
    return Bond(UUID(id_), UUID(child), UUID(parent), bound, _window(*windows[:2]), _window(*windows[2:]))


def _window(start: int | None, end: int | None) -> Window | None:
    return None if start is None and end is None else Window(start or 0, end)


def _statement_of(row: Sequence[Any], terms: Mapping[str, tuple[Term, ...]]) -> Statement:
    id_, subject, level, term_set, family, license_ = row
    return Statement(UUID(id_), UUID(subject), Level(level), terms[term_set], LicenseFamily(family), license_)
