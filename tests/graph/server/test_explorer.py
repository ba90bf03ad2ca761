"""GraphiQL is served from our own files only: fixed list, right types, strict CSP."""

import re
from importlib import resources

import httpx
import pytest
from starlette.applications import Starlette

from graph.server import explorer

FOLDER = resources.files("graph.server") / "graphiql"
ABSOLUTE_URL = re.compile(r"(?:https?|wss?):|[\"'(=\s]//[\w.-]+", re.IGNORECASE)
ASSET_PATH = re.compile(r"[\"'](/graphiql/[^\"']+)[\"']")


async def get(path: str, method: str = "GET") -> httpx.Response:
    """One request to an app that has only the explorer's routes."""
    transport = httpx.ASGITransport(app=Starlette(routes=explorer.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path)


async def raw_status(path: str) -> int:
    """Status of a GET whose path no client library has tidied."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"test")],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    await Starlette(routes=explorer.routes())(scope, receive, send)
    status = sent[0]["status"]
    assert isinstance(status, int)
    return status


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


async def test_page_is_html_under_the_strict_policy() -> None:
    answer = await get("/graphiql")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert answer.text == text("index.html")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("LICENSES.txt", "text/plain; charset=utf-8"),
        ("boot.js", "text/javascript; charset=utf-8"),
        ("example.graphql", "text/plain; charset=utf-8"),
        ("graphiql.min.css", "text/css; charset=utf-8"),
        ("graphiql.min.js", "text/javascript; charset=utf-8"),
        ("react-dom.production.min.js", "text/javascript; charset=utf-8"),
        ("react.production.min.js", "text/javascript; charset=utf-8"),
    ],
)
async def test_asset_is_served_with_its_type(name: str, content_type: str) -> None:
    answer = await get(f"/graphiql/{name}")
    assert answer.status_code == 200
    assert answer.headers.get_list("content-type") == [content_type]
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == (FOLDER / name).read_bytes()


def test_the_list_is_the_folder_without_the_page() -> None:
    names = {entry.name for entry in FOLDER.iterdir() if entry.is_file()}
    assert set(explorer.ASSETS) == names - {"index.html"}


@pytest.mark.parametrize(
    "path",
    [
        "/graphiql/index.html",
        "/graphiql/unlisted.js",
        "/graphiql/BOOT.JS",
        "/graphiql/%2e%2e%2fexplorer.py",
        "/graphiql/..%2Fexplorer.py",
        "/graphiql/%252e%252e%252fexplorer.py",
        "/graphiql/..%5Cexplorer.py",
        "/graphiql/boot.js%00",
        "/graphiql/boot.js/extra",
    ],
)
async def test_any_other_file_is_not_found(path: str) -> None:
    assert (await get(path)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/graphiql/../explorer.py",
        "/graphiql/..",
        "/graphiql/./boot.js",
        "/graphiql//boot.js",
        "/graphiql//etc/passwd",
        "/graphiql/graphiql/../boot.js",
    ],
)
async def test_path_traversal_is_not_found(path: str) -> None:
    assert await raw_status(path) == 404


async def test_only_reading_is_allowed() -> None:
    assert (await get("/graphiql", "POST")).status_code == 405
    assert (await get("/graphiql/boot.js", "POST")).status_code == 405
    assert (await get("/graphiql/boot.js", "HEAD")).status_code == 200


@pytest.mark.parametrize("name", ["index.html", "boot.js"])
def test_our_own_files_name_no_other_host(name: str) -> None:
    assert ABSOLUTE_URL.findall(text(name)) == []


def test_stylesheet_loads_nothing() -> None:
    css = text("graphiql.min.css")
    assert "@import" not in css
    targets = re.findall(r"url\(\s*[\"']?(.{5})", css)
    assert targets
    assert set(targets) == {"data:"}


async def test_every_referenced_file_is_served() -> None:
    paths = ASSET_PATH.findall(text("index.html") + text("boot.js"))
    assert {path.removeprefix("/graphiql/") for path in paths} == set(explorer.ASSETS) - {"LICENSES.txt"}
    for path in paths:
        assert (await get(path)).status_code == 200


def test_page_has_no_inline_script() -> None:
    html = text("index.html")
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r"\son\w+\s*=", html) == []


@pytest.mark.parametrize("name", sorted(explorer.ASSETS))
def test_no_source_map_is_promised(name: str) -> None:
    assert "sourceMappingURL" not in text(name)


def test_licenses_name_what_is_distributed() -> None:
    licenses = text("LICENSES.txt")
    for package in ("graphiql 4.1.2", "react 18.3.1", "react-dom 18.3.1"):
        assert f"\n{package}  [MIT]\n" in licenses
