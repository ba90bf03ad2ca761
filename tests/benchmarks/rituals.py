"""A release day that is killed at every step, and one that ten thousand come to: `python -m tests.benchmarks.rituals`.

The walk: an artist announces a ritual around a scheduled release, three fans presave, gather, and send clips in; it comes
out, and is remembered. At every step the server is killed with -9 while it works and asked the same again; at the times
of the ritual it is killed and started until they are over. Then the rows say whether anything was lost or counted twice.

The crowd: so many presaves in the minute before, and so many who look at the moment it is out.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import uvloop
from graphql import GraphQLUnionType, build_schema, get_named_type

from db.embedded import EmbeddedPostgres
from graph.fields import write_moment
from resolvers.context import uuid7
from tests.benchmarks.rooms import PATIENCE, ROOT
from tests.benchmarks.storms import Process
from tests.graph.server.recordings import wav

FANS: Final = ("boh", "cyd", "dee")
MINUTE = timedelta(minutes=1)
UNHURRIED = timedelta(minutes=2)
"""What is done between two times of a ritual takes so long with a kill at each step."""
PLENTY = {"CASSET_POINTS": "1000000", "CASSET_POINTS_PER_SECOND": "100000"}
MUTATIONS = build_schema((ROOT / "schema.graphql").read_text(), assume_valid=True).mutation_type
RELEASE = "query ($id: ID!) { release(id: $id) { status version } }"
RITUAL = (
    "query ($id: ID!) { ritual(id: $id) { state room { id } memory { presaves people messages reactions clips } } }"
)
# What has to stand there once, and how often: (what, statement, count).
COUNTED = (
    ("presaves", "SELECT array_agg(position ORDER BY position) FROM ritual_presave", [1, 2, 3]),
    ("releases out", "SELECT count(*) FROM release WHERE status = 'PUBLISHED'", 1),
    ("told of it", "SELECT count(*) FROM provenance_event WHERE kind = 'RELEASE_PUBLISHED'", 1),
    ("manifests", "SELECT count(*) FROM manifest", 1),
    ("rituals", "SELECT count(*) FROM ritual WHERE state = 'MEMORY'", 1),
    ("clips heard", "SELECT count(*) FROM clip WHERE state = 'APPROVED'", 3),
    ("clips in all", "SELECT count(*) FROM clip", 3),
    ("edges of clips", "SELECT count(*) FROM lineage_edge WHERE upper_inf(known) AND upper_inf(valid)", 3),
    ("messages", "SELECT count(*) FROM room_message", 3),
    ("unlocked", "SELECT count(*) FROM entitlement WHERE source = 'REWARD' AND state = 'ACTIVE'", 3),
    ("proofs", "SELECT count(*) FROM ritual_presave WHERE proof IS NOT NULL", 3),
    ("signals of presaves", "SELECT count(*) FROM signal WHERE kind = 'PRESAVE'", 3),
    ("signals of clips", "SELECT count(*) FROM signal WHERE kind = 'CLIP'", 3),
    ("signals of unlocks", "SELECT count(*) FROM signal WHERE kind = 'UNLOCK'", 3),
    ("dead jobs", "SELECT count(*) FROM job WHERE state = 'DEAD'", 0),
)


class Refused(Exception):
    """It was answered, and not done."""


class Person:
    """Somebody with a browser."""

    def __init__(self, server: Process, name: str) -> None:
        self.server, self.name = server, name
        self.client = httpx.AsyncClient(timeout=PATIENCE, headers={"x-requested-with": "walk"})
        self.artist = ""

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.port}{path}"

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data of an operation."""
        answer = await self.client.post(self.at("/graphql"), json={"query": document, "variables": variables})
        answer.raise_for_status()
        told = answer.json()
        if "errors" in told:
            raise Refused(str(told["errors"]))
        return told["data"]

    async def do(self, mutation: str, fields: str, **given: Any) -> Any:
        """The success of a mutation."""
        field = MUTATIONS.fields[mutation]
        taken, union = field.args["input"].type, get_named_type(field.type)
        success = union.types[0].name if isinstance(union, GraphQLUnionType) else ""
        refused = "... on UserError { code message }"
        document = f"mutation ($input: {taken}) {{ {mutation}(input: $input) {{ __typename {refused} "
        told = (await self.ask(f"{document} ... on {success} {{ {fields} }} }} }}", input=given))[mutation]
        if told["__typename"] != success:
            raise Refused(f"{mutation}: {told}")
        return told

    async def join(self) -> str:
        """Sign up, or in where that was done before."""
        password = f"a long word for {self.name}"
        try:
            told = await self.do(
                "signUp", "artist { id }", handle=self.name, email=f"{self.name}@casset.test", password=password
            )
            return str(told["artist"]["id"])
        except Refused:
            await self.do("signIn", "account { id }", name=self.name, password=password)
        return str(
            (await self.ask("{ viewer { artists(first: 1) { nodes { id } } } }"))["viewer"]["artists"]["nodes"][0]["id"]
        )

    async def make(self, title: str, key: str, **details: Any) -> str:
        given = {"owner": self.artist, "title": title, "details": details, "idempotencyKey": key}
        return str((await self.do("createAsset", "asset { id }", **given))["asset"]["id"])

    async def upload(self, asset: str, recording: bytes, key: str) -> None:
        answer = await self.client.post(
            self.at("/api/upload/media"),
            data={"asset": asset, "role": "MASTER"},
            files={"file": ("take.wav", recording)},
            headers={"idempotency-key": key},
        )
        if answer.status_code < 500 and answer.is_error:
            raise Refused(answer.text)
        answer.raise_for_status()

    async def version_of(self, asset: str) -> int:
        return int((await self.ask("query ($id: ID!) { asset(id: $id) { version } }", id=asset))["asset"]["version"])

    async def heard(self, asset: str) -> None:
        """Wait until an upload was read to its end."""
        query = "query ($id: ID!) { asset(id: $id) { media(first: 1) { nodes { durationMs } } } }"
        while not (await self.ask(query, id=asset))["asset"]["media"]["nodes"][0]["durationMs"]:  # noqa: ASYNC110  # over HTTP
            await asyncio.sleep(0.2)


