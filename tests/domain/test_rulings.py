"""The sentences of the ruling on rights, each as one small case."""

from __future__ import annotations

import itertools
from datetime import date
from uuid import UUID

import pytest

from domain.assets import AssetKind
from domain.clearances import attribution, clear_windows
from domain.facts import CARRIES, CONTAINS, Bond, Facts, Part, Question, Statement
from domain.levels import Reason
from domain.lineage import EdgeKind
from domain.outcomes import HYPOTHETICAL, flips, hypothetical, outcomes
from domain.remedies import Asking, Clearing
from domain.rights import (
    COMPOSITION_EXCEPTION,
    PLATFORM_DEFAULT,
    Decision,
    Layer,
    Level,
    LicenseFamily,
    Outcome,
    Term,
    Use,
    preset,
    read_license,
    terms_digest,
)
from domain.verdicts import Route, RouteKind, Verdict, decide
from domain.windows import Window

DAY = date(2026, 5, 1)
VERSION = UUID(int=77)
OPEN = "CC0-1.0"
FREE_GPL = "LicenseRef-GPL-2.0-or-later-with-composition-exception"
A, B, C, D = (UUID(int=number) for number in range(1, 5))
ANNA, BEN, CLEO, DAN = (UUID(int=number) for number in range(11, 15))
OWNERS = {A: ANNA, B: BEN, C: CLEO, D: DAN}
LETTERS = {"A": Outcome.ALLOWED, "L": Outcome.LICENSE_REQUIRED, "C": Outcome.CONTACT_OWNER, "D": Outcome.DENIED}


def part(id_: UUID, kind: AssetKind = AssetKind.TRACK, owner: UUID | None = None, version: UUID | None = None) -> Part:
    return Part(id_, owner or OWNERS[id_], kind, 60_000, version=version)


def said(subject: UUID, *terms: Term | str, level: Level = Level.ASSET) -> Statement:
    spoken = [term for given in terms for term in (preset(read_license(given)) if isinstance(given, str) else (given,))]
    names = [given for given in terms if isinstance(given, str)]
    number = 100 + subject.int + 1000 * list(Level).index(level)
    return Statement(UUID(int=number), subject, level, tuple(spoken), LicenseFamily.CUSTOM, names[0] if names else None)


def bond(child: UUID, parent: UUID, kind=EdgeKind.SAMPLES, below=None, above=None) -> Bond:
    return Bond(UUID(int=200 + 10 * child.int + parent.int), child, parent, kind, below, above)


def facts(parts, bonds=(), statements=(), unread=()) -> Facts:
    return Facts({one.id: one for one in parts}, bonds, statements, frozenset(unread))


def ask(known: Facts, use: Use = Use.REMIX, layer: Layer = Layer.MASTER, asset: UUID = A, **how) -> Verdict:
    verdicts = decide(known, Question(asset, frozenset({use}), DAY, **how))
    return next(verdict for verdict in verdicts if verdict.layer is layer)


# What each kind of edge carries.


@pytest.mark.parametrize("kind", [*EdgeKind, CONTAINS])
def test_each_kind_of_edge_carries_what_the_table_says(kind):
    carried = {
        EdgeKind.COVER_OF: {Layer.COMPOSITION},
        EdgeKind.INTERPOLATES: {Layer.COMPOSITION},
        EdgeKind.INSPIRED_BY: set(),
        EdgeKind.USES_INSTRUMENT: set(),
    }.get(kind, set(Layer))
    known = facts([part(A), part(B)], [bond(A, B, kind)], [said(A, OPEN)])
    assert {layer for layer in Layer if ask(known, layer=layer).blockers} == carried
    assert set(CARRIES[kind]) >= carried


