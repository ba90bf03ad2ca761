"""The laws of verdicts, over facts drawn at random and against an oracle that walks every path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.assets import AssetKind
from domain.clearances import attribution
from domain.facts import Bond, Facts, Part, Question, Statement
from domain.levels import Reason
from domain.lineage import EdgeKind
from domain.outcomes import HYPOTHETICAL, Flip, Flipped, flips, hypothetical, outcomes
from domain.rights import Decision, Layer, Level, LicenseFamily, Outcome, Term, Use
from domain.verdicts import decide
from tests.domain import oracle
from tests.domain.facts_drawn import ANYTHING, asset, bond_kinds, facts, questions, windows

unhurried = settings(deadline=None)
HERE = asset(0)


def opened(before: Facts, asked: Question, assets: Iterable[UUID]) -> Facts:
    """The facts after the owners of some assets have allowed everything and ask for nothing in return."""
    changed = set(assets)
    silent = {*changed, *(before.parts[id_].version for id_ in changed if id_ in before.parts)}
    statements = [said for said in before.statements if said.subject not in silent]
    for number, subject in enumerate(sorted(changed)):
        terms = tuple(
            Term(
                of,
                None,
                Decision.ALLOWED,
                reaches_outputs=oracle.says(before, asked, subject, of, Layer.MASTER, False).reaches,
            )
            for of in Use
        )
        statements.append(Statement(UUID(int=3000 + number), subject, Level.ASSET, terms, LicenseFamily.CUSTOM))
    parts = {
        id_: part._replace(is_withdrawn=part.is_withdrawn and id_ not in changed) for id_, part in before.parts.items()
    }
    return replace(before, parts=parts, statements=statements, unread=before.unread - changed)


def outcome(given_facts: Facts, asked: Question, use: Use, layer: Layer) -> Outcome:
    return next(v.outcome for v in decide(given_facts, asked) if (v.use, v.layer) == (use, layer))


def without(before: Facts, bonds: Iterable[UUID]) -> Facts:
    dropped = set(bonds)
    return replace(before, bonds=[bond for bond in before.bonds if bond.id not in dropped])


def no_more_open(before: Facts, after: Facts, asked: Question) -> None:
    for old, new in zip(decide(before, asked), decide(after, asked), strict=True):
        assert new.outcome.rank >= old.outcome.rank


@unhurried
@given(facts(with_cycles=True), questions)
def test_outcomes_blockers_paths_and_conflicts_are_those_of_the_oracle(known, asked):
    verdicts = decide(known, asked)
    assert [(v.use, v.layer) for v in verdicts] == [(u, layer) for u in Use if u in asked.uses for layer in Layer]
    for verdict in verdicts:
        expected = oracle.found(known, asked, verdict.use, verdict.layer)
        assert verdict.outcome is expected.outcome
        assert {b.asset: (b.outcome, b.path) for b in verdict.blockers} == expected.blockers
        assert {frozenset({c.one.license, c.other.license}) for c in verdict.conflicts} == expected.conflicts
        assert [(len(b.path), b.path) for b in verdict.blockers] == sorted(
            (len(b.path), b.path) for b in verdict.blockers
        )


@unhurried
@given(facts(), questions, st.integers(0, 5), st.integers(0, 6), bond_kinds, windows, windows)
def test_an_edge_more_never_opens_a_verdict(known, asked, child, parent, kind, below, above):
    bond = Bond(UUID(int=999), asset(child), asset(parent), kind, below, above)
    no_more_open(known, replace(known, bonds=[*known.bonds, bond]), asked)


@unhurried
@given(facts(), questions, st.data())
def test_a_tighter_policy_never_opens_a_verdict(known, asked, data):
    assume(known.statements)
    place = data.draw(st.integers(0, len(known.statements) - 1))
    said = known.statements[place]
    number = data.draw(st.integers(0, len(said.terms) - 1))
    term = said.terms[number]
    tighter = data.draw(st.sampled_from(list(Decision)[list(Decision).index(term.decision) :]))
    terms = (*said.terms[:number], term._replace(decision=tighter), *said.terms[number + 1 :])
    statements = [*known.statements]
    statements[place] = said._replace(terms=terms)
    no_more_open(known, replace(known, statements=statements), asked)


@unhurried
@given(facts(), questions, st.sampled_from([None, Decision.DENIED]))
def test_silence_or_refusal_of_a_parent_never_opens_a_childs_verdict(known, asked, refusal):
    parent = Part(asset(20), UUID(int=190), AssetKind.SAMPLE)
    refused = tuple(Term(use, None, refusal) for use in Use) if refusal else ()
    after = Facts(
        {**known.parts, parent.id: parent},
        [*known.bonds, Bond(UUID(int=998), HERE, parent.id, EdgeKind.SAMPLES)],
        [*known.statements, Statement(UUID(int=997), parent.id, Level.ASSET, refused, LicenseFamily.CUSTOM)],
        known.unread,
        known.grants,
    )
    no_more_open(known, after, asked)
    for verdict in decide(after, asked):
        assert verdict.outcome is not Outcome.ALLOWED
        assert parent.id in {blocker.asset for blocker in verdict.blockers}


@unhurried
@given(facts(with_cycles=True), questions, st.randoms(use_true_random=False))
def test_the_order_of_parts_edges_policies_and_terms_is_irrelevant(known, asked, chance):
    def shuffled(items):
        return chance.sample(items := list(items), len(items))

    again = Facts(
        dict(shuffled(known.parts.items())),
        shuffled(known.bonds),
        shuffled(said._replace(terms=tuple(shuffled(said.terms))) for said in known.statements),
        known.unread,
        shuffled(grant._replace(terms=tuple(shuffled(grant.terms))) for grant in known.grants),
    )
    assert decide(again, asked) == decide(known, asked)
    assert attribution(again, asked) == attribution(known, asked)


@unhurried
@given(facts(), questions)
def test_blockers_are_exact(known, asked):
    for verdict in decide(known, asked):
        use, layer, blocking = verdict.use, verdict.layer, {blocker.asset for blocker in verdict.blockers}
        if not verdict.conflicts:
            assert outcome(opened(known, asked, blocking), asked, use, layer) is Outcome.ALLOWED
        for one in blocking:
            after = opened(known, asked, blocking - {one})
            assert outcome(after, asked, use, layer) is not Outcome.ALLOWED


@unhurried
@given(facts(), questions)
def test_those_to_ask_are_enough_and_nobody_is_to_spare(known, asked):
    for verdict in decide(known, asked):
        use, layer, asking = verdict.use, verdict.layer, verdict.ask_at_least
        if any(blocker.outcome is Outcome.UNKNOWN for blocker in verdict.blockers):
            assert asking is Reason.UNREAD
            continue
        named = {asked_of.owner: asked_of.assets for asked_of in asking}
        assert {blocker.owner for blocker in verdict.blockers} <= set(named)
        after = opened(known, asked, [id_ for assets in named.values() for id_ in assets])
        assert outcome(after, asked, use, layer) is Outcome.ALLOWED
        for spared in named:
            rest = [id_ for id_, part in known.parts.items() if part.owner in named.keys() - {spared}]
            assert outcome(opened(known, asked, rest), asked, use, layer) is not Outcome.ALLOWED


@unhurried
@given(facts(with_cycles=True), questions)
def test_the_edges_to_drop_are_enough_and_none_is_to_spare(known, asked):
    for verdict in decide(known, asked):
        use, layer, clearing = verdict.use, verdict.layer, verdict.clear_by
        own = known.parts[HERE].owner
        if isinstance(clearing, Reason):
            if clearing is Reason.UNREAD:
                assert HERE in known.unread
            elif not verdict.conflicts:
                assert own in {blocker.owner for blocker in verdict.blockers}
            continue
        bonds = {bond.id: bond for bond in known.bonds}
        dropped = [step.bond for step in clearing]
        assert outcome(without(known, dropped), asked, use, layer) is Outcome.ALLOWED
        for spared in dropped:
            rest = [id_ for id_ in dropped if id_ != spared]
            assert outcome(without(known, rest), asked, use, layer) is not Outcome.ALLOWED
        for id_ in dropped:
            assert known.parts[bonds[id_].child].owner == own
            assert bonds[id_].parent in known.unread or known.parts[bonds[id_].parent].owner != own
        kept = [step.bond for step in clearing if step.is_re_recordable]
        after = without(known, dropped)
        played = [bonds[id_]._replace(kind=EdgeKind.INTERPOLATES) for id_ in kept]
        assert all(bonds[id_].kind is EdgeKind.SAMPLES for id_ in kept)
        again = replace(after, bonds=[*after.bonds, *played])
        assert outcome(again, asked, use, layer) is Outcome.ALLOWED


@unhurried
@given(facts(with_unread=False), questions, st.data())
def test_an_unread_ancestor_never_allows(known, asked, data):
    for verdict in decide(known, asked):
        reached = {subject for subject, _, _ in oracle.paths(known, asked, verdict.use, verdict.layer)}
        unread = data.draw(st.sampled_from(sorted(reached)))
        blind = replace(known, unread=frozenset({unread}))
        after = next(v for v in decide(blind, asked) if (v.use, v.layer) == (verdict.use, verdict.layer))
        assert after.outcome in {Outcome.UNKNOWN, Outcome.DENIED}
        assert after.ask_at_least is Reason.UNREAD


@unhurried
@given(facts(), questions)
def test_what_is_not_asked_is_answered_for_the_strictest(known, asked):
    anywhere = asked._replace(territory=None, purpose=None, window=None)
    for open_, narrow in zip(decide(known, anywhere), decide(known, asked), strict=True):
        assert open_.outcome.rank >= narrow.outcome.rank


@unhurried
@given(facts(with_cycles=True), st.lists(st.tuples(questions, st.integers(0, 7)), max_size=4))
def test_outcomes_of_many_are_those_of_each(known, drawn):
    asked = [question._replace(asset=asset(number)) for question, number in drawn]
    for question, together in zip(asked, outcomes(known, asked), strict=True):
        assert together == {(v.use, v.layer): v.outcome for v in decide(known, question)}


@unhurried
@given(facts(), facts(), st.lists(st.tuples(questions, st.integers(0, 7)), max_size=3))
def test_flips_are_what_doing_it_and_comparing_tells(before, after, drawn):
    asked = [question._replace(asset=asset(number)) for question, number in drawn]
    told = []
    for question in asked:
        part = after.parts.get(question.asset) or before.parts.get(question.asset)
        changed = [
            Flip(old.use, old.layer, old.outcome, new.outcome)
            for old, new in zip(decide(before, question), decide(after, question), strict=True)
            if old.outcome is not new.outcome
        ]
        told += [Flipped(question, part and part.owner, tuple(changed))] if changed else []
    assert flips(before, after, asked) == tuple(told)


@unhurried
@given(facts(), questions, st.sampled_from(EdgeKind), st.lists(st.integers(0, 5), max_size=3))
def test_a_hypothetical_child_is_answered_as_one_that_is_there(known, asked, kind, numbers):
    parents = [asset(number) for number in numbers]
    child = Part(UUID(int=800), UUID(int=801), AssetKind.TRACK)
    real = Facts(
        {**known.parts, child.id: child},
        [*known.bonds, *(Bond(UUID(int=810 + n), child.id, parent, kind) for n, parent in enumerate(set(parents)))],
        [*known.statements, Statement(UUID(int=802), child.id, Level.ASSET, ANYTHING, LicenseFamily.CUSTOM)],
        known.unread,
        known.grants,
    )
    answers = outcomes(hypothetical(known, parents, kind), [asked._replace(asset=HYPOTHETICAL)])
    assert answers == outcomes(real, [asked._replace(asset=child.id)])


@unhurried
@given(facts(with_cycles=True), questions)
def test_credits_are_those_of_the_oracle_nearest_first_and_once(known, asked):
    due = attribution(known, asked)
    assert {(credit.asset, credit.license): credit.distance for credit in due} == oracle.credits_due(known, asked)
    assert [credit.distance for credit in due] == sorted(credit.distance for credit in due)
    assert len({(credit.asset, credit.license) for credit in due}) == len(due)
