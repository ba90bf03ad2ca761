"""The log over all events: it is written on, signed, and proved to whoever asks."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from db import log
from db.engine import Database
from domain.checkpoints import Checkpoint
from domain.log import LogState, Tile, origin_of
from domain.merkle import WIDTH, Growing, Range, Segment, consistency, inclusion, range_hash, segments
from domain.signatures import Signer
from resolvers.context import Acting, Told

MOST_AT_ONCE = 10_000
"""Events that become leaves in one transaction."""
_PATIENCE = 60
"""Seconds for one statement: the first look at a database finds all of its events."""


async def write_on(database: Database, signer: Signer, most: int = MOST_AT_ONCE) -> int:
    """Give leaf numbers to events that have none, and sign what the log is then; how many there were.

    One process does so at a time; another one finds nothing to do.
    """
    async with database.write() as connection:
        if not await log.take_turn(connection, _PATIENCE):
            return 0
        last = await log.newest_checkpoint(connection)
        numbered = await log.number_events(connection, last, most)
        if not numbered.leaves:
            return 0
        size = 0 if last is None else last.size
        growing = Growing(size, await log.right_edge(connection, size))
        await log.add_nodes(connection, [node for leaf in numbered.leaves for node in growing.add(leaf)])
        # A log keeps its name, wherever its house moves.
        origin = origin_of(signer.method) if last is None else last.note.partition("\n")[0]
        note = Checkpoint(origin, growing.size, growing.root).signed(signer.key)
        await log.add_checkpoint(connection, log.Signed(growing.size, note, numbered.oldest))
    return len(numbered.leaves)


async def checkpoint(database: Database) -> str | None:
    """The newest checkpoint; None where nothing was ever logged."""
    async with database.read() as connection:
        newest = await log.newest_checkpoint(connection)
    return None if newest is None else newest.note


async def tile(database: Database, asked: Tile) -> bytes | None:
    """The bytes of a tile: hashes, or entries with the length of each before it; None where it is not there yet."""
    begin = asked.number * WIDTH
    end = begin + asked.width
    async with database.read() as connection:
        if asked.level is None:
            found = [len(entry).to_bytes(2, "big") + entry for entry in await log.entries(connection, begin, end)]
        else:
            hashes = await log.hashes(connection, [Segment(asked.level, begin, end)])
            found = [hash_ for _, hash_ in sorted(hashes.items())]
    return b"".join(found) if len(found) == asked.width else None


async def inclusions_of(acting: Acting, events: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Where each of some events is in the log, with the proof for the newest checkpoint."""
    async with acting.database.read(snapshot=True) as connection:
        newest = await log.newest_checkpoint(connection)
        places = {} if newest is None else await log.places_of_events(connection, events)
        told = await _included(connection, newest, {event: index for event, (index, _) in places.items()})
    return {event: told.get(event, _PENDING) for event in events}


async def log_inclusion(acting: Acting, hash_: bytes) -> Told:
    """Where the event with a hash is in the log, with the proof for the newest checkpoint."""
    async with acting.database.read(snapshot=True) as connection:
        newest = await log.newest_checkpoint(connection)
        place = None if newest is None else await log.place_of_hash(connection, hash_)
        if place is None:
            return _PENDING
        return (await _included(connection, newest, {hash_: place[0]}))[hash_]


async def log_consistency(acting: Acting, first: int, second: int | None) -> Told | None:
    """The proof that the log with so many leaves is the beginning of a later one; None where there are too few."""
    async with acting.database.read(snapshot=True) as connection:
        newest = await log.newest_checkpoint(connection)
        size = 0 if newest is None else newest.size
        second = size if second is None else second
        if newest is None or not 0 < first <= second <= size:
            return None
        (path,) = await _paths(connection, [consistency(first, second)])
    return {
        "__typename": "LogConsistency",
        "first": first,
        "second": second,
        "hashes": path,
        "checkpoint": newest.note if second == size else None,
    }


_PENDING: Told = {
    "__typename": "LogInclusion",
    "state": LogState.PENDING,
    "leafIndex": None,
    "treeSize": None,
    "hashes": None,
    "checkpoint": None,
}


async def _included(connection: Any, newest: log.Signed | None, places: Mapping[Any, int]) -> dict[Any, Told]:
    if newest is None:
        return {}
    paths = await _paths(connection, [inclusion(index, newest.size) for index in places.values()])
    return {
        name: {
            "__typename": "LogInclusion",
            "state": LogState.LOGGED,
            "leafIndex": index,
            "treeSize": newest.size,
            "hashes": path,
            "checkpoint": newest.note,
        }
        for (name, index), path in zip(places.items(), paths, strict=True)
    }


async def _paths(connection: Any, proofs: Sequence[Iterable[Range]]) -> list[list[str]]:
    """The hashes of some proofs in base64, all read at once."""
    wanted = [list(proof) for proof in proofs]
    asked = {segment for proof in wanted for leaves in proof for segment in segments(leaves)}
    found = await log.hashes(connection, asked) if asked else {}

    def entries(segment: Segment) -> list[bytes]:
        return [found[segment.level, index] for index in range(segment.begin, segment.end)]

    return [[base64.b64encode(range_hash(leaves, entries)).decode() for leaves in proof] for proof in wanted]
