"""The worker: does what is due, until it is told to stop; then it finishes what it has begun."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from db.engine import Database
from domain.errors import Unavailable
from domain.signatures import Signer
from graph.server.blobs import FolderBlobs
from graph.server.decoding import ProcessDecoder
from graph.server.keeping import keep_heat, keep_log
from graph.server.settings import Settings
from graph.server.signers import KeyFolder
from graph.server.stores import StoreBlobs
from graph.server.uploads import outline
from resolvers.anchoring import Anchorer
from resolvers.blobs import Blobs
from resolvers.context import now
from resolvers.decoding import Studio
from resolvers.demo_publishing import Opening
from resolvers.demo_sound import Band
from resolvers.followers import Herald
from resolvers.forgetting import Forgetter
from resolvers.integrity import Inspector
from resolvers.jobs import Workshop
from resolvers.mementos import Mementos
from resolvers.participation import Gauge
from resolvers.playing import Player
from resolvers.rituals import Keeper
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


async def work_until_told(workshop: Workshop, rounds: Sequence[Round], signer: Signer | None) -> None:
    """Do jobs and keep the log until the process is told to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    database = workshop.database
    kept = keep_log(database, signer, stop), keep_heat(database, stop)
    await asyncio.gather(work(workshop, stop), begin_rounds(rounds, stop), *kept)


class Round(Protocol):
    """What comes round, job after job."""

    async def begin(self) -> None:
        """See to it that it does.

        Raises:
            Unavailable: the database is away.
        """


async def begin_rounds(rounds: Sequence[Round], stop: asyncio.Event) -> None:
    """See to it that what comes round does, as soon as the database answers."""
    while not stop.is_set():
        with suppress(Unavailable):
            for each in rounds:
                await each.begin()
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
    return Sweeper(studio.database, studio.blobs, staging_of(studio.blobs), now)


def inspector_of(studio: Studio, keys: KeyFolder) -> Inspector:
    """Who looks after what was published, in a process."""
    return Inspector(studio.database, keys.published, keys.signer())


def rounds_of(studio: Studio, keys: KeyFolder, anchorer: Anchorer | None = None) -> list[Round]:
    """What comes round wherever jobs are done."""
    database = studio.database
    rounds: list[Round] = [sweeper_of(studio), inspector_of(studio, keys), Gauge(database), Forgetter(database)]
    return rounds if anchorer is None else [*rounds, anchorer]


def workshop_of(studio: Studio, keys: KeyFolder, anchorer: Anchorer | None = None) -> Workshop:
    """The workshop of a process; without `anchorer` nothing is anchored in it."""
    signer = keys.signer()
    of_releases = {**Scheduler(studio.database, signer).doings(), **Opening(studio.database, signer).doings()}
    of_releases |= {**Keeper(studio.database).doings(), **Mementos(studio.database, signer).doings()}
    of_releases |= {**Herald(studio.database).doings(), **Gauge(studio.database).doings()}
    of_releases |= {**Player(studio.database).doings(), **Forgetter(studio.database).doings()}
    taking = Taking(studio.database, studio.blobs, staging_of(studio.blobs), outline)
    band = Band(studio.database, studio.blobs, ProcessDecoder().compose)
    of_uploads = {**studio.doings(), **taking.doings(), **sweeper_of(studio).doings(), **band.doings()}
    of_manifests = {**inspector_of(studio, keys).doings(), **({} if anchorer is None else anchorer.doings())}
    return Workshop(studio.database, {**of_uploads, **of_releases, **of_manifests})
