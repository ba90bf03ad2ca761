"""How a mutation is written down: one input, one union of success and refusals, one function that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union

import strawberry

from db.arguments import clean_text
from domain import errors
from domain.accounts import allow
from domain.keys import KeyScope
from graph.fields import argument, optional, stored
from graph.refusals import REFUSALS, told
from resolvers.context import Acting

LONGEST_KEY = 100
EVERY_DEED_REFUSES = (errors.SignInNeeded, errors.Forbidden, errors.NotFound, errors.Invalid, errors.KeyReused)

Act = Callable[[Acting], Awaitable[Mapping[str, Any]]]
"""Does it, and answers the fields of the success by SDL names."""


def key_field() -> Any:
    """The field of an input that makes a request happen once."""
    return optional("Repeating a request with the same key answers the same and writes nothing.")


def via_field() -> Any:
    """The field of an input that names the link somebody came by."""
    return optional(
        "The code of the share link you came by, as `via` in the address it led to. Where you are new to the world it "
        "leads into, that counts for whoever made it; a code that leads nowhere changes nothing."
    )


def key_of(asked: Mapping[str, Any]) -> str | None:
    """The idempotency key of an input.

    Raises:
        BadInput: it is too long, or holds what no text may.
    """
    key: str | None = asked.get("idempotencyKey")
    if key is not None:
        clean_text("idempotencyKey", key, longest=LONGEST_KEY)
    return key


@dataclass(frozen=True, slots=True)
class Deed:
    """A mutation.

    Attributes:
        name: in snake case, as a field of `Mutation`.
        description: what it does, for readers of the SDL.
        input: the type of its one argument, `input`.
        success: the type of what it answers when it was done.
        read: reads the input, refusing (BadInput) what is malformed before anything runs.
        refuses: how it may refuse, beyond what every deed may.
        scope: what a key must allow to do it; None: only a person does it.
    """

    name: str
    description: str
    input: type
    success: type
    read: Callable[[Mapping[str, Any]], Act]
    refuses: tuple[type[errors.CassetError], ...] = ()
    scope: KeyScope | None = None

    @property
    def refusals(self) -> tuple[type[errors.CassetError], ...]:
        """All the ways it may refuse."""
        return tuple(dict.fromkeys((*EVERY_DEED_REFUSES, *self.refuses)))

    def result(self) -> Any:
        """The union it answers."""
        name = "".join(word.capitalize() for word in self.name.split("_")) + "Result"
        members = (self.success, *[REFUSALS[refusal] for refusal in self.refusals])
        return Annotated[
            Union[members],  # noqa: UP007  # the members are a tuple
            strawberry.union(name, description="What was done, or why nothing was written."),
        ]

    def field(self) -> Any:
        """Its field of `Mutation`."""
        return stored(self.description, argument("input", self.input, "What to do."))

    def ready(self, given: Mapping[str, Any]) -> Act:
        """Make it ready to run, answering a member of its union by SDL names.

        Raises:
            BadInput: the input is malformed.
        """
        act = self.read(given["input"])

        async def run(acting: Acting) -> Mapping[str, Any]:
            try:
                allow(acting.viewer, self.scope, writes=True)
                return {"__typename": self.success.__name__, **await act(acting)}
            except self.refusals as refusal:
                return told(refusal)

        return run
