"""The formatter, the linter and the type checker, as tests: one command runs everything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, none_of


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(("ruff", "format", "--check"), id="format"),
        pytest.param(("ruff", "check", "--output-format=concise"), id="lint"),
        pytest.param(("mypy",), id="types"),
    ],
)
def test_the_tool_finds_nothing(tool: tuple[str, ...]) -> None:
    run = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, check=False)
    none_of([f"{' '.join(tool)}\n{run.stdout}{run.stderr}"] if run.returncode else [])
