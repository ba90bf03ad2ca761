"""Which two licenses one work can carry, against the ruling written out, and what to leave out where it cannot."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sharing import agree, conflicting, left_out

BY_SA = ["CC-BY-SA-1.0", "CC-BY-SA-2.0", "CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0"]
GPL = ["GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later"]
NC_SA = ["CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"]
AGREEING = {
    *itertools.combinations(BY_SA, 2),
    ("GPL-2.0-only", "GPL-2.0-or-later"),
    ("CC-BY-SA-4.0", "GPL-2.0-or-later"),
    ("CC-BY-SA-4.0", "GPL-3.0-only"),
    ("CC-BY-SA-4.0", "GPL-3.0-or-later"),
}
given_items = st.lists(st.frozensets(st.sampled_from([*BY_SA, *GPL, *NC_SA]), max_size=2), max_size=7)


@pytest.mark.parametrize(("one", "other"), [*itertools.product([*BY_SA, *GPL, *NC_SA], repeat=2)])
def test_licenses_agree_as_the_ruling_says_and_in_either_order(one, other):
    assert agree(one, other) is (one == other or (one, other) in AGREEING or (other, one) in AGREEING)


@given(st.lists(st.sampled_from([*BY_SA, *GPL, *NC_SA])))
def test_each_pair_in_conflict_is_named_once(licenses):
    pairs = conflicting(licenses)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert {frozenset(pair) for pair in pairs} == {
        frozenset(pair) for pair in itertools.combinations(licenses, 2) if not agree(*pair)
    }


@given(st.sets(st.sampled_from(BY_SA[-1:] + GPL[-1:])), given_items)
def test_what_is_left_out_ends_every_conflict_and_nothing_of_it_is_to_spare(carried, licenses):
    items = list(enumerate(licenses))
    out = left_out(carried, items)

    def stands(dropped):
        return not conflicting(carried.union(*(asked for item, asked in items if item not in dropped)))

    assert stands(out)
    assert not any(stands([item for item in out if item != spared]) for spared in out)


def test_the_more_frequent_license_stays():
    items = [("a", frozenset({"GPL-2.0-only"})), *((name, frozenset({"CC-BY-SA-3.0"})) for name in "bcd")]
    assert left_out((), items) == ["a"]
