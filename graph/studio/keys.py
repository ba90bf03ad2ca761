"""The mutations of the keys of programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.arguments import clean_text
from domain.errors import Moved
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyDraft, KeyMode, KeyScope
from graph.fields import DateTime, optional, stored
from graph.keys import AgentKey
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.keys import issue_key, revoke_key, rotate_key

_KEYS = frozenset({Kind.KEY})


@strawberry.type(description="A new key, with its secret.")
class KeySuccess:
    """The payload of what makes a key."""

    key: AgentKey = stored("The key.")
    secret: str | None = stored("What the program sends. It is told this once; null where the request is repeated.")


@strawberry.type(description="The key, which is over.")
class RevokeKeySuccess:
    """The payload."""

    key: AgentKey = stored("The key.")


@strawberry.input(description="What the new key allows.")
class IssueKeyInput:
    """The input of `issueKey`."""

    name: str = strawberry.field(description="What it is for, in 1 to 100 characters.")
    scopes: list[KeyScope] = strawberry.field(description="What it allows.")
    mode: KeyMode | None = optional("Whether it acts or only tries; LIVE where nothing is said.")
    artist: strawberry.ID | None = optional(
        "An artist you own, who issues it. A key that writes needs one, and writes for no other."
    )
    expires_at: DateTime | None = optional("When it ends, within a year; in 90 days where nothing is said.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which key is replaced, and how long the old one goes on.")
class RotateKeyInput:
    """The input of `rotateKey`."""

    id: strawberry.ID = strawberry.field(description="The key.")
    overlap_seconds: int = strawberry.field(description="How long both are good, at most 7 days.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which key ends.")
class RevokeKeyInput:
    """The input of `revokeKey`."""

    id: strawberry.ID = strawberry.field(description="The key.")
    idempotency_key: str | None = key_field()


def _issue_key(asked: Mapping[str, Any]) -> Act:
    artist = asked.get("artist")
    draft = KeyDraft(
        clean_text("name", asked["name"]),
        frozenset(KeyScope(scope) for scope in asked["scopes"]),
        KeyMode(asked.get("mode") or KeyMode.LIVE),
        None if artist is None else parse_ref_of(artist, frozenset({Kind.ARTIST})),
        asked.get("expiresAt"),
    )
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        issued, secret = await issue_key(acting, draft, key)
        return {"key": issued, "secret": secret}

    return act


def _rotate_key(asked: Mapping[str, Any]) -> Act:
    old, overlap, key = parse_ref_of(asked["id"], _KEYS), asked["overlapSeconds"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        issued, secret = await rotate_key(acting, old, overlap, key)
        return {"key": issued, "secret": secret}

    return act


def _revoke_key(asked: Mapping[str, Any]) -> Act:
    old, key = parse_ref_of(asked["id"], _KEYS), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"key": await revoke_key(acting, old, key)}

    return act


DEEDS = (
    Deed(
        "issue_key",
        "Issues a key for a program. It needs a sign-in of the last 12 hours.",
        IssueKeyInput,
        KeySuccess,
        _issue_key,
    ),
    Deed(
        "rotate_key",
        "Puts another key in a key's place, for as long again. It needs a sign-in of the last 12 hours.",
        RotateKeyInput,
        KeySuccess,
        _rotate_key,
        (Moved,),
    ),
    Deed("revoke_key", "Ends a key at once.", RevokeKeyInput, RevokeKeySuccess, _revoke_key),
)
