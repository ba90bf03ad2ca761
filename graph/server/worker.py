"""The worker: does what is due, until it is told to stop; then it finishes what it has begun."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import structlog

from db.engine import Database
from graph.server.blobs import FolderBlobs
from graph.server.decoding import ProcessDecoder
from graph.server.settings import Settings
from graph.server.stores import StoreBlobs
from resolvers.jobs import Workshop
from resolvers.media import Studio

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


async def work_until_told(workshop: Workshop) -> None:
    """Do jobs until the process is told to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    await work(workshop, stop)


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


def workshop_of(studio: Studio) -> Workshop:
    """The workshop of a process."""
    return Workshop(studio.database, studio.doings())
