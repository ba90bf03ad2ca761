"""The SDL of claims of artists."""

from __future__ import annotations

import strawberry

from domain.claims import ClaimState
from graph.artists import Artist
from graph.fields import DateTime, Node, described, stored

described(
    ClaimState,
    OPEN="Somebody will look at the proof.",
    APPROVED="The claimant owns the artist.",
    REFUSED="It was not shown, or somebody else showed it.",
)


@strawberry.type(description="Somebody says that an artist nobody signs in for is them. Only they see it.")
class ArtistClaim(Node):
    """A claim."""

    artist: Artist = stored("Who they claim to be.")
    state: ClaimState = stored("Where it stands.")
    proof_address: str = stored("The public page on which they show it.")
    proof_text: str = stored("What has to stand on that page until somebody has looked.")
    created_at: DateTime = stored("When they claimed it.")
    decided_at: DateTime | None = stored("When somebody had looked.")
