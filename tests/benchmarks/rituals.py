"""A release day that is killed at every step, and one that ten thousand come to: `python -m tests.benchmarks.rituals`.

The walk: an artist announces a ritual around a scheduled release, three fans presave, gather, and send clips in; it comes
out, and is remembered. At every step the server is killed with -9 while it works and asked the same again; at the times
of the ritual it is killed and started until they are over. Then the rows say whether anything was lost or counted twice.

The crowd: so many presaves in the minute before, and so many who look at the moment it is out.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import math
import os
import random
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import orjson
import uvloop
from graphql import GraphQLUnionType, build_schema, get_named_type

from db.embedded import EmbeddedPostgres
from domain.accounts import SESSION_LASTS
from graph.fields import write_moment
from resolvers.context import uuid7
from tests.benchmarks.rooms import PATIENCE, ROOT
from tests.benchmarks.storms import Process
from tests.benchmarks.traffic import end_of
from tests.graph.server.recordings import wav

FANS: Final = ("boh", "cyd", "dee")
MINUTE = timedelta(minutes=1)
UNHURRIED = timedelta(minutes=2)
"""What is done between two times of a ritual takes so long with a kill at each step."""
PLENTY = {"CASSET_POINTS": "1000000", "CASSET_POINTS_PER_SECOND": "100000"}
MUTATIONS = build_schema((ROOT / "schema.graphql").read_text(), assume_valid=True).mutation_type
RELEASE = "query ($id: ID!) { release(id: $id) { status version } }"
PRESAVE = """mutation ($input: PresaveInput!) { presave(input: $input) { ... on UserError { code }
    ... on RitualSuccess { ritual { presaveCount participation { nth } } } } }"""
COMING, LOOKING = 50.0, 5.0
"""Seconds in which all of a crowd come, and in which all of them look."""
AGAIN = 1.0
"""Seconds until who was told to try again in a moment does."""
FINAL = frozenset({"CONFLICT"})
"""Refusals that no trying changes."""
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
# What there has to be of a crowd, once for each who is there.
GATHERED = (
    ("counted", "SELECT presave_count FROM ritual"),
    ("last place", "SELECT max(position) FROM ritual_presave"),
    (
        "in the order of arrival",
        """SELECT count(*) FROM (SELECT position, row_number() OVER (ORDER BY created_at, position) AS nth
        FROM ritual_presave) AS each WHERE position = nth""",
    ),
    ("logged", "SELECT count(*) FROM change WHERE kind = 'PRESAVED'"),
    ("signals", "SELECT count(*) FROM signal WHERE kind = 'PRESAVE'"),
    ("unlocked", "SELECT count(*) FROM entitlement WHERE source = 'REWARD' AND state = 'ACTIVE'"),
    ("signals of unlocks", "SELECT count(*) FROM signal WHERE kind = 'UNLOCK'"),
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


async def crowd(data: Path, people: int) -> bool:
    """So many presaves in the minute before, and so many who look at the moment; whether all of them are there once."""
    server = Process(data, "crowd", os.environ | PLENTY)
    await server.start()
    try:
        return await _gather(server, data, people)
    finally:
        await server.end(signal.SIGTERM)


async def _gather(server: Process, data: Path, people: int) -> bool:
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
    given = {"ritual": told["ritual"]["id"], "isNamed": True, "idempotencyKey": "there"}
    lines, look = Lines(server), asked(RELEASE, id=album)
    # Who watches waits behind nobody else of this machine.
    watching = asyncio.create_task(_visible(Lines(server), look, out))
    await until(opens)
    came = await spread(lines, COMING, [asked(PRESAVE, token, input=given) for token in tokens])
    said(f"  {people:,} presaves in {COMING:.0f} s: {came}")
    # What the crowd was told is no garbage, and to find that takes a third of a second: not while it looks.
    gc.collect()
    gc.freeze()
    await until(out)
    looked = await spread(lines, LOOKING, [look] * people)
    late = await watching
    said(f"  out {late:.2f} s after its time; {people:,} looks in {LOOKING:.0f} s: {looked}")
    there = int(await connection.fetchval("SELECT count(*) FROM ritual_presave"))
    unlocked = await _unlocked(connection, there, out)
    found = {what: await connection.fetchval(statement) for what, statement in GATHERED}
    await connection.close()
    places = [answer["presave"]["ritual"]["participation"]["nth"] for answer in came.done]
    wrong = {what: count for what, count in found.items() if count != there}
    if len({*places} & {*range(1, there + 1)}) != len(places):
        wrong["places told"] = len({*places})
    said(
        f"  {there:,} are there, of whom {len(places):,} were told so; the last unlocked {unlocked:.1f} s after its time; "
        f"lost or counted twice: {wrong or 'nothing'}; the server's log: {complaints(server) or 'nothing'}"
    )
    return not wrong and len(places) == len(looked.done) == people


async def _unlocked(connection: asyncpg.Connection, people: int, out: datetime) -> float:
    """Wait until everybody has what was promised to them; seconds after its time."""
    async with asyncio.timeout(PATIENCE):
        while await connection.fetchval("SELECT count(*) FROM entitlement WHERE source = 'REWARD'") < people:  # noqa: ASYNC110  # in another process
            await asyncio.sleep(0.2)
    return (datetime.now(UTC) - out).total_seconds()


def complaints(server: Process) -> dict[str, int]:
    """What a server wrote into its log, and how often."""
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    return dict(
        Counter(
            " ".join(str(orjson.loads(line).get(key, "")) for key in ("event", "error", "kind")).strip()
            for line in lines
        )
    )


async def _fill(connection: asyncpg.Connection, tokens: list[str]) -> None:
    """That many people, each signed in."""
    now = datetime.now(UTC)
    ids = [uuid7() for _ in tokens]
    accounts = [
        (id_, f"fan{number}", f"fan{number}@casset.test", f"fan{number}@casset.test") for number, id_ in enumerate(ids)
    ]
    await connection.executemany("INSERT INTO account (id, handle, email, email_key) VALUES ($1, $2, $3, $4)", accounts)
    sessions = [
        (uuid7(), id_, hashlib.sha256(token.encode()).digest(), now + SESSION_LASTS)
        for id_, token in zip(ids, tokens, strict=True)
    ]
    opened = (
        "INSERT INTO session (id, account_id, secret_hash, loopback_only, expires_at) VALUES ($1, $2, $3, true, $4)"
    )
    await connection.executemany(opened, sessions)


async def until(moment: datetime) -> None:
    await asyncio.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0))


async def _visible(lines: Lines, look: bytes, out: datetime) -> float:
    """Seconds after its time until it is there for everybody."""
    await until(out)
    while True:
        _, body = await lines.ask(look)
        if b'"PUBLISHED"' in body:
            return (datetime.now(UTC) - out).total_seconds()
        await asyncio.sleep(0.02)


def asked(document: str, token: str | None = None, **variables: Any) -> bytes:
    """An operation as it goes over the wire."""
    body = orjson.dumps({"query": document, "variables": variables})
    known = "" if token is None else f"Authorization: Bearer {token}\r\n"
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{known}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Line(asyncio.Protocol):
    """A connection that stays, with little more work for an answer than to find its end."""

    def __init__(self) -> None:
        self.heard = b""
        self.answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        end = end_of(self.heard)
        if end is not None and len(self.heard) >= end and not self.answer.done():
            self.answer.set_result((int(self.heard[9:12]), self.heard[self.heard.find(b"\r\n\r\n") + 4 :]))

    def connection_lost(self, _: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(ConnectionResetError())

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        self.heard, self.answer = b"", asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


class Lines:
    """The connections of a crowd, as many as a proxy in front of a server keeps."""

    def __init__(self, server: Process) -> None:
        self.port = server.port
        self.idle: list[Line] = []
        self.room = asyncio.Semaphore(256)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        async with self.room, asyncio.timeout(PATIENCE):
            line = await self._line()
            answer = await line.ask(request)
            self.idle.append(line)
            return answer

    async def _line(self) -> Line:
        while self.idle:
            line = self.idle.pop()
            if not line.transport.is_closing():
                return line
        _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self.port)
        return line


@dataclass
class Told:
    """What a crowd was told: the answers, with the milliseconds from when each was due, and the refusals by kind."""

    seconds: float = 0
    done: list[Any] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        took, load = sorted(self.took) or [math.nan], os.getloadavg()[0]
        p50, p99 = (took[len(took) * share // 100] for share in (50, 99))
        return (
            f"{len(self.done) / self.seconds:,.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms, refused "
            f"{dict(self.refused) or 'never'}; load {load:.1f}"
        )


async def spread(lines: Lines, seconds: float, requests: list[bytes]) -> Told:
    """Ask evenly over some seconds, whatever is answered; who is told to come again later does."""
    loop, told = asyncio.get_running_loop(), Told()
    began = loop.time()

    async def one(number: int, request: bytes) -> None:
        due = began + seconds * number / len(requests)
        await asyncio.sleep(max(due - loop.time(), 0))
        while loop.time() < due + PATIENCE:
            refusal, data = await _answered(lines, request)
            if refusal is None:
                told.done.append(data)
                told.took.append((loop.time() - due) * 1000)
                return
            told.refused[refusal] += 1
            if refusal in FINAL:
                return
            await asyncio.sleep(AGAIN)

    await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))
    told.seconds = loop.time() - began
    return told


async def _answered(lines: Lines, request: bytes) -> tuple[str | None, Any]:
    """Why nothing was answered, or the data."""
    try:
        status, body = await lines.ask(request)
    except (OSError, TimeoutError) as error:
        return type(error).__name__, None
    answer = orjson.loads(body)
    if status != HTTPStatus.OK or "errors" in answer:
        return f"{status} {answer['errors'][0]['extensions']['code']}", None
    refusals = [member["code"] for member in answer["data"].values() if member and "code" in member]
    return (refusals[0], None) if refusals else (None, answer["data"])


def said(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # it speaks to a person


def main() -> None:
    """The walks, and the crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--walks", type=int, default=2, help="How many; all but the first with kills.")
    parser.add_argument("--people", type=int, default=10_000)
    options = parser.parse_args()
    whole = []
    for number in range(options.walks):
        said("killed at every step:" if number else "undisturbed:")
        with tempfile.TemporaryDirectory(prefix="casset-ritual-", ignore_cleanup_errors=True) as folder:
            whole.append(uvloop.run(walk(Path(folder), kills=bool(number))))
    if options.people:
        said("a crowd:")
        with tempfile.TemporaryDirectory(prefix="casset-ritual-", ignore_cleanup_errors=True) as folder:
            whole.append(uvloop.run(crowd(Path(folder), options.people)))
    sys.exit(not all(whole))


if __name__ == "__main__":
    main()
