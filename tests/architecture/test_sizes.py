"""How large a thing may grow before it is two things."""

from __future__ import annotations

import ast

from tests.architecture.tree import at, code, none_of, parsed

MODULE_LINES = 500
FUNCTION_LINES = 60


def test_no_module_is_two_nouns() -> None:
    none_of(
        [
            f"{at(path, MODULE_LINES)} is not the last line: which two nouns is it?"
            for path in code()
            if len(path.read_text().splitlines()) > MODULE_LINES
        ]
    )


def test_no_function_is_two_verbs() -> None:
    none_of(
        [
            f"{at(path, node.lineno)} {node.name} is over {FUNCTION_LINES} lines: which two verbs is it?"
            for path in code()
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if length(node) > FUNCTION_LINES
        ]
    )


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines from the first statement to the last: neither decorators, arguments nor docstring count."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0
