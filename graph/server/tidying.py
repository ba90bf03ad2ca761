"""What of memory is looked through, how often, and when it is given back.

What ran for long and holds itself, as an execution does, is garbage that only a full collection finds. That stops
everything, for as long as much is kept, so it is made when a crowd has left: what they took would else be kept for the
next one. What Python's allocator still keeps then are pieces of 1 MiB in which anything is in use; the next crowd takes
no more than these.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable

GARBAGE = 10_000
"""Objects in containers after which garbage is looked for: what a request leaves behind has no cycles."""
OLD = 10_000
"""How often it is looked for among the young, as after each new document, before it is among all that is kept."""
CROWD = 200
"""Sockets and streams; for fewer the pause is not worth it."""
LOOK = 1.0
"""Seconds between two looks."""
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""Of the GNU C library (malloc_trim(3)); others give back by themselves."""


def keep_what_is_made() -> None:
    """Take the schema and all else that was made once out of the garbage collector's sight: it is never garbage.

    What making it left behind is kept with it, 2 MB: to find that would take a fifth of a second of every start. From
    here on garbage is looked for, also where it was not before.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(GARBAGE, 20, OLD)


async def tidy(left: Callable[[], int], draining: asyncio.Event, *, look: float = LOOK) -> None:
    """Give memory back whenever a crowd has left and nobody follows them, or ten crowds have.

    Args:
        left: how many sockets and streams have ended, ever.
        draining: set when the process goes; then this ends.
        look: seconds between two looks at how many they are.
    """
    told = before = left()
    while not draining.is_set():
        try:
            async with asyncio.timeout(look):
                await draining.wait()
        except TimeoutError:
            now = left()
            if now - told >= (CROWD if now == before else 10 * CROWD):
                give_back()
                told = now
            before = now


def give_back() -> None:
    """Collect what holds itself, then return free pages to the machine."""
    gc.collect()
    if _trim is not None:
        _trim(0)
