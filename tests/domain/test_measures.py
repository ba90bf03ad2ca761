"""The laws of measures: what counts never lowers one; what is one's own, and what is past a cap, never moves one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.measures import (
    APART,
    EARLY,
    ENERGY_HALVES,
    HEAT_HALVES,
    SPENT,
    TRUSTED_AGE,
    WEIGHTS,
    Share,
    Signal,
    SignalKind,
    Visit,
    early_motion,
    energy,
    heat,
    rise,
    trusted_circulation,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [UUID(int=n) for n in range(4)]
moments = st.integers(-5 * 24 * 60, 0).map(lambda minutes: NOON + timedelta(minutes=minutes))
signals = st.lists(
    st.builds(Signal, st.sampled_from(SignalKind), st.sampled_from(PEOPLE), moments, st.booleans()), max_size=40
)
drawn = st.builds(Signal, st.sampled_from(SignalKind), st.sampled_from(PEOPLE), moments)
MEASURES = (lambda done: energy(done, NOON), lambda done: heat(done, NOON), lambda done: early_motion(done, None))
COMPARED = (*MEASURES, lambda done: rise(done, NOON))
"""What neither one's own acts nor those past a cap move; a rise falls where what is added was done before."""


def alike(done: list[Signal], one: Signal) -> list[Signal]:
    """What counts of the same person, kind and day."""
    return [
        each
        for each in done
        if (each.actor, each.kind, each.at.date(), each.own) == (one.actor, one.kind, one.at.date(), False)
    ]


@given(signals, drawn)
def test_what_counts_never_lowers_a_measure(done: list[Signal], one: Signal) -> None:
    if len(alike(done, one)) < WEIGHTS[one.kind].a_day:
        for measure in MEASURES:
            assert measure([*done, one]) >= measure(done)


@given(signals, drawn)
def test_what_the_owner_s_people_do_moves_nothing(done: list[Signal], one: Signal) -> None:
    own = Signal(one.kind, one.actor, one.at, own=True)
    for measure in COMPARED:
        assert measure([*done, own]) == measure(done)


@given(signals, drawn)
def test_past_the_cap_of_a_day_nothing_more_moves_it(done: list[Signal], one: Signal) -> None:
    at_noon = [Signal(one.kind, one.actor, one.at)] * WEIGHTS[one.kind].a_day
    later = Signal(one.kind, one.actor, min(one.at + timedelta(seconds=1), one.at.replace(hour=23, minute=59)))
    full = [each for each in done if each not in alike(done, one)] + at_noon
    for measure in COMPARED:
        assert measure([*full, later]) == measure(full)


recent = st.integers(-24 * 60 + 1, 0).map(lambda minutes: NOON + timedelta(minutes=minutes))


@given(signals, st.builds(Signal, st.sampled_from([*set(SignalKind) - SPENT]), st.sampled_from(PEOPLE), recent))
def test_what_counts_and_was_done_in_the_last_day_never_lowers_a_rise(done: list[Signal], one: Signal) -> None:
    if len(alike(done, one)) < WEIGHTS[one.kind].a_day:
        assert rise([*done, one], NOON) >= rise(done, NOON)


@given(signals, st.sampled_from([*SPENT]), st.sampled_from(PEOPLE), moments)
def test_nothing_that_may_have_been_paid_for_moves_a_rise(
    done: list[Signal], kind: SignalKind, actor: UUID, at: datetime
) -> None:
    assert rise([*done, Signal(kind, actor, at)], NOON) == rise(done, NOON)


@given(signals, st.sampled_from(SignalKind), st.sampled_from(PEOPLE), st.integers(1, 10_000))
def test_what_is_done_later_moves_no_rise(done: list[Signal], kind: SignalKind, actor: UUID, minutes: int) -> None:
    assert rise([*done, Signal(kind, actor, NOON + timedelta(minutes=minutes))], NOON) == rise(done, NOON)


