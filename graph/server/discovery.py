"""How programs find what there is: the map of the interface, OpenAPI, llms.txt, the catalogue of RFC 9727, a page."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph.agents.building import OPENAPI, checked_in
from graph.agents.openapi import GUIDANCE
from graph.agents.paid import paid_paths
from graph.server.offering import Offering
from graph.server.wellknown import told

CATALOGUE = "/.well-known/api-catalog"
PROFILE = "https://www.rfc-editor.org/info/rfc9727"
LINKS = {
    "openapi": "/openapi.json",
    "mcp": "/mcp",
    "llms": "/llms.txt",
    "documentation": "/docs",
    "license": "/license.xml",
    "robots": "/robots.txt",
    "graphql": "/graphql",
    "schema": "/schema.graphql",
    "keys": "/.well-known/did.json",
    "log": "/log/checkpoint",
    "catalogue": CATALOGUE,
}
_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1c120c"/>'
    b'<circle cx="16" cy="16" r="9" fill="none" stroke="#e0a458" stroke-width="3"/>'
    b'<circle cx="16" cy="16" r="2.5" fill="#e0a458"/></svg>'
)
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Casset for programs</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="/favicon.svg">
<h1>Casset for programs</h1>
<p>Worlds are for people; this is how programs read what lies beneath them. {guidance}</p>
<h2>Where</h2><ul>{links}</ul>
<h2>Operations</h2>
<table><thead><tr><th>Ask</th><th>What it does</th><th>Who</th></tr></thead><tbody>{rows}</tbody></table>
</html>
"""


class Told(NamedTuple):
    """What is told of an operation, whether it is one over the graph or is paid for.

    Attributes:
        open: anybody may ask.
        scopes: those a key needs one of; people need none.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str
    open: bool
    scopes: list[str]


class Discovery:
    """What is told about what is offered."""

    def __init__(self, offering: Offering) -> None:
        """Tell of an offering; nothing is read before somebody asks."""
        self._offering = offering

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/api/agents", self._agents),
            Route("/openapi.json", self._openapi),
            Route("/llms.txt", self._llms),
            Route("/docs", self._page),
            Route("/favicon.svg", _icon),
            Route(CATALOGUE, self._catalogue),
        ]

    @cached_property
    def _operations(self) -> list[Told]:
        over_the_graph = [
            Told(
                each.name,
                each.route.method,
                each.route.path,
                each.summary,
                each.description,
                each.access.open,
                sorted(each.access.scopes),
            )
            for each in self._offering.operations.values()
            if each.route is not None
        ]
        paid = [
            Told(
                operation["operationId"][0].upper() + operation["operationId"][1:],
                method.upper(),
                path,
                operation["summary"],
                operation["description"],
                open=False,
                scopes=operation["x-scopes"],
            )
            for path, item in paid_paths()
            for method, operation in item.items()
        ]
        return over_the_graph + paid

    @cached_property
    def _map(self) -> bytes:
        names = ("name", "method", "path", "summary", "open", "scopes")
        operations = [{name: getattr(each, name) for name in names} for each in self._operations]
        return orjson.dumps({"name": "Casset", "guidance": GUIDANCE, "links": LINKS, "operations": operations})

    async def _agents(self, request: Request) -> Response:
        return told(request, self._map, "application/json")

    async def _openapi(self, request: Request) -> Response:
        return told(request, checked_in(OPENAPI), "application/json")

    async def _llms(self, request: Request) -> Response:
        """As llmstxt.org has it: a heading, what it is, and lists of links."""
        base = str(request.base_url).rstrip("/")
        lines = [
            "# Casset",
            "",
            (
                "> The artist home for audiovisual music identity: worlds, hooks and rooms over one graph of assets. "
                "Programs resolve a work, read what it is made of, and ask what may be done with it."
            ),
            "",
            GUIDANCE,
            "",
            "## Contract",
            "",
            f"- [OpenAPI]({base}/openapi.json): every operation over HTTP, with its schemas",
            f"- [Tools]({base}/mcp): the same operations for MCP, streamable HTTP",
            f"- [Map]({base}/api/agents): every operation on one page of JSON",
            "",
            "## Operations",
            "",
            *[f"- [{each.method} {each.path}]({base}/docs): {each.summary}" for each in self._operations],
            "",
            "## Optional",
            "",
            f"- [Schema]({base}/schema.graphql): the graph beneath it all, in GraphQL",
            f"- [Keys]({base}/.well-known/did.json): what manifests and the log are signed with",
            f"- [Log]({base}/log/checkpoint): everything that happened, as an append-only log",
            "",
        ]
        return told(request, "\n".join(lines).encode(), "text/markdown; charset=utf-8")

    async def _page(self, request: Request) -> Response:
        links = "".join(f'<li><a href="{where}">{name}</a></li>' for name, where in LINKS.items())
        rows = "".join(
            f"<tr><td><code>{each.method} {escape(each.path)}</code></td>"
            f"<td>{escape(each.description)}</td>"
            f"<td>{'anybody' if each.open else ', '.join(each.scopes) or 'people'}</td></tr>"
            for each in self._operations
        )
        page = _PAGE.format(guidance=escape(GUIDANCE), links=links, rows=rows)
        return told(request, page.encode(), "text/html; charset=utf-8")

    async def _catalogue(self, request: Request) -> Response:
        """The interfaces of this house (RFC 9727), as a set of links (RFC 9264)."""
        base = str(request.base_url).rstrip("/")
        described = {"href": f"{base}/openapi.json", "type": "application/vnd.oai.openapi+json"}
        linkset = [
            {
                "anchor": f"{base}{CATALOGUE}",
                "item": [{"href": f"{base}/api/agents"}, {"href": f"{base}/mcp"}, {"href": f"{base}/graphql"}],
            },
            {
                "anchor": f"{base}/api/agents",
                "service-desc": [described],
                "service-doc": [{"href": f"{base}/docs", "type": "text/html"}],
                "status": [{"href": f"{base}/readyz"}],
            },
            {
                "anchor": f"{base}/graphql",
                "service-desc": [{"href": f"{base}/schema.graphql", "type": "application/graphql"}],
            },
        ]
        media_type = f'application/linkset+json; profile="{PROFILE}"'
        answer = told(request, orjson.dumps({"linkset": linkset, "profile": PROFILE}), media_type)
        answer.headers["link"] = f'<{CATALOGUE}>; rel="api-catalog"'
        return answer


async def _icon(request: Request) -> Response:
    """The sign by which lists of houses show this one."""
    return told(request, _ICON, "image/svg+xml")
