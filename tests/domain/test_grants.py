"""The laws of grants: what one artist is allowed opens what its owner closed, and nothing else, for nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.assets import AssetKind
from domain.clearances import attribution, clear_windows
from domain.facts import CONTAINS, Bond, Facts, Grant, Part, Question, Statement
from domain.levels import Reason
from domain.lineage import EdgeKind
from domain.outcomes import flips, outcomes
from domain.rights import Decision, Layer, Level, LicenseFamily, Outcome, Term, Use, preset, read_license
from domain.verdicts import Verdict, decide
from domain.windows import Window
from tests.domain.facts_drawn import DAY, asset, facts, grants, questions
from tests.domain.test_verdicts import opened

unhurried = settings(deadline=None)
OUT_OF_SCOPE = [
    lambda term, asked: {"ends_on": asked.on},
    lambda term, asked: {"starts_on": asked.on + timedelta(days=1)},
    lambda term, asked: {"territories": ("JP",)},
    lambda term, asked: {"purpose": "theatre"},
    lambda term, asked: {"use": Use.VISUAL_REUSE},
    lambda term, asked: {"decision": Decision.LICENSE_REQUIRED},
]


def granted(known: Facts, grant: Grant) -> Facts:
    return replace(known, grants=[*known.grants, grant])


def told(verdict: Verdict, asset_id: UUID) -> list[tuple]:
    """The blockers that are other assets."""
    return [blocker for blocker in verdict.blockers if blocker.asset != asset_id]


@unhurried
@given(facts(with_cycles=True), questions, grants)
def test_a_grant_only_opens_what_its_owner_closed(known, asked, grant):
    assume(grant.asset in known.parts)
    most = outcomes(opened(known, asked, [grant.asset]), [asked])[0]
    for old, new in zip(decide(known, asked), decide(granted(known, grant), asked), strict=True):
        assert new.outcome.rank <= old.outcome.rank
        assert new.outcome.rank >= (most[old.use, old.layer] if grant.asset not in known.unread else old.outcome).rank
        assert told(new, grant.asset) == told(old, grant.asset)
        if not any(term.use is old.use and term.layer in {None, old.layer} for term in grant.terms):
            assert new.blockers == old.blockers


@unhurried
@given(facts(with_cycles=True), questions, grants)
def test_without_sublicense_nobody_but_the_grantee_profits(known, asked, grant):
    kept = grant._replace(terms=tuple(term._replace(sublicense=False) for term in grant.terms))
    others = asked._replace(grantees=asked.grantees - {grant.grantee})
    assert decide(granted(known, kept), others) == decide(known, others)
    assert attribution(granted(known, kept), others) == attribution(known, others)


@unhurried
@given(facts(with_cycles=True), questions, grants)
def test_with_sublicense_only_what_is_made_of_works_of_the_grantee_profits(known, asked, grant):
    others = asked._replace(grantees=asked.grantees - {grant.grantee})
    owners = {
        known.parts[bond.child].owner
        for bond in known.bonds
        if bond.parent == grant.asset and bond.child not in known.unread
    }
    assume(grant.grantee not in owners)
    assert decide(granted(known, grant), others) == decide(known, others)


@unhurried
@given(facts(with_cycles=True), questions, grants, st.sampled_from(OUT_OF_SCOPE))
def test_a_grant_out_of_its_scope_does_nothing(known, asked, grant, out_of_scope):
    asked = asked._replace(territory=asked.territory or "US", purpose=asked.purpose or "film")
    terms = tuple(term._replace(**out_of_scope(term, asked)) for term in grant.terms)
    assert decide(granted(known, grant._replace(terms=terms)), asked) == decide(known, asked)


@unhurried
@given(facts(with_cycles=True), questions, grants, st.sampled_from(Layer))
def test_a_grant_in_one_layer_leaves_the_other_alone(known, asked, grant, layer):
    terms = tuple(term._replace(layer=layer) for term in grant.terms)
    after = decide(granted(known, grant._replace(terms=terms)), asked)
    for old, new in zip(decide(known, asked), after, strict=True):
        assert new == old or new.layer is layer


@unhurried
@given(facts(with_cycles=True), questions, grants)
def test_the_grantee_is_answered_as_if_the_owner_had_allowed_it_to_everybody(known, asked, grant):
    assume(grant.asset in known.parts and grant.asset not in known.unread and grant.asset != asset(0))
    assume(not known.parts[grant.asset].is_withdrawn)
    known, asked = replace(known, grants=()), asked._replace(grantees=frozenset({grant.grantee}))
    theirs = decide(granted(known, grant._replace(terms=FREE)), asked)
    assert theirs == decide(opened(known, asked, [grant.asset]), asked)


# Small cases: Anna made A of B, Ben made B of C, Cleo refuses everything.

A, B, C, D = (UUID(int=number) for number in range(1, 5))
ANNA, BEN, CLEO, DAN = (UUID(int=number) for number in range(11, 15))
OWNERS = {A: ANNA, B: BEN, C: CLEO, D: DAN}
REFUSED = tuple(Term(use, None, Decision.DENIED) for use in Use)
FREE = tuple(Term(use, None, Decision.ALLOWED) for use in Use)
PASSED_ON = tuple(term._replace(sublicense=True) for term in FREE)


def said(subject: UUID, terms: tuple[Term, ...]) -> Statement:
    return Statement(UUID(int=100 + subject.int), subject, Level.ASSET, terms, LicenseFamily.CUSTOM, f"L{subject.int}")


def bond(child: UUID, parent: UUID, kind=EdgeKind.SAMPLES, below=None) -> Bond:
    return Bond(UUID(int=200 + 10 * child.int + parent.int), child, parent, kind, below)


def grant_of(subject: UUID, grantee: UUID, terms: tuple[Term, ...], number: int = 0) -> Grant:
    return Grant(UUID(int=300 + number), subject, grantee, terms)


def chain(*grants: Grant, bonds: tuple[Bond, ...] = (), terms: tuple[Term, ...] = REFUSED) -> Facts:
    parts = {id_: Part(id_, OWNERS[id_], AssetKind.TRACK, 60_000) for id_ in OWNERS}
    statements = [said(A, FREE), said(B, FREE), said(C, terms), said(D, FREE)]
    return Facts(parts, [bond(A, B), bond(B, C), *bonds], statements, grants=grants)


def ask(known: Facts, subject: UUID = A, *grantees: UUID, use: Use = Use.REMIX, **how) -> Verdict:
    asked = Question(subject, frozenset({use}), DAY, grantees=frozenset(grantees), **how)
    return next(verdict for verdict in decide(known, asked) if verdict.layer is Layer.MASTER)


def test_a_grant_is_for_the_grantee_alone():
    known = chain(grant_of(C, BEN, FREE))
    assert ask(known, C, BEN).outcome is Outcome.ALLOWED
    assert ask(known, C, BEN).reasons == (Reason.GRANT,)
    assert ask(known, B, BEN).outcome is Outcome.ALLOWED
    assert ask(known, B).outcome is Outcome.DENIED
    assert ask(known, A, ANNA).outcome is Outcome.DENIED


def test_a_sublicensed_grant_reaches_those_who_use_what_the_grantee_made():
    known = chain(grant_of(C, BEN, PASSED_ON))
    assert ask(known, A).outcome is Outcome.ALLOWED
    assert ask(known, B).outcome is Outcome.ALLOWED
    assert ask(known, C).outcome is Outcome.DENIED
    assert ask(known, A, use=Use.REMIX).ask_at_least == ()


def test_a_sublicensed_grant_reaches_what_is_in_a_release_of_the_grantee():
    parts = {A: Part(A, ANNA, AssetKind.RELEASE), C: Part(C, CLEO, AssetKind.TRACK)}
    known = Facts(parts, [bond(A, C, CONTAINS)], [said(A, FREE), said(C, REFUSED)], grants=[grant_of(C, ANNA, FREE)])
    assert ask(known).outcome is Outcome.DENIED
    assert ask(replace(known, grants=[grant_of(C, ANNA, PASSED_ON)])).outcome is Outcome.ALLOWED


def test_another_way_to_the_same_asset_is_not_licensed():
    around = (bond(A, D), bond(D, C))
    known = chain(grant_of(C, BEN, PASSED_ON), bonds=around)
    verdict = ask(known)
    assert [(blocker.asset, blocker.path) for blocker in verdict.blockers] == [(C, (around[0].id, around[1].id))]
    assert [asking.owner for asking in verdict.ask_at_least] == [CLEO]
    assert [clearing.bond for clearing in verdict.clear_by] == [around[0].id]
    both = chain(grant_of(C, BEN, PASSED_ON), grant_of(C, DAN, PASSED_ON, 1), bonds=around)
    assert ask(both).outcome is Outcome.ALLOWED


def test_an_asset_met_with_and_without_a_grant_is_told_once_as_it_is_closed_most():
    remix_only = tuple(term._replace(sublicense=True) for term in FREE if term.use is Use.REMIX)
    way = (bond(A, D), bond(D, C))
    known = chain(grant_of(C, BEN, remix_only), bonds=way)
    for use, path in ((Use.REMIX, way), (Use.SYNC, (bond(A, B), bond(B, C)))):
        blockers = ask(known, use=use).blockers
        assert [(blocker.asset, blocker.path) for blocker in blockers] == [(C, tuple(step.id for step in path))]
    in_germany = tuple(term._replace(sublicense=True, territories=("DE",)) for term in FREE)
    strict = (*(term._replace(decision=Decision.CONTACT_OWNER) for term in FREE),)
    strict += tuple(term._replace(territories=("DE",)) for term in REFUSED)
    worst = ask(chain(grant_of(C, BEN, in_germany), bonds=way, terms=strict)).blockers
    assert [(blocker.outcome, blocker.path) for blocker in worst] == [(Outcome.DENIED, tuple(s.id for s in way))]


def test_windows_out_of_the_grantees_work_are_clear():
    below = Window(0, 10_000)
    known = chain(grant_of(C, BEN, PASSED_ON), bonds=(bond(A, D, below=below), bond(D, C)))
    asked = Question(A, frozenset({Use.SYNC}), DAY)
    assert clear_windows(known, asked, 30_000) == (Window(10_000, 60_000),)
    windows = [asked._replace(window=window) for window in (below, Window(20_000, 30_000))]
    assert [answer[Use.SYNC, Layer.MASTER] for answer in outcomes(known, windows)] == [Outcome.DENIED, Outcome.ALLOWED]


@pytest.mark.parametrize(
    ("terms", "due"), [(FREE, {}), (tuple(term._replace(attribution=True) for term in FREE), {C: None})]
)
def test_a_grant_says_for_itself_whether_its_owner_is_credited(terms, due):
    known = chain(grant_of(C, BEN, terms), terms=preset(read_license("CC-BY-NC-4.0")))
    asked = Question(B, frozenset(Use), DAY)
    assert {credit.asset: credit.license for credit in attribution(known, asked)} == {C: f"L{C.int}"}
    mine = asked._replace(grantees=frozenset({BEN}))
    assert {credit.asset: credit.license for credit in attribution(known, mine)} == due


def test_a_grant_that_asks_for_no_license_in_return_ends_the_conflict():
    copyleft = preset(read_license("GPL-3.0-only"))
    known = chain(grant_of(C, BEN, FREE), bonds=(bond(B, D),), terms=preset(read_license("CC-BY-SA-3.0")))
    known = replace(known, statements=[*known.statements[:3], said(D, copyleft)])
    assert ask(known, B).outcome is Outcome.CONTACT_OWNER
    assert ask(known, B, BEN).outcome is Outcome.ALLOWED
    kept = tuple(term._replace(share_alike="CC-BY-SA-3.0") for term in FREE)
    assert ask(replace(known, grants=[grant_of(C, BEN, kept)]), B, BEN).conflicts
    foreign = tuple(term._replace(share_alike="GPL-2.0-only") for term in FREE)
    assert ask(replace(known, grants=[grant_of(C, BEN, foreign)]), B, BEN).outcome is Outcome.ALLOWED


def test_a_grant_does_not_ask_for_a_license_that_its_owner_does_not_ask_for():
    shared = tuple(term._replace(share_alike="CC-BY-SA-3.0") for term in FREE)
    known = chain(grant_of(C, BEN, shared))
    copyleft, elsewhere = (said(B, preset(read_license("GPL-3.0-only"))), said(D, shared))
    known = replace(known, statements=[said(A, FREE), copyleft, said(C, REFUSED), elsewhere])
    assert ask(known, B, BEN).outcome is Outcome.ALLOWED


def test_a_grant_on_an_instrument_leaves_what_the_instrument_is_made_of_alone():
    reaching = tuple(term._replace(reaches_outputs=True) for term in REFUSED)
    known = chain(grant_of(C, BEN, FREE), terms=reaching)
    known = replace(known, bonds=[bond(B, C, EdgeKind.USES_INSTRUMENT), bond(C, D)])
    known = replace(known, statements=[*known.statements[:3], said(D, REFUSED)])
    assert {blocker.asset for blocker in ask(known, B).blockers} == {C, D}
    assert {blocker.asset for blocker in ask(known, B, BEN).blockers} == {D}


def test_a_grant_does_not_open_what_is_withdrawn():
    known = chain(grant_of(C, BEN, PASSED_ON))
    known = replace(known, parts={**known.parts, C: known.parts[C]._replace(is_withdrawn=True)})
    assert ask(known, C, BEN).outcome is Outcome.DENIED
    assert [blocker.reason for blocker in ask(known, A).blockers] == [Reason.WITHDRAWN]


@pytest.mark.parametrize("decision", [decision for decision in Decision if decision is not Decision.ALLOWED])
def test_what_is_not_allowed_is_not_granted(decision):
    terms = tuple(term._replace(decision=decision) for term in FREE)
    assert ask(chain(grant_of(C, BEN, terms)), C, BEN) == ask(chain(), C, BEN)


def test_a_grant_flips_the_verdicts_of_all_that_is_made_through_the_grantee():
    asked = [Question(id_, frozenset({Use.REMIX}), DAY) for id_ in OWNERS]
    told_of = {flip.question.asset for flip in flips(chain(), chain(grant_of(C, BEN, PASSED_ON)), asked)}
    assert told_of == {A, B}
