"""How long a kill -9 is felt, and that it loses nothing: `python -m tests.benchmarks.kills`.

The server, the postmaster of its PostgreSQL or a backend of that is killed at a random moment of an import, of mutations
and of queries. The server is started again at once; PostgreSQL is for the server to bring back. Meanwhile somebody asks
for the same all the time: their longest wait for a right answer is what a kill costs. Then the rows say whether all that
was acknowledged is there, and once.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import uvloop

from db.embedded import EmbeddedPostgres
from tests.benchmarks.rituals import PLENTY, Person, Refused
from tests.benchmarks.rooms import PATIENCE, ROOT
from tests.benchmarks.storms import Process, running

VICTIMS = ("server", "postmaster", "backend")
WITNESS = "witness"
"""The artist everybody asks for, of whom nothing is written any more."""
ASKED = "query ($handle: String!) { artist(handle: $handle) { assets(first: 50) { nodes { id title derivedCount } } } }"
PAUSE = 0.02
"""Seconds between an answer, or none, and the next question."""
CALM = 1.0
"""Seconds that a work goes on once it is answered again."""
WRITERS = ("boh", "cyd", "dee", "eda")
READERS = 8
BACKEND = """SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    ORDER BY state = 'active' DESC, random() LIMIT 1"""
BROUGHT = """SELECT (SELECT count(*) FROM origin WHERE source = $1),
    (SELECT count(*) FROM lineage_edge JOIN origin ON asset_id = child_id WHERE source = $1),
    (SELECT count(*) FROM provenance_event JOIN origin ON asset_id = subject_id
     WHERE source = $1 AND kind = 'ASSET_CREATED')"""
WRITTEN = """SELECT asset.ref, title FROM asset JOIN artist ON artist.id = owner_id
    JOIN provenance_event AS event ON subject_id = asset.id AND event.kind = 'ASSET_CREATED' WHERE handle = ANY ($1)"""


class Toll(NamedTuple):
    """What a kill cost."""

    waited: float
    acknowledged: int
    lost: int
    doubled: int


class Watcher:
    """Somebody who asks the same again and again, and knows the answer."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.right: list[float] = []
        self.wrong = 0

    async def watch(self) -> None:
        person = Person(self.house.server, "watcher")
        while True:
            if self.house.server.port is not None:
                with suppress(httpx.HTTPError):
                    if await person.ask(ASKED, handle=WITNESS) == self.house.known:
                        self.right.append(time.monotonic())
                    else:
                        self.wrong += 1
            await asyncio.sleep(PAUSE)

    def waited(self, since: float) -> float:
        """The longest from one right answer to the next, from a moment on."""
        moments = [since, *(moment for moment in self.right if moment > since), time.monotonic()]
        return max(later - earlier for earlier, later in itertools.pairwise(moments))


class House:
    """A server and its PostgreSQL, and what was acknowledged there."""

    def __init__(self, data: Path, assets: int) -> None:
        self.data, self.assets = data, assets
        self.server = Process(data, "server", os.environ | PLENTY)
        self.watcher = Watcher(self)
        self.people = [Person(self.server, name) for name in WRITERS]
        self.known: Any = None
        self.takes = self.imports = 0
        self.import_takes = 0.0
        self.made: list[str] = []

    async def open(self) -> None:
        await self.server.start()
        began = time.monotonic()
        if await self.bring(WITNESS):
            raise SystemExit("The first import failed, and nobody was killed.")
        self.import_takes = time.monotonic() - began
        self.known = await self.people[0].ask(ASKED, handle=WITNESS)
        for person in self.people:
            person.artist = await person.join()

    async def bring(self, source: str) -> int:
        """Import a catalogue of an artist of its own; the exit code."""
        folder = self.data / source
        if not folder.exists():
            folder.mkdir()
            tracks = [f"t{n},track,Track {n},{source}" for n in range(self.assets)]
            edges = [f"t{n},t{n // 2},SAMPLES" for n in range(1, self.assets)]
            (folder / "artists.csv").write_text(f"handle,name,kind\n{source},{source},creator\n")
            (folder / "assets.csv").write_text("\n".join(["ref,kind,title,owner", *tracks]))
            (folder / "edges.csv").write_text("\n".join(["child,parent,kind", *edges]))
        command = ["-m", "graph.server.cli", "import", str(folder), "--data", str(self.data)]
        quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
        return await (await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, **quiet)).wait()

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(**EmbeddedPostgres(self.data).dsn(user="postgres"))
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def kill(self, victim: str) -> float:
        """Kill, start again what does not come back by itself, and wait until all is well; the moment of the kill."""
        pid = None
        if victim == "postmaster":
            pid = int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        elif victim == "backend":
            pid = (await self.rows(BACKEND))[0]["pid"]
        moment = time.monotonic()
        if pid is None:
            await self.server.end(signal.SIGKILL)
            await self.server.start()
        else:
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            # Two answers: the first may be one that PostgreSQL gave as it fell.
            while len(self.watcher.right) < 2 or self.watcher.right[-2] < moment + CALM:  # noqa: ASYNC110  # over HTTP
                await asyncio.sleep(PAUSE)
        return moment


