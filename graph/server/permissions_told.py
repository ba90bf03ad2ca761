"""What may be done with works, where crawlers and agents look for it: robots.txt, RSL, TDMRep, ODRL, CAWG and headers.

Of the house as a whole nothing is opened: what is open is told work by work.
"""

from __future__ import annotations

import time
from collections import OrderedDict

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.changes import seen_now
from db.verdicts import ASSET_REF_KINDS
from domain.accounts import PROGRAM
from domain.errors import BadInput, NotFound
from domain.ids import Kind, Ref, parse_ref_of
from domain.permissions_told import NOTHING, cawg, content_signal, content_usage, odrl, reservation, rsl
from graph.server.buckets import Buckets
from graph.server.offering import NOT_THERE
from graph.server.requests import Headers, Scope
from graph.server.rest import Reception, address, paid
from graph.server.wellknown import told
from resolvers.permissions_told import ToldOf, told_of

RSL_TYPE = "application/rsl+xml"
KEPT_SECONDS, MOST_KEPT = 30.0, 10_000
"""How long what is told of a work is kept here, which is as long as caches keep what is read of it. Where anything was
written meanwhile it is decided again: nothing is told that is more open than what is stated by now."""
POINTS = 100
"""Of the graph, for a work that is asked about by itself: all it is made of may have to be looked at."""


class PermissionsTold:
    """What is told of everything, and of each work."""

    def __init__(self, reception: Reception, buckets: Buckets) -> None:
        """Tell what a database has, to whom has points left for what it takes to decide."""
        self._reception = reception
        self._buckets = buckets
        self._kept: OrderedDict[Ref, tuple[float, bytes, ToldOf]] = OrderedDict()

    def routes(self) -> list[Route]:
        """The addresses."""
        of_a_work = [
            Route(f"/api/agents/{family}/{{id}}/{name}", endpoint)
            for family in ("releases", "assets")
            for name, endpoint in (
                ("license.xml", self._license),
                ("policy.jsonld", self._policy),
                ("cawg.json", self._assertion),
            )
        ]
        return [
            Route("/robots.txt", _robots),
            Route("/license.xml", _house_license),
            Route("/.well-known/tdmrep.json", _reserved),
            *of_a_work,
        ]

    async def headers_of(self, asset: Ref, base: str) -> Headers:
        """What is said beside what is read of a work; nothing where there is none for everybody.

        Args:
            asset: the work.
            base: where this house is, as its client sees it.
        """
        try:
            found = await self._of(asset)
        except NotFound:
            return ()
        here = _address(found.asset)
        headers = {
            "content-usage": content_usage(found.permissions),
            **reservation(found.permissions, f"{base}{here}/policy.jsonld"),
            "link": f'<{base}{here}/license.xml>; rel="license"; type="{RSL_TYPE}"',
        }
        return tuple([(name.encode(), value.encode()) for name, value in headers.items()])

    async def _of(self, asset: Ref) -> ToldOf:
        # Before it is decided, so that what is written meanwhile lets it be decided again.
        seen = await seen_now(self._reception.database)
        known = self._kept.get(asset)
        if known is not None and known[1] == seen and time.monotonic() - known[0] < KEPT_SECONDS:
            return known[2]
        found = await told_of(self._reception.acting(PROGRAM), asset)
        self._kept[asset] = time.monotonic(), seen, found
        self._kept.move_to_end(asset)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _asked(self, request: Request) -> ToldOf:
        await paid(self._buckets, address(request), POINTS)
        return await self._of(_named(request))

    async def _license(self, request: Request) -> Response:
        """What may be done with a work, as RSL has it."""
        found, base = await self._asked(request), base_of(request.scope)
        here = f"{base}{_address(found.asset)}"
        body = rsl(found.permissions, here, f"{here}/license/quote", _contact(base, found))
        return told(request, body, RSL_TYPE)

    async def _policy(self, request: Request) -> Response:
        """What may be done with a work, as an offer of ODRL."""
        found, base = await self._asked(request), base_of(request.scope)
        here = f"{base}{_address(found.asset)}"
        offer = odrl(found.permissions, f"{here}/policy.jsonld", here, _contact(base, found))
        return told(request, orjson.dumps(offer), "application/ld+json")

    async def _assertion(self, request: Request) -> Response:
        """What may be done with a work, as an assertion of CAWG for what C2PA says of its file."""
        found, base = await self._asked(request), base_of(request.scope)
        quote = f"{base}{_address(found.asset)}/license/quote"
        return told(request, orjson.dumps(cawg(found.permissions, quote, _contact(base, found))), "application/json")


def base_of(scope: Scope) -> str:
    """Where this house is, as its client sees it."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return f"{scope.get('scheme', 'http')}://{host.decode('latin-1')}"


def _named(request: Request) -> Ref:
    kinds = frozenset({Kind.RELEASE}) if "/releases/" in request.url.path else ASSET_REF_KINDS
    try:
        return parse_ref_of(request.path_params["id"], kinds)
    except BadInput:
        raise NotFound(NOT_THERE) from None


def _address(asset: Ref) -> str:
    return f"/api/agents/{'releases' if asset.kind is Kind.RELEASE else 'assets'}/{asset}"


def _contact(base: str, found: ToldOf) -> str:
    return f"{base}/api/agents/resolve?ref={found.owner}"


async def _robots(request: Request) -> Response:
    """For everybody who crawls: read, and learn from nothing unless a work says so itself."""
    lines = [
        "User-Agent: *",
        f"Content-Signal: {content_signal(NOTHING)}",
        f"Content-Usage: {content_usage(NOTHING)}",
        "Disallow: /graphql",
        "Allow: /",
        "",
        f"License: {base_of(request.scope)}/license.xml",
        "",
    ]
    return told(request, "\n".join(lines).encode(), "text/plain; charset=utf-8")


async def _house_license(request: Request) -> Response:
    base = base_of(request.scope)
    return told(request, rsl(NOTHING, f"{base}/", f"{base}/api/agents", f"{base}/api/agents"), RSL_TYPE)


async def _reserved(request: Request) -> Response:
    body = orjson.dumps([{"location": "/", "tdm-reservation": int(reservation(NOTHING, "")["tdm-reservation"])}])
    return told(request, body, "application/json")
