"""The SDL of what somebody may state: presets, and terms of their own."""

from __future__ import annotations

import strawberry

from domain.policies import PolicyPreset
from domain.rights import Decision, Layer, Use
from graph.fields import Date, argument, described, optional

described(
    PolicyPreset,
    ALL_RIGHTS_RESERVED="All rights reserved: ask.",
    OPEN_TO_REMIX="Remixes, work with the stems and derivatives are welcome; for the rest, ask.",
)


@strawberry.input(description="An amount of money in minor units.")
class PriceInput:
    """Money without floats."""

    amount_minor: int = strawberry.field(description="The amount in minor units.")
    currency: str = strawberry.field(description="ISO 4217 code.")


@strawberry.input(description="What is said of one use.")
class TermInput:
    """A term."""

    use: Use = strawberry.field(description="The use.")
    decision: Decision = strawberry.field(description="What is decided.")
    layer: Layer | None = optional("The layer it speaks for; both where none is given.")
    attribution: bool | None = optional("The author must be named.")
    share_alike: str | None = optional("What is made must carry this license (SPDX).")
    territories: list[str] | None = optional("Where it holds, as ISO 3166-1 codes; everywhere where none is given.")
    starts_on: Date | None = optional("From this day.")
    ends_on: Date | None = optional("Up to but not including this day.")
    purpose: str | None = optional("For this purpose only.")
    price: PriceInput | None = optional("What a license costs.")
    exception: str | None = optional("What is taken out of it: a purpose it does not bind, or `composition`.")
    reaches_outputs: bool | None = optional("What is played on the instrument is bound too.")
    sublicense: bool | None = optional("The right passes on to derivatives.")
    royalty_bp: int | None = optional("A royalty in basis points, 0 to 10,000.")
    route: str | None = optional("How to ask.")


SAID = (
    argument("license", str | None, "An SPDX identifier, such as CC-BY-SA-4.0."),
    argument("preset", PolicyPreset | None, "What is stated without a license."),
    argument("terms", list[TermInput] | None, "Terms of their own, in place of what the license says of the same use."),
)
