"""Work that others shall not wait for: done beside the event loop, by one thread, one piece after the other."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from graph.kept import Unmade

Done = TypeVar("Done")


@dataclass(slots=True)
class Meter:
    """What was worked for somebody: seconds of CPU, not of time that passes."""

    seconds: float = 0.0

    def run(self, work: Callable[[], Done]) -> Done:
        """Do a piece of work, and count it.

        What it leaves behind is looked for at once: later there would be more, and everything stands still meanwhile.
        """
        began = time.thread_time()
        try:
            return work()
        finally:
            gc.collect(1)
            self.seconds += time.thread_time() - began


class Workbench:
    """Does one piece of work at a time: more threads would only keep the loop from its turn more often."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="workbench")

    async def do(self, work: Callable[[], Done], meter: Meter) -> Done:
        """What the work comes to, or raises. What has begun is done, though nobody waits any more."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, copy_context().run, meter.run, work)

    async def soon(self, work: Callable[..., Done], meter: Meter) -> Done:
        """The same for work that may be `quick`, which is done at once where nothing has to be made for it."""
        try:
            return work(quick=True)
        except Unmade:
            return await self.do(work, meter)
