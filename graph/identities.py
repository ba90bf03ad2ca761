"""The SDL of sign-ins with other houses."""

from __future__ import annotations

import strawberry

from graph.fields import DateTime, Node, stored


@strawberry.type(
    description="A sign-in with another house that is linked to an account: `GET /api/auth/{provider}` links it. Only "
    "whoever is signed in to the account sees it."
)
class Identity(Node):
    """A linked sign-in."""

    provider: str = stored("The other house, as it stands in `/api/auth/{provider}`, such as `google`.")
    email: str | None = stored("The address they go by there, as it was when it was linked.")
    created_at: DateTime = stored("Since when it is linked.")
