"""The README says only what is true: its commands, paths and decisions are looked up."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.commands import casset, named
from tests.architecture.tree import ROOT, none_of, text_of

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
# A path: a top folder of ours and something in it, or a name with an ending that only files have.
PATH = re.compile(
    r"(?P<path>(\.?\w[\w.-]*/)*[\w.*-]+\.(py|toml|lock|md|graphql|sql|sh)|(?P<top>\.?\w+)/[\w./*-]*)(::(?P<test>\w+))?"
)
TEST_FILE = re.compile(r"tests/(\w+/)*test_\w+\.py")
DECISIONS = re.compile(r"^#+ [^\n]*decisions[^\n]*\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
DECISION = re.compile(r"^\d+\. ", re.MULTILINE)


@pytest.fixture(scope="module")
def readme() -> str:
    return text_of("README.md")


def dev_commands(text: str) -> list[list[str]]:
    """The words after each ./dev that begins a line of a ```sh block, up to a comment or a pipe."""
    blocks = [block.replace("\\\n", " ") for language, block in FENCE.findall(text) if language == "sh"]
    lines = [line for block in blocks for line in re.findall(r"^\./dev\b[^|;&\n]*", block, re.MULTILINE)]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def paths(text: str) -> Iterator[tuple[str, str | None]]:
    """The paths in backticks, each with the test it names, if any."""
    tops = {entry.name for entry in ROOT.iterdir() if entry.is_dir()}
    for code in CODE.findall(FENCE.sub("", text)):
        match = PATH.fullmatch(code.removeprefix("./"))
        if match and (match["top"] is None or match["top"] in tops):
            yield match["path"], match["test"]


def missing(path: str, test: str | None) -> bool:
    """Whether a path, which may hold a star, leads to no file, or its file to no such test."""
    found = list(ROOT.glob(path.rstrip("/")))
    return not found or (test is not None and f"def {test}(" not in found[0].read_text())


def test_the_readme_runs_and_tests(readme: str) -> None:
    said = {words[0] for words in dev_commands(readme) if words}
    none_of([f"README.md does not say ./dev {word}" for word in ("serve", "test") if word not in said])


def test_every_command_in_the_readme_exists(readme: str) -> None:
    root = casset()
    faults = [(words, fault(root, words)) for words in dev_commands(readme)]
    none_of([f"README.md: ./dev {' '.join(words)}: {wrong}" for words, wrong in faults if wrong])


def fault(root: Any, words: list[str]) -> str | None:
    """What is wrong with a command, if anything."""
    first, *rest = words or ["--help"]
    if first in {"test", "check", "--help"}:
        return None
    if first not in {"serve", "casset"}:
        return "dev has no such command"
    command = named(root, rest if first == "casset" else words)
    if command is None:
        return "casset has no such command"
    options = {name for known in command.params for name in (*known.opts, *known.secondary_opts, "--help")}
    unknown = [word for word in rest if word.startswith("-") and word.split("=")[0] not in options]
    return f"there is no option {unknown[0]}" if unknown else None


def test_every_path_in_the_readme_exists(readme: str) -> None:
    none_of([f"not there: {path} {test or ''}" for path, test in paths(readme) if missing(path, test)])


def test_every_decision_names_the_test_that_holds_it(readme: str) -> None:
    section = DECISIONS.search(readme)
    decisions = DECISION.split(section[1])[1:] if section else []
    none_of([] if decisions else ["README.md has no numbered decisions below a heading that says so"])
    none_of([f"no test holds: {text.splitlines()[0]}" for text in decisions if not holders(text)])


def holders(decision: str) -> list[str]:
    """The test files a decision names and that are there."""
    return [path for path, test in paths(decision) if TEST_FILE.fullmatch(path) and not missing(path, test)]
