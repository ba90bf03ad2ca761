"""The facts a question of rights is decided from: everything some assets are made of, and what was said about it.

One statement reads one state: the parts, the bonds between them, the policies that speak to the viewer, and the grants
their artists hold or that were passed on. Visibility decides nothing here and hides nothing: a part carries whether the
viewer may see it, and what is told of it follows from that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress, groupby, islice
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from db import tables
from db.access import Action, Exposure, allowed, asset_shown, edge_told
from db.containment import contained, version_out
from db.engine import Database
from db.history import stood
from db.statements import statement_text
from db.viewers import IS_AGENT, granted_to, viewer_values
from domain.accounts import Viewer
from domain.assets import AssetKind, AssetState
from domain.facts import CONTAINS, Bond, BondKind, Facts, Grant, Part, Statement
from domain.lineage import EdgeKind
from domain.rights import Decision, Layer, Level, LicenseFamily, Term, Use
from domain.windows import stretch

MOST_PARTS = 20_000
"""Of one answer; what is beyond is unread, and what is unread is never allowed."""
MOST_SETS = 10_000


@dataclass(frozen=True, slots=True)
class Read:
    """Facts as a viewer read them.

    Attributes:
        facts: what is decided from, whoever asks.
        seen: the parts the viewer may meet.
        named: those they may ask about by id; what is withdrawn among them, which is denied and tells nothing else.
        untold: the bonds they may not hear of.
        moved: the ids that some assets which were asked about go by, by the ids they were asked about.
    """

    facts: Facts
    seen: frozenset[UUID]
    named: frozenset[UUID]
    untold: frozenset[UUID]
    moved: Mapping[UUID, UUID] = field(default_factory=dict)

    def current(self, asked: UUID) -> UUID:
        """The id that an asset which was asked about goes by."""
        return self.moved.get(asked, asked)


_ASKED = bindparam("asked", type_=ARRAY(Uuid), required=True)


def _above(child: ColumnElement[Any], *, now: bool) -> Any:
    """(id, parent, kind, windows, told) of what an asset is made of; items are what a release is made of."""
    edge, item = tables.lineage_edge.alias(), contained(now=now)
    windows = ("child_start_ms", "child_end_ms", "parent_start_ms", "parent_end_ms")
    ends = [edge.c[name] for name in windows]
    stored = select(edge.c.id, edge.c.parent_id, edge.c.kind, *ends, edge_told(edge).label("told")).where(
        edge.c.child_id == child, edge.c.binding, stood(edge, now=now)
    )
    nothing: list[ColumnElement[Any]] = [literal_column("NULL::int").label(name) for name in windows]
    held = select(item.c.id, item.c.asset_id, literal(CONTAINS.value, Text), *nothing, true().label("told")).where(
        item.c.release_id == child
    )
    return union_all(stored, held).lateral("above")


def _gathered(query: Any) -> Any:
    """A query as one row, with an array for each column: the least there is to write, to send and to read."""
    rows = query.subquery()
    return select(*[func.array_agg(column).label(column.name) for column in rows.c]).subquery()


def _statement(*, now: bool) -> tuple[str, tuple[str, ...], list[int]]:
    """The statement, its parameters in order, and how many columns each kind of fact has."""
    named_ids = select(func.unnest(_ASKED).label("id")).subquery()
    merge = tables.merge.alias()
    moved = (
        select(merge.c.old_id, merge.c.new_id).where(merge.c.old_id == any_(_ASKED), stood(merge, now=now)).cte("moved")
    )
    went = select(moved.c.new_id).where(moved.c.old_id == named_ids.c.id).scalar_subquery()
    asked = select(func.coalesce(went, named_ids.c.id).label("id")).cte("reached", recursive=True)
    above = _above(asked.c.id, now=now)
    reached = asked.union(select(above.c.parent_id).select_from(asked.join(above, true())))
    within = select(reached.c.id).limit(MOST_PARTS + 1).cte("within")
    asset, policy, standing = (table.alias() for table in (tables.asset, tables.policy, tables.asset_standing))
    # Whose it was and how it stood: on the asset's own row is what holds now.
    owner, state = (
        asset.c[name] if now else func.coalesce(standing.c[name], asset.c[name]) for name in ("owner_id", "state")
    )
    told = asset_shown(asset, Exposure.FULL)
    seen = and_(allowed(tables.asset, Action.REACH, asset), told)
    named = and_(allowed(tables.asset, Action.READ, asset), or_(told, asset.c.state == AssetState.WITHDRAWN.value))
    parts = select(
        asset.c.id,
        owner.label("owner_id"),
        asset.c.kind,
        _duration(asset).label("duration_ms"),
        (state == AssetState.WITHDRAWN.value).label("is_withdrawn"),
        seen.label("seen"),
        named.label("named"),
        case((asset.c.kind == AssetKind.RELEASE.value, version_out(asset.c.id, now=now))).label("version_id"),
    ).join_from(within, asset, asset.c.id == within.c.id)
    over = _above(within.c.id, now=now)
    bonds = select(over.c.id, within.c.id.label("child_id"), *list(over.c)[1:]).select_from(within.join(over, true()))
    if not now:
        parts = parts.outerjoin(standing, and_(standing.c.asset_id == asset.c.id, stood(standing, now=False)))
    there = parts.cte("parts")
    speakers = select(within.c.id), select(there.c.owner_id).distinct(), select(there.c.version_id)
    subjects = union_all(*speakers).subquery()
    # What is said to one agent nobody else hears.
    heard = or_(policy.c.agent_id.is_(None), and_(IS_AGENT, granted_to(policy.c.agent_id)))
    said = select(
        policy.c.id,
        policy.c.subject_id,
        policy.c.level,
        policy.c.term_set_id,
        policy.c.license_family,
        policy.c.license,
    ).where(policy.c.subject_id.in_(select(subjects.c.id)), heard, stood(policy, now=now))
    gathered = [_gathered(query) for query in (select(there), bonds, said, _heard(within, now=now), select(moved))]
    sql, names = statement_text(select(*[column for one in gathered for column in one.c]))
    return sql, names, [len(one.c) for one in gathered]


def _duration(asset: Any) -> ColumnElement[Any]:
    """How long an asset is: looked up by its kind, where a join might read all samples there are."""
    tracks, samples = (
        select(table.c.duration_ms).where(table.c.id == asset.c.id).scalar_subquery()
        for table in (tables.track.alias(), tables.sample.alias())
    )
    return case((asset.c.kind == AssetKind.TRACK.value, tracks), (asset.c.kind == AssetKind.SAMPLE.value, samples))


def _heard(within: Any, *, now: bool) -> Any:
    """The grants on some assets that the viewer's questions may hear."""
    grant, term = tables.permission_grant.alias(), tables.term.alias()
    passed_on = exists().where(term.c.term_set_id == grant.c.term_set_id, term.c.sublicense).correlate_except(term)
    return select(grant.c.id, grant.c.asset_id, grant.c.grantee_id, grant.c.term_set_id).where(
        grant.c.asset_id.in_(select(within.c.id)), stood(grant, now=now), or_(granted_to(grant.c.grantee_id), passed_on)
    )


