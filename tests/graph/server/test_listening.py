"""The page of a room is served from our own files only, in development only, under a strict policy."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import httpx
import pytest

from db.engine import Database
from graph.schema import executable
from graph.server.app import Application
from graph.server.listening import FILES
from graph.server.settings import Environment, Settings

FOLDER = resources.files("graph.server") / "pages"
SOURCES = {name: (FOLDER / name).read_text() for name in ("room.html", *FILES)}


async def get(app: Any, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
        return await client.get(path)


@pytest.fixture
def apps(scene_database: Database, tmp_path: Any) -> dict[Environment, Application]:
    """The product in each environment."""
    return {
        environment: Application(Settings(data=tmp_path, environment=environment), scene_database, executable())
        for environment in Environment
    }


async def test_it_is_there_for_every_world_in_development_and_nowhere_else(
    apps: dict[Environment, Application],
) -> None:
    for environment, app in apps.items():
        served = environment is Environment.DEVELOPMENT
        for path in ("/rooms/nova", "/rooms/nobody", *(f"/pages/{name}" for name in FILES)):
            answer = await get(app, path)
            assert answer.status_code == (200 if served else 404), path
        for path in ("/pages/room.html", "/pages/nothing.js", "/pages/..%2flistening.py", "/rooms", "/rooms/a/b"):
            assert (await get(app, path)).status_code == 404, path


async def test_its_policy_lets_nothing_in_from_elsewhere_and_runs_nothing_inline(
    apps: dict[Environment, Application],
) -> None:
    answer = await get(apps[Environment.DEVELOPMENT], "/rooms/nova")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", SOURCES["room.html"])


@pytest.mark.parametrize("name", SOURCES)
def test_its_files_name_no_other_host_and_write_no_markup(name: str) -> None:
    assert not re.search(r"(?:https?|wss?):(?!\$)//|[\"'(]//\w", SOURCES[name])
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", SOURCES[name])


def test_every_field_has_a_name_that_is_read_aloud() -> None:
    page = SOURCES["room.html"]
    for id_ in re.findall(r'<input id="(\w+)"', page):
        assert f'<label for="{id_}">' in page
    for section in re.findall(r'aria-labelledby="([\w-]+)"', page):
        assert f'id="{section}"' in page
    assert 'role="alert"' in page
    assert 'role="log"' in page