def test_an_instrument_binds_the_master_of_what_is_played_on_it_only_where_its_policy_says_so():
    for reaches in (False, True):
        term = Term(Use.REMIX, None, Decision.DENIED, reaches_outputs=reaches)
        known = facts(
            [part(A), part(B, AssetKind.INSTRUMENT)],
            [bond(A, B, EdgeKind.USES_INSTRUMENT)],
            [said(A, OPEN), said(B, term)],
        )
        assert bool(ask(known).blockers) is reaches
        assert not ask(known, layer=Layer.COMPOSITION).blockers
        # The policy says so for the use it speaks of.
        assert not ask(known, Use.SYNC).blockers


def test_layers_along_a_path_are_what_all_of_its_edges_carry():
    known = facts(
        [part(A), part(B), part(C)],
        [bond(A, B, EdgeKind.COVER_OF), bond(B, C, EdgeKind.SAMPLES)],
        [said(A, OPEN), said(B, OPEN)],
    )
    assert not ask(known, layer=Layer.MASTER).blockers
    (blocker,) = ask(known, layer=Layer.COMPOSITION).blockers
    assert (blocker.asset, blocker.path) == (C, (UUID(int=212), UUID(int=223)))


def test_the_shortest_path_is_named_and_of_those_as_short_the_first_by_ids():
    known = facts(
        [part(A), part(B), part(C), part(D)],
        [bond(A, C), bond(A, B), bond(B, D), bond(C, D)],
        [said(A, OPEN), said(B, OPEN), said(C, OPEN)],
    )
    assert ask(known).blockers[0].path == (UUID(int=212), UUID(int=224))


# Which level speaks.


def test_where_no_artist_has_spoken_the_default_holds_is_called_not_stated_and_may_be_asked():
    known = facts([part(A)])
    for use, letter in zip(Use, "CCLCDDCL", strict=True):
        verdict = ask(known, use)
        assert (verdict.outcome, verdict.reasons) == (LETTERS[letter], (Reason.NOT_STATED,))
        (blocker,) = verdict.blockers
        assert (blocker.statement, blocker.term) == (None, next(t for t in PLATFORM_DEFAULT if t.use is use))
        assert verdict.route.kind in {RouteKind.CONTACT, RouteKind.LICENSE}


def test_a_stated_refusal_has_no_route():
    known = facts([part(A)], [], [said(A, Term(Use.REMIX, None, Decision.DENIED))])
    assert ask(known).route == Route(RouteKind.NONE)


def test_the_most_specific_level_that_speaks_wins_in_each_layer_on_its_own():
    def speaks(subject, level, decision, layer=None):
        return said(subject, Term(Use.REMIX, layer, decision), level=level)

    told = [speaks(ANNA, Level.ARTIST, Decision.DENIED)]
    assert ask(facts([part(A)], [], told)).reasons == (Reason.ARTIST,)
    told.append(speaks(A, Level.ASSET, Decision.ALLOWED, Layer.MASTER))
    known = facts([part(A)], [], told)
    assert (ask(known).outcome, ask(known).reasons) == (Outcome.ALLOWED, (Reason.ASSET,))
    assert ask(known, layer=Layer.COMPOSITION).outcome is Outcome.DENIED
    told.append(speaks(VERSION, Level.VERSION, Decision.CONTACT_OWNER))
    assert ask(facts([part(A)], [], told)).outcome is Outcome.ALLOWED
    out = part(A, AssetKind.RELEASE, version=VERSION)
    assert ask(facts([out], [], told)).reasons == (Reason.VERSION,)
    told.append(speaks(VERSION, Level.AGENT_RULE, Decision.LICENSE_REQUIRED))
    assert ask(facts([out], [], told)).reasons == (Reason.AGENT_RULE,)


def test_a_versions_policy_speaks_for_its_release_and_not_for_the_items():
    known = facts(
        [part(C), part(A, AssetKind.RELEASE, version=VERSION), part(B)],
        [bond(A, B, CONTAINS), bond(C, A)],
        [said(C, OPEN), said(VERSION, OPEN, level=Level.VERSION), said(B, Term(Use.REMIX, None, Decision.DENIED))],
    )
    assert ask(known).reasons == (Reason.VERSION, Reason.ASSET)
    assert [blocker.asset for blocker in ask(known).blockers] == [B]
    assert {blocker.asset: blocker.reason for blocker in ask(known, asset=C).blockers} == {
        A: Reason.NOT_STATED,
        B: Reason.ASSET,
    }


