"""What a question of rights is answered from: parts, what binds them, what was stated and granted, what is unread.

Facts are made from rows, in any order; deciding over them is in `domain.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from domain.assets import AssetKind
from domain.lineage import EdgeKind, StepKind
from domain.rights import Layer, Level, LicenseFamily, Term, Use
from domain.sharing import conflicting
from domain.windows import Window

CONTAINS: Final = StepKind.CONTAINS
"""What binds a release to its items: a view, never stored."""

BondKind = EdgeKind | Literal[StepKind.CONTAINS]

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
    """An asset, as far as rights ask; `duration_ms` is None where the length of the media is not known.

    What is withdrawn is denied for everything, whatever was stated of it. `version` is the version of a release that
    is out; what is stated of it speaks where the release itself is asked about, and nowhere else.
    """

    id: UUID
    owner: UUID
    kind: AssetKind
    duration_ms: int | None = None
    is_withdrawn: bool = False
    version: UUID | None = None


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

    An agent rule is among the facts only where the agent it is for asks.

    A row of the level PLATFORM is not heard: the platform's default is part of the rules.
    """

    id: UUID
    subject: UUID
    level: Level
    terms: tuple[Term, ...]
    family: LicenseFamily
    license: str | None = None


class Grant(NamedTuple):
    """What the owner of an asset allows one artist, whatever else holds for everybody.

    It is heard when the grantee asks. A term that is sublicensed is heard for everybody on the ways that reach the
    asset out of a work of the grantee's. Only terms that allow are heard: a grant never closes anything.
    """

    id: UUID
    asset: UUID
    grantee: UUID
    terms: tuple[Term, ...]


class Question(NamedTuple):
    """May I use this for X?

    Attributes:
        asset: what is asked about.
        uses: for what.
        on: on which day.
        territory: where, as an ISO 3166 code; None asks for everywhere, and the strictest answer of all holds.
        purpose: for which purpose; None likewise.
        window: which stretch of the asset; None for the whole.
        grantees: the artists of whoever asks, whose grants are then heard.
    """

    asset: UUID
    uses: frozenset[Use]
    on: date
    territory: str | None = None
    purpose: str | None = None
    window: Window | None = None
    grantees: frozenset[UUID] = frozenset()


class Graph(NamedTuple):
    """Facts with assets, owners and bonds numbered in the order of their ids. Everything else is by number.

    An asset with sublicensed grants has a number more for each grantee, its twin: the same asset, as it is reached out
    of works of that grantee's. Twins come after all assets.

    Attributes:
        numbers: assets by id, and `nodes` the other way round.
        owners: the owner of each asset, None where it could not be read.
        parts: None where the asset could not be read.
        is_track: whether an asset is known to be one, even where no more than that could be read.
        bonds: by number.
        children: the child of each bond; `parents` its parent.
        above: the bonds to the parents of each asset.
        stated: what was stated of each asset by itself and by its artist, the more specific first.
        granted: the grants on an asset, where there are any.
        licensees: the grantee of each twin.
        twins: the twins of an asset, itself among them, by the number of each.
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
    granted: dict[int, tuple[Grant, ...]]
    licensees: dict[int, UUID]
    twins: dict[int, list[int]]

    def asset(self, node: int) -> int:
        """The number of the asset itself, also where a twin's is given."""
        return self.twins[node][0] if node in self.twins else node


@dataclass(frozen=True)
class Facts:
    """All that one or many questions are answered from.

    Attributes:
        parts: assets by id.
        bonds: the binding edges among them, and the items of the releases.
        statements: the policies that hold.
        unread: assets whose policies could not be read. One that is not among the parts is as good as unread.
        grants: what owners allow single artists.
    """

    parts: Mapping[UUID, Part]
    bonds: Sequence[Bond]
    statements: Sequence[Statement]
    unread: frozenset[UUID] = field(default=frozenset())
    grants: Sequence[Grant] = ()

    def naming(self, assets: Iterable[UUID]) -> Facts:
        """The facts with these assets among them: those that were in none are unread."""
        strange = frozenset(assets).difference(self.graph.numbers)
        return replace(self, unread=self.unread | strange) if strange else self

    def restated(self, level: Level, subject: UUID, statement: Statement | None) -> Facts:
        """The facts where an asset, an artist or a version states something else; its numbers stay as they are."""
        kept = [said for said in self.statements if (said.level, said.subject) != (level, subject)]
        changed = replace(self, statements=kept if statement is None else [*kept, statement])
        said = {**self.said, (level, subject): () if statement is None else (statement,)}
        concerned = [part is not None and subject in (part.id, part.owner) for part in self.graph.parts]
        stated = [
            _stated(said, part) if is_concerned else before
            for part, is_concerned, before in zip(self.graph.parts, concerned, self.graph.stated, strict=True)
        ]
        changed.__dict__.update(said=said, graph=self.graph._replace(stated=stated))
        return changed

    def of_version(self, asset: UUID) -> tuple[Statement, ...]:
        """What is stated of the version of a release that is out, the more specific first; of other assets nothing."""
        part = self.parts.get(asset)
        if part is None or part.version is None:
            return ()
        return tuple([said for level in _OF_VERSION for said in self.said.get((level, part.version), ())])

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
        stated = [_stated(said, part) for part in parts]
        kinds = [None if part is None else part.kind for part in map(self.parts.get, nodes)]
        is_track = [kind is AssetKind.TRACK for kind in kinds]
        graph = Graph(numbers, nodes, owners, parts, is_track, bonds, children, parents, above, stated, {}, {}, {})
        if self.grants:
            _grant(graph, self.grants)
        return graph

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


_OF_VERSION = (Level.AGENT_RULE, Level.VERSION)


def _stated(said: Mapping[tuple[Level, UUID], tuple[Statement, ...]], part: Part | None) -> tuple[Statement, ...]:
    """What was stated of an asset by itself and by its artist, the more specific first."""
    if part is None:
        return ()
    return (*said.get((Level.ASSET, part.id), ()), *said.get((Level.ARTIST, part.owner), ()))


def _grant(graph: Graph, grants: Iterable[Grant]) -> None:
    """Add the grants, and the twins that bonds out of works of the grantees lead to from now on."""
    passed_on = set()
    for grant in sorted(grants, key=_id):
        node = graph.numbers.get(grant.asset)
        if node is not None:
            graph.granted[node] = (*graph.granted.get(node, ()), grant)
            if any(term.sublicense for term in grant.terms):
                passed_on.add((node, grant.grantee))
    twins: dict[tuple[int, UUID], int] = {}
    for bond, parent in enumerate(graph.parents if passed_on else ()):
        child = graph.parts[graph.children[bond]]
        if child is not None and (parent, child.owner) in passed_on:
            twin = twins.get((parent, child.owner))
            if twin is None:
                twin = twins[parent, child.owner] = _add_twin(graph, parent, child.owner)
            graph.parents[bond] = twin


def _add_twin(graph: Graph, asset: int, grantee: UUID) -> int:
    twin = len(graph.nodes)
    by_node: tuple[list[Any], ...] = (graph.nodes, graph.owners, graph.parts, graph.is_track, graph.above, graph.stated)
    for values in by_node:
        values.append(values[asset])
    graph.granted[twin] = graph.granted[asset]
    graph.licensees[twin] = grantee
    twins = graph.twins.setdefault(asset, [asset])
    twins.append(twin)
    graph.twins[twin] = twins
    return twin


def _number(id_: UUID) -> int:
    return id_.int


def _id(row: Bond | Statement | Grant) -> int:
    return row.id.int
