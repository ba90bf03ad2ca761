"""The SDL of receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from graph.fields import DateTime, Node, stored

if TYPE_CHECKING:
    from graph.assets import Asset


@strawberry.type(
    description="A question about rights and its answer, kept for the account that asked, each with the hash of the "
    "one before."
)
class PermissionReceipt(Node):
    """A receipt."""

    sequence: int = stored("Its place in the chain of the account, from 1.")
    asset: Annotated["Asset", strawberry.lazy("graph.assets")] | None = stored("What was asked about.")
    body: str = stored("Question and answer as canonical JSON (RFC 8785): what the hash is taken over.")
    hash: str = stored("SHA-256 of `body`.")
    previous_hash: str | None = stored("The hash of the receipt before; null for the first.")
    created_at: DateTime = stored("When it was answered.")


@strawberry.type(description="A receipt answered again, by the rules it names and from the rows it was decided from.")
class Replay:
    """A replay."""

    receipt: PermissionReceipt = stored("The receipt.")
    reproduced: bool = stored("The answer is the same, byte for byte.")
    body: str = stored("What it comes to now.")
    hash: str = stored("SHA-256 of `body`.")
