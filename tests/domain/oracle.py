"""The ruling once more, without any care for speed: every path is walked, every territory and purpose tried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from uuid import UUID

from domain.assets import AssetKind
from domain.facts import CONTAINS, Bond, Facts, Question
from domain.lineage import EdgeKind
from domain.rights import COMPOSITION_EXCEPTION, PLATFORM_DEFAULT, Layer, Level, Outcome, Term, Use
from domain.windows import Window

ORDER = ["ALLOWED", "LICENSE_REQUIRED", "CONTACT_OWNER", "UNKNOWN", "DENIED"]
COMPOSITION_ONLY = {EdgeKind.COVER_OF, EdgeKind.INTERPOLATES}
CLOSED = {Use.REMIX, Use.STEMS, Use.DERIVATIVE_REGISTRATION, Use.COMMERCIAL_USE}
AGREEING = {
    frozenset({"CC-BY-SA-3.0", "CC-BY-SA-4.0"}),
    frozenset({"GPL-2.0-only", "GPL-2.0-or-later"}),
    frozenset({"CC-BY-SA-4.0", "GPL-2.0-or-later"}),
    frozenset({"CC-BY-SA-4.0", "GPL-3.0-only"}),
}


class Said(NamedTuple):
    outcome: str
    shares: frozenset[str]
    credited: frozenset[UUID]
    reaches: bool


class Found(NamedTuple):
    outcome: Outcome
    blockers: dict[UUID, tuple[Outcome, tuple[UUID, ...]]]
    conflicts: set[frozenset[str]]


def strictest(outcomes: list[str]) -> str:
    return max(outcomes, key=ORDER.index)


def says(
    given: Facts,
    asked: Question,
    subject: UUID,
    use: Use,
    layer: Layer,
    through_track: bool,
    maker: UUID | None = None,
) -> Said:
    """What an asset says where it was reached out of something made by `maker`."""
    if subject in given.unread or subject not in given.parts:
        return Said("UNKNOWN", frozenset(), frozenset(), True)
    terms = [term for spoken in (*given.statements, *given.grants) for term in spoken.terms]
    places = (
        [asked.territory] if asked.territory else ["elsewhere", *(t for term in terms for t in term.territories or ())]
    )
    purposes = [asked.purpose] if asked.purpose else ["another", *(term.purpose for term in terms if term.purpose)]
    answers = [
        says_there(given, asked, subject, use, layer, through_track, maker, place, purpose)
        for place in set(places)
        for purpose in set(purposes)
    ]
    return Said(
        "DENIED" if given.parts[subject].is_withdrawn else strictest([answer.outcome for answer in answers]),
        frozenset().union(*(answer.shares for answer in answers)),
        frozenset().union(*(answer.credited for answer in answers)),
        any(answer.reaches for answer in answers),
    )


def says_there(given, asked, subject, use, layer, through_track, maker, place, purpose) -> Said:
    own = says_itself(given, asked, subject, use, layer, through_track, place, purpose)
    granted = [
        (grant.id, term)
        for grant in given.grants
        for term in grant.terms
        if grant.asset == subject
        and (grant.grantee in asked.grantees or (term.sublicense and grant.grantee == maker))
        and term.decision == "ALLOWED"
        and holds(term, asked, use, layer, place, purpose)
    ]
    if not granted:
        return own
    kept = [frozenset({term.share_alike}) for _, term in granted]
    signed = all(term.attribution for _, term in granted)
    credited = frozenset(id_ for id_, _ in granted) if signed else frozenset()
    return Said("ALLOWED", own.shares.intersection(*kept), credited, own.reaches)


def holds(term: Term, asked: Question, use: Use, layer: Layer, place: str, purpose: str) -> bool:
    return (
        term.use == use
        and term.layer in {None, layer}
        and (not term.territories or place in term.territories)
        and (term.starts_on is None or term.starts_on <= asked.on)
        and (term.ends_on is None or term.ends_on > asked.on)
        and (term.purpose is None or term.purpose == purpose)
    )


def says_itself(given, asked, subject, use, layer, through_track, place, purpose) -> Said:
    levels = [(Level.ASSET, subject), (Level.ARTIST, given.parts[subject].owner)]
    version = given.parts[subject].version
    if subject == asked.asset and version:
        levels = [(Level.AGENT_RULE, version), (Level.VERSION, version), *levels]

    def is_lifted(term: Term) -> bool:
        if term.exception == COMPOSITION_EXCEPTION:
            return through_track
        return term.exception == purpose

    for level in levels:
        speaking = [
            (term, statement)
            for statement in given.statements
            if (statement.level, statement.subject) == level
            for term in statement.terms
            if holds(term, asked, use, layer, place, purpose)
        ]
        if speaking:
            bound = [(term, statement) for term, statement in speaking if not is_lifted(term)]
            return Said(
                strictest(["ALLOWED", *(term.decision.value for term, _ in bound)]),
                frozenset(term.share_alike for term, _ in bound if term.share_alike),
                frozenset(statement.id for term, statement in bound if term.attribution),
                any(term.reaches_outputs for term, _ in speaking),
            )
    return Said(next(t.decision.value for t in PLATFORM_DEFAULT if t.use == use), frozenset(), frozenset(), False)


def meets(one: Window | None, other: Window | None) -> bool:
    def milliseconds(window: Window | None) -> set[int]:
        return set(range(50)) if window is None else set(range(window.start_ms, window.end_ms or 50))

    return bool(milliseconds(one) & milliseconds(other))


def carries(given: Facts, asked: Question, bond: Bond, use: Use, layer: Layer) -> bool:
    if bond.kind is EdgeKind.INSPIRED_BY:
        return False
    if bond.kind is EdgeKind.USES_INSTRUMENT:
        return layer is Layer.MASTER and says(given, asked, bond.parent, use, layer, False).reaches
    return bond.kind == CONTAINS or layer is Layer.COMPOSITION or bond.kind not in COMPOSITION_ONLY


def paths(given: Facts, asked: Question, use: Use, layer: Layer) -> Iterator[tuple[UUID, tuple[UUID, ...], bool]]:
    """Every way up that uses no bond twice: where it ends, its bonds, and whether it led through a track."""
    carrying = [bond for bond in given.bonds if carries(given, asked, bond, use, layer)]

    def is_track(subject: UUID) -> bool:
        return given.parts[subject].kind is AssetKind.TRACK

    def up(subject: UUID, window: Window | None, path: tuple[UUID, ...], through: bool):
        yield subject, path, through
        for bond in carrying:
            if bond.child == subject and bond.id not in path and meets(window, bond.child_window):
                yield from up(bond.parent, bond.parent_window, (*path, bond.id), through or is_track(subject))

    yield from up(asked.asset, asked.window, (), False)


def maker_of(given: Facts, path: tuple[UUID, ...]) -> UUID | None:
    """Who made what a path ends above."""
    child = next((bond.child for bond in given.bonds if path and bond.id == path[-1]), None)
    return given.parts[child].owner if child in given.parts and child not in given.unread else None


def found(given: Facts, asked: Question, use: Use, layer: Layer) -> Found:
    told: dict[tuple[UUID, bool, UUID | None], str] = {}
    ways: dict[UUID, list[tuple[str, tuple[UUID, ...]]]] = {}
    for subject, path, through in paths(given, asked, use, layer):
        way = subject, through, maker_of(given, path)
        if way not in told:
            told[way] = says(given, asked, subject, use, layer, *way[1:]).outcome
        ways.setdefault(subject, []).append((told[way], path))
    blockers = {}
    for subject, led in ways.items():
        outcome = strictest([said for said, _ in led])
        if outcome != "ALLOWED":
            counting = [path for said, path in led if said == outcome]
            blockers[subject] = Outcome(outcome), min(counting, key=lambda path: (len(path), path))
    clashes = conflicts(given, asked, layer)
    outcome = strictest(["ALLOWED", *(said.value for said, _ in blockers.values())])
    if clashes and use in CLOSED:
        outcome = strictest([outcome, "CONTACT_OWNER"])
    return Found(Outcome(outcome), blockers, clashes if use in CLOSED else set())


def conflicts(given: Facts, asked: Question, layer: Layer) -> set[frozenset[str]]:
    licenses = {
        license_
        for use in Use
        for subject, through, maker in {
            (subject, through, maker_of(given, path)) for subject, path, through in paths(given, asked, use, layer)
        }
        for license_ in says(given, asked, subject, use, layer, through, maker).shares
    }
    return {frozenset(pair) for pair in combinations(licenses, 2) if frozenset(pair) not in AGREEING}


def credits_due(given: Facts, asked: Question) -> dict[tuple[UUID, str | None], int]:
    """The distance of each asset and license that must be named."""
    names = {statement.id: statement.license for statement in given.statements}
    due: dict[tuple[UUID, str | None], int] = {}
    for use in asked.uses:
        for layer in Layer:
            for subject, path, through in paths(given, asked, use, layer):
                for statement in says(given, asked, subject, use, layer, through, maker_of(given, path)).credited:
                    key = subject, names.get(statement)
                    due[key] = min(len(path), due.get(key, len(path)))
    return due
