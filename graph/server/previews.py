"""What is told of a thing where somebody shows a link to it: what anybody may read of it, asked of the graph itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from domain.accounts import ANONYMOUS
from domain.errors import BadInput, NotFound
from domain.ids import Kind, Ref, parse_ref, parse_ref_of
from domain.links import SHARED, address_of
from domain.resolution import Match, recognise
from graph.reading import Reader

_WORLD = """fragment World on World {
  handle name tagline artist { id } theme { tokens { base surface accent glow gradientEnd } }
  visualWorld { source { id } } currentRitual { title url } room { id }
}"""
_COVERED = "visualWorld { source { id } }"
_BY_HANDLE = f"query ($handle: String!) {{ world(handle: $handle) {{ ...World }} }} {_WORLD}"
_BY_ID = f"""query ($id: ID!) {{ node(id: $id) {{
  __typename id
  ... on Artist {{ world {{ ...World }} }}
  ... on Hook {{ caption track {{ title }} {_COVERED} theme {{ tokens {{ base surface accent glow gradientEnd }} }}
    world {{ ...World }} }}
  ... on Release {{ title state cover {{ source {{ id }} }} owner {{ world {{ ...World }} }} }}
  ... on Ritual {{ title hook {{ {_COVERED} }} release {{ title cover {{ source {{ id }} }} }} world {{ ...World }} }}
  ... on Room {{ called: title hook {{ {_COVERED} }} release {{ cover {{ source {{ id }} }} }} world {{ ...World }} }}
}} }} {_WORLD}"""
_TYPES: Final = {
    Kind.ARTIST: ("World", "profile"),
    Kind.HOOK: ("Hook", "music.song"),
    Kind.RELEASE: ("Release", "music.album"),
    Kind.RITUAL: ("Ritual", "website"),
    Kind.ROOM: ("Room", "website"),
}
_KINDS = frozenset(SHARED)
_NONE = "There is nothing at this address."


class Preview(NamedTuple):
    """What is told of a thing.

    Attributes:
        ref: its id.
        word: what it is, for people.
        type: what it is, in the words of the Open Graph protocol.
        title: how it is called.
        said: a sentence about it.
        path: its address on this house, without the origin.
        world: the world it is in, as the graph tells it.
        tokens: the colours it wears, by name.
        picture: the file that is its cover; None where there is none.
    """

    ref: Ref
    word: str
    type: str
    title: str
    said: str
    path: str
    world: Mapping[str, Any]
    tokens: Mapping[str, str]
    picture: Ref | None

    @property
    def by(self) -> str:
        """Whose it is."""
        return str(self.world["name"])


class Previews:
    """Previews of what everybody may read. What is not there and what is not for everybody answer alike."""

    def __init__(self, reader: Reader) -> None:
        """Ask by a reader, as nobody."""
        self._reader = reader

    async def of_world(self, handle: str) -> Preview:
        """The world at a handle.

        Raises:
            NotFound: there is none.
        """
        found = recognise(f"/{handle}")
        known = found is not None and found.match is Match.ADDRESS
        world = (await self._asked(_BY_HANDLE, {"handle": handle}))["world"] if known else None
        if world is None:
            raise NotFound(_NONE)
        return _preview(parse_ref(world["artist"]["id"]), {}, world)

    async def of(self, ref: str) -> Preview:
        """A thing by its id; where it was merged with another, that one.

        Raises:
            NotFound: it is not there, or not for everybody.
        """
        try:
            named = parse_ref_of(ref, _KINDS)
        except BadInput:
            raise NotFound(_NONE) from None
        node = (await self._asked(_BY_ID, {"id": str(named)}))["node"]
        if node is None or node.get("state") == "WITHDRAWN":
            raise NotFound(_NONE)
        world = (node.get("owner") or node)["world"]
        return _preview(parse_ref(node["id"]), node, world)

    async def at(self, url: str, origin: str) -> Preview:
        """What is at an address of this house.

        Raises:
            NotFound: it is no address of this house, or nothing is there for everybody.
        """
        found = recognise(url) if url.startswith(f"{origin}/") else None
        if found is None or found.match is not Match.ADDRESS:
            raise NotFound(_NONE)
        if found.kind is None or not isinstance(found.value, UUID):
            return await self.of_world(str(found.value))
        return await self.of(str(Ref(found.kind, found.value)))

    async def _asked(self, document: str, variables: dict[str, Any]) -> Any:
        answer = orjson.loads((await self._reader.answer(document, None, variables, ANONYMOUS)).body)
        if "errors" in answer:
            raise RuntimeError(f"a preview was refused: {answer['errors'][0]['message']}")
        return answer["data"]


def _preview(ref: Ref, node: Mapping[str, Any], world: Mapping[str, Any]) -> Preview:
    word, type_ = _TYPES[ref.kind]
    about = node.get("release") or {}
    names = (node.get("title"), node.get("called"), node.get("caption"), (node.get("track") or about).get("title"))
    title = next(filter(None, names), world["name"])
    path = address_of(world["handle"], ref)
    wearing = node.get("theme") or world["theme"] or {"tokens": {}}
    picture = _picture(node) or _picture(node.get("hook") or {}) or _picture(about) or _picture(world)
    return Preview(ref, word, type_, title, _said(ref.kind, world), path, world, wearing["tokens"], picture)


def _picture(row: Mapping[str, Any]) -> Ref | None:
    source = (row.get("cover") or row.get("visualWorld") or {}).get("source")
    return None if source is None else parse_ref(source["id"])


def _said(kind: Kind, world: Mapping[str, Any]) -> str:
    name = world["name"]
    return {
        Kind.ARTIST: world["tagline"] or f"The world of {name}: hooks, rituals and a room.",
        Kind.HOOK: f"A hook from the world of {name}.",
        Kind.RELEASE: f"A release from the world of {name}.",
        Kind.RITUAL: f"Gather for it in the world of {name}.",
        Kind.ROOM: f"People are here, in the world of {name}.",
    }[kind]
