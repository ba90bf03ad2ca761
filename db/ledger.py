"""Where the lines of the book live, and how those of a payment are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from sqlalchemy import Text, and_, cast, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.history import holds_now
from db.places import Many, Stored, ToOne, Type, refer
from domain.contributors import MOST_PARTIES, Acceptance, Pool
from domain.ledger import Entry, Splits

PAYMENT_SHARE = Type(
    "PaymentShare",
    tables.ledger_entry,
    {
        # The line of what came in, which has none, is not told.
        "pool": Stored(lambda entry: entry.c.pool, plain=True),
        "amount": Stored(lambda entry: cast(entry.c.amount, Text)),
        "contributor": ToOne("Contributor", refer("contributor_id")),
        "artist": ToOne("Artist", refer("artist_id")),
    },
)
SHARES = Many(
    "PaymentShare",
    lambda license_, entry, _: and_(entry.c.payment_id == license_.c.payment_id, entry.c.pool.is_not(None)),
    "position",
    cap=MOST_PARTIES * len(Pool),
)
"""Of a license: what is owed of what was paid."""


async def splits_of(connection: AsyncConnection, assets: Collection[UUID]) -> Splits:
    """Who shares some assets now; those who declined do not."""
    split = tables.split
    query = (
        select(split.c.asset_id, split.c.pool, split.c.contributor_id, split.c.basis_points)
        .where(split.c.asset_id.in_(assets), holds_now(split), split.c.acceptance != Acceptance.DECLINED.value)
        .order_by(split.c.asset_id, split.c.pool, split.c.position, split.c.id)
    )
    found: defaultdict[tuple[UUID, Pool], list[tuple[UUID, int]]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.asset_id, Pool(row.pool)].append((row.contributor_id, row.basis_points))
    return found


async def add_entries(
    connection: AsyncConnection, payment: UUID, owner: UUID, entries: Sequence[Entry], new_id: Callable[[], UUID]
) -> None:
    """Write the lines of a payment to the owner of what was paid for."""
    rows = [
        {
            "id": new_id(),
            "payment_id": payment,
            "position": position,
            "pool": party and party.pool.value,
            "contributor_id": party and party.contributor,
            "artist_id": owner if party is not None and party.contributor is None else None,
            "amount": amount,
        }
        for position, (party, amount) in enumerate(entries)
    ]
    if rows:
        await connection.execute(insert(tables.ledger_entry), rows)
