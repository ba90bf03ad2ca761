"""The sweep: stored bytes that nothing names are found, reported, and a week later removed if still nothing does.

Bytes are stored before a row names them, so nothing that came within a day is looked at, and whatever is removed is
held alone meanwhile (`db.blobs`): an upload that is about to name the same bytes finds them gone and is told to send
them again, or is seen, and they stay. A report comes first, so that a house that meets a store it does not know, or a
database that was set back, removes nothing before somebody could look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from db.blobs import hold_bytes_alone, named, note_orphans, orphans, settle_orphan
from db.engine import Database
from db.uploads import note_cleared, overdue
from domain.jobs import JobKind
from domain.uploads import GRACE, SWEEP_EVERY, YOUNG
from resolvers.blobs import Blobs
from resolvers.jobs import Doing, Effect, Running, again
from resolvers.staging import Staging
from resolvers.uploads import staged_name

log = structlog.get_logger()
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found and did.

    Attributes:
        stored: blobs there are.
        orphans: of those, what nothing names.
        bytes: how many bytes orphans are.
        removed: orphans that were removed.
        cleared: uploads whose bytes were taken away, as they were taken, refused or never finished.
    """

    stored: int
    orphans: int
    bytes: int
    removed: int
    cleared: int


_once_more = partial(again, kind=JobKind.SWEEP_BLOBS, wait=SWEEP_EVERY)


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps a store.

    Attributes:
        database: knows what is named.
        blobs: the store.
        staging: where uploads go to by themselves; None where they do not.
        now: the clock that blobs are as old by.
        grace: how long an orphan stays after it was found.
    """

    database: Database
    blobs: Blobs
    staging: Staging | None
    now: Callable[[], datetime]
    grace: timedelta = GRACE

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its job is done."""
        return {JobKind.SWEEP_BLOBS: self._again}

    async def begin(self) -> None:
        """See to it that a sweep comes round.

        Raises:
            Unavailable: the database is away.
        """
        async with self.database.write() as connection:
            await _once_more(connection)

    async def _again(self, _: Running) -> Effect:
        swept = await self.sweep(dry_run=False)
        log.info("the store was swept", **{name: getattr(swept, name) for name in Swept.__slots__})
        return _once_more

    async def sweep(self, *, dry_run: bool) -> Swept:
        """Report what nothing names; and remove what was reported so long ago that nothing will.

        Args:
            dry_run: report only.

        Raises:
            Unavailable: the database or the store is away.
        """
        stored, found = await self._look()
        async with self.database.write() as connection:
            await note_orphans(connection, found)
        removed = cleared = 0
        if not dry_run:
            async with self.database.read() as connection:
                due = await orphans(connection, self.grace)
            for orphan in due:
                removed += await self._remove(orphan.sha256)
            cleared = await self._clear()
            await self.blobs.tidy()
        return Swept(stored, len(found), sum(found.values()), removed, cleared)

    async def _look(self) -> tuple[int, dict[str, int]]:
        """How many blobs there are, and the sizes of those that are old enough and named by nothing."""
        young, count, found = self.now() - YOUNG, 0, dict[str, int]()
        async for blobs in self.blobs.stored():
            count += len(blobs)
            sizes = {blob.sha256: blob.size for blob in blobs if blob.since < young}
            async with self.database.read() as connection:
                known = await named(connection, sizes)
            found |= {sha256: size for sha256, size in sizes.items() if sha256 not in known}
        return count, found

    async def _remove(self, sha256: str) -> bool:
        """Remove an orphan, if it still is one; whether it was."""
        async with self.database.write() as connection:
            await hold_bytes_alone(connection, sha256)
            if sha256 in await named(connection, [sha256]):
                await settle_orphan(connection, sha256, removed=False)
                return False
            since = await self.blobs.since(sha256)
            if since is not None and since >= self.now() - YOUNG:
                return False  # the same bytes came again: somebody is about to name them
            await self.blobs.remove(sha256)
            await settle_orphan(connection, sha256, removed=True)
            return True

    async def _clear(self) -> int:
        """Take away what was sent by uploads that are over."""
        if self.staging is None:
            return 0
        cleared = 0
        while True:
            async with self.database.read() as connection:
                ids = await overdue(connection, _AT_ONCE)
            if not ids:
                return cleared
            for id_ in ids:
                await self.staging.clear(staged_name(id_))
            async with self.database.write() as connection:
                await note_cleared(connection, ids)
            cleared += len(ids)