@pytest.mark.parametrize(
    ("term", "how", "speaks"),
    [
        ({"territories": ("DE",)}, {"territory": "DE"}, True),
        ({"territories": ("DE",)}, {"territory": "US"}, False),
        ({"territories": ("DE",)}, {}, False),
        ({"purpose": "film"}, {"purpose": "film"}, True),
        ({"purpose": "film"}, {"purpose": "game"}, False),
        ({"purpose": "film"}, {}, False),
        ({"starts_on": DAY}, {}, True),
        ({"starts_on": date(2026, 5, 2)}, {}, False),
        ({"ends_on": DAY}, {}, False),
        ({"ends_on": date(2026, 5, 2)}, {}, True),
        ({"starts_on": date(2027, 1, 1), "ends_on": date(2026, 1, 1)}, {}, False),
    ],
)
def test_a_permission_outside_its_territory_period_or_purpose_does_not_speak(term, how, speaks):
    known = facts([part(A)], [], [said(A, Term(Use.REMIX, None, Decision.ALLOWED, **term))])
    assert (ask(known, **how).outcome is Outcome.ALLOWED) is speaks


def test_a_refusal_in_one_country_holds_where_everywhere_is_asked():
    known = facts(
        [part(A)],
        [],
        [said(A, Term(Use.REMIX, None, Decision.DENIED, territories=("DE",))), said(ANNA, OPEN, level=Level.ARTIST)],
    )
    assert [ask(known, territory=code).outcome for code in ("DE", "US", None)] == [
        Outcome.DENIED,
        Outcome.ALLOWED,
        Outcome.DENIED,
    ]


def test_of_contradictory_policies_the_stricter_holds():
    two = [said(A, OPEN), said(A, Term(Use.REMIX, None, Decision.DENIED))._replace(id=UUID(int=9))]
    assert ask(facts([part(A)], [], two)).outcome is Outcome.DENIED


# Share alike.


@pytest.mark.parametrize("use", Use)
def test_two_licenses_that_exclude_each_other_close_four_uses_to_contact_owner(use):
    known = facts(
        [part(A), part(B), part(C)],
        [bond(A, B), bond(A, C)],
        [said(A, OPEN), said(B, "CC-BY-SA-3.0"), said(C, "GPL-2.0-only")],
    )
    verdict = ask(known, use)
    if use in {Use.REMIX, Use.STEMS, Use.DERIVATIVE_REGISTRATION, Use.COMMERCIAL_USE}:
        assert (verdict.outcome, verdict.blockers, verdict.reasons) == (
            Outcome.CONTACT_OWNER,
            (),
            (Reason.ASSET, Reason.CONFLICT),
        )
        assert [(c.one.asset, c.one.license, c.other.asset, c.other.license) for c in verdict.conflicts] == [
            (B, "CC-BY-SA-3.0", C, "GPL-2.0-only")
        ]
        assert len(verdict.ask_at_least) == len(verdict.clear_by) == 1
    else:
        assert not verdict.conflicts


def test_one_example_is_given_for_each_pair_however_many_assets_there_are():
    parts = [part(A), *(Part(UUID(int=300 + n), BEN, AssetKind.SAMPLE) for n in range(10))]
    licensed = [said(one.id, "CC-BY-SA-3.0" if one.id.int % 2 else "GPL-3.0-only") for one in parts[1:]]
    known = facts(parts, [bond(A, one.id) for one in parts[1:]], [said(A, OPEN), *licensed])
    (conflict,) = ask(known).conflicts
    assert (conflict.one.asset, conflict.other.asset) == (UUID(int=301), UUID(int=300))
    assert ask(known).ask_at_least == (Asking(BEN, tuple(one.id for one in parts[1:])),)


