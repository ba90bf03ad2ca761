"""The SDL of contributors, credits and splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.contributors import Acceptance, CreditRole, Pool
from graph.fields import PAGE, Connection, Node, described, stored

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Asset
    from graph.visuals import VisualWorld

described(
    CreditRole,
    MAIN_ARTIST="Main artist.",
    FEATURED_ARTIST="Featured artist.",
    COMPOSER="Composer.",
    LYRICIST="Lyricist.",
    ARRANGER="Arranger.",
    PRODUCER="Producer.",
    MIXING_ENGINEER="Mixing engineer.",
    MASTERING_ENGINEER="Mastering engineer.",
    REMIXER="Remixer.",
    INSTRUMENTALIST="Plays an instrument, which the credit names.",
    VOCALIST="Vocalist.",
    VISUAL_ARTIST="Visual artist.",
)
described(
    Acceptance,
    PROPOSED="Proposed by the owner; the person has not answered.",
    ACCEPTED="The person agreed.",
    DECLINED="The person declined; only the owner still sees it.",
)
described(Pool, MASTER="Income of the recording.", PUBLISHING="Income of the work it records.")


@strawberry.type(description="Somebody who is credited: a user, an outside person, or not yet known.")
class Contributor(Node):
    """A contributor."""

    name: str = stored("The name they are credited by.")
    ipi: str | None = stored("Their IPI name number.")
    isni: str | None = stored("Their ISNI (ISO 27729).")
    artist: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored("The artist they are on Casset.")
    credits: Connection[Annotated["Credit", strawberry.lazy("graph.contributors")]] = stored(
        "What they did, newest first.", *PAGE
    )


@strawberry.type(description="What somebody did for an asset, or for a visual world.")
class Credit(Node):
    """A credit."""

    role: CreditRole = stored("What they did (DDEX role).")
    instrument: str | None = stored("What they played.")
    acceptance: Acceptance = stored("Whether they agreed to be credited so.")
    position: int = stored("Its place in the owner's order.")
    contributor: Contributor = stored("Who did it.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("For which asset.")
    visual_world: Annotated["VisualWorld", strawberry.lazy("graph.visuals")] | None = stored(
        "For which visual world; null where it is for an asset."
    )


@strawberry.type(description="Which share of a pool somebody holds.")
class Split(Node):
    """A split."""

    pool: Pool = stored("Which income it divides.")
    basis_points: int = stored("The share in basis points; a pool holds 10 000.")
    acceptance: Acceptance = stored("Whether they agreed.")
    contributor: Contributor = stored("Who holds it.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("Of which asset.")


@strawberry.input(description="A share of a pool.")
class ShareInput:
    """Who holds how much."""

    contributor: strawberry.ID = strawberry.field(description="Who holds it.")
    basis_points: int = strawberry.field(description="How much, in basis points: 1 to 10,000.")


@strawberry.type(description="A share as it would be.")
class SplitPreview:
    """A plan."""

    contributor: Contributor = stored("Who would hold it.")
    basis_points: int = stored("How much, in basis points.")
    basis_points_before: int | None = stored("How much they hold now; null where nothing.")
    acceptance: Acceptance = stored("Whether they agree, or would be asked.")
    amount_minor: int | None = stored("Their part of the amount, in minor units; the parts are the amount exactly.")
