"""The mutations of lineage: declaring how something is made, and answering what others declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from db.verdicts import ASSET_REF_KINDS, read_window
from domain.errors import CycleClosed, Forbidden, Moved
from domain.ids import Kind, Ref, parse_ref_of
from domain.keys import KeyScope
from domain.lineage import EdgeKind
from domain.registration import EdgeDraft
from graph.assets import Asset
from graph.fields import optional, stored
from graph.lineage import LineageEdge
from graph.studio.deeds import Act, Deed, key_field, key_of
from graph.verdicts import WindowInput
from resolvers.context import Acting
from resolvers.registration import confirm_edge, declare_edge, dispute_edge, reject_edge, retract_edge

LONGEST_NOTE = 1000
_EDGES = frozenset({Kind.EDGE})


@strawberry.type(description="The edge as it stands now.")
class DeclareEdgeSuccess:
    """The payload."""

    edge: LineageEdge = stored("The edge.")


@strawberry.type(description="The edge as it stands now, under a new id: the old one tells how it stood before.")
class AnswerEdgeSuccess:
    """The payload."""

    edge: LineageEdge = stored("The edge.")


@strawberry.type(description="The edge is taken back.")
class RetractEdgeSuccess:
    """The payload."""

    child: Asset = stored("What the edge was about.")


@strawberry.input(description="How something is made from something else.")
class DeclareEdgeInput:
    """The input of `declareEdge`."""

    child: strawberry.ID = strawberry.field(description="What is made.")
    parent: strawberry.ID = strawberry.field(description="What it is made from.")
    kind: EdgeKind = strawberry.field(description="How.")
    child_window: WindowInput | None = optional("Where in the child; the whole where none is given.")
    parent_window: WindowInput | None = optional("Which part of the parent; the whole where none is given.")
    note: str | None = optional("A note, at most 1,000 characters.")
    method: str | None = optional("How you know, at most 200 characters.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="An edge to answer. Its id says how you read it: refused when it has changed since.")
class AnswerEdgeInput:
    """The input of what answers an edge."""

    id: strawberry.ID = strawberry.field(description="The edge.")
    idempotency_key: str | None = key_field()


def _declare(asked: Mapping[str, Any]) -> Act:
    draft = EdgeDraft(
        child=parse_ref_of(asked["child"], ASSET_REF_KINDS),
        parent=parse_ref_of(asked["parent"], ASSET_REF_KINDS),
        kind=EdgeKind(asked["kind"]),
        child_window=read_window(asked, "childWindow"),
        parent_window=read_window(asked, "parentWindow"),
        note=_text(asked, "note", LONGEST_NOTE),
        method=_text(asked, "method", 200),
    )
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"edge": await declare_edge(acting, draft, key)}

    return act


def _text(asked: Mapping[str, Any], name: str, longest: int) -> str | None:
    text: str | None = asked.get(name)
    return None if text is None else clean_text(name, text, longest=longest)


def _answering(
    answer: Callable[[Acting, Ref, str | None], Awaitable[Ref]], field: str = "edge"
) -> Callable[[Mapping[str, Any]], Act]:
    def read(asked: Mapping[str, Any]) -> Act:
        edge, key = parse_ref_of(asked["id"], _EDGES), key_of(asked)

        async def act(acting: Acting) -> Mapping[str, Any]:
            return {field: await answer(acting, edge, key)}

        return act

    return read


DEEDS = (
    Deed(
        "declare_edge",
        "Says that something is made from something else. What you say of your own work binds it at once; whether it "
        "is registered as a derivative is for the parent's permission to say. What you say of the work of others waits "
        "until they confirm it.",
        DeclareEdgeInput,
        DeclareEdgeSuccess,
        _declare,
        (Moved, CycleClosed),
        KeyScope.LINEAGE_WRITE,
    ),
    Deed(
        "confirm_edge",
        "Agrees to an edge that the other side declared: the derivative is registered. Only a signed-in person answers "
        "others.",
        AnswerEdgeInput,
        AnswerEdgeSuccess,
        _answering(confirm_edge),
        (Moved, Forbidden, CycleClosed),
    ),
    Deed(
        "reject_edge",
        "Says of an edge that the other side declared: not so. It carries no rights any more, and only both owners "
        "see it. Only a signed-in person answers others.",
        AnswerEdgeInput,
        AnswerEdgeSuccess,
        _answering(reject_edge),
        (Moved, Forbidden),
    ),
    Deed(
        "dispute_edge",
        "Disagrees with how an edge of yours stands. It carries rights until both sides agree. Only a signed-in person "
        "answers others.",
        AnswerEdgeInput,
        AnswerEdgeSuccess,
        _answering(dispute_edge),
        (Moved, CycleClosed),
    ),
    Deed(
        "retract_edge",
        "Takes back an edge you declared, as long as the other side has not answered.",
        AnswerEdgeInput,
        RetractEdgeSuccess,
        _answering(retract_edge, "child"),
        (Moved, Forbidden),
        KeyScope.LINEAGE_WRITE,
    ),
)