_NOW, _PAST = _statement(now=True), _statement(now=False)


async def facts_of(
    database: Database, viewer: Viewer, assets: Sequence[UUID], moment: tuple[datetime, datetime] | None = None
) -> Read:
    """Everything some assets are made of, and what was said about it.

    Args:
        database: where it is read.
        viewer: who may see which part.
        assets: the assets that are asked about, also by ids they went by before.
        moment: (valid at, known at): what held then, as it was known then; None for now.
    """
    sql, names, widths = _NOW if moment is None else _PAST
    values: dict[str, Any] = {"asked": list(assets), **viewer_values(viewer)}
    if moment is not None:
        values |= {"valid_at": moment[0], "known_at": moment[1]}
    async with database.plan_connection(sql) as connection:
        columns = iter(await connection.fetchrow(sql, *[values[name] for name in names]))
    parts, bonds, said, granted, moved = ([next(columns) or () for _ in range(width)] for width in widths)
    terms = await terms_of(database, {*said[3], *granted[3]})
    ids, *_, shown, readable, _ = parts
    known = {part.id: part for part in islice(_parts(parts), MOST_PARTS)}
    seen = frozenset(compress(ids, shown))
    # Of what is withdrawn nothing else is told, and nothing above it could open what it denies.
    stubs = {id_ for id_, part in known.items() if part.is_withdrawn and id_ not in seen}
    facts = Facts(
        known,
        [bond for bond in _bonds(bonds) if bond.child not in stubs],
        list(_statements(said, terms)),
        frozenset(ids[MOST_PARTS:]),
        list(map(Grant, *granted[:3], map(terms.__getitem__, granted[3]))),
    )
    untold = frozenset([bond for bond, is_told in zip(bonds[0], bonds[-1], strict=True) if not is_told])
    return Read(facts, seen, frozenset(compress(ids, readable)), untold, dict(zip(*moved, strict=True)))