def test_what_goes_on_as_before_does_not_rise_and_what_is_new_rises_by_all_of_it() -> None:
    crowd = [Signal(SignalKind.LIKE, UUID(int=n), NOON) for n in range(50)]
    assert rise(crowd, NOON) == energy(crowd, NOON) > 0
    assert rise(crowd, NOON + APART) == 0


@given(signals, st.randoms(use_true_random=False))
def test_a_measure_stands_between_its_ends_whatever_the_order(done: list[Signal], chance: object) -> None:
    mixed = list(done)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis calls it an object
    for measure in COMPARED:
        assert measure(mixed) == measure(done) >= 0
    assert max(energy(done, NOON), heat(done, NOON), rise(done, NOON)) <= 100


def test_the_numbers_are_those_that_are_published() -> None:
    like = Signal(SignalKind.LIKE, PEOPLE[0], NOON)
    assert (energy([], NOON), energy([like], NOON), heat([like], NOON)) == (0, 1.0, 1.0)
    crowd = [Signal(SignalKind.UNLOCK, UUID(int=n), NOON) for n in range(20)]
    assert energy(crowd, NOON) == 63.2
    assert energy(crowd, NOON + ENERGY_HALVES) == 39.3 == heat(crowd, NOON + HEAT_HALVES)
    minutes = [Signal(SignalKind.ROOM_MINUTE, PEOPLE[0], NOON + timedelta(minutes=n)) for n in range(300)]
    assert energy(minutes, NOON) == energy(minutes[:20], NOON) == 2.0


def test_early_is_before_it_is_out_and_72_hours_after() -> None:
    out = NOON
    for at, counts in ((out - timedelta(days=99), 1), (out + EARLY, 1), (out + EARLY + timedelta(seconds=1), 0)):
        assert early_motion([Signal(SignalKind.PRESAVE, PEOPLE[0], at)] * 2, out) == counts


LINKS = [UUID(int=100 + n) for n in range(5)]
OLD = NOON - timedelta(days=30)
shares = st.lists(
    st.builds(
        Share,
        st.sampled_from(LINKS),
        st.sampled_from(PEOPLE),
        st.sampled_from([OLD, NOON - timedelta(days=7)]),
        moments,
        st.booleans(),
    ),
    max_size=6,
    unique_by=lambda share: share.link,
)
visits = st.lists(st.builds(Visit, st.sampled_from(LINKS), st.sampled_from([b"a", b"b", b"c"]), moments), max_size=12)


@given(shares, visits, st.sampled_from(LINKS), st.sampled_from([b"a", b"b", b"new"]))
def test_a_visitor_more_never_lowers_circulation_and_counts_for_one_share(
    made: list[Share], came: list[Visit], link: UUID, visitor: bytes
) -> None:
    before = trusted_circulation(made, came)
    after = trusted_circulation(made, [*came, Visit(link, visitor, NOON + timedelta(seconds=1))])
    assert before <= after <= before + 1
    assert after <= min(len(made), len({each.visitor for each in came} | {visitor}))


@pytest.mark.parametrize(
    ("share", "counts"),
    [
        (Share(LINKS[0], PEOPLE[0], NOON - TRUSTED_AGE, NOON), 1),
        (Share(LINKS[0], PEOPLE[0], NOON - TRUSTED_AGE + timedelta(seconds=1), NOON), 0),
        (Share(LINKS[0], PEOPLE[0], OLD, NOON, own=True), 0),
    ],
)
def test_only_accounts_of_a_week_circulate_and_never_the_owner_s(share: Share, counts: int) -> None:
    assert trusted_circulation([share], [Visit(share.link, b"a", NOON)]) == counts
    assert trusted_circulation([share], []) == 0


def test_of_one_person_and_day_the_first_shares_count() -> None:
    cap = WEIGHTS[SignalKind.SHARE].a_day
    made = [Share(UUID(int=n), PEOPLE[0], OLD, NOON + timedelta(seconds=n)) for n in range(cap + 3)]
    came = [Visit(share.link, bytes([n]), NOON) for n, share in enumerate(made)]
    assert trusted_circulation(made, came) == cap
