"""What people make from a hook is heard once its artist lets it be, by everybody, and never longer than that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from db import tables
from db.engine import Database
from domain.canonical import digest
from domain.clips import LONGEST_MS, MOST_WAITING
from domain.ids import parse_ref
from resolvers.context import uuid7
from tests.graph.albums import rows, version_of
from tests.graph.company import Company, company
from tests.graph.test_rituals import announced, pass_by

CLIP = "clip { id state }"
REPLIES = """query ($id: ID!) { node(id: $id) { ... on Hook { replies { nodes { id state durationMs startMs endMs
    playback { startMs durationMs } sample { title } world { handle } ritual { id } } totalCount } } } }"""
LEFT_BEHIND = (
    *(tables.clip, tables.lineage_edge, tables.provenance_event, tables.activity, tables.signal, tables.room_event),
    *(tables.change, tables.outbox),
)
NOWHERE = "clip_01jd0000000000000000000000"


@dataclass
class Stage:
    """Nova's track with a hook and a room, and Bo, who makes clips for Far."""

    here: Company
    hook: str
    room: str

    async def sample(self, title: str = "Reply", *, state: str = "PUBLIC", credited: bool = True, **sound: Any) -> str:
        """A sample of Far's with a master that was read, as Bo makes it."""
        given = {"owner": self.here.ids["far"], "title": title, "details": {"sample": {}}}
        sample = str((await self.here.do("bo", "createAsset", "asset { id }", **given))["asset"]["id"])
        if sound.get("content", "READY") is not None:
            await self.sound(sample, **sound)
        if credited:
            credits_ = [{"party": {"artist": self.here.ids["far"]}, "role": "PRODUCER"}]
            told = await self.here.do(
                "bo", "setCredits", "asset { id }", asset=sample, credits=credits_, expectedVersion=1
            )
            assert told["__typename"] == "SetCreditsSuccess", told
        await self.show(sample, state)
        return sample

    async def show(self, sample: str, state: str) -> None:
        """Let others see a sample of Far's so far."""
        version = await version_of(self.here, sample)
        await self.here.do("bo", "setAssetState", "asset { id }", id=sample, state=state, expectedVersion=version)

    async def sound(
        self, asset: str, content: str = "READY", lasts: int = 20_000, sha256: str | None = None, pcm: str | None = None
    ) -> None:
        """Give an asset another master."""
        row = {"id": uuid7(), "asset_id": parse_ref(asset).id, "role": "MASTER", "mime_type": "audio/wav"}
        row |= {"sha256": sha256 or digest(uuid7().bytes), "duration_ms": lasts}
        async with self.here.database.write() as connection:
            await connection.execute(insert(tables.media).values(row))
            read = {"media_id": row["id"], "format": "WAV", "state": content, "pcm_sha256": pcm}
            await connection.execute(insert(tables.media_content).values(read))

    async def send(self, sample: str, who: str = "bo", **more: Any) -> Any:
        return await self.here.do(who, "submitClip", CLIP, asset=sample, hook=self.hook, **more)

    async def sent(self, title: str = "Reply", **more: Any) -> str:
        """A clip that waits."""
        told = await self.send(await self.sample(title), **more)
        assert told["__typename"] == "ClipSuccess", told
        return str(told["clip"]["id"])

    async def decide(self, deed: str, clip: str, who: str = "ada") -> Any:
        told = await self.here.do(who, f"{deed}Clip", CLIP, clip=clip)
        return told.get("clip", told)

    async def replies(self, who: str | None = None) -> list[Any]:
        told, _ = await self.here.ask(who, REPLIES, id=self.hook)
        assert told["replies"]["totalCount"] == len(told["replies"]["nodes"])
        return list(told["replies"]["nodes"])

    async def seen(self, clip: str, who: str | None) -> Any:
        return (await self.here.ask(who, "query ($id: ID!) { node(id: $id) { id } }", id=clip))[0]

    async def inbox(self, who: str) -> list[tuple[str, int]]:
        told, _ = await self.here.ask(who, "{ viewer { activity { nodes { kind times handle } } } }")
        return [(line["kind"], line["times"]) for line in told["activity"]["nodes"]]

    async def left(self) -> list[int]:
        return [await self.here.count(table) for table in LEFT_BEHIND]


