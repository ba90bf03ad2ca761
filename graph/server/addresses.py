"""What answers at the addresses of worlds and of what is in them, and to who asks for a preview of one (oEmbed 1.0).

A page tells who shows a link to it what is there (Open Graph, oEmbed), and leads people on: to the ritual, to the room.
It shows what anybody may read, whoever looks; the page of a ritual then asks the API as whoever looks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.errors import BadInput, NotFound, NotOffered
from domain.ids import Kind
from domain.links import CARD_HEIGHT, CARD_WIDTH, VIA, came_by, kind_of
from graph.server.buckets import Buckets
from graph.server.door import LOOK
from graph.server.previews import Preview, Previews
from graph.server.rest import address, paid
from graph.server.wellknown import told

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES: Final = ("house.css", "house.js", "world.css", "ritual.css", "ritual.js")
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_FRESH = "public, max-age=60"
_PLACES: Final = frozenset({Kind.HOOK, Kind.RELEASE, Kind.RITUAL, Kind.ROOM})
_AN_HOUR = 3600


class Addresses:
    """The pages of a house."""

    def __init__(self, previews: Previews, buckets: Buckets, origin: str, *, listens: bool) -> None:
        """Show what is previewed.

        Args:
            previews: what is told of a thing.
            buckets: what everybody may ask for.
            origin: with what addresses begin; empty for that of each request.
            listens: there is a page to listen in rooms, `/rooms/{handle}`.
        """
        self._previews = previews
        self._buckets = buckets
        self._origin = origin
        self._listens = listens

    def routes(self) -> list[Route]:
        """The addresses; those of worlds are all that is left over, and come last."""
        places = [Route(f"/{{handle}}/{kind.value}s/{{ref}}", self._thing) for kind in sorted(_PLACES)]
        return [Route("/oembed", self._embedded), *page_files(FILES), *places, Route("/{handle}", self._world)]

    async def _world(self, request: Request) -> Response:
        return await self._page(request, await self._looked(request, self._previews.of_world, "handle"))

    async def _thing(self, request: Request) -> Response:
        found = await self._looked(request, self._previews.of, "ref")
        if f"/{found.ref.kind.value}s/" not in request.url.path:
            raise NotFound("There is nothing at this address.")
        return await self._page(request, found)

    async def _looked(self, request: Request, find: Callable[[str], Awaitable[Preview]], name: str) -> Preview:
        await paid(self._buckets, address(request), LOOK)
        return await find(request.path_params[name])

    async def _page(self, request: Request, found: Preview) -> Response:
        """The page of a thing; who comes by another address of it, as after a change of handle, is led there."""
        via = request.query_params.get(VIA, "")
        code = via if kind_of(via) is not None else None
        if request.url.path != found.path:
            return RedirectResponse(_by(found.path, code), 302)
        head = _head(found, self._origin_of(request))
        if found.ref.kind is Kind.RITUAL:
            text = read_page("ritual.html").replace("<!-- preview -->", head)
        else:
            text = _PAGE.format(
                head=head,
                word=escape(found.word),
                title=escape(found.title),
                said=escape(found.said),
                card=f"/cards/{found.ref}.png",
                width=CARD_WIDTH,
                height=CARD_HEIGHT,
                links="".join(
                    f'<li><a href="{escape(_by(path, code))}">{escape(name)}</a></li>'
                    for name, path in self._ways(found).items()
                ),
            )
        answer = told(request, text.encode(), "text/html; charset=utf-8", caching=_FRESH)
        answer.headers["content-security-policy"] = CONTENT_SECURITY_POLICY
        return answer

    def _ways(self, found: Preview) -> Mapping[str, str]:
        """Where one goes on from a page: back to the world, to what is happening there, into its room."""
        world, ways = found.world, {}
        if found.ref.kind is not Kind.ARTIST:
            ways[f"The world of {found.by}"] = f"/{world['handle']}"
        if world["currentRitual"] is not None:
            ways[f"Ritual: {world['currentRitual']['title']}"] = world["currentRitual"]["url"]
        if self._listens and world["room"] is not None:
            ways["The room"] = f"/rooms/{world['handle']}"
        return ways

    async def _embedded(self, request: Request) -> Response:
        """A link to a page of this house, as oEmbed tells of it: its title, whose it is, and its card where it fits.

        Raises:
            BadInput: no address was asked for, or a size is none.
            NotOffered: another format than JSON.
            NotFound: it is no address of this house, or nothing is there for everybody.
        """
        await paid(self._buckets, address(request), LOOK)
        asked = request.query_params
        if asked.get("format", "json") != "json":
            raise NotOffered("oEmbed is told as JSON here.")
        if "url" not in asked:
            raise BadInput("Say which address: `url`.")
        room = [_size(asked.get(name)) for name in ("maxwidth", "maxheight")]
        origin = self._origin_of(request)
        found = await self._previews.at(asked["url"], origin)
        body: dict[str, Any] = {
            "version": "1.0",
            "type": "link",
            "title": found.title,
            "author_name": found.by,
            "author_url": f"{origin}/{found.world['handle']}",
            "provider_name": "Casset",
            "provider_url": f"{origin}/",
            "cache_age": _AN_HOUR,
        }
        if all(most is None or size <= most for size, most in zip((CARD_WIDTH, CARD_HEIGHT), room, strict=True)):
            body |= {"thumbnail_url": f"{origin}/cards/{found.ref}.png"}
            body |= {"thumbnail_width": CARD_WIDTH, "thumbnail_height": CARD_HEIGHT}
        return told(request, orjson.dumps(body), "application/json", caching=_FRESH)

    def _origin_of(self, request: Request) -> str:
        return self._origin or str(request.base_url).rstrip("/")


def _by(path: str, code: str | None) -> str:
    return path if code is None else came_by(path, code)


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < len(text) <= 6 or not int(text):
        raise BadInput("A size is a number of pixels.")
    return int(text)


def _head(found: Preview, origin: str) -> str:
    """What is told beside a link: the Open Graph protocol, cards as X reads them, and where oEmbed is."""
    url, card = f"{origin}{found.path}", f"{origin}/cards/{found.ref}.png"
    title = found.title if found.title == found.by else f"{found.title} · {found.by}"
    shown = f"{found.word}: {title}"
    named = {
        "og:site_name": "Casset",
        "og:type": found.type,
        "og:title": title,
        "og:description": found.said,
        "og:url": url,
        "og:image": card,
        "og:image:type": "image/png",
        "og:image:width": str(CARD_WIDTH),
        "og:image:height": str(CARD_HEIGHT),
        "og:image:alt": shown,
        **({"profile:username": found.world["handle"]} if found.ref.kind is Kind.ARTIST else {}),
    }
    twitter = {
        "description": found.said,
        "theme-color": found.tokens.get("base", "#15131a"),
        "twitter:card": "summary_large_image",
        "twitter:title": title,
        "twitter:description": found.said,
        "twitter:image": card,
        "twitter:image:alt": shown,
    }
    embedded = f"{origin}/oembed?{urlencode({'url': url, 'format': 'json'})}"
    lines = [
        f"<title>{escape(title)}</title>",
        f'<link rel="canonical" href="{escape(url)}">',
        f'<link rel="alternate" type="application/json+oembed" href="{escape(embedded)}" title="{escape(title)}">',
        *[f'<meta property="{name}" content="{escape(value)}">' for name, value in named.items()],
        *[f'<meta name="{name}" content="{escape(value)}">' for name, value in twitter.items()],
    ]
    return "\n    ".join(lines)


@cache
def read_page(name: str) -> str:
    """One packaged file; a name is never taken from a request."""
    return resources.files("graph.server").joinpath("pages", name).read_text(encoding="utf-8")


def page_files(names: Sequence[str]) -> list[Route]:
    """The addresses of some files of pages."""
    return [Route(f"/pages/{name}", _file(name)) for name in names]


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def file(request: Request) -> Response:
        return told(request, read_page(name).encode(), _TYPES[name.rpartition(".")[2]], caching="no-cache")

    return file


_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    {head}
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/pages/world.css">
  </head>
  <body>
    <main>
      <img src="{card}" width="{width}" height="{height}" alt="">
      <p class="word">{word}</p>
      <h1>{title}</h1>
      <p>{said}</p>
      <ul>{links}</ul>
    </main>
  </body>
</html>
"""
