"""What a question of rights is answered from: parts, what binds them, what was stated, and what could not be read.

Facts are made from rows, in any order; deciding over them is in `domain.verdicts`. A grant (asset, use, grantee) would
be one more list here, and would stand in `domain.levels` before the levels of its owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final, Literal, NamedTuple
from uuid import UUID

from domain.assets import AssetKind
from domain.lineage import EdgeKind
from domain.rights import Layer, Level, LicenseFamily, Term, Use
from domain.sharing import conflicting
from domain.windows import Window

CONTAINS: Final = "CONTAINS"
"""What binds a release to its items: a view, never stored."""

BondKind = EdgeKind | Literal["CONTAINS"]

_BOTH = frozenset(Layer)
CARRIES: Mapping[BondKind, frozenset[Layer]] = {
    **dict.fromkeys(EdgeKind, _BOTH),
    EdgeKind.COVER_OF: frozenset({Layer.COMPOSITION}),
    EdgeKind.INTERPOLATES: frozenset({Layer.COMPOSITION}),
    EdgeKind.USES_INSTRUMENT: frozenset({Layer.MASTER}),
    EdgeKind.INSPIRED_BY: frozenset(),
    CONTAINS: _BOTH,
}
"""Which layers reach the child; the instrument's only where its policy says that it reaches outputs."""


class Part(NamedTuple):
    """An asset, as far as rights ask; `duration_ms` is None where the length of the media is not known."""

    id: UUID
    owner: UUID
    kind: AssetKind
    made_on: date | None = None
    duration_ms: int | None = None


class Bond(NamedTuple):
    """A binding edge, or a release and its item (under the item's id); a window that is None is the whole."""

    id: UUID
    child: UUID
    parent: UUID
    kind: BondKind
    child_window: Window | None = None
    parent_window: Window | None = None


class Statement(NamedTuple):
    """A policy: who speaks (an asset, its artist, or a version of the release) and what is said.

    A row of the level PLATFORM is not heard: the platform's default is part of the rules.
    """

    id: UUID
    subject: UUID
    level: Level
    terms: tuple[Term, ...]
    family: LicenseFamily
    license: str | None = None


class Question(NamedTuple):
    """May I use this for X?

    Attributes:
        asset: what is asked about.
        uses: for what.
        on: on which day.
        territory: where, as an ISO 3166 code; None asks for everywhere, and the strictest answer of all holds.
        purpose: for which purpose; None likewise.
        window: which stretch of the asset; None for the whole.
        version: the version of the release that is asked, whose policy then speaks.
    """

    asset: UUID
    uses: frozenset[Use]
    on: date
    territory: str | None = None
    purpose: str | None = None
    window: Window | None = None
    version: UUID | None = None


class Graph(NamedTuple):
    """Facts with assets, owners and bonds numbered in the order of their ids. Everything else is by number.

    Attributes:
        numbers: assets by id, and `nodes` the other way round.
        owners: the owner of each asset, None where it could not be read.
        parts: None where the asset could not be read.
        is_track: whether an asset is known to be one, even where no more than that could be read.
        bonds: by number.
        children: the child of each bond; `parents` its parent.
        above: the bonds to the parents of each asset.
        stated: what was stated of each asset by itself and by its artist, the more specific first.
    """

    numbers: dict[UUID, int]
    nodes: list[UUID]
    owners: list[int | None]
    parts: list[Part | None]
    is_track: list[bool]
    bonds: list[Bond]
    children: list[int]
    parents: list[int]
    above: list[list[int]]
    stated: list[tuple[Statement, ...]]


@dataclass(frozen=True)
class Facts:
    """All that one or many questions are answered from.

    Attributes:
        parts: assets by id.
        bonds: the binding edges among them, and the items of the releases.
        statements: the policies that hold.
        unread: assets whose policies could not be read. One that is not among the parts is as good as unread.
    """

    parts: Mapping[UUID, Part]
    bonds: Sequence[Bond]
    statements: Sequence[Statement]
    unread: frozenset[UUID] = field(default=frozenset())

    def naming(self, assets: Iterable[UUID]) -> Facts:
        """The facts with these assets among them: those that were in none are unread."""
        strange = frozenset(assets).difference(self.graph.numbers)
        return replace(self, unread=self.unread | strange) if strange else self

    @cached_property
    def graph(self) -> Graph:
        """The facts by number."""
        bonds = sorted(self.bonds, key=_id)
        named = {*self.parts, *self.unread, *(bond.child for bond in bonds), *(bond.parent for bond in bonds)}
        nodes = sorted(named, key=_number)
        numbers = {id_: number for number, id_ in enumerate(nodes)}
        children = [numbers[bond.child] for bond in bonds]
        parents = [numbers[bond.parent] for bond in bonds]
        above: list[list[int]] = [[] for _ in nodes]
        for number, child in enumerate(children):
            above[child].append(number)
        parts = [None if id_ in self.unread else self.parts.get(id_) for id_ in nodes]
        people = {id_: number for number, id_ in enumerate(sorted({part.owner for part in parts if part}, key=_number))}
        owners = [None if part is None else people[part.owner] for part in parts]
        said = self.said
        stated = [
            () if part is None else (*said.get((Level.ASSET, part.id), ()), *said.get((Level.ARTIST, part.owner), ()))
            for part in parts
        ]
        kinds = [None if part is None else part.kind for part in map(self.parts.get, nodes)]
        is_track = [kind is AssetKind.TRACK for kind in kinds]
        return Graph(numbers, nodes, owners, parts, is_track, bonds, children, parents, above, stated)

    @cached_property
    def disputed(self) -> tuple[str, ...]:
        """The share-alike licenses in the statements that exclude another of them, in order."""
        spoken = {said.terms for said in self.statements}
        asked = {term.share_alike for terms in spoken for term in terms if term.share_alike}
        return tuple(sorted({name for pair in conflicting(asked) for name in pair}))

    @cached_property
    def said(self) -> Mapping[tuple[Level, UUID], tuple[Statement, ...]]:
        """The statements by level and subject, in the order of their ids."""
        said: dict[tuple[Level, UUID], tuple[Statement, ...]] = {}
        for statement in sorted(self.statements, key=_id):
            key = statement.level, statement.subject
            said[key] = (*said.get(key, ()), statement)
        return said


def _number(id_: UUID) -> int:
    return id_.int


def _id(row: Bond | Statement) -> int:
    return row.id.int
