"""Contenders as running processes, and the CPU time that processes have used."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.embedded import EmbeddedPostgres, _processes

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Burst:
    """What one contender did in one turn. Times are milliseconds; CPU is for each request."""

    rate: float
    p50: float
    p99: float
    server: float
    postgres: float


class Contender:
    """A server in a process of its own."""

    def __init__(self, name: str, command: Sequence[str | Path], target: dict[str, Any]) -> None:
        """Start it and wait until it says its port."""
        self.name = name
        environment = {**os.environ, "SOCKET": str(target["host"])}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE, env=environment
        )
        self._process.stdin.write(json.dumps(target) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said.strip().isdigit():
            self.stop()
            raise RuntimeError(f"{name} did not start")
        self.port = int(said)

    def burst(self, server: EmbeddedPostgres, requests: Sequence[bytes], seconds: float, connections: int) -> Burst:
        """Let it answer for some seconds."""
        before = self._cpu(server)
        given = {"port": self.port, "requests": requests, "seconds": seconds, "connections": connections}
        done = subprocess.run(
            [sys.executable, "-I", "-S", HERE / "traffic.py"],
            input=pickle.dumps(given),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr.decode()[-2000:]}")
        after = self._cpu(server)
        seen = json.loads(done.stdout)
        used = [(end - start) / seen["answers"] for start, end in zip(before, after, strict=True)]
        return Burst(seen["answers"] / seen["seconds"], seen["p50"], seen["p99"], *used)

    def _cpu(self, server: EmbeddedPostgres) -> tuple[float, float]:
        return cpu([self._process.pid]), cpu(_processes(server.socket.name))

    def stop(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def cpu(pids: Iterable[int | str]) -> float:
    """Milliseconds that all threads of some processes have run so far."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except (OSError, IndexError):
                continue  # it has just ended
    return total / 1e6