class Walk:
    """One release day; `kills` says whether it is killed at every step."""

    def __init__(self, server: Process, *, kills: bool) -> None:
        self.server, self.kills = server, kills
        self.steps = self.killed = self.cut = 0

    async def step(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Do a step; with kills, the server dies somewhere in it, and it is asked again."""
        self.steps += 1
        if self.kills:
            asked = asyncio.ensure_future(ask())
            await asyncio.sleep(random.uniform(0, 0.04))
            await self.kill()
            try:
                await asked
            except (httpx.HTTPError, Refused):
                self.cut += 1
            await self.server.start()
        while True:
            try:
                return await ask()
            except httpx.TransportError:
                await asyncio.sleep(0.2)

    async def kill(self) -> None:
        self.killed += 1
        await self.server.end(signal.SIGKILL)

    async def pass_by(self, until: datetime) -> None:
        """Let a time of the ritual come; with kills, the server hardly lives meanwhile."""
        await asyncio.sleep(max((until - datetime.now(UTC)).total_seconds() - 1, 0))
        for _ in range(4 if self.kills else 0):
            await asyncio.sleep(random.uniform(0.1, 1.2))
            await self.kill()
            await self.server.start()

    async def stands(self, who: Person, ritual: str, state: str) -> Any:
        """The ritual, once it stands there."""
        async with asyncio.timeout(2 * PATIENCE):
            while True:
                told = (await who.ask(RITUAL, id=ritual))["ritual"]
                if told["state"] == state:
                    return told
                await asyncio.sleep(0.1)

    async def go(self) -> Any:
        """From signing up to the memory; the ritual as it is remembered."""
        ada, *fans = [Person(self.server, name) for name in ("ada", *FANS)]
        for person in (ada, *fans):
            person.artist = await self.step(person.join)
        track = await self.step(lambda: ada.make("Midnight", "track", track={}))
        await self.step(lambda: ada.upload(track, wav(40), "master"))
        await ada.heard(track)
        hook = (await self.step(lambda: ada.do("setHook", "hook { id }", track=track, startMs=5_000)))["hook"]["id"]
        album = await self.step(lambda: ada.make("Night", "release", release={"releaseKind": "SINGLE"}))
        read = await ada.version_of(album)
        items = {"release": album, "items": [track], "expectedVersion": read, "idempotencyKey": "items"}
        await self.step(lambda: ada.do("setReleaseItems", "version { id }", **items))
        clips = [await self._recorded(fan, number) for number, fan in enumerate(fans)]
        opens = datetime.now(UTC) + (UNHURRIED if self.kills else timedelta(seconds=10))
        apart = UNHURRIED if self.kills else MINUTE
        out, over = opens + apart, opens + 2 * apart
        read = await ada.version_of(album)
        when = {"release": album, "at": write_moment(out), "expectedVersion": read, "idempotencyKey": "when"}
        await self.step(lambda: ada.do("scheduleRelease", "release { id }", **when))
        times = {"opensAt": write_moment(opens), "releasesAt": write_moment(out), "endsAt": write_moment(over)}
        given = {"subject": album, "title": "Midnight", "unlocks": album, "idempotencyKey": "night", **times}
        told = await self.step(lambda: ada.do("announceRitual", "ritual { id }", **given))
        ritual = told["ritual"]["id"]
        for fan in fans:
            await self.step(lambda fan=fan: fan.do("presave", "ritual { id }", ritual=ritual, idempotencyKey="there"))
        await self.pass_by(opens)
        room = (await self.stands(ada, ritual, "OPEN"))["room"]["id"]
        for fan in fans:
            said = {"room": room, "text": "here", "idempotencyKey": "said"}
            await self.step(lambda fan=fan, said=said: fan.do("sendMessage", "said { id }", **said))
        await self.pass_by(out)
        await self.stands(ada, ritual, "RELEASED")
        for fan, clip in zip(fans, clips, strict=True):
            sent = {"asset": clip, "hook": hook, "ritual": ritual, "idempotencyKey": "sent"}
            told = await self.step(lambda fan=fan, sent=sent: fan.do("submitClip", "clip { id }", **sent))
            taken = {"clip": told["clip"]["id"], "idempotencyKey": f"taken {clip}"}
            await self.step(lambda taken=taken: ada.do("approveClip", "clip { id }", **taken))
        await self.pass_by(over)
        return await self.stands(ada, ritual, "MEMORY")

    async def _recorded(self, fan: Person, number: int) -> str:
        """A take that a fan may send in."""
        take = await self.step(lambda: fan.make("Take", "take", sample={"subkind": "VOICE_MEMO"}))
        await self.step(lambda: fan.upload(take, wav(8, seed=number + 2), "sound"))
        await fan.heard(take)
        credit = {"party": {"artist": fan.artist}, "role": "VOCALIST"}
        made = {
            "asset": take,
            "credits": [credit],
            "expectedVersion": await fan.version_of(take),
            "idempotencyKey": "who",
        }
        await self.step(lambda: fan.do("setCredits", "asset { id }", **made))
        read = await fan.version_of(take)
        shown = {"id": take, "state": "UNLISTED", "expectedVersion": read, "idempotencyKey": "shown"}
        await self.step(lambda: fan.do("setAssetState", "asset { id }", **shown))
        return take


async def walk(data: Path, *, kills: bool) -> bool:
    """One walk, and what is left of it."""
    server = Process(data, "walk", os.environ | PLENTY)
    await server.start()
    walked = Walk(server, kills=kills)
    try:
        memory = (await walked.go())["memory"]
        connection = await asyncpg.connect(**EmbeddedPostgres(data).dsn(user="postgres"))
        found = {what: await connection.fetchval(statement) for what, statement, _ in COUNTED}
        await connection.close()
    finally:
        await server.end(signal.SIGTERM)
    wrong = {what: (found[what], count) for what, _, count in COUNTED if found[what] != count}
    if {name: memory[name] for name in ("presaves", "messages", "clips")} != {"presaves": 3, "messages": 3, "clips": 3}:
        wrong["remembered"] = (memory, "three of each")
    said(
        f"  {walked.steps} steps, killed {walked.killed} times, {walked.cut} answers cut off; {memory}; lost or counted "
        f"twice: {wrong or 'nothing'}; load {os.getloadavg()[0]:.1f}"
    )
    return not wrong


async def crowd(data: Path, people: int) -> None:
    """So many presaves in the minute before, and so many who look at the moment."""
    server = Process(data, "crowd", os.environ | PLENTY)
    await server.start()
    try:
        await _gather(server, data, people)
    finally:
        await server.end(signal.SIGTERM)


async def _gather(server: Process, data: Path, people: int) -> None:
    tokens = [secrets.token_hex(32) for _ in range(people)]
    connection = await asyncpg.connect(**EmbeddedPostgres(data).dsn(user="postgres"))
    await _fill(connection, tokens)
    ada = Person(server, "ada")
    ada.artist = await ada.join()
    track = await ada.make("Midnight", "track", track={})
    await ada.upload(track, wav(40), "master")
    await ada.heard(track)
    album = await ada.make("Night", "release", release={"releaseKind": "SINGLE"})
    await ada.do(
        "setReleaseItems", "version { id }", release=album, items=[track], expectedVersion=await ada.version_of(album)
    )
    opens = datetime.now(UTC) + timedelta(seconds=5)
    out = opens + MINUTE + timedelta(seconds=5)
    at = {"release": album, "at": write_moment(out), "expectedVersion": await ada.version_of(album)}
    await ada.do("scheduleRelease", "release { id }", **at)
    times = {"opensAt": write_moment(opens), "releasesAt": write_moment(out), "endsAt": write_moment(out + MINUTE)}
    told = await ada.do("announceRitual", "ritual { id }", subject=album, title="Midnight", unlocks=album, **times)
    ritual = told["ritual"]["id"]
    await asyncio.sleep(max((opens - datetime.now(UTC)).total_seconds(), 0))
    document = "mutation ($id: ID!) { presave(input: { ritual: $id, isNamed: true }) { __typename } }"
    took, answers = await _spread(
        server, 50.0, [({"query": document, "variables": {"id": ritual}}, token) for token in tokens]
    )
    said(
        f"  {people:,} presaves in 50 s: {dict(answers)}, p50 {took[len(took) // 2]:.0f} ms, p99 {took[len(took) * 99 // 100]:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )
    await asyncio.sleep(max((out - datetime.now(UTC)).total_seconds(), 0))
    look = {"query": RELEASE, "variables": {"id": album}}
    watching = asyncio.create_task(_visible(ada, album, out))
    took, answers = await _spread(server, 5.0, [(look, None) for _ in range(people)])
    late = await watching
    said(
        f"  out {late:.2f} s after its time; {people:,} looks in 5 s: {dict(answers)}, p50 {took[len(took) // 2]:.0f} ms, p99 {took[len(took) * 99 // 100]:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )
    places = await connection.fetchrow("SELECT count(*), count(DISTINCT position), max(position) FROM ritual_presave")
    rewards = await connection.fetchval("SELECT count(*) FROM entitlement WHERE source = 'REWARD'")
    said(f"  written: {tuple(places)} presaves, distinct places, last place; {rewards} unlocked")
    await connection.close()


async def _fill(connection: asyncpg.Connection, tokens: list[str]) -> None:
    """That many people, each signed in."""
    now = datetime.now(UTC)
    ids = [uuid7() for _ in tokens]
    accounts = [
        (id_, f"fan{number}", f"fan{number}@casset.test", f"fan{number}@casset.test") for number, id_ in enumerate(ids)
    ]
    await connection.executemany("INSERT INTO account (id, handle, email, email_key) VALUES ($1, $2, $3, $4)", accounts)
    sessions = [
        (uuid7(), id_, hashlib.sha256(token.encode()).digest(), now + timedelta(days=1))
        for id_, token in zip(ids, tokens, strict=True)
    ]
    opened = (
        "INSERT INTO session (id, account_id, secret_hash, loopback_only, expires_at) VALUES ($1, $2, $3, true, $4)"
    )
    await connection.executemany(opened, sessions)


async def _visible(who: Person, release: str, out: datetime) -> float:
    """Seconds after its time until it is there."""
    while (await who.ask(RELEASE, id=release))["release"]["status"] != "PUBLISHED":  # noqa: ASYNC110  # over HTTP
        await asyncio.sleep(0.02)
    return (datetime.now(UTC) - out).total_seconds()


async def _spread(
    server: Process, seconds: float, asked: list[tuple[Mapping[str, Any], str | None]]
) -> tuple[list[float], Counter[str]]:
    """Ask evenly over some seconds, whatever is answered; milliseconds from when each was due, and what was answered."""
    loop = asyncio.get_running_loop()
    limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
    took: list[float] = []
    answers: Counter[str] = Counter()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE, limits=limits) as client:
        began = loop.time()

        async def one(number: int, body: Mapping[str, Any], token: str | None) -> None:
            due = began + seconds * number / len(asked)
            await asyncio.sleep(max(due - loop.time(), 0))
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            answer = (await client.post("/graphql", json=body, headers=headers)).json()
            took.append((loop.time() - due) * 1000)
            data = answer.get("data") or {}
            told = next(iter(data.values()), None)
            answers["nothing" if told is None else told.get("__typename") or told["status"]] += 1

        await asyncio.gather(*(one(number, *each) for number, each in enumerate(asked)))
    return sorted(took), answers


def said(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # it speaks to a person


def main() -> None:
    """The walks, and the crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walks", type=int, default=1, help="How often with kills; once without comes before.")
    parser.add_argument("--people", type=int, default=10_000)
    options = parser.parse_args()
    whole = []
    for number in range(options.walks + 1):
        said("killed at every step:" if number else "undisturbed:")
        with tempfile.TemporaryDirectory(prefix="casset-ritual-", ignore_cleanup_errors=True) as folder:
            whole.append(uvloop.run(walk(Path(folder), kills=bool(number))))
    if options.people:
        said("a crowd:")
        with tempfile.TemporaryDirectory(prefix="casset-ritual-", ignore_cleanup_errors=True) as folder:
            uvloop.run(crowd(Path(folder), options.people))
    sys.exit(not all(whole))


if __name__ == "__main__":
    main()