_SETS: WeakKeyDictionary[Database, dict[UUID, tuple[Term, ...]]] = WeakKeyDictionary()
"""The sets of terms read so far: they never change."""


async def terms_of(database: Database, sets: Collection[UUID]) -> Mapping[UUID, tuple[Term, ...]]:
    """Some sets of terms, by their ids."""
    kept = _SETS.setdefault(database, {})
    if len(kept) > MOST_SETS:
        kept.clear()
    missing = [id_ for id_ in sets if id_ not in kept]
    if missing:
        async with database.read() as connection:
            rows = (await connection.execute(_TERMS, {"sets": missing})).all()
        kept.update(dict.fromkeys(missing, ()))
        for id_, listed in groupby(rows, lambda row: row.term_set_id):
            kept[id_] = tuple(term_of(row) for row in listed)
    return kept


_TERMS = (
    select(tables.term)
    .where(tables.term.c.term_set_id == any_(bindparam("sets", type_=ARRAY(Uuid))))
    .order_by(tables.term.c.term_set_id, tables.term.c.position)
)


def term_of(row: Any) -> Term:
    """A term as it is decided by."""
    values = {name: getattr(row, name) for name in Term._fields}
    values |= {"use": Use(row.use), "layer": row.layer and Layer(row.layer), "decision": Decision(row.decision)}
    values["territories"] = tuple(row.territories or ()) or None
    return Term(**values)


def _parts(columns: Sequence[Sequence[Any]]) -> Iterator[Part]:
    ids, owners, kinds, durations, withdrawn, _, _, versions = columns
    return map(Part, ids, owners, map(_ASSET_KINDS.__getitem__, kinds), durations, withdrawn, versions)


def _bonds(columns: Sequence[Sequence[Any]]) -> Iterator[Bond]:
    ids, children, parents, kinds, child_starts, child_ends, parent_starts, parent_ends, _ = columns
    windows = map(stretch, child_starts, child_ends), map(stretch, parent_starts, parent_ends)
    return map(Bond, ids, children, parents, map(_BOND_KINDS.__getitem__, kinds), *windows)


def _statements(columns: Sequence[Sequence[Any]], terms: Mapping[UUID, tuple[Term, ...]]) -> Iterator[Statement]:
    ids, subjects, levels, sets, families, licenses = columns
    said = map(_LEVELS.__getitem__, levels), map(terms.__getitem__, sets), map(_FAMILIES.__getitem__, families)
    return map(Statement, ids, subjects, *said, licenses)


# A word is looked up ten times as fast as its enumeration reads it, and there are thousands in one answer.
_ASSET_KINDS = {kind.value: kind for kind in AssetKind}
_BOND_KINDS: Mapping[str, BondKind] = {**{kind.value: kind for kind in EdgeKind}, CONTAINS.value: CONTAINS}
_LEVELS = {level.value: level for level in Level}
_FAMILIES = {family.value: family for family in LicenseFamily}
