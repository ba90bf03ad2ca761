"""Who may import whom: the contracts of pyproject.toml, and who may read the environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT, ROWS, at, modules, none_of, parsed

SETTINGS = ROOT / "graph" / "server" / "settings.py"
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def test_the_import_contracts_are_kept() -> None:
    # In a process of its own: it puts an end to everybody's logging.
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"
    run = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    none_of([f"{run.stdout}{run.stderr}"] if run.returncode else [])


def test_only_the_settings_read_the_environment() -> None:
    none_of(
        [
            f"{at(path, line)} reads the environment; ask graph/server/settings.py for the value instead"
            for row in ROWS
            for path in modules(row)
            if path != SETTINGS
            for line in environment_reads(parsed(path))
        ]
    )


def environment_reads(tree: ast.Module) -> Iterator[int]:
    """The lines that say os.environ or os.getenv, import them, or let a command line option read one."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name("os"), attr=name) if name in ENVIRONMENT:
                yield node.lineno
            case ast.ImportFrom(module="os", names=names) if ENVIRONMENT & {alias.name for alias in names}:
                yield node.lineno
            case ast.keyword(arg="envvar"):
                yield node.value.lineno


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.environ['A']",
        "import os; os.getenv('A')",
        "from os import environ",
        "Option(envvar='A')",
    ],
)
def test_every_way_to_read_the_environment_is_seen(line: str) -> None:
    assert list(environment_reads(ast.parse(line))) == [1]