def test_compositions_made_with_samples_are_not_bound_where_their_license_excepts_them():
    def asked(kind, *chain):
        kinds = [part(id_, of) for id_, of in zip((A, B), (kind, AssetKind.TRACK), strict=True)]
        known = facts(
            [*kinds, part(C, AssetKind.SAMPLE), part(D)],
            [*chain, bond(A, D)],
            [said(A, OPEN), said(B, OPEN), said(C, FREE_GPL), said(D, "CC-BY-SA-3.0")],
        )
        return ask(known).outcome

    assert asked(AssetKind.TRACK, bond(A, C)) is Outcome.ALLOWED
    assert asked(AssetKind.SAMPLE, bond(A, C)) is Outcome.CONTACT_OWNER
    # A pack of samples is no composition; an album of tracks made with them holds some.
    assert asked(AssetKind.RELEASE, bond(A, C, CONTAINS)) is Outcome.CONTACT_OWNER
    assert asked(AssetKind.RELEASE, bond(A, B, CONTAINS), bond(B, C)) is Outcome.ALLOWED
    assert asked(AssetKind.RELEASE, bond(A, B, CONTAINS), bond(B, C), bond(A, C, CONTAINS)) is Outcome.CONTACT_OWNER


def test_who_is_reached_outright_is_bound_outright_however_near_a_track_leads_to_it_too():
    kinds = {A: AssetKind.RELEASE, B: AssetKind.TRACK, C: AssetKind.SAMPLE, D: AssetKind.SAMPLE}
    pack = Part(UUID(int=5), DAN, AssetKind.SAMPLE)
    terms = [
        Term(Use.REMIX, None, Decision.DENIED, exception=COMPOSITION_EXCEPTION),
        Term(Use.REMIX, None, Decision.CONTACT_OWNER),
    ]
    short, long = [bond(A, B, CONTAINS), bond(B, C)], [bond(A, D, CONTAINS), bond(D, pack.id), bond(pack.id, C)]
    parts = [*(part(id_, kind) for id_, kind in kinds.items()), pack]
    statements = [said(A, OPEN), said(B, OPEN), said(D, OPEN), said(pack.id, OPEN), said(C, *terms)]
    (near,) = ask(facts(parts, short, statements)).blockers
    assert (near.outcome, near.path) == (Outcome.CONTACT_OWNER, tuple(step.id for step in short))
    (both,) = ask(facts(parts, [*short, *long], statements)).blockers
    assert (both.outcome, both.path) == (Outcome.DENIED, tuple(step.id for step in long))


def test_no_ai_processing_except_accessibility():
    known = facts([part(A)], [], [said(A, Term(Use.AI_GENERATION, None, Decision.DENIED, exception="accessibility"))])
    assert ask(known, Use.AI_GENERATION, purpose="accessibility").outcome is Outcome.ALLOWED
    assert ask(known, Use.AI_GENERATION, purpose="parody").outcome is Outcome.DENIED
    assert ask(known, Use.AI_GENERATION).outcome is Outcome.DENIED


def test_asking_for_a_composition_does_not_by_itself_lift_what_binds_a_sample():
    known = facts([part(A, AssetKind.SAMPLE)], [], [said(A, FREE_GPL)])
    assert ask(known, Use.AI_TRAINING, purpose=COMPOSITION_EXCEPTION).outcome is Outcome.CONTACT_OWNER


# Windows.


