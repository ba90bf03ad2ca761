"""The decoder: sound is read by processes of their own (`graph/server/sound.py`), a few at a time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from domain.analyses import Heard, Loudest, Musical, Timing
from domain.colours import Hsl
from domain.errors import Invalid
from domain.media import Format
from domain.recordings import Tags
from domain.windows import Window
from resolvers.decoding import Drawn, Sound

PATIENCE = 180.0
"""Seconds for all of a file, on a machine that has other work too."""
AT_ONCE = 2
LONGEST_LINE = 1 << 20
"""Bytes of an answer: tags may be long."""
_ROOT = Path(__file__).parents[2]


class DecoderFailed(Exception):
    """The process ended without an answer; what it read may be good."""


class ProcessDecoder:
    """Reads sound in processes, two at a time."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def measure(self, file: BinaryIO, tell: Callable[[int], None]) -> Sound:
        """Read all of it, as `Decoder` says."""
        return Sound(**await self._ask(["measure", str(file.fileno())], (file.fileno(),), tell))

    async def analyze(self, file: BinaryIO, tell: Callable[[int], None]) -> Heard:
        """Listen to all of it, as `Decoder` says."""
        told = await self._ask(["analyze", str(file.fileno())], (file.fileno(),), tell)
        hook = None if told["hook"] is None else Loudest(**told["hook"])
        return Heard(Timing(**told["timing"]), Musical(**told["musical"]), hook)

    async def cut(self, file: BinaryIO, window: Window, into: BinaryIO) -> Format:
        """Cut a window of it, as `Decoder` says."""
        descriptors = (file.fileno(), into.fileno())
        words = ["cut", *map(str, descriptors), str(window.start_ms), str(window.end_ms)]
        return Format((await self._ask(words, descriptors, lambda _: None))["format"])

    async def redraw(self, file: BinaryIO, into: BinaryIO) -> Drawn:
        """Draw it again, as `Decoder` says."""
        descriptors = (file.fileno(), into.fileno())
        told = await self._ask(["redraw", *map(str, descriptors)], descriptors, lambda _: None)
        seed = told.get("seed")
        return Drawn(Format(told["format"]), seed and Hsl(*seed), told.get("duration_ms"))

    async def tags(self, file: BinaryIO, into: BinaryIO) -> Tags:
        """Read its tags, as `Decoder` says."""
        descriptors = (file.fileno(), into.fileno())
        told = await self._ask(["tags", *map(str, descriptors)], descriptors, lambda _: None)
        return cast("Tags", told["tags"])

    async def compose(self, piece: Mapping[str, Any], into: BinaryIO) -> None:
        """Compose a piece of the demo scene, as `graph.server.composing.compose` says."""
        words = ["compose", str(into.fileno()), json.dumps(piece)]
        await self._ask(words, (into.fileno(),), lambda _: None)

    async def paint(self, card: Mapping[str, Any], cover: BinaryIO | None, into: BinaryIO) -> None:
        """Draw a social card, as `graph.server.painting.paint` says."""
        descriptors = tuple(file.fileno() for file in (into, cover) if file is not None)
        await self._ask(["paint", json.dumps(card), *map(str, descriptors)], descriptors, lambda _: None)

    async def _ask(self, words: list[str], descriptors: tuple[int, ...], tell: Callable[[int], None]) -> dict[str, Any]:
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "graph.server.sound",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=_ROOT,
                pass_fds=descriptors,
                # What listens needs no linear algebra, and no threads that wait for some.
                env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1"},
                limit=LONGEST_LINE,
            )
            try:
                async with asyncio.timeout(PATIENCE):
                    last = await _last_line(process, tell)
                    status = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        # Told by its answer, not by its exit status: to import what names that one is to load every codec.
        if "refused" in last:
            raise Invalid(last["refused"])
        if status in {-signal.SIGXCPU, -signal.SIGXFSZ}:
            raise Invalid("It cannot be read within the limits.")
        if status != 0:
            raise DecoderFailed(f"ended with {status}")
        return last


async def _last_line(process: asyncio.subprocess.Process, tell: Callable[[int], None]) -> dict[str, Any]:
    """What the process answers, after what it says of its progress."""
    told: dict[str, Any] = {}
    if process.stdout is not None:
        async for line in process.stdout:
            told = json.loads(line)
            if "progress" in told:
                tell(told["progress"])
    return told
