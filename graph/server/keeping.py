"""Keeps the log, every second: what happened is given leaf numbers and signed. And tells rooms how warm they are."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from db.engine import Database
from domain.signatures import Signer
from resolvers.heat import tell_heat
from resolvers.log import MOST_AT_ONCE, write_on

log = structlog.get_logger()
PAUSE = 1.0
"""Seconds between two looks."""
WARMING = 5.0
"""Seconds between two looks at how warm rooms are."""


async def keep_log(database: Database, signer: Signer | None, stop: asyncio.Event) -> None:
    """Write on until `stop` is set; without a key nothing is signed, hence nothing logged."""
    if signer is None:
        log.warning("nothing is logged: this process has no key to sign with")
        return
    while not stop.is_set():
        written = 0
        try:
            written = await write_on(database, signer)
        except Exception as error:  # noqa: BLE001  # whatever it is, what happened waits until it is over
            log.warning("nothing is logged for the moment", error=type(error).__name__)
        if written < MOST_AT_ONCE:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)


async def keep_heat(database: Database, stop: asyncio.Event) -> None:
    """Tell rooms that they are warmer or cooler until `stop` is set."""
    while not stop.is_set():
        try:
            await tell_heat(database)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next look tells what this one did not
            log.warning("no room is told how warm it is for the moment", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), WARMING)
