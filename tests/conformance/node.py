"""Node and the packages of package-lock.json: installed once, then every script here is a call that answers JSON."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OLDEST = 20
"""The oldest major version of Node that the packages run on."""
INSTALLING = 240
RUNNING = 90
"""Seconds until npm, or a script, is given up."""


class NodeUnavailable(Exception):
    """There is no Node that could run the packages; the message says why."""


class Node:
    """A program `node` beside the installed packages."""

    def __init__(self, program: str) -> None:
        """Run scripts with a program."""
        self._program = program

    def run(self, script: str, *words: str, cwd: Path = HERE, **told: str) -> subprocess.CompletedProcess[str]:
        """Run a script of this folder, or of a package (`node_modules/…`), to its end; `told` in its environment."""
        return subprocess.run(
            [self._program, str(HERE / script), *words],
            cwd=cwd,
            env=os.environ | {"NO_COLOR": "1", "FORCE_COLOR": "0"} | told,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUNNING,
            check=False,
        )

    def outcome(self, script: str, *words: str, **told: str) -> Any:
        """What a script of this folder answers.

        Raises:
            AssertionError: it failed; the message holds what it said.
        """
        done = self.run(script, *words, **told)
        assert done.returncode == 0, f"{script} {' '.join(words)}: {done.stderr.strip()}"
        return json.loads(done.stdout)


def installed() -> Node:
    """Node with the locked packages in node_modules, installed where they are not there yet.

    Raises:
        NodeUnavailable: Node is missing or too old, or npm could not install.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NodeUnavailable("there is no Node on this machine")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST:
        raise NodeUnavailable(f"Node {OLDEST} or later is needed and this is {version}")
    recipe = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    marker = HERE / "node_modules" / ".made-from"
    folder = os.open(HERE, os.O_RDONLY)
    try:
        # Another worker may be installing: what it made is good for this one too.
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not marker.exists() or marker.read_text() != recipe:
            _install(npm)
            marker.write_text(recipe)
    finally:
        os.close(folder)
    return Node(node)


def _install(npm: str) -> None:
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"]
    try:
        done = subprocess.run(
            [npm, "ci", *quiet], cwd=HERE, capture_output=True, text=True, timeout=INSTALLING, check=False
        )
    except subprocess.TimeoutExpired:
        raise NodeUnavailable(f"npm ci was not done after {INSTALLING} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise NodeUnavailable(f"npm ci failed: {'; '.join(said[:3])}")
