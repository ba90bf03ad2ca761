"""Small graphs drawn at random, and what may be done to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st

from domain.assets import AssetKind, AssetState
from domain.facts import CONTAINS, Bond, Facts, Statement
from domain.lineage import EdgeKind
from domain.policies import PolicyPreset
from domain.rights import Decision, Level, Term
from domain.windows import Window
from resolvers.context import now
from tests.domain.facts_drawn import ANYTHING, DAY, LICENSES, MEDIA_MS, OWNERS, facts, policies, version_of, windows
from tests.domain.facts_drawn import allowances as allowances_of

law = settings(
    deadline=None,
    max_examples=settings.default.max_examples if settings.get_current_profile_name() == "laws" else 15,
)
"""Fewer graphs than a law of the domain tries, each of which takes a database; with `laws`, as many."""

SHOWN = st.sampled_from([*[AssetState.PUBLIC] * 5, AssetState.PRIVATE, AssetState.UNLISTED, AssetState.ARCHIVED])
STANDINGS = st.sampled_from(
    [
        *[("CONFIRMED", "REGISTERED", True)] * 6,
        ("CLAIMED", "PENDING", True),
        ("CLAIMED", "PENDING", False),
        ("CLAIMED", "REFUSED", True),
        ("REJECTED", "REFUSED", False),
        ("DISPUTED", "PENDING", True),
    ]
)
HOOKS = st.sampled_from([None, *[Window(start, end) for start in (0, 3) for end in (4, 6, MEDIA_MS)]])
HOLDERS = st.sets(st.sampled_from(OWNERS), max_size=2)


@dataclass(frozen=True)
class Drawn:
    """A graph: facts as the domain has them, and what rows say beside.

    Attributes:
        facts: assets, bonds, policies and grants.
        states: of the assets.
        standings: (status, registration, binding) of the edges.
        hooks: the window of each track's.
        twins: two assets that may be merged, the one that stays first; None where there are none.
    """

    facts: Facts
    states: Mapping[UUID, AssetState]
    standings: Mapping[UUID, tuple[str, str, bool]]
    hooks: Mapping[UUID, Window]
    twins: tuple[UUID, UUID] | None

    def owner(self, subject: UUID) -> UUID:
        """Whose an asset or a version is; an artist is their own."""
        return subject if subject in OWNERS else self.facts.parts[self.versions.get(subject, subject)].owner

    @property
    def versions(self) -> dict[UUID, UUID]:
        """The release of each version."""
        return {part.version: id_ for id_, part in self.facts.parts.items() if part.version is not None}

    @property
    def releases(self) -> list[UUID]:
        """The assets that are releases."""
        return [id_ for id_, part in self.facts.parts.items() if part.kind is AssetKind.RELEASE]


class Change(NamedTuple):
    """Something that somebody does.

    Attributes:
        mutation: its name.
        subjects: what it is done to, in the order of `SUBJECTS`.
        given: what else it takes.
    """

    mutation: str
    subjects: tuple[UUID, ...]
    given: Mapping[str, Any]


SUBJECTS = {
    "setPolicy": ("subject",),
    "withdrawPolicy": ("subject",),
    "declareEdge": ("child", "parent"),
    "setAssetState": ("id",),
    "withdrawRelease": ("release",),
    "mergeAssets": ("keep", "retire"),
    "confirmEdge": ("id",),
    "rejectEdge": ("id",),
    "disputeEdge": ("id",),
    "retractEdge": ("id",),
    "grantUse": ("asset", "grantee"),
    "endGrant": ("id",),
}
ANSWERS = ("confirmEdge", "rejectEdge", "disputeEdge", "retractEdge")
"""What may be said of an edge that stands."""


def current(day: date | None) -> date | None:
    """A day that lies to today as it lay to the day of the drawn questions."""
    return day and day + (now().date() - DAY)


def stateable(terms: Sequence[Term], *, granted: bool = False) -> tuple[Term, ...]:
    """Those of some terms that may be stated, or granted, around today."""
    told = [term._replace(starts_on=current(term.starts_on), ends_on=current(term.ends_on)) for term in terms]
    told = [term for term in told if not (term.starts_on and term.ends_on) or term.starts_on < term.ends_on]
    if granted:
        told = [term._replace(exception=None, reaches_outputs=False) for term in told]
        told = [term for term in told if term.decision is Decision.ALLOWED]
    return tuple(told)


@st.composite
def graphs(draw: st.DrawFn, *, twins: bool = False) -> Drawn:
    """Any graph of two assets at least; with twins where that is asked for."""
    known = draw(facts(least=2, with_unread=False))
    pair = draw(st.sampled_from([tuple(known.parts)[-2:], tuple(known.parts)[:-3:-1]])) if twins else None
    if pair is not None:
        known = _twinned(known, *pair, draw(st.sets(st.integers(0, len(known.bonds)))))
    releases = {bond.child for bond in known.bonds if bond.kind is CONTAINS}
    kinds = {id_: AssetKind.RELEASE if id_ in releases else part.kind for id_, part in known.parts.items()}
    parts = {
        id_: part._replace(kind=kinds[id_], version=version_of(id_) if kinds[id_] is AssetKind.RELEASE else None)
        for id_, part in known.parts.items()
    }
    out = {part.version for part in parts.values()}
    said: dict[tuple[Level, UUID], Statement] = {}
    for statement in known.statements:
        terms = stateable(statement.terms)
        if terms and (statement.level in (Level.ASSET, Level.ARTIST) or _is_of(statement, out)):
            said[statement.level, statement.subject] = statement._replace(terms=terms)
    bonds = {(*bond[1:4], bond.child_window): bond for bond in known.bonds}.values()
    granted = [grant._replace(terms=stateable(grant.terms, granted=True)) for grant in known.grants]
    given = {
        (grant.asset, grant.grantee, grant.terms): grant for grant in granted if grant.terms and grant.asset in parts
    }
    return Drawn(
        replace(known, parts=parts, bonds=list(bonds), statements=list(said.values()), grants=list(given.values())),
        {id_: AssetState.WITHDRAWN if part.is_withdrawn else draw(SHOWN) for id_, part in parts.items()},
        {bond.id: draw(STANDINGS) for bond in bonds if bond.kind is not CONTAINS},
        {
            id_: window
            for id_, part in parts.items()
            if part.kind is AssetKind.TRACK and (window := draw(HOOKS)) is not None
        },
        pair,
    )


def _is_of(statement: Statement, versions: Collection[UUID | None]) -> bool:
    return statement.level is Level.VERSION and statement.subject in versions


def _twinned(known: Facts, keep: UUID, retire: UUID, alike: Collection[int]) -> Facts:
    """The facts where two assets, neighbours in their order, may be one: of one kind and owner, and unrelated.

    Some of the bonds of the one, by their places, are bonds of the other too.
    """
    kind = known.parts[keep].kind
    twin = {"kind": AssetKind.TRACK if kind is AssetKind.RELEASE else kind, "owner": known.parts[keep].owner}
    parts = {**known.parts, **{id_: known.parts[id_]._replace(**twin) for id_ in (keep, retire)}}
    bonds = [
        bond
        for bond in known.bonds
        if {bond.child, bond.parent} != {keep, retire}
        and not (bond.kind is CONTAINS and (bond.parent == retire or bond.child in (keep, retire)))
    ]
    other = {keep: retire, retire: keep}
    for place, bond in enumerate(list(bonds)):
        if place in alike and bond.kind is not CONTAINS:
            ends = other.get(bond.child, bond.child), other.get(bond.parent, bond.parent)
            bonds.append(Bond(UUID(int=600 + place), *ends, *bond[3:]))
    return replace(known, parts=parts, bonds=bonds)


def term_input(term: Term) -> dict[str, Any]:
    """A term as it is stated over GraphQL."""
    told = {
        "use": term.use.value,
        "layer": term.layer and term.layer.value,
        "decision": term.decision.value,
        "attribution": term.attribution,
        "shareAlike": term.share_alike,
        "exception": term.exception,
        "territories": term.territories,
        "startsOn": term.starts_on and term.starts_on.isoformat(),
        "endsOn": term.ends_on and term.ends_on.isoformat(),
        "purpose": term.purpose,
        "reachesOutputs": term.reaches_outputs,
        "sublicense": term.sublicense,
    }
    return {name: value for name, value in told.items() if value is not None}


def _distinct(terms: Sequence[Term]) -> list[dict[str, Any]]:
    return [term_input(term) for term in {term[:2]: term for term in stateable(terms)}.values()]


own_terms = st.sampled_from(
    [_distinct(terms) for terms in policies(Random(3)) if terms != ANYTHING and stateable(terms)]
)
allowances = st.sampled_from(
    [
        {"terms": [term_input(term) for term in stateable(terms, granted=True)]}
        for terms in allowances_of(Random(4))
        if stateable(terms, granted=True)
    ]
)
wordings: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from([{"license": license_} for license_ in LICENSES]),
    st.sampled_from([{"preset": preset.value} for preset in PolicyPreset]),
    own_terms.map(lambda terms: {"terms": terms}),
    st.tuples(st.sampled_from(LICENSES), own_terms).map(lambda said: {"license": said[0], "terms": said[1]}),
)


def window_input(window: Window | None) -> dict[str, int] | None:
    """A window as it is asked for over GraphQL."""
    return window and {"startMs": window.start_ms, **({} if window.end_ms is None else {"endMs": window.end_ms})}


def changes(graph: Drawn, *mutations: str) -> st.SearchStrategy[Change]:
    """What may be done to a graph by some mutations."""
    assets = list(graph.facts.parts)
    one = st.sampled_from([*assets, *OWNERS, *graph.versions]).map(lambda subject: (subject,))
    stated = [(said.subject,) for said in graph.facts.statements]
    below = [(child, parent) for number, child in enumerate(assets) for parent in assets[number + 1 :]]
    edge = st.builds(
        lambda kind, child, parent: {
            "kind": kind.value,
            "childWindow": window_input(child),
            "parentWindow": window_input(parent),
        },
        st.sampled_from(EdgeKind),
        windows,
        windows,
    )
    nothing: st.SearchStrategy[Mapping[str, Any]] = st.just({})
    states = st.sampled_from([*[AssetState.WITHDRAWN] * 3, *AssetState]).map(lambda state: {"state": state.value})
    ways: dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
        "setPolicy": (one, wordings),
        "withdrawPolicy": (st.sampled_from(stated) if stated else one, nothing),
        "declareEdge": (st.sampled_from(below), edge),
        "setAssetState": (st.sampled_from(assets).map(lambda asset: (asset,)), states),
        "mergeAssets": (st.just(graph.twins), nothing),
        "grantUse": (st.tuples(st.sampled_from(assets), st.sampled_from(OWNERS)), allowances),
    }
    edges, granted = list(graph.standings), [grant.id for grant in graph.facts.grants]
    for name in ANSWERS if edges else ():
        ways[name] = (st.sampled_from(edges).map(lambda edge: (edge,)), nothing)
    if graph.releases:
        ways["withdrawRelease"] = (st.sampled_from(graph.releases).map(lambda release: (release,)), nothing)
    if granted:
        ways["endGrant"] = (st.sampled_from(granted).map(lambda grant: (grant,)), nothing)
    return st.one_of([st.builds(Change, st.just(name), *ways[name]) for name in mutations if name in ways])
