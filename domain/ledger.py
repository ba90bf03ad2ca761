"""The book of what programs paid: each payment is a balanced double entry, down to who is owed which part of it.

What a term costs goes to the layers it opens in equal parts: the master to those who share the recording, the
composition to those who share the publishing, each to the last unit. Who declined a share, or a pool nobody shares,
leaves it to the owner. A share that is not agreed to yet is owed to whom it names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.contributors import WHOLE, Pool, divided
from domain.rights import Layer

POOLS: Mapping[Layer, Pool] = {Layer.MASTER: Pool.MASTER, Layer.COMPOSITION: Pool.PUBLISHING}


class Cleared(NamedTuple):
    """What a payment clears of one asset.

    Attributes:
        asset: the asset.
        layers: in which layers.
        amount: what is paid for that, in the units of what settles it.
    """

    asset: UUID
    layers: Sequence[Layer]
    amount: int


class Party(NamedTuple):
    """Who is owed something; the owner's artist where `contributor` is None."""

    pool: Pool
    contributor: UUID | None


class Entry(NamedTuple):
    """A line: what came in is below nothing and has no party, what is owed is above it. A payment's come to 0."""

    party: Party | None
    amount: int


Splits = Mapping[tuple[UUID, Pool], Sequence[tuple[UUID, int]]]
"""Of an asset and a pool who shares it, with basis points; what they leave is the owner's."""


def entries(cleared: Sequence[Cleared], splits: Splits) -> list[Entry]:
    """The lines of one payment, what came in first; none where nothing did."""
    owed: defaultdict[Party, int] = defaultdict(int)
    for each in cleared:
        layers = [layer for layer in Layer if layer in each.layers]
        even = [WHOLE // len(layers)] * len(layers)
        for layer, part in zip(layers, divided(each.amount, even), strict=True):
            pool = POOLS[layer]
            shares = splits.get((each.asset, pool), ())
            named: list[UUID | None] = [contributor for contributor, _ in shares]
            points = [basis_points for _, basis_points in shares]
            amounts = divided(part, [*points, WHOLE - sum(points)])
            for contributor, amount in zip([*named, None], amounts, strict=True):
                owed[Party(pool, contributor)] += amount
    lines = [Entry(party, amount) for party, amount in owed.items() if amount]
    came_in = sum(line.amount for line in lines)
    return [Entry(None, -came_in), *lines] if came_in else []
