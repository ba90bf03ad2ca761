"""An operation that programs are offered: how it travels, who may ask it, and the clean document asked of the graph."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLInputType,
)

from domain.keys import KeyScope
from graph.agents.values import Bounds

Place = str
"""Where a variable travels: path, query, header or body."""


class Faulty(Exception):
    """A document that is not taken; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of an operation.

    Attributes:
        name: in the document, and as an argument of a tool.
        wire: what it is called where it travels.
        place: where that is: path, query, header or body.
        type: of its values.
        description: for whoever fills it in.
        default: where none is given; None for none.
        bounds: what its values keep to beyond their type.
    """

    name: str
    wire: str
    place: Place
    type: GraphQLInputType
    required: bool
    description: str
    default: Any
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: `scopes` of a key, one of which it needs; none: people only. `open`: also who has no key."""

    scopes: frozenset[KeyScope]
    open: bool


@dataclass(frozen=True, slots=True)
class Route:
    """How an operation is asked over HTTP; `location` is where what it made is, as `@status` says."""

    method: str
    path: str
    status: int = 200
    location: str | None = None

    @property
    def parts(self) -> list[str | None]:
        """The segments of the path; None where a variable stands."""
        return [None if part.startswith("{") else part for part in self.path.strip("/").split("/")]


@dataclass(frozen=True, slots=True)
class Tool:
    """How an operation is a tool."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class AgentOperation:
    """An operation that programs are offered.

    Attributes:
        name: of the operation, and of its file.
        description: what it does, for who decides whether to ask it.
        text: the clean document.
        document: the same, parsed.
        root: its root field.
        outcome: of a mutation: the type of its success.
        variables: by name.
        route: over HTTP; None where it is only a tool.
        tool: None where it is none.
        max_age: seconds for which caches may keep it; None: nobody keeps it.
        access: who may ask.
        page: what names the next page: `connection` (`pageInfo`), `walk` (`complete` and `endCursor`), or None.
    """

    name: str
    description: str
    text: str
    document: DocumentNode
    root: str
    outcome: str | None
    variables: Mapping[str, Variable]
    route: Route | None
    tool: Tool | None
    max_age: int | None
    access: Access
    page: str | None

    @property
    def sha256(self) -> str:
        """Names the clean document."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def summary(self) -> str:
        """The first sentence of its description, without the full stop."""
        return re.split(r"[.;:]\s", self.description + " ")[0]

    @property
    def key(self) -> Variable | None:
        """The variable that makes it happen once."""
        return next((each for each in self.variables.values() if each.wire == "Idempotency-Key"), None)
