"""The root of writing: every deed of every noun, in one type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.keys import KeyScope
from graph.studio import (
    accounts,
    anchors,
    artists,
    assets,
    clips,
    contributors,
    entitlements,
    hooks,
    identities,
    keys,
    licensing,
    lyrics,
    memberships,
    messages,
    presence,
    queues,
    receipts,
    redirects,
    registration,
    releases,
    rights,
    rituals,
    rooms,
    social,
    suggestions,
    themes,
    uploads,
    visuals,
)
from graph.studio.deeds import Act, Deed

_NOUNS = (
    accounts,
    anchors,
    artists,
    assets,
    clips,
    contributors,
    entitlements,
    hooks,
    identities,
    keys,
    licensing,
    lyrics,
    memberships,
    messages,
    presence,
    queues,
    receipts,
    redirects,
    registration,
    releases,
    rights,
    rituals,
    rooms,
    social,
    suggestions,
    themes,
    uploads,
    visuals,
)
_DEEDS: Mapping[str, Deed] = {to_camel_case(deed.name): deed for noun in _NOUNS for deed in noun.DEEDS}

Mutation = strawberry.type(
    type(
        "Mutation",
        (),
        {deed.name: deed.field() for deed in _DEEDS.values()}
        | {"__annotations__": {deed.name: deed.result() for deed in _DEEDS.values()}},
    ),
    description="Writing. Every mutation is one transaction; expected refusals are answers, not errors.",
)


def scope_of(name: str) -> KeyScope | None:
    """What a key must allow to do a mutation, by its SDL name; None: only a person does it."""
    return _DEEDS[name].scope


def read_mutation(name: str, given: Mapping[str, Any]) -> Act:
    """Make a mutation ready, by its SDL name.

    Raises:
        BadInput: its input is malformed.
    """
    return _DEEDS[name].ready(given)