def test_a_hook_is_clear_although_its_track_is_not_and_the_clear_windows_say_where():
    known = facts([part(A), part(B)], [bond(A, B, below=Window(20_000, 25_000))], [said(A, OPEN)])
    assert ask(known).outcome is Outcome.CONTACT_OWNER
    assert ask(known, window=Window(25_000, 55_000)).outcome is Outcome.ALLOWED
    assert ask(known, window=Window(0, 20_000)).outcome is Outcome.ALLOWED
    assert ask(known, window=Window(0, 20_001)).outcome is Outcome.CONTACT_OWNER
    question = Question(A, frozenset({Use.REMIX}), DAY)
    assert clear_windows(known, question, 30_000) == (Window(25_000, 60_000),)
    assert clear_windows(known, question, 10_000) == (Window(0, 20_000), Window(25_000, 60_000))
    assert clear_windows(known, question, 90_000) == ()


def test_a_window_becomes_the_parents_window_of_each_edge_it_crosses_and_windows_meet_at_an_asset():
    parts = [part(A), part(B), part(C)]
    statements = [said(A, OPEN), said(B, OPEN)]
    early = bond(A, B, below=Window(0, 10), above=Window(100, 110))
    late = bond(A, B, below=Window(50, 60), above=Window(200, 210))._replace(id=UUID(int=500))
    known = facts(parts, [early, late, bond(B, C, below=Window(205, 300))], statements)
    assert ask(known, window=Window(0, 10)).outcome is Outcome.ALLOWED
    assert ask(known, window=Window(0, 55)).blockers[0].path == (late.id, UUID(int=223))


# What to do about it.


def test_prices_add_up_where_every_blocker_has_one_in_the_same_currency():
    def offer(subject, price, currency="EUR"):
        return said(subject, Term(Use.SYNC, None, Decision.LICENSE_REQUIRED, price_minor=price, currency=currency))

    parts, bonds = [part(A), part(B)], [bond(A, B)]
    assert ask(facts(parts, bonds, [offer(A, 500), offer(B, 250)]), Use.SYNC).route == Route(
        RouteKind.LICENSE, 750, "EUR"
    )
    assert ask(facts(parts, bonds, [offer(A, 500), offer(B, 250, "USD")]), Use.SYNC).route == Route(RouteKind.LICENSE)
    assert ask(facts(parts, bonds, [offer(A, 500)]), Use.SYNC).route == Route(RouteKind.LICENSE)


def test_a_sample_played_anew_keeps_the_composition_only():
    known = facts([part(A), part(B)], [bond(A, B)], [said(A, OPEN)])
    assert ask(known, layer=Layer.MASTER).clear_by == (Clearing(UUID(int=212), is_re_recordable=True),)
    assert ask(known, layer=Layer.COMPOSITION).clear_by == (Clearing(UUID(int=212), is_re_recordable=False),)


def test_nothing_is_to_drop_where_the_owner_is_in_the_way():
    assert ask(facts([part(A), part(B)], [bond(A, B)])).clear_by is Reason.OWN_POLICY


def test_what_leads_past_another_bond_to_drop_need_not_be_dropped_itself():
    own = part(C, owner=ANNA)
    bonds = [bond(A, B), bond(B, C), bond(A, C, EdgeKind.REMIX_OF), bond(C, D)]
    known = facts([part(A), part(B), own, part(D)], bonds, [said(A, OPEN), said(B, OPEN), said(C, OPEN)])
    assert [step.bond for step in ask(known).clear_by] == [UUID(int=234)]


def test_a_bond_to_drop_is_dropped_however_it_is_reached():
    own = [Part(one, ANNA, AssetKind.SAMPLE) for one in (A, C)]
    bonds = [bond(A, C), bond(C, D), bond(A, B), bond(B, C)]
    known = facts([*own, part(B), part(D)], bonds, [said(A, OPEN), said(B, OPEN), said(C, OPEN)])
    assert [step.bond for step in ask(known).clear_by] == [UUID(int=234)]


