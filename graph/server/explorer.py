"""GraphiQL, served entirely by this server: one page and a fixed list of static files.

Nothing is loaded from another host and no inline script runs, so the page carries a strict
Content-Security-Policy. The page calls ``/graphql``; its files live under ``/graphiql/``.
"""

from functools import cache
from importlib import resources
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

ASSETS: Final[dict[str, str]] = {
    "LICENSES.txt": "text/plain; charset=utf-8",
    "boot.js": "text/javascript; charset=utf-8",
    "example.graphql": "text/plain; charset=utf-8",
    "graphiql.min.css": "text/css; charset=utf-8",
    "graphiql.min.js": "text/javascript; charset=utf-8",
    "react-dom.production.min.js": "text/javascript; charset=utf-8",
    "react.production.min.js": "text/javascript; charset=utf-8",
}


@cache
def _read(name: str) -> bytes:
    """Return one packaged file; ``name`` is never taken from a request unchecked."""
    return resources.files("graph.server").joinpath("graphiql", name).read_bytes()


async def page(_request: Request) -> Response:
    """Answer the GraphiQL page with its Content-Security-Policy."""
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_read("index.html"), media_type="text/html", headers=headers)


async def asset(request: Request) -> Response:
    """Answer one allow-listed static file, or 404 for any other name."""
    name: str = request.path_params["file"]
    content_type = ASSETS.get(name)
    if content_type is None:
        raise HTTPException(status_code=404)
    headers = {
        "Cache-Control": "public, max-age=3600",
        "Content-Type": content_type,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_read(name), headers=headers)


def routes() -> list[Route]:
    """Return the routes of the page (``/graphiql``) and of its files (``/graphiql/{file}``)."""
    return [
        Route("/graphiql", page, methods=["GET"], name="graphiql"),
        Route("/graphiql/{file}", asset, methods=["GET"], name="graphiql-asset"),
    ]
