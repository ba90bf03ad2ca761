"""The SDL of lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.lineage import EdgeKind, EdgeStatus, EvidenceSource, Registration
from graph.fields import DateTime, Node, argument, described, stored

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Asset

described(
    EdgeKind,
    SAMPLES="Uses a recording of the parent.",
    REMIX_OF="A remix.",
    MASHUP_OF="A mash-up.",
    EDIT_OF="An edit.",
    DJ_MIX_OF="A DJ mix that plays it.",
    COMPILATION_OF="A compilation that holds it.",
    KARAOKE_OF="A karaoke version.",
    STEM_OF="A stem.",
    ALTERNATE_OF="An alternate take.",
    VERSION_OF="A step on the way of one work.",
    DERIVED_FROM="Made from it in a manner not known.",
    COVER_OF="A new recording of the same work.",
    INTERPOLATES="Plays a part of the work again, without the recording.",
    GENERATED_FROM="Generated from it.",
    USES_INSTRUMENT="Played on it.",
    INSPIRED_BY="Inspired by it; carries no rights.",
)
described(
    EdgeStatus,
    CLAIMED="Said, and not yet confirmed by the other side.",
    CONFIRMED="Both sides agree, or an import says so.",
    REJECTED="The parent's owner says: not mine. Seen by both owners only.",
    DISPUTED="The owners disagree.",
)
described(
    Registration,
    REGISTERED="Registered: the parent's permission allows it, or its owner agreed.",
    PENDING="Waits for a license, or for an answer.",
    REFUSED="Refused by the parent. It binds all the same, and only both owners see it.",
)
described(
    EvidenceSource,
    IMPORT="A catalogue that was imported.",
    CHILD_OWNER="The owner of the child.",
    PARENT_OWNER="The owner of the parent.",
    THIRD_PARTY="Somebody else.",
    DETECTION="A recognition of the sound.",
)
EDGE_FILTERS = (
    argument("kinds", list[EdgeKind] | None, "Only edges of these kinds."),
    argument("statuses", list[EdgeStatus] | None, "Only edges of these statuses."),
)


@strawberry.type(description="A stretch of time in milliseconds, from `startMs` up to but not including `endMs`.")
class TimeWindow:
    """A half-open window."""

    start_ms: int | None = stored("Where it starts; null: at the beginning.")
    end_ms: int | None = stored("Where it ends; null: at the end.")


@strawberry.type(description="Why an edge is believed: who says so, when, and how surely.")
class Evidence:
    """Evidence of an edge."""

    source: EvidenceSource = stored("Who says so.")
    method: str | None = stored("How they know.")
    score: float | None = stored("How sure a detection is, 0 to 1.")
    asserted_at: DateTime = stored("When it was said.")


@strawberry.type(description="How an edge stood for a while, and who said so.")
class EdgeStanding:
    """A stretch of an edge's history."""

    status: EdgeStatus = stored("What the owners said of it.")
    since: DateTime | None = stored("From when on.")
    until: DateTime | None = stored("Until when; null: it still stands so.")
    evidence: Evidence = stored("Why it was believed.")
    asserted_by: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored(
        "Who said so, where it is known."
    )


@strawberry.type(
    description="A child is made from a parent. Several edges between the same two are normal. Where the viewer may "
    "not see one end, that end is null and nothing but kind and status is told. Why it is believed: `{ status evidence "
    "{ source method score assertedAt } assertedBy { handle } history { status since } }`."
)
class LineageEdge(Node):
    """A lineage edge."""

    kind: EdgeKind = stored("How the child is made from the parent.")
    status: EdgeStatus = stored("What the owners say of it.")
    registration: Registration | None = stored("Whether the child is registered as a derivative of the parent.")
    child: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("What is made.")
    parent: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("What it is made from.")
    child_window: TimeWindow | None = stored("Where in the child; null: the whole.")
    parent_window: TimeWindow | None = stored("Which part of the parent; null: the whole.")
    child_is_older: bool | None = stored("The child is dated before its parent: something is wrong with a date.")
    binding: bool | None = stored("It carries rights from the parent to the child.")
    note: str | None = stored("A note by who declared it.")
    evidence: Evidence | None = stored("Why it is believed.")
    asserted_by: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored(
        "Who says so, where it is known."
    )
    history: list[EdgeStanding] | None = stored("How it stood until now, oldest first: claims, answers and disputes.")
    created_at: DateTime | None = stored("When the row was written.")
    held_until: DateTime | None = stored("Until when it stood like this; null: it still does.")