@pytest.fixture
async def stage(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with company(database, tmp_path) as here:
        hook = (await here.do("ada", "setHook", "hook { id }", track=here.ids["track"]))["hook"]["id"]
        room = (await here.do("ada", "openRoom", "room { id }", subject=hook))["room"]["id"]
        yield Stage(here, hook, room)


async def test_a_clip_is_sent_in_approved_heard_by_everybody_and_taken_away(stage: Stage) -> None:
    here = stage.here
    clip = await stage.sent()
    waiting = "query ($id: ID!) { clips(filter: { artist: $id, states: [PENDING] }) { nodes { id playback { url } } } }"
    for who, found in (("ada", [clip]), ("bo", [clip]), ("cy", []), (None, [])):
        told, _ = await here.ask(who, waiting, id=here.ids["nova"])
        assert [each["id"] for each in told["nodes"]] == found
        assert all(each["playback"] for each in told["nodes"]), "who decides hears it"
        assert (await stage.seen(clip, who) is not None) == bool(found)
    assert await stage.replies() == await stage.replies("ada") == []
    assert await stage.inbox("ada") == [("CLIP_SENT", 1)]
    (edge,) = await rows(here, "SELECT kind, status, binding, parent_start_ms, parent_end_ms FROM lineage_edge")
    assert tuple(edge) == ("DERIVED_FROM", "CLAIMED", True, 35_000, 65_000)
    assert (await stage.decide("approve", clip))["state"] == "APPROVED"
    (reply,) = await stage.replies()
    assert (reply["id"], reply["durationMs"], reply["startMs"], reply["endMs"]) == (clip, 20_000, 35_000, 65_000)
    assert (reply["sample"], reply["world"]) == ({"title": "Reply"}, {"handle": "far"})
    assert reply["playback"] == {"startMs": 0, "durationMs": 20_000}, "all of it, for everybody"
    standing = "SELECT status, registration FROM lineage_edge WHERE upper_inf(known) AND upper_inf(valid)"
    assert [tuple(row) for row in await rows(here, standing)] == [("CONFIRMED", "REGISTERED")]
    events = [tuple(row) for row in await rows(here, "SELECT kind, account_id, payload FROM room_event")]
    assert events == [("CLIP_APPROVED", here.keys["bo"], {"clip": clip})]
    signals = [tuple(row) for row in await rows(here, "SELECT kind, account_id, own FROM signal")]
    assert signals == [("CLIP", here.keys["bo"], False)]
    assert await stage.inbox("bo") == [("CLIP_APPROVED", 1)]
    before = await stage.left()
    assert (await stage.decide("approve", clip))["code"] == "CONFLICT"
    assert (await stage.decide("reject", clip))["code"] == "CONFLICT"
    assert await stage.left() == before
    assert (await stage.decide("remove", clip))["state"] == "REMOVED"
    assert await stage.replies() == []
    assert await stage.seen(clip, None) is None
    assert await stage.inbox("bo") == [("CLIP_REMOVED", 1), ("CLIP_APPROVED", 1)]
    for deed, who in (("approve", "ada"), ("withdraw", "bo")):
        assert (await stage.decide(deed, clip, who))["code"] == "CONFLICT", "what is taken away stays away"


async def test_who_sent_a_clip_in_takes_it_back_and_may_send_it_again(stage: Stage) -> None:
    sample = await stage.sample(state="UNLISTED")
    first = (await stage.send(sample))["clip"]["id"]
    assert (await stage.send(sample))["code"] == "CONFLICT"
    await stage.decide("approve", first)
    assert [each["id"] for each in await stage.replies()] == [first], "also where it is unlisted"
    assert (await stage.decide("withdraw", first, "bo"))["state"] == "WITHDRAWN"
    assert await stage.replies() == []
    assert await stage.seen(first, "ada") is None
    again = (await stage.send(sample))["clip"]["id"]
    assert (await stage.decide("reject", again))["state"] == "REJECTED"
    assert await stage.seen(again, "bo") is not None
    assert (await stage.send(sample))["code"] == "CONFLICT", "what was decided against is not asked again"
    edges = "SELECT count(*) FROM lineage_edge WHERE upper_inf(known) AND upper_inf(valid)"
    assert [tuple(row) for row in await rows(stage.here, edges)] == [(1,)], "what it is made from is said once"


async def test_nobody_else_decides_and_what_is_not_theirs_looks_like_nothing(stage: Stage) -> None:
    clip = await stage.sent()
    before = await stage.left()
    for deed, who in (
        *((deed, who) for deed in ("approve", "reject", "remove") for who in ("bo", "cy")),
        *(("withdraw", who) for who in ("ada", "cy")),
    ):
        told = [await stage.decide(deed, each, who) for each in (clip, NOWHERE)]
        assert told[0] == told[1]
        assert told[0]["code"] == "NOT_FOUND"
    theirs = await stage.sample("Mine")
    for who in ("ada", "cy"):
        nothing = "sample_01jd0000000000000000000000"
        assert await stage.send(theirs, who) == await stage.send(nothing, who)
    assert await stage.left() == [before[0], *(await stage.left())[1:]]


@pytest.mark.parametrize(
    ("sound", "code"),
    [
        ({"lasts": LONGEST_MS + 1}, "VALIDATION"),
        ({"content": "RECEIVED"}, "CONFLICT"),
        ({"content": "REFUSED"}, "VALIDATION"),
        ({"content": None}, "VALIDATION"),
        ({"credited": False}, "VALIDATION"),
        ({"state": "PRIVATE"}, "VALIDATION"),
        ({"state": "WITHDRAWN"}, "VALIDATION"),
    ],
)
async def test_what_is_no_clip_leaves_nothing_behind(stage: Stage, sound: Any, code: str) -> None:
    sample = await stage.sample(**sound)
    before = await stage.left()
    told = await stage.send(sample)
    assert (told["code"], told["path"]) == (code, ["asset"])
    assert await stage.left() == before


async def test_sixty_seconds_are_taken(stage: Stage) -> None:
    assert (await stage.send(await stage.sample(lasts=LONGEST_MS)))["clip"]["state"] == "PENDING"


@pytest.mark.parametrize("state", ["PUBLIC", "UNLISTED", "PRIVATE"])
@pytest.mark.parametrize("same", ["sha256", "pcm"])
async def test_somebody_elses_sound_is_refused_in_one_sentence_whoever_may_see_it(
    stage: Stage, state: str, same: str
) -> None:
    taken = digest(b"taken")
    track = stage.here.ids["track"]
    await stage.here.alter(tables.asset, {"state": "PUBLIC"}, tables.asset.c.id == stage.here.keys["other"])
    made = await stage.here.do(
        "ada", "createAsset", "asset { id }", owner=stage.here.ids["nova"], title="x", details={"track": {}}
    )
    theirs = made["asset"]["id"]
    await stage.sound(theirs, **{same: taken})
    await stage.here.alter(tables.asset, {"state": state}, tables.asset.c.id == parse_ref(theirs).id)
    told = await stage.send(await stage.sample(**{same: taken}))
    assert told["message"] == "A clip is of your own making: this sound cannot be taken."
    assert track not in str(told)
    own = await stage.sample("Again", **{same: digest(b"own")})
    await stage.sound(stage.here.ids["other"], **{same: digest(b"own")})
    assert (await stage.send(own))["clip"]["state"] == "PENDING", "it is Bo's track, too"


async def test_another_sound_or_a_sample_that_is_gone_is_no_clip_any_more(stage: Stage) -> None:
    sample = await stage.sample()
    clip = (await stage.send(sample))["clip"]["id"]
    await stage.decide("approve", clip)
    for state, shown in (("PRIVATE", 0), ("ARCHIVED", 1), ("WITHDRAWN", 0), ("PUBLIC", 1)):
        await stage.show(sample, state)
        assert len(await stage.replies()) == shown, state
        assert (await stage.seen(clip, None) is None) == (not shown)
    await stage.sound(sample)
    assert await stage.replies() == []
    (mine,) = (await stage.here.ask("bo", "{ clips { nodes { id state } } }"))[0]["nodes"]
    assert mine == {"id": clip, "state": "APPROVED"}
    other = await stage.sample("Other")
    waiting = (await stage.send(other))["clip"]["id"]
    await stage.show(other, "PRIVATE")
    before = await stage.left()
    assert (await stage.decide("approve", waiting))["code"] == "CONFLICT", "there is nothing to be heard"
    assert await stage.left() == before
    assert (await stage.decide("reject", waiting))["state"] == "REJECTED"


async def test_who_comes_at_once_comes_once(stage: Stage) -> None:
    sample = await stage.sample()
    told = await asyncio.gather(*[stage.send(sample) for _ in range(4)])
    (clip,) = [each["clip"]["id"] for each in told if "clip" in each]
    assert [each["code"] for each in told if "code" in each] == ["CONFLICT"] * 3
    deeds = ["approve", "reject"] * 2
    told = await asyncio.gather(*[stage.decide(deed, clip) for deed in deeds])
    assert len([each for each in told if "id" in each]) == 1
    assert await stage.here.count(tables.activity) == 2, "one for who decides, one for who sent it in"
    keyed = [await stage.send(await stage.sample("Keyed"), idempotencyKey="k") for _ in range(1)]
    (row,) = await rows(stage.here, "SELECT ref FROM asset WHERE title = 'Keyed'")
    assert await stage.send(row.ref, idempotencyKey="k") == keyed[0]


async def test_no_more_wait_than_an_artist_may_be_asked(stage: Stage) -> None:
    clips = [await stage.sent(f"{number}") for number in range(MOST_WAITING)]
    more = await stage.sample("More")
    told = await stage.send(more)
    assert (told["code"], told["path"]) == ("CONFLICT", ["hook"])
    await stage.decide("reject", clips[0])
    assert (await stage.send(more))["clip"]["state"] == "PENDING"


async def test_a_hook_that_is_not_there_takes_nothing(stage: Stage) -> None:
    sample = await stage.sample()
    await stage.here.alter(tables.asset, {"state": "PRIVATE"}, tables.asset.c.id == stage.here.keys["track"])
    hidden = await stage.send(sample)
    nowhere = await stage.here.do("bo", "submitClip", CLIP, asset=sample, hook="hook_01jd0000000000000000000000")
    assert hidden == nowhere
    assert (hidden["code"], hidden["path"]) == ("NOT_FOUND", ["hook"])


async def test_a_ritual_takes_clips_until_it_is_over_and_remembers_those_that_were_heard(stage: Stage) -> None:
    here = stage.here
    ritual = (await announced(here, stage.hook))["ritual"]["id"]
    heard, late, other = [await stage.sent(title, ritual=ritual) for title in ("Heard", "Late", "Other")]
    await stage.decide("approve", heard)
    await stage.decide("reject", other)
    asked = "query ($id: ID!) { ritual(id: $id) { clips { nodes { id } } memory { clips } } }"
    assert (await here.ask(None, asked, id=ritual))[0] == {"clips": {"nodes": [{"id": heard}]}, "memory": None}
    await pass_by(here, ritual, 9)
    told = {"clips": {"nodes": [{"id": heard}]}, "memory": {"clips": 1}}
    assert (await here.ask(None, asked, id=ritual))[0] == told
    assert (await stage.send(await stage.sample("After"), ritual=ritual))["code"] == "CONFLICT"
    assert (await stage.decide("approve", late))["state"] == "APPROVED"
    assert (await here.ask(None, asked, id=ritual))[0] == told, "a memory does not change"
    assert {each["id"]: each["ritual"] for each in await stage.replies()} == {late: None, heard: {"id": ritual}}


async def test_a_ritual_that_was_called_off_or_is_around_something_else_takes_no_clips(stage: Stage) -> None:
    here = stage.here
    ritual = (await announced(here, stage.hook))["ritual"]["id"]
    await here.do("ada", "cancelRitual", "ritual { id }", ritual=ritual)
    sample = await stage.sample()
    told = await stage.send(sample, ritual=ritual)
    assert (told["code"], told["path"]) == ("CONFLICT", ["ritual"])
    elsewhere = (await here.do("bo", "setHook", "hook { id }", track=here.ids["other"]))["hook"]["id"]
    theirs = (await announced(here, elsewhere, "bo"))["ritual"]["id"]
    nowhere = "ritual_01jd0000000000000000000000"
    refused = [await stage.send(sample, ritual=each) for each in (theirs, nowhere)]
    assert refused[0] == refused[1]
    assert (refused[0]["code"], refused[0]["path"]) == ("NOT_FOUND", ["ritual"])


async def test_a_sample_that_takes_the_place_of_another_is_the_clip_from_then_on(stage: Stage) -> None:
    sample, keep = await stage.sample(), await stage.sample("Kept", content=None)
    clip = (await stage.send(sample))["clip"]["id"]
    await stage.decide("approve", clip)
    given = {"keep": keep, "retire": sample, "expectedVersion": await version_of(stage.here, keep)}
    retired = {"expectedRetiredVersion": await version_of(stage.here, sample)}
    told = await stage.here.do("bo", "mergeAssets", "asset { id }", **given, **retired)
    assert told.get("asset"), told
    (reply,) = await stage.replies()
    assert (reply["id"], reply["sample"]) == (clip, {"title": "Kept"})


async def test_what_is_heard_of_a_hook_takes_two_statements_however_much_it_is(
    stage: Stage, statements: list[str]
) -> None:
    for number in (1, 2):
        for each in range(3):
            await stage.decide("approve", await stage.sent(f"{number} {each}"))
        statements.clear()
        assert len(await stage.replies()) == 3 * number
        asked = [text for text in statements if text.startswith("SELECT")]
        assert len(asked) == 2, "the answer, and where the sound of all of them is"


async def test_nobody_writes_who_decided_but_who_did(stage: Stage) -> None:
    clip = await stage.sent()
    with pytest.raises(Exception, match="clip_decided_check"):
        async with stage.here.database.write() as connection:
            await connection.execute(update(tables.clip).values(state="APPROVED"))
    assert (await stage.decide("approve", clip))["state"] == "APPROVED"