@pytest.mark.parametrize(("way_round", "to_drop"), [(OPEN, 234), ("LicenseRef-all-rights-reserved", 216)])
def test_what_binds_only_by_a_way_that_is_dropped_need_not_be_dropped_too(way_round, to_drop):
    track, pack = Part(UUID(int=5), ANNA, AssetKind.TRACK), Part(UUID(int=6), BEN, AssetKind.SAMPLE)
    own = [Part(one, ANNA, AssetKind.SAMPLE) for one in (A, C)]
    bonds = [bond(A, track.id), bond(track.id, C), bond(A, pack.id), bond(pack.id, C), bond(C, D)]
    freed = Term(Use.REMIX, None, Decision.DENIED, exception=COMPOSITION_EXCEPTION)
    statements = [said(A, OPEN), said(C, OPEN), said(track.id, OPEN), said(pack.id, way_round), said(D, freed)]
    known = facts([*own, track, pack, part(D)], bonds, statements)
    assert [step.bond for step in ask(known).clear_by] == [UUID(int=to_drop)]


def test_what_could_not_be_read_is_unknown_and_cannot_be_asked():
    for known in (
        facts([part(A), part(B)], [bond(A, B)], [said(A, OPEN), said(B, OPEN)], [B]),
        facts([part(A)], [bond(A, B)], [said(A, OPEN)]),
    ):
        verdict = ask(known)
        assert (verdict.outcome, verdict.ask_at_least) == (Outcome.UNKNOWN, Reason.UNREAD)
        assert [(b.asset, b.owner, b.reason) for b in verdict.blockers] == [(B, None, Reason.UNREAD)]
        assert [step.bond for step in verdict.clear_by] == [UUID(int=212)]


def test_the_kind_of_an_asset_may_be_known_where_its_policy_is_not():
    known = facts([part(A), part(B, AssetKind.SAMPLE)], [bond(A, B)], [said(B, FREE_GPL)], [A])
    assert [blocker.asset for blocker in ask(known, Use.AI_TRAINING).blockers] == [A]


def test_an_asset_that_is_in_no_fact_is_unknown():
    verdict = ask(facts([]))
    assert (verdict.outcome, verdict.clear_by, verdict.ask_at_least) == (Outcome.UNKNOWN, Reason.UNREAD, Reason.UNREAD)


def test_credits_stand_nearest_first_and_once_for_each_license():
    known = facts(
        [part(A), part(B), part(C), part(D)],
        [bond(A, C), bond(A, B), bond(B, C), bond(C, D), bond(A, D, EdgeKind.INSPIRED_BY)],
        [said(A, "CC-BY-3.0"), said(B, OPEN), said(C, "CC-BY-4.0"), said(D, "CC-BY-SA-4.0")],
    )
    due = attribution(known, Question(A, frozenset(Use), DAY))
    assert [(credit.asset, credit.license, credit.distance) for credit in due] == [
        (A, "CC-BY-3.0", 0),
        (C, "CC-BY-4.0", 1),
        (D, "CC-BY-SA-4.0", 2),
    ]


# Before it is done.


def test_a_policy_about_to_be_tightened_names_the_verdicts_that_flip_and_whose_they_are():
    parts, bonds = [part(A), part(B), part(C)], [bond(A, B), bond(C, B, EdgeKind.COVER_OF)]
    before = facts(parts, bonds, [said(A, OPEN), said(B, OPEN), said(C, OPEN)])
    after = facts(parts, bonds, [said(A, OPEN), said(B, "CC-BY-NC-4.0"), said(C, OPEN)])
    asked = [Question(id_, frozenset({Use.REMIX, Use.SYNC}), DAY) for id_ in (A, C)]
    told = [
        (flipped.question.asset, flipped.owner, *flip)
        for flipped in flips(before, after, asked)
        for flip in flipped.flips
    ]
    now = (Outcome.ALLOWED, Outcome.LICENSE_REQUIRED)
    assert told == [
        (A, ANNA, Use.SYNC, Layer.MASTER, *now),
        (A, ANNA, Use.SYNC, Layer.COMPOSITION, *now),
        (C, CLEO, Use.SYNC, Layer.COMPOSITION, *now),
    ]


