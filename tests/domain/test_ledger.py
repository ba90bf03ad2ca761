"""What programs paid is shared to the last unit, and every payment balances."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.contributors import WHOLE, Pool
from domain.ledger import POOLS, Cleared, Entry, Party, Splits, entries
from domain.rights import Layer

ASSETS = [UUID(int=number) for number in range(1, 4)]
PEOPLE = [UUID(int=number) for number in range(10, 14)]
CLEARED = st.lists(
    st.builds(
        Cleared,
        st.sampled_from(ASSETS),
        st.lists(st.sampled_from(Layer), min_size=1, unique=True),
        st.integers(0, 10**15),
    ),
    max_size=5,
)


@st.composite
def splits(draw: st.DrawFn) -> dict[tuple[UUID, Pool], list[tuple[UUID, int]]]:
    """Pools, each shared by some people: of all of it, or of less."""
    found = {}
    for place in [(asset, pool) for asset in ASSETS for pool in Pool]:
        people = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
        points = draw(st.lists(st.integers(1, WHOLE // 4), min_size=len(people), max_size=len(people)))
        found[place] = list(zip(people, points, strict=True))
    return found


@given(CLEARED, splits())
def test_every_payment_balances_and_nobody_is_a_unit_off_for_each_time_it_is_divided(
    cleared: list[Cleared], splits: Splits
) -> None:
    lines = entries(cleared, splits)
    paid = sum(each.amount for each in cleared)
    assert sum(line.amount for line in lines) == 0
    assert [line.amount for line in lines if line.party is None] == ([-paid] if paid else [])
    owed = {line.party: line.amount for line in lines if line.party is not None}
    assert len(owed) == len(lines) - bool(paid)
    assert all(amount > 0 for amount in owed.values())
    for person in PEOPLE:
        for pool in Pool:
            fair = sum(
                each.amount * points / WHOLE / len(each.layers)
                for each in cleared
                for layer in each.layers
                if POOLS[layer] is pool
                for contributor, points in splits[each.asset, pool]
                if contributor == person
            )
            assert abs(owed.get(Party(pool, person), 0) - fair) <= 2 * len(cleared) + fair * 1e-12


def test_layers_share_evenly_and_what_nobody_shares_is_the_owners() -> None:
    ana, ben = PEOPLE[:2]
    splits = {
        (ASSETS[0], Pool.MASTER): [(ana, 3_333), (ben, 6_667)],
        # Somebody declined the rest.
        (ASSETS[0], Pool.PUBLISHING): [(ana, 2_500)],
    }
    assert entries([Cleared(ASSETS[0], list(Layer), 101), Cleared(ASSETS[1], [Layer.MASTER], 7)], splits) == [
        Entry(None, -108),
        Entry(Party(Pool.MASTER, ana), 17),
        Entry(Party(Pool.MASTER, ben), 34),
        Entry(Party(Pool.MASTER, None), 7),
        Entry(Party(Pool.PUBLISHING, ana), 13),
        Entry(Party(Pool.PUBLISHING, None), 37),
    ]
    assert entries([Cleared(ASSETS[0], [Layer.MASTER], 0)], splits) == []
