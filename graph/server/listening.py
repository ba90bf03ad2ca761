"""A small page that listens in a room: `/rooms/{handle}`, served in development, written against the public API alone.

Nothing is loaded from another host and nothing runs inline, so the page carries a strict Content-Security-Policy.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graph.server.addresses import CONTENT_SECURITY_POLICY, page_files, read_page

FILES: Final = ("room.css", "room.js")


async def page(_: Request) -> Response:
    """The page, whatever the world: what is there, and for whom, the API says."""
    headers = {"cache-control": "no-cache", "content-security-policy": CONTENT_SECURITY_POLICY}
    return Response(read_page("room.html"), media_type="text/html", headers=headers)


def routes() -> list[Route]:
    """The address of the page, and of its files."""
    return [Route("/rooms/{handle}", page), *page_files(FILES)]