def test_what_two_sources_allow_together_is_known_before_anything_is_made_of_them():
    known = facts([part(A), part(B)], [], [said(A, "CC-BY-SA-3.0"), said(B, "GPL-2.0-only")])
    question = Question(HYPOTHETICAL, frozenset({Use.REMIX}), DAY)
    for kind, outcome in ((EdgeKind.MASHUP_OF, Outcome.CONTACT_OWNER), (EdgeKind.INSPIRED_BY, Outcome.ALLOWED)):
        (answer,) = outcomes(hypothetical(known, [A, B], kind), [question])
        assert set(answer.values()) == {outcome}


# Shapes.


def test_a_mix_of_344_a_chain_of_5000_and_a_cycle_are_answered_whole():
    ids = [UUID(int=10_000 + number) for number in range(5000)]
    parts = [Part(id_, ANNA, AssetKind.SAMPLE) for id_ in ids]
    statements = [said(ids[0], OPEN)]
    wide = facts(parts[:345], [Bond(one, ids[0], one, EdgeKind.DJ_MIX_OF) for one in ids[1:345]], statements)
    assert len(ask(wide, asset=ids[0]).blockers) == 344
    steps = [Bond(above, below, above, EdgeKind.SAMPLES) for below, above in itertools.pairwise(ids)]
    deep = facts(parts, steps, [said(id_, OPEN) for id_ in ids[:-1]])
    (blocker,) = ask(deep, asset=ids[0]).blockers
    assert (blocker.asset, len(blocker.path)) == (ids[-1], 4999)
    ring = facts(parts[:9], [*steps[:8], Bond(A, ids[8], ids[0], EdgeKind.SAMPLES)], statements)
    assert len(ask(ring, asset=ids[4]).blockers) == 8
    (answer,) = outcomes(ring, [Question(ids[4], frozenset({Use.REMIX}), DAY)])
    assert set(answer.values()) == {Outcome.CONTACT_OWNER}


def test_everything_in_a_cycle_is_bound_by_everything_in_it():
    ids = [UUID(int=10_000 + number) for number in range(7)]
    parts = [Part(id_, ANNA, AssetKind.SAMPLE) for id_ in ids]
    steps = [Bond(UUID(int=500 + n), id_, ids[(n + 1) % 7], EdgeKind.SAMPLES) for n, id_ in enumerate(ids)]
    refusal = Term(Use.REMIX, None, Decision.DENIED)
    for refused in ids:
        ring = facts(parts, steps, [said(id_, refusal if id_ == refused else OPEN) for id_ in ids])
        asked = [Question(id_, frozenset({Use.REMIX}), DAY) for id_ in ids]
        assert [set(answer.values()) for answer in outcomes(ring, asked)] == [{Outcome.DENIED}] * 7


# Terms.


def test_a_condition_a_term_does_not_have_leaves_its_digest_alone():
    bare = Term(Use.SYNC, None, Decision.ALLOWED)
    assert terms_digest((bare,)) == terms_digest((bare._replace(territories=(), royalty_bp=0),))
    conditions = [
        {"territories": ("DE",)},
        {"starts_on": DAY},
        {"ends_on": DAY},
        {"purpose": "film"},
        {"price_minor": 5, "currency": "EUR"},
        {"reaches_outputs": True},
        {"sublicense": True},
        {"royalty_bp": 5},
        {"route": "mail"},
    ]
    assert len({terms_digest((bare._replace(**condition),)) for condition in ({}, *conditions)}) == 10


def test_outcomes_are_ordered_from_open_to_closed():
    assert sorted(Outcome, key=lambda one: one.rank) == [
        "ALLOWED",
        "LICENSE_REQUIRED",
        "CONTACT_OWNER",
        "UNKNOWN",
        "DENIED",
    ]
    assert (
        Outcome.UNKNOWN.stricter(Outcome.CONTACT_OWNER)
        is Outcome.CONTACT_OWNER.stricter(Outcome.UNKNOWN)
        is Outcome.UNKNOWN
    )
