"""The tree as these tests read it. Nothing here imports the code it looks at."""

from __future__ import annotations

import ast
import os
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = ("domain", "db", "subscriptions", "resolvers", "graph")
MIGRATIONS = ROOT / "db" / "migrations"


@cache
def sources() -> list[Path]:
    """Every Python file of ours: `dev`, and each *.py outside hidden folders and node_modules."""
    found = [ROOT / "dev"]
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith(".") and name != "node_modules"]
        found += [Path(folder, name) for name in names if name.endswith(".py")]
    return sorted(found)


def code() -> list[Path]:
    """The sources that run in production: neither tests nor migrations, which are read once and in order."""
    return [path for path in sources() if not {ROOT / "tests", MIGRATIONS} & set(path.parents)]


def modules(row: str) -> list[Path]:
    """The modules of one row."""
    return [path for path in code() if path.is_relative_to(ROOT / row)]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), filename=str(path))


def at(path: Path, line: int) -> str:
    """A place, as editors and terminals understand it."""
    return f"{path.relative_to(ROOT)}:{line}"


def none_of(offenders: list[str]) -> None:
    """Fail with one line per offender and nothing else."""
    if offenders:
        pytest.fail("\n".join(offenders), pytrace=False)


def text_of(name: str) -> str:
    """The text of a file that must be there."""
    path = ROOT / name
    if not path.is_file():
        pytest.fail(f"{name} is missing", pytrace=False)
    return path.read_text()
