"""The SDL of quotes, licenses and what programs asked about somebody's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.contributors import Pool
from domain.licensing import Unpayable, UseKind
from domain.payments import PaymentMethod
from domain.rights import Layer, Outcome, Use
from graph.fields import DateTime, Node, described, stored
from graph.rights import PermissionPolicy, Price

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.assets import Asset
    from graph.contributors import Contributor

described(
    Unpayable,
    NOTHING_TO_CLEAR="There is nothing a payment to the owner would clear.",
    NO_PRICE="The owner states no price.",
    OTHER_CURRENCY="The price is in a currency that is not settled here.",
    NOBODY_SPOKE="No person has stated the price.",
)
described(
    UseKind,
    READ="Read it.",
    CHECK="Asked what may be done with it.",
    QUOTE="Asked what a license takes.",
    LICENSE="Took a license.",
    ACCESS="Opened the sound under a license.",
    DERIVE="Registered something made from it.",
)
described(
    PaymentMethod,
    EVM="Settled on a chain.",
    TEST="Paid with nothing, on a machine where nothing is sold.",
    FREE="The owner asks for nothing.",
)


@strawberry.type(description="Something in the way of one use, and what would clear it.")
class LicenseNeed:
    """A need."""

    use: Use = stored("The use.")
    layers: list[Layer] = stored("In which layers.")
    decision: Outcome = stored("What is said.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored(
        "Of what; null where you may not see it."
    )
    owner: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored("Whose consent it takes.")
    policy: PermissionPolicy | None = stored("The policy that says so.")
    price: Price | None = stored("What its owner asks for it.")


@strawberry.type(description="How a quote is settled, or why it cannot be.")
class Settlement:
    """A settlement."""

    amount: str | None = stored("What is paid, in the smallest unit of `asset`.")
    asset: str | None = stored("What it is paid in, such as USDC.")
    decimals: int | None = stored("How many decimals the smallest unit stands for.")
    reference: str | None = stored("What the payment is for, as its settlement names it.")
    unpayable: Unpayable | None = stored("Why it cannot be paid; null where it can.")


@strawberry.type(
    description="What a license takes, for 15 minutes: what one payment clears, and what is still needed from others. "
    "Information, not legal advice."
)
class LicenseQuote(Node):
    """A quote."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("What it is about.")
    bound_to: str = stored("Which state of it: the hash of its manifest, or its id and version.")
    grantee: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("The artist it is for.")
    uses: list[Use] = stored("For what.")
    territory: str | None = stored("Where; null: everywhere.")
    purpose: str | None = stored("For which purpose; null: for any.")
    price: Price | None = stored("What the owner asks for it all; null where no price can be told.")
    settlement: Settlement = stored("How it is paid, or why it cannot be.")
    clears: list[LicenseNeed] = stored("What this payment clears: all of it the owner's of what you asked about.")
    still_needed: list[LicenseNeed] = stored("What it does not clear: ask for quotes of those, or their owners.")
    license: Annotated["License", strawberry.lazy("graph.licensing")] | None = stored(
        "The license that was taken on it."
    )
    body: str = stored("All of it as canonical JSON (RFC 8785): what is signed.")
    proof: str | None = stored("The signature over `body`: a W3C Data Integrity proof as JSON; null without one.")
    created_at: DateTime = stored("When it was made.")
    expires_at: DateTime = stored("Until when it may be paid.")


@strawberry.type(description="How a license was paid.")
class LicensePayment:
    """A payment."""

    method: PaymentMethod = stored("How.")
    reference: str = stored("Its settlement reference.")
    network: str | None = stored("On which network (CAIP-2).")
    payer: str | None = stored("By which address.")
    amount: str = stored("How much, in the smallest unit of `asset`.")
    asset: str = stored("In what.")
    price: Price | None = stored("The price it settled.")


@strawberry.type(description="What somebody is owed of what was paid for a license.")
class PaymentShare:
    """A share."""

    pool: Pool = stored("Of which income: the recording's, or the publishing's.")
    amount: str = stored("How much, in the smallest unit of what was paid.")
    contributor: Annotated["Contributor", strawberry.lazy("graph.contributors")] | None = stored(
        "Who shares it; null where it is the owner's."
    )
    artist: Annotated["Artist", strawberry.lazy("graph.artists")] | None = stored(
        "The owner, of what nobody else shares; else null."
    )


@strawberry.type(
    description="A license a program took: it gave grants to an artist, for what was paid. Who took it, the artist "
    "it is for, and the owner see it."
)
class License(Node):
    """A license."""

    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("What it is on.")
    owner: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Who was paid.")
    grantee: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("Whom it is for.")
    payment: LicensePayment | None = stored("How it was paid.")
    shares: list[PaymentShare] = stored(
        "What was paid, shared to the last unit among those who are owed it. Members of the owner are told; to others "
        "it is empty, and so it is where nothing was paid."
    )
    body: str = stored("All of it as canonical JSON (RFC 8785): what is signed.")
    proof: str | None = stored("The signature over `body`: a W3C Data Integrity proof as JSON; null without one.")
    created_at: DateTime = stored("When it was given.")


@strawberry.type(description="What somebody's program asked about a work.")
class AgentUse(Node):
    """A line of the artist's list."""

    kind: UseKind = stored("What it did.")
    agent: str | None = stored("The name of the key it came with; null for a person.")
    handle: str = stored("The account behind it.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("Which work.")
    uses: list[Use] = stored("For which uses.")
    decision: Outcome | None = stored("What was answered.")
    created_at: DateTime = stored("When.")
