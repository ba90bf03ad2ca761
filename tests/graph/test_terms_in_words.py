"""A hook has verdicts of its own, and a release says in one sentence what may be done with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from domain.accounts import Viewer
from graph.execution import Execution
from graph.reading import Reader
from tests.graph.scene import Scene

Ask = Callable[..., Coroutine[Any, Any, Any]]

VERDICT = """{
  use layer decision reasons clearByReason route { kind } conflicts { licenses }
  blockers { layer decision reason clause asset { id } owner { handle } path { kind } }
  askAtLeast { owner { handle } assets { id } } clearBy { reRecordable step { kind edge { id } } }
}"""
VIEWERS = ("anonymous", "agent", "owner", "stranger")


@pytest.fixture(params=Execution)
def ask(scene: Scene, readers: dict[Execution, Reader], request: pytest.FixtureRequest) -> Ask:
    async def asked(query: str, viewer: Viewer, **variables: Any) -> Any:
        answer = json.loads((await readers[request.param].answer(query, None, variables, viewer)).body)
        assert "errors" not in answer, answer
        return answer["data"]

    return asked


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_the_rights_of_a_hook_are_those_of_its_tracks_window(scene: Scene, ask: Ask, viewer: str) -> None:
    hooks = [ref for name, ref in scene.rows.refs.items() if ref.startswith("hook_")]
    found = await ask(
        f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Hook {{ startMs endMs remixTerms rights {VERDICT}"
        " track { id } } } }",
        scene.viewers[viewer],
        ids=hooks[:100],
    )
    told = [hook for hook in found["nodes"] if hook and hook["track"]]
    assert told
    for hook in told[:12]:
        asset = await ask(
            f"query($id: ID!, $window: WindowInput!) {{ asset(id: $id) {{ rights(window: $window) {VERDICT} }} }}",
            scene.viewers[viewer],
            id=hook["track"]["id"],
            window={"startMs": hook["startMs"], "endMs": hook["endMs"]},
        )
        assert hook["rights"] == asset["asset"]["rights"]
        assert hook["remixTerms"].endswith(".")


async def test_a_hook_tells_strangers_nothing_of_a_track_they_may_not_read(scene: Scene, ask: Ask) -> None:
    query = "query($id: ID!) { node(id: $id) { ... on Hook { caption remixTerms rights { decision } } } }"
    teased = (await ask(query, scene.viewers["anonymous"], id=scene["hook.lead"]))["node"]
    assert teased == {"caption": "Lead hook", "remixTerms": None, "rights": None}
    mine = (await ask(query, scene.viewers["owner"], id=scene["hook.lead"]))["node"]
    assert mine["remixTerms"]
    assert mine["rights"]


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_a_release_that_is_shown_says_what_may_be_done_with_it(scene: Scene, ask: Ask, viewer: str) -> None:
    releases = [ref for ref in scene.rows.refs.values() if ref.startswith("release_")]
    query = (
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Release { createdAt termsInWords rights { use decision } } } }"
    )
    found = [node for node in (await ask(query, scene.viewers[viewer], ids=releases[:100]))["nodes"] if node]
    assert [node["termsInWords"] is None for node in found] == [node["createdAt"] is None for node in found]
    shown = [node for node in found if node["createdAt"]]
    assert shown
    for node in shown:
        if all(verdict["decision"] == "ALLOWED" for verdict in node["rights"]):
            assert node["termsInWords"].startswith("You may remix it")


async def test_a_world_answers_what_may_be_done_with_its_releases(scene: Scene, ask: Ask) -> None:
    query = '{ world(handle: "nova") { releases { nodes { termsInWords hook { remixTerms } } } } }'
    releases = (await ask(query, scene.viewers["anonymous"]))["world"]["releases"]["nodes"]
    told = [release["termsInWords"] for release in releases if release["termsInWords"]]
    assert told
    assert all(said[0].isupper() and said.endswith(".") for said in told)