async def importing(house: House, victim: str) -> Toll:
    """What was seen of an import is there, and the next one ends where an undisturbed one does."""
    house.imports += 1
    source = f"import{house.imports}"
    begun = asyncio.create_task(house.bring(source))
    await asyncio.sleep(random.uniform(0.2, 1) * house.import_takes)
    (seen,) = await house.rows(BROUGHT, source)
    moment = await house.kill(victim)
    await begun
    (kept,) = await house.rows(BROUGHT, source)
    if await house.bring(source):
        raise SystemExit("The import after the kill failed.")
    (brought,) = await house.rows(BROUGHT, source)
    wanted = (house.assets, house.assets - 1, house.assets)
    lost = [max(before - now, 0) for before, now in zip((*seen, *wanted), (*kept, *brought), strict=True)]
    doubled = [max(now - all_, 0) for now, all_ in zip(brought, wanted, strict=True)]
    return Toll(house.watcher.waited(moment), sum(seen), sum(lost), sum(doubled))


async def writing(house: House, person: Person) -> None:
    """Make one asset after the other, each under a key of its own, and ask again until it is acknowledged."""
    while True:
        house.takes += 1
        title, done = f"Take {house.takes}", False
        while not done:
            try:
                house.made.append(await person.make(title, title, track={}))
                done = True
            except (httpx.HTTPError, httpx.InvalidURL):
                await asyncio.sleep(PAUSE)
            except Refused as refused:
                raise SystemExit(f"What was asked for again was refused: {refused}") from None


async def mutating(house: House, victim: str) -> Toll:
    """What was acknowledged is there with its event, and nothing twice that was asked for twice."""
    before = len(house.made)
    async with running(*(writing(house, person) for person in house.people)):
        await asyncio.sleep(random.uniform(0.3, 2))
        moment = await house.kill(victim)
        written = len(house.made)
        async with asyncio.timeout(PATIENCE):
            while len(house.made) < written + len(house.people):  # noqa: ASYNC110  # over HTTP
                await asyncio.sleep(PAUSE)
    rows = await house.rows(WRITTEN, WRITERS)
    doubled = len(rows) - len({row["title"] for row in rows})
    lost = len(set(house.made) - {row["ref"] for row in rows})
    return Toll(house.watcher.waited(moment), len(house.made) - before, lost, doubled)


async def querying(house: House, victim: str) -> Toll:
    """Whoever is answered is answered right."""
    readers = [Watcher(house) for _ in range(READERS)]
    async with running(*(reader.watch() for reader in readers)):
        await asyncio.sleep(random.uniform(0.3, 2))
        moment = await house.kill(victim)
    house.watcher.wrong += sum(reader.wrong for reader in readers)
    return Toll(house.watcher.waited(moment), sum(len(reader.right) for reader in readers), 0, 0)


WORKS: dict[str, Callable[[House, str], Awaitable[Toll]]] = {
    "import": importing,
    "mutations": mutating,
    "queries": querying,
}


async def drill(house: House, options: argparse.Namespace) -> bool:
    """Every victim during every work; whether nothing was lost."""
    held = True
    await house.open()
    for work in options.work:
        for victim in options.victim:
            house.watcher.wrong = 0
            async with running(house.watcher.watch()):
                tolls = [await WORKS[work](house, victim) for _ in range(options.kills)]
            waits = [toll.waited for toll in tolls]
            sums = Counter[str]()
            for toll in tolls:
                sums.update(acknowledged=toll.acknowledged, lost=toll.lost, doubled=toll.doubled)
            held = held and not (sums["lost"] or sums["doubled"] or house.watcher.wrong)
            print(  # noqa: T201  # it speaks to a person
                f"{victim} during {work}: {options.kills} kills, answered again after median {statistics.median(waits):.2f} s, "
                f"slowest {max(waits):.2f} s; acknowledged {sums['acknowledged']:,}, lost {sums['lost']}, "
                f"twice {sums['doubled']}, wrong answers {house.watcher.wrong}; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    return held


async def housed(options: argparse.Namespace, data: Path) -> bool:
    house = House(data, options.assets)
    try:
        return await drill(house, options)
    finally:
        await house.server.end(signal.SIGTERM)


def main() -> None:
    """All nine cases, in a folder of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5, help="Of each victim during each work.")
    parser.add_argument("--work", nargs="+", choices=WORKS, default=WORKS)
    parser.add_argument("--victim", nargs="+", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--assets", type=int, default=4000, help="Of each catalogue that is imported.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="casset-kills-", ignore_cleanup_errors=True) as folder:
        held = uvloop.run(housed(options, Path(folder)))
    sys.exit(not held)


if __name__ == "__main__":
    main()
