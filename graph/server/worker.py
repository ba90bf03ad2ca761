"""The worker: does what is due, until it is told to stop; then it finishes what it has begun."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import structlog

from db.engine import Database
from domain.errors import Unavailable
from domain.signatures import Signer
from domain.signers import trusted
from graph.server.blobs import FolderBlobs
from graph.server.decoding import ProcessDecoder
from graph.server.keeping import keep_log
from graph.server.settings import Settings
from graph.server.signers import KeyFolder
from graph.server.stores import StoreBlobs
from graph.server.uploads import outline
from resolvers.context import now, uuid7
from resolvers.demo_publishing import Opening
from resolvers.demo_sound import Band
from resolvers.jobs import Workshop
from resolvers.manifests import Inspector
from resolvers.media import Blobs, Studio
from resolvers.scheduling import Scheduler
from resolvers.staging import Staging
from resolvers.sweeping import Sweeper
from resolvers.uploads import Taking

log = structlog.get_logger()
IDLE = 0.5
"""Seconds between two looks for what is due."""
PATIENCE = 8.0
"""Seconds in which what was begun may be finished; what is not runs again when its lease is over."""


async def work(workshop: Workshop, stop: asyncio.Event) -> None:
    """Do jobs until `stop` is set."""
    while not stop.is_set():
        taken = 0
        try:
            taken = await workshop.turn()
        except Exception as error:  # noqa: BLE001  # whatever it is, there are jobs to do when it is over
            log.warning("no jobs for the moment", error=type(error).__name__)
        if not taken:
            await _idle(workshop, stop)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await workshop.settled()


async def work_until_told(workshop: Workshop, sweeper: Sweeper, signer: Signer | None) -> None:
    """Do jobs and keep the log until the process is told to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    await asyncio.gather(work(workshop, stop), begin_sweeps(sweeper, stop), keep_log(workshop.database, signer, stop))


async def begin_sweeps(sweeper: Sweeper, stop: asyncio.Event) -> None:
    """See to it that sweeps come round, as soon as the database answers."""
    while not stop.is_set():
        with suppress(Unavailable):
            await sweeper.begin()
            break
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), IDLE)


async def _idle(workshop: Workshop, stop: asyncio.Event) -> None:
    """Wait a moment, or for a hand that is free, or for the end."""
    waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(workshop.hand_free(IDLE))]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()


def studio_of(settings: Settings, database: Database) -> Studio:
    """What a process reads and cuts sound with: its blobs are in the data folder where no URL was named."""
    url = settings.blobs_url
    blobs = FolderBlobs(settings.data / "blobs") if url is None else StoreBlobs(url)
    return Studio(database, blobs, ProcessDecoder())


def staging_of(blobs: Blobs) -> Staging | None:
    """The store, where uploads may go to it by themselves."""
    return blobs if isinstance(blobs, StoreBlobs) and blobs.takes_by_itself else None


def sweeper_of(studio: Studio) -> Sweeper:
    """What sweeps the store of a process."""
    return Sweeper(studio.database, studio.blobs, staging_of(studio.blobs), now, uuid7)


def workshop_of(studio: Studio, keys: KeyFolder) -> Workshop:
    """The workshop of a process."""
    signer = keys.signer()
    of_releases = {**Scheduler(studio.database, signer).doings(), **Opening(studio.database, signer).doings()}
    inspector = Inspector(studio.database, lambda: trusted(keys.document()))
    taking = Taking(studio.database, studio.blobs, staging_of(studio.blobs), outline)
    band = Band(studio.database, studio.blobs, ProcessDecoder().compose)
    of_uploads = {**studio.doings(), **taking.doings(), **sweeper_of(studio).doings(), **band.doings()}
    return Workshop(studio.database, {**of_uploads, **of_releases, **inspector.doings()})
