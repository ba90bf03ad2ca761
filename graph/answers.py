"""What a request is answered with: bytes, or why it was refused before anything was run."""

from __future__ import annotations

from typing import NamedTuple

import orjson
from graphql import GraphQLError


class Answer(NamedTuple):
    """The answer to a request, or to an event.

    Attributes:
        body: a JSON object in UTF-8.
        refused: whether it was refused before execution.
        mark: of an event: what a subscription takes as `after` to go on from here; without a body it is where an
            operation begins.
        waits: what follows is remembered elsewhere, and may wait for a client that does not keep up.
    """

    body: bytes
    refused: bool = False
    mark: str | None = None
    waits: bool = False

    def extended(self, extensions: bytes) -> bytes:
        """The body with `extensions`, a JSON object."""
        return b'%b,"extensions":%b}' % (self.body[:-1], extensions)


class Refusal(Exception):
    """A request refused before execution, with the errors that say why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        """Keep the errors."""
        super().__init__(errors[0].message)
        self.errors = errors

    def answer(self) -> Answer:
        """What the caller is told."""
        return Answer(orjson.dumps({"errors": [error.formatted for error in self.errors]}, default=str), refused=True)
