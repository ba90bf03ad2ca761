"""The SDL of the keys of programs. A key's secret is in its payload, once."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.keys import KeyMode, KeyScope
from graph.artists import Artist
from graph.fields import DateTime, Node, described, stored

described(KeyMode, LIVE="It acts.", TEST="It tries: it writes nothing.")
described(
    KeyScope,
    READ="Read what is public.",
    CHECK="Ask what may be done.",
    LICENSE="Ask for licenses.",
    DERIVE="Register derivatives.",
    BUNDLE="Fetch bundles of an artist.",
    ASSETS_WRITE="Write the assets of the artist who issued it.",
    LINEAGE_WRITE="Declare what the artist's assets are made of.",
)


@strawberry.type(
    description="A key with which a program asks as `Authorization: Bearer cas_…`. It never publishes, and sets no "
    "policy. Only who issued it sees it, and the owners of its artist."
)
class AgentKey(Node):
    """A key without its secret."""

    name: str = stored("What it is for, in its owner's words.")
    mode: KeyMode = stored("Whether it acts, or only tries.")
    scopes: list[KeyScope] = stored("What it allows.")
    artist: Artist | None = stored("The artist who issued it; null where a person did.")
    created_at: DateTime = stored("When it was issued.")
    expires_at: DateTime = stored("When it ends.")
    revoked_at: DateTime | None = stored("When it was ended early.")
    last_used_at: DateTime | None = stored("When it was last used, to the minute.")
    replaced_by: Annotated["AgentKey", strawberry.lazy("graph.keys")] | None = stored("The key that took its place.")
