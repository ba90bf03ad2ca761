"""The mutations of artists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from domain.artists import LONGEST_BIO, ArtistDraft, ArtistKind, ArtistUpdate
from domain.claims import LONGEST_ADDRESS
from domain.errors import BadInput, Moved
from domain.ids import Kind, parse_ref_of
from graph.artists import Artist
from graph.claims import ArtistClaim
from graph.fields import optional, stored
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.artists import create_artist, update_artist
from resolvers.claims import claim_artist
from resolvers.context import Acting

_ARTISTS = frozenset({Kind.ARTIST})
_TEXTS = ("handle", "name", "tagline", "bio")


@strawberry.type(description="The artist as it is now.")
class ArtistSuccess:
    """The payload of what makes or changes an artist."""

    artist: Artist = stored("The artist.")


@strawberry.type(
    description="The claim. Show its `proofText` at its `proofAddress`, and wait until somebody has looked."
)
class ClaimArtistSuccess:
    """The payload."""

    claim: ArtistClaim = stored("The claim.")


@strawberry.input(description="Who the new artist is.")
class CreateArtistInput:
    """The input of `createArtist`."""

    handle: str = strawberry.field(
        description="The address of the world: 3 to 30 letters a to z and digits, with single - or _ between them."
    )
    name: str = strawberry.field(description="The name, at most 300 characters.")
    kind: ArtistKind | None = optional("What the artist is; CREATOR where nothing is said.")
    tagline: str | None = optional("One line about the world, at most 200 characters.")
    bio: str | None = optional("What the artist tells about themselves, at most 4,000 characters.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to change of an artist. What is left out stays as it is; null takes it away.")
class UpdateArtistInput:
    """The input of `updateArtist`."""

    id: strawberry.ID = strawberry.field(description="The artist.")
    expected_version: int = strawberry.field(description="The `version` you read: refused when it has moved since.")
    handle: str | None = optional("Another address for the world, as an owner. The old one stays reserved.")
    name: str | None = optional("Another name.")
    kind: ArtistKind | None = optional("What the artist is.")
    tagline: str | None = optional("One line about the world.")
    bio: str | None = optional("What the artist tells about themselves.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Who somebody claims to be, and where they show it.")
class ClaimArtistInput:
    """The input of `claimArtist`."""

    artist: strawberry.ID = strawberry.field(description="An artist nobody signs in for.")
    proof_address: str = strawberry.field(
        description="A public page only the artist can write to, such as https://example.com/about."
    )
    idempotency_key: str | None = key_field()


def _texts(asked: Mapping[str, Any]) -> dict[str, str]:
    given = {name: asked[name] for name in _TEXTS if asked.get(name) is not None}
    return {name: clean_text(name, text, longest=2 * LONGEST_BIO) for name, text in given.items()}


def _create_artist(asked: Mapping[str, Any]) -> Act:
    draft = ArtistDraft(kind=ArtistKind(asked.get("kind") or ArtistKind.CREATOR), **_texts(asked))
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await create_artist(acting, draft, key)}

    return act


def _update_artist(asked: Mapping[str, Any]) -> Act:
    for name in ("handle", "name", "kind"):
        if name in asked and asked[name] is None:
            raise BadInput(f"{name} cannot be taken away.")
    values: dict[str, Any] = {name: None for name in ("tagline", "bio") if name in asked} | _texts(asked)
    if "kind" in asked:
        values["kind"] = ArtistKind(asked["kind"]).value
    change = ArtistUpdate(parse_ref_of(asked["id"], _ARTISTS), asked["expectedVersion"], values)
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"artist": await update_artist(acting, change, key)}

    return act


def _claim_artist(asked: Mapping[str, Any]) -> Act:
    artist, key = parse_ref_of(asked["artist"], _ARTISTS), key_of(asked)
    address = clean_text("proofAddress", asked["proofAddress"], longest=2 * LONGEST_ADDRESS)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"claim": await claim_artist(acting, artist, address, key)}

    return act


DEEDS = (
    Deed(
        "create_artist",
        "Makes one more artist that you own, with a world of its own.",
        CreateArtistInput,
        ArtistSuccess,
        _create_artist,
    ),
    Deed(
        "update_artist",
        "Changes the name, the address or the words of an artist.",
        UpdateArtistInput,
        ArtistSuccess,
        _update_artist,
        (Moved,),
    ),
    Deed(
        "claim_artist",
        "Says that an artist nobody signs in for is you. A person looks at the proof. Claiming again moves the proof.",
        ClaimArtistInput,
        ClaimArtistSuccess,
        _claim_artist,
        (Moved,),
    ),
)
