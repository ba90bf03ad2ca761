"""A small page that listens in a room: `/rooms/{handle}`, served in development, written against the public API alone.

Nothing is loaded from another host and nothing runs inline, so the page carries a strict Content-Security-Policy.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES: Final = {"room.css": "text/css; charset=utf-8", "room.js": "text/javascript; charset=utf-8"}
_FRESH: Final = {"cache-control": "no-cache"}


@cache
def _read(name: str) -> bytes:
    """One packaged file; a name is never taken from a request unchecked."""
    return resources.files("graph.server").joinpath("pages", name).read_bytes()


async def page(_: Request) -> Response:
    """The page, whatever the world: what is there, and for whom, the API says."""
    headers = {**_FRESH, "content-security-policy": CONTENT_SECURITY_POLICY}
    return Response(_read("room.html"), media_type="text/html", headers=headers)


async def file(request: Request) -> Response:
    """One of its files; 404 for any other name."""
    name: str = request.path_params["file"]
    if name not in FILES:
        raise HTTPException(status_code=404)
    return Response(_read(name), headers={**_FRESH, "content-type": FILES[name]})


def routes() -> list[Route]:
    """The address of the page, and of its files."""
    return [Route("/rooms/{handle}", page), Route("/pages/{file}", file)]
