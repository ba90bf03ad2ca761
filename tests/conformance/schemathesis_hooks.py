"""What Schemathesis is taught of us: how lists are paged, which types cannot say, and what may be refused at all.

Loaded by the `st` that test_fuzzing.py starts. As drawn, nearly every connection is asked for from both ends at once, which
is refused before anything is read: three documents of four are made to ask for a first page, the fourth stays as it is.
"""

from __future__ import annotations

import zlib
from typing import Any

import schemathesis
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NullValueNode,
    StringValueNode,
    Visitor,
    print_ast,
    visit,
)

REFUSALS = {"BAD_USER_INPUT", "TOO_COSTLY"}
LARGEST_PAGE = 3
"""Small, so that connections within connections stay below the limit of cost."""
PLAUSIBLE = {
    "first": (IntValueNode, NullValueNode),
    "last": (IntValueNode, NullValueNode),
    "after": (StringValueNode, NullValueNode),
    "before": (StringValueNode, NullValueNode),
}
NARROWING = {
    "k": IntValueNode,
    "depth": IntValueNode,
    "lengthMs": IntValueNode,
    "territory": StringValueNode,
}
"""Arguments that, as drawn, nearly always fall out of the bounds that GraphQL's types cannot say."""


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: DocumentNode) -> DocumentNode:
    """The document to send."""
    if zlib.crc32(print_ast(body).encode()) % 4 == 0:
        return body
    return visit(body, FirstPages())


class FirstPages(Visitor):
    """Asks every connection for a small first page; values of a wrong type are left, they are there to be refused."""

    def enter_field(self, node: FieldNode, *_: Any) -> FieldNode:
        """The field, asking for its first page."""
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=tuple(kept for argument in node.arguments or () for kept in first_page(argument)),
            directives=node.directives,
            selection_set=node.selection_set,
        )


def first_page(argument: ArgumentNode) -> list[ArgumentNode]:
    """An argument as a first page has it; nothing where a first page has none."""
    name, value = argument.name.value, argument.value
    if name in NARROWING and isinstance(value, NARROWING[name]):
        return []
    if not isinstance(value, PLAUSIBLE.get(name, ())) or (
        isinstance(value, IntValueNode) and abs(int(value.value)) >> 31
    ):
        return [argument]
    if name != "first" or not isinstance(value, IntValueNode):
        return []
    return [ArgumentNode(name=argument.name, value=IntValueNode(value=str(1 + abs(int(value.value)) % LARGEST_PAGE)))]


@schemathesis.check
def refused_for_what_was_asked(context: schemathesis.CheckContext, response: schemathesis.Response, case: Any) -> None:
    """No error speaks of a state of the server's: a fault, a limit of rate, a database that is away."""
    codes = {error["extensions"]["code"] for error in response.json().get("errors", ())}
    assert codes <= REFUSALS, codes - REFUSALS
