"""Names that say something, docstrings that are there, and no loose ends."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROWS, at, code, modules, none_of, parsed, sources

VAGUE = re.compile(r"(utils?|helpers?|common|base|managers?|services?|misc)", re.IGNORECASE)
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX)\b")
# A comment that silences a tool, with what it names; the reason is what remains of the comment.
SILENCER = re.compile(
    r"(ruff: *)?noqa(: *[A-Z]+\d+(, *[A-Z]+\d+)*)?"
    r"|type: *ignore(\[[^]]*\])?|mypy: *[\w-]+"
    r"|pragma: *no *\w+|fmt: *(off|skip)"
)
REASON = re.compile(r"\w{2,}\W+\w{2,}")

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def test_a_module_is_named_after_what_it_holds() -> None:
    none_of(
        [
            f"{at(path, 1)}: {part!r} says nothing about what lives here"
            for path in code()
            for part in (path.parent.name, path.stem)
            if VAGUE.fullmatch(part)
        ]
    )


def test_modules_and_public_classes_and_functions_say_what_they_are() -> None:
    none_of(
        [
            f"{at(path, getattr(node, 'lineno', 1))} {getattr(node, 'name', path.stem)} has no docstring"
            for row in ROWS
            for path in modules(row)
            for node in public(parsed(path))
            if not (ast.get_docstring(node) or described(node))
        ]
    )


def public(module: ast.Module) -> Iterator[Documented]:
    """The module and what it offers at its top level."""
    yield module
    for node in module.body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield node


def described(node: Documented) -> bool:
    """Whether a decorator carries an SDL description: product text that a docstring would only repeat."""
    return any(
        keyword.arg == "description"
        for decorator in getattr(node, "decorator_list", [])
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    )


def comments(text: str) -> Iterator[tuple[int, str]]:
    """The comments of a source with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def unreasoned(comment: str) -> bool:
    """Whether a comment silences a tool and does not say why."""
    rest, silencers = SILENCER.subn("", comment)
    return bool(silencers) and not REASON.search(rest)


def test_nothing_is_left_for_later() -> None:
    none_of(
        [
            f"{at(path, line)} {comment}"
            for path in sources()
            for line, comment in comments(path.read_text())
            if LOOSE_END.search(comment)
        ]
    )


def test_a_tool_is_silenced_with_a_reason_on_the_same_line() -> None:
    none_of(
        [
            f"{at(path, line)} {comment} — why?"
            for path in sources()
            for line, comment in comments(path.read_text())
            if unreasoned(comment)
        ]
    )


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# noqa: S608",
        "# noqa: S608, E501",
        "# type: ignore[attr-defined]",
        "# pragma: no cover",
        "# ruff: noqa: E501",
    ],
)
def test_a_bare_silencer_is_refused(comment: str) -> None:
    assert unreasoned(comment)


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: PLC0415 - imported late, it takes 1.8 s",
        "# type: ignore[attr-defined]  # the stub lacks it",
        "# pragma: no cover - needs a second machine",
        "# the type: a track",
    ],
)
def test_a_silencer_with_a_reason_is_accepted(comment: str) -> None:
    assert not unreasoned(comment)
