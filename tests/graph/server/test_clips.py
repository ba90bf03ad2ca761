"""A clip is as long as its sound was read to be, and is heard over HTTP by who may see it, as long as they may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from domain.ids import Kind, Ref
from tests.graph.server.recordings import HOOK, OPEN, STRANGE, Listening, listening, wav

AT = str(Ref(Kind.HOOK, HOOK))
REPLIES = f'{{ node(id: "{AT}") {{ ... on Hook {{ replies {{ nodes {{ durationMs playback {{ url }} }} }} }} }} }}'


@pytest.fixture
async def here(database: Database, tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(database, tmp_path) as house:
        yield house


async def ask(here: Listening, who: str | None, document: str, **given: Any) -> Any:
    sent = {"query": document, "variables": {"input": given} if given else {}}
    answer = await here.client.post("/graphql", json=sent, headers=here.by(who))
    told = answer.json()
    assert "errors" not in told, told
    return next(iter(told["data"].values()))


async def do(here: Listening, who: str, deed: str, asked: str, **given: Any) -> Any:
    name = deed[0].upper() + deed[1:]
    success = f"{name}Success" if deed in {"createAsset", "setAssetState", "setCredits"} else "ClipSuccess"
    input_ = f"{name}Input" if deed not in {"approveClip", "removeClip"} else "ClipInput"
    refused = "__typename ... on UserError { code message }"
    document = (
        f"mutation ($input: {input_}!) {{ {deed}(input: $input) {{ {refused} ... on {success} {{ {asked} }} }} }}"
    )
    return await ask(here, who, document, **given)


async def sample(here: Listening, file: bytes) -> str:
    """A sample of Bo's with a recording that was read."""
    owner = str(Ref(Kind.ARTIST, STRANGE))
    made = await do(here, "bo", "createAsset", "asset { id }", owner=owner, title="Reply", details={"sample": {}})
    id_ = str(made["asset"]["id"])
    upload = f"/api/upload/media?asset={id_}&role=MASTER"
    answer = await here.client.post(upload, content=file, headers=here.by("bo"))
    assert answer.status_code == 201, answer.text
    await here.work()
    credits_ = [{"party": {"artist": owner}, "role": "PRODUCER"}]
    told = await do(here, "bo", "setCredits", "asset { version }", asset=id_, credits=credits_, expectedVersion=2)
    version = told["asset"]["version"]
    await do(here, "bo", "setAssetState", "asset { id }", id=id_, state="UNLISTED", expectedVersion=version)
    return id_


async def test_all_of_a_clip_is_heard_by_everybody_until_it_is_taken_away(here: Listening) -> None:
    await here.has(OPEN)
    file = wav(40, seed=3)
    sent = await do(here, "bo", "submitClip", "clip { id }", asset=await sample(here, file), hook=AT)
    clip = sent["clip"]["id"]
    assert (await ask(here, None, REPLIES))["replies"]["nodes"] == []
    await do(here, "ada", "approveClip", "clip { id }", clip=clip)
    ((reply,),) = [(await ask(here, None, REPLIES))["replies"]["nodes"]]
    assert reply["durationMs"] == 40_000
    heard = await here.client.get(reply["playback"]["url"])
    assert (heard.status_code, heard.content) == (200, file)
    await do(here, "ada", "removeClip", "clip { id }", clip=clip)
    gone = await here.client.get(reply["playback"]["url"])
    assert (gone.status_code, gone.json()["code"]) == (403, "FORBIDDEN"), "the address is good for nothing by now"


async def test_a_second_more_than_a_minute_and_the_artists_own_master_are_no_clips(here: Listening) -> None:
    master = await here.has(OPEN, wav(50, seed=4))
    for file, said in ((wav(61, seed=5), "60 seconds"), (master, "own making")):
        told = await do(here, "bo", "submitClip", "clip { id }", asset=await sample(here, file), hook=AT)
        assert (told["code"], said in told["message"]) == ("VALIDATION", True), told
