"""The log over all events in the database: how leaves are numbered, and how hashes, notes and events are read again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, LargeBinary, bindparam, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.arguments import Given, Reading
from db.engine import Database
from db.verdicts import Unbound
from domain.errors import BadInput
from domain.merkle import WIDTH, Segment

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ONE_AT_A_TIME = 0x6C6F67
_READ_AT_ONCE = 5_000

# An event is committed after the one before it in its chain, so what one look sees holds no event without its
# predecessor. Looking at everything that is no leaf yet, nothing has to be waited for: not even the oldest transaction.
_NUMBER = text("""
    INSERT INTO log_leaf (number, event_id, entry)
    SELECT :size + row_number() OVER (ORDER BY sequence, id) - 1, id, decode(hash, 'hex')
    FROM (
      SELECT id, sequence, hash FROM provenance_event AS event
      WHERE xid >= CAST(:settled AS xid8) AND NOT EXISTS (SELECT FROM log_leaf WHERE event_id = event.id)
      ORDER BY sequence, id
      LIMIT :most
    ) AS unnumbered
    RETURNING number, hash, pg_snapshot_xmin(pg_current_snapshot()) AS oldest""")

_HASHES = text("""
    SELECT asked.level, entry.number, entry.hash
    FROM unnest(:levels, :begins, :ends) AS asked (level, "from", upto),
    LATERAL (
      SELECT number, hash FROM log_leaf WHERE asked.level = 0 AND number >= asked."from" AND number < asked.upto
      UNION ALL
      SELECT number, hash FROM log_node WHERE level = asked.level AND number >= asked."from" AND number < asked.upto
    ) AS entry""").bindparams(
    bindparam("levels", type_=ARRAY(Integer)),
    bindparam("begins", type_=ARRAY(BigInteger)),
    bindparam("ends", type_=ARRAY(BigInteger)),
)


class ByHash(Unbound):
    """`hash`."""

    def read(self, given: Given) -> Reading:
        """Refuse what is no SHA-256."""
        if _HASH.fullmatch(given["hash"]) is None:
            raise BadInput("hash is SHA-256 as 64 hexadecimal digits.", path=("hash",))
        return None, {"hash_": bytes.fromhex(given["hash"])}


class BySizes(Unbound):
    """`first second`."""

    def read(self, given: Given) -> Reading:
        """Refuse what is no number of leaves."""
        first, second = given["first"], given.get("second")
        if first < 1 or (second is not None and second < first):
            raise BadInput("first is at least 1, and second no less than first.", path=("first",))
        return None, {"first": first, "second": second}


class Signed(NamedTuple):
    """A checkpoint as it is stored.

    Attributes:
        size: the number of leaves.
        note: the signed checkpoint.
        settled: every event of an older transaction has its leaf; the number of a transaction.
    """

    size: int
    note: str
    settled: int


class Numbered(NamedTuple):
    """Events that have become leaves.

    Attributes:
        leaves: their hashes, in order.
        oldest: the oldest transaction that was open; what comes later is written by that one or a younger.
    """

    leaves: list[bytes]
    oldest: int


async def take_turn(connection: AsyncConnection, seconds: int) -> bool:
    """Be the only one who numbers leaves, up to the end of the transaction; False where somebody else is.

    Args:
        connection: of the transaction.
        seconds: how long one of its statements may take.
    """
    await connection.execute(select(func.set_config("statement_timeout", f"{seconds}s", True)))
    return bool(await connection.scalar(select(func.pg_try_advisory_xact_lock(_ONE_AT_A_TIME))))


async def newest_checkpoint(connection: AsyncConnection) -> Signed | None:
    """The newest checkpoint; None where nothing was ever logged."""
    table = tables.log_checkpoint
    query = select(table.c.size, table.c.note, table.c.settled).order_by(table.c.size.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return None if row is None else Signed(*row)


async def number_events(connection: AsyncConnection, last: Signed | None, most: int) -> Numbered:
    """Make leaves of events that are none yet: all that are committed, or so many of them."""
    oldest: int = (await connection.execute(select(func.pg_snapshot_xmin(func.pg_current_snapshot())))).scalar_one()
    settled = 0 if last is None else last.settled
    # A database that was brought to another cluster counts its transactions afresh.
    if settled > oldest:
        settled = 0
    values = {"size": 0 if last is None else last.size, "settled": settled, "most": most}
    rows = (await connection.execute(_NUMBER, values)).all()
    leaves = [row.hash for row in sorted(rows, key=lambda row: row.number)]
    if len(leaves) == most:
        return Numbered(leaves, settled)
    return Numbered(leaves, rows[0].oldest if rows else settled)


async def add_nodes(connection: AsyncConnection, nodes: Sequence[tuple[int, int, bytes]]) -> None:
    """Keep the hashes (level, number, hash) over full tiles."""
    if nodes:
        rows = [{"level": level, "number": number, "hash": hash_} for level, number, hash_ in nodes]
        await connection.execute(insert(tables.log_node), rows)


async def add_checkpoint(connection: AsyncConnection, signed: Signed) -> None:
    """Keep a checkpoint."""
    await connection.execute(insert(tables.log_checkpoint).values(signed._asdict()))


async def hashes(connection: AsyncConnection, segments: Iterable[Segment]) -> dict[tuple[int, int], bytes]:
    """The hashes of some entries of tiles, by level and index; those that are not there are left out."""
    asked = sorted(set(segments))
    values = {
        "levels": [segment.level for segment in asked],
        "begins": [segment.begin for segment in asked],
        "ends": [segment.end for segment in asked],
    }
    return {(row.level, row.number): row.hash for row in await connection.execute(_HASHES, values)}


async def right_edge(connection: AsyncConnection, size: int) -> list[list[bytes]]:
    """By level, the entries of the tile that is not full yet."""
    segments, level, count = [], 0, size
    while count:
        segments.append(Segment(level, count - count % WIDTH, count))
        level, count = level + 1, count // WIDTH
    found = await hashes(connection, segments)
    return [[found[level, number] for number in range(begin, end)] for level, begin, end in segments]


async def entries(connection: AsyncConnection, begin: int, end: int) -> list[bytes]:
    """What is logged between two leaves: the hashes of events."""
    table = tables.log_leaf
    query = select(table.c.entry).where(table.c.number >= begin, table.c.number < end).order_by(table.c.number)
    return list((await connection.execute(query)).scalars())


async def places_of_events(connection: AsyncConnection, events: Sequence[UUID]) -> dict[UUID, tuple[int, bytes]]:
    """Which leaves some events have become, and their hashes; those that wait are left out."""
    table = tables.log_leaf
    query = select(table.c.event_id, table.c.number, table.c.hash).where(table.c.event_id.in_(list(events)))
    return {row.event_id: (row.number, row.hash) for row in await connection.execute(query)}


async def place_of_hash(connection: AsyncConnection, entry: bytes) -> tuple[int, bytes] | None:
    """Which leaf the hash of an event has become, and the hash of that; None where it waits, or there is no such."""
    table = tables.log_leaf
    query = select(table.c.number, table.c.hash).where(table.c.entry == bindparam("entry", entry, LargeBinary))
    row = (await connection.execute(query)).first()
    return None if row is None else (row.number, row.hash)


async def checkpoints_up_to(connection: AsyncConnection, size: int, most: int) -> list[str]:
    """The notes of some checkpoints, evenly spread and oldest first, and last the one of a size."""
    table = tables.log_checkpoint
    place = func.row_number().over(order_by=table.c.size.desc()).label("place")
    many = func.count().over().label("many")
    ranked = select(table.c.size, table.c.note, place, many).where(table.c.size <= size).subquery()
    step = (ranked.c.many + most - 1) // most
    query = select(ranked.c.note).where((ranked.c.place - 1) % step == 0).order_by(ranked.c.size)
    return list((await connection.execute(query)).scalars())


async def logged_events(database: Database, size: int) -> AsyncIterator[list[tuple[str, bytes]]]:
    """The canonical events of the first leaves, with the hashes of their leaves, some thousand at a time."""
    leaf, event = tables.log_leaf, tables.provenance_event
    for begin in range(0, size, _READ_AT_ONCE):
        end = min(begin + _READ_AT_ONCE, size)
        query = (
            select(event.c.body, leaf.c.hash)
            .join(event, event.c.id == leaf.c.event_id)
            .where(leaf.c.number >= begin, leaf.c.number < end)
            .order_by(leaf.c.number)
        )
        async with database.read() as connection:
            yield [(row.body, row.hash) for row in await connection.execute(query)]
