"""`casset verify`: what was changed, left out, put in or told anew is found without us, and so is where."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import rfc8785
from hypothesis import settings
from rich.console import Console
from sqlalchemy import select
from typer.testing import CliRunner

from db import tables
from db.engine import Database
from db.provenance import append_events
from domain.attestations import sealed, statement
from domain.canonical import digest
from domain.checkpoints import Checkpoint
from domain.ids import Kind, Ref
from domain.merkle import leaf_hash, root_hash
from domain.provenance import Event, EventKind
from domain.signatures import Signer, Unverified
from domain.transcripts import CHECKPOINTS, EVENTS, KEYS, LEAVES, Misplaced, write_checkpoints
from graph.server.app import create_app
from graph.server.cli import app as commands
from graph.server.keeping import keep_log
from graph.server.settings import Settings
from graph.server.signers import KeyFolder
from graph.server.transcripts import export_log
from graph.server.verifying import verify
from resolvers.context import uuid7
from resolvers.log import write_on
from tests.conftest import _run

ROOT = Path(__file__).parents[3]
EVENTS_LOGGED, BATCH = 96, 12
EDITS = max(1_000, settings.default.max_examples)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANIFEST: dict[str, Any] = {"@context": ["https://casset.example/ns/v1"], "release": "release_1", "tracks": [1, 2]}
RNG = random.Random(6)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    folder = KeyFolder(tmp_path_factory.mktemp("house") / "keys")
    folder.rotate("casset.example")
    return folder


@pytest.fixture(scope="module")
def signer(keys: KeyFolder) -> Signer:
    signer = keys.signer()
    assert signer is not None
    return signer


@pytest.fixture(scope="module")
def target(new_target: Callable[[], Any], signer: Signer) -> dict[str, Any]:
    """A database with some chains of events in its log."""
    target = new_target()

    async def fill() -> None:
        database = Database(target)
        subjects = [Ref(Kind.TRACK, uuid7()) for _ in range(7)]
        await database.open()
        for _ in range(EVENTS_LOGGED // BATCH):
            async with database.write() as connection:
                await append_events(connection, [event(RNG.choice(subjects)) for _ in range(BATCH)])
            await write_on(database, signer)
        await database.close()

    _run(fill())
    return target


def event(subject: Ref) -> Event:
    payload = {"manifest": "sha256:" + digest(rfc8785.dumps(MANIFEST)), "note": "\u2028 née"}
    return Event(uuid7(), subject, EventKind.MANIFEST_SIGNED, NOON, None, payload)


@pytest.fixture(scope="module")
def exported(target: dict[str, Any], keys: KeyFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log") / "exported"
    runner = CliRunner(env={"DATABASE_URL": address(target), "CASSET_KEYS": str(keys.path)})
    done = runner.invoke(commands, ["log", "export", str(folder)])
    assert (done.exit_code, done.stderr) == (0, ""), done
    again = runner.invoke(commands, ["log", "export", str(folder)])
    assert (again.exit_code, "not empty" in again.stdout) == (1, True)
    return folder


def address(target: dict[str, Any]) -> str:
    return f"postgresql://{target['user']}@/{target['database']}?host={target['host']}&port={target['port']}"


@pytest.fixture
def log(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "log")


def found(log: Path, **trusted: Path) -> Unverified:
    with pytest.raises(Unverified) as refused:
        verify(log, **trusted)
    return refused.value


def lines_of(log: Path) -> list[bytes]:
    return (log / EVENTS).read_bytes().splitlines(keepends=True)


def test_a_log_that_nobody_touched_is_good(log: Path, keys: KeyFolder) -> None:
    assert verify(log) == (
        "casset.example/log: 96 events about 7 things are as they were logged, by the keys that came with it. "
        "Checkpoints: 8."
    )
    assert verify(log, keys.path / "did.json").endswith("by the keys you trust. Checkpoints: 8.")
    assert {file.name for file in log.iterdir()} == {EVENTS, LEAVES, CHECKPOINTS, KEYS}


def test_every_changed_byte_of_every_file_is_found_where_it_is(log: Path) -> None:
    written = {name: (log / name).read_bytes() for name in (EVENTS, LEAVES, CHECKPOINTS, KEYS)}
    places = [(name, place) for name, data in written.items() for place in range(len(data))]
    # All of the small files, and of the events as many as there is time for.
    small = [place for place in places if place[0] != EVENTS]
    for name, place in (small + RNG.choices(places, k=EDITS))[:EDITS]:
        data = written[name]
        byte = RNG.choice(
            [number for number in (10, 32, 48, *range(0, 256, 7), data[place] ^ 1) if number != data[place]]
        )
        (log / name).write_bytes(data[:place] + bytes([byte]) + data[place + 1 :])
        refused = found(log)
        if name == EVENTS:
            number = data.count(b"\n", 0, place) + 1
            assert isinstance(refused, Misplaced)
            assert (refused.first, refused.last) == (number, number), (place, byte)
        elif name == LEAVES:
            assert str(refused).startswith(f"Leaf {place // 32 + 1} was changed")
        (log / name).write_bytes(data)
    assert verify(log)


def drop(lines: list[bytes], at: int) -> int:
    del lines[at]
    return at + 1


def swap(lines: list[bytes], at: int) -> int:
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return at + 1


def swap_far(lines: list[bytes], at: int) -> int:
    lines[at], lines[-1] = lines[-1], lines[at]
    return at + 1


def insert(lines: list[bytes], at: int) -> int:
    told = orjson.loads(lines[at])
    lines.insert(at, rfc8785.dumps({**told, "id": str(Ref(Kind.EVENT, uuid7()))}) + b"\n")
    return at + 1


def duplicate(lines: list[bytes], at: int) -> int:
    lines.insert(at, lines[at])
    return at + 2


def splice(lines: list[bytes], at: int) -> int:
    """Let the chain of one thing go on with an event of another."""
    lines[at] = lines[(at + 40) % len(lines)]
    return at + 1


def renumber(lines: list[bytes], at: int) -> int:
    told = orjson.loads(lines[at])
    lines[at] = rfc8785.dumps({**told, "sequence": told["sequence"] + 1}) + b"\n"
    return at + 1


def reword(lines: list[bytes], at: int) -> int:
    """The same JSON, written in another way."""
    lines[at] = json.dumps(orjson.loads(lines[at])).encode() + b"\n"
    return at + 1


def truncate(lines: list[bytes], at: int) -> int:
    del lines[at:]
    return at + 1


def lengthen(lines: list[bytes], at: int) -> int:
    lines.append(lines[at])
    return len(lines)


def blank(lines: list[bytes], at: int) -> int:
    lines.insert(at, b"\n")
    return at + 1


EDITED = (drop, swap, swap_far, insert, duplicate, splice, renumber, reword, truncate, lengthen, blank)
Edit = Callable[[list[bytes], int], int]


@pytest.mark.parametrize("edit", EDITED)
def test_every_edit_of_the_events_is_found_where_it_is(log: Path, edit: Edit) -> None:
    lines = lines_of(log)
    for at in range(len(lines) - 1):
        changed = list(lines)
        number = edit(changed, at)
        (log / EVENTS).write_bytes(b"".join(changed))
        refused = found(log)
        assert isinstance(refused, Misplaced)
        assert (refused.first, refused.last) == (number, number), str(refused)


def rehashed(lines: list[bytes]) -> list[bytes]:
    """Every event after the one before it in its chain, as if it had always been so."""
    heads: dict[str, tuple[int, str]] = {}
    made = []
    for line in lines:
        told = orjson.loads(line)
        sequence, prev = heads.get(told["subject"], (0, ""))
        told = {**told, "sequence": sequence + 1, **({"prev": prev} if prev else {})}
        if not prev:
            told.pop("prev", None)
        body = rfc8785.dumps(told)
        heads[told["subject"]] = sequence + 1, digest(body)
        made.append(body + b"\n")
    return made


def leaves_of(lines: list[bytes]) -> list[bytes]:
    return [leaf_hash(hashlib.sha256(line.removesuffix(b"\n")).digest()) for line in lines]


@pytest.mark.parametrize("rehash", [list, rehashed])
@pytest.mark.parametrize("edit", [drop, swap, insert, splice, renumber, truncate, lengthen])
def test_who_hashes_everything_anew_is_found_between_two_checkpoints(log: Path, edit: Edit, rehash: Any) -> None:
    lines = lines_of(log)
    for at in range(len(lines) - 1):
        changed = list(lines)
        number = edit(changed, at)
        if edit is renumber and rehash is rehashed:
            changed[at] = changed[at].replace(b'"at":"2026', b'"at":"2025')
        changed = rehash(changed)
        (log / EVENTS).write_bytes(b"".join(changed))
        (log / LEAVES).write_bytes(b"".join(leaves_of(changed)))
        refused = found(log)
        assert isinstance(refused, Misplaced)
        assert refused.first <= number <= refused.last, str(refused)
        assert refused.last - refused.first < BATCH


def forged(log: Path, signer: Signer, origin: str = "casset.example/log") -> None:
    """Sign the events as they are in their file."""
    leaves = leaves_of(lines_of(log))
    (log / LEAVES).write_bytes(b"".join(leaves))
    note = Checkpoint(origin, len(leaves), root_hash(leaves)).signed(signer.key)
    (log / CHECKPOINTS).write_text(write_checkpoints([note]))


def test_who_signs_anew_has_another_key(log: Path, keys: KeyFolder, tmp_path: Path) -> None:
    other = KeyFolder(tmp_path / "other")
    other.rotate("casset.example")
    (log / EVENTS).write_bytes(b"".join(rehashed(lines_of(log)[1:])))
    signer = other.signer()
    assert signer is not None
    forged(log, signer)
    assert "none of the keys" in str(found(log))
    shutil.copy(other.path / "did.json", log / KEYS)
    (log / KEYS).write_bytes(rfc8785.dumps(orjson.loads((log / KEYS).read_bytes())))
    # By the keys that came with it, it is as good as any other; by those of the house it is not.
    assert "the keys that came with it" in verify(log)
    assert "none of the keys" in str(found(log, keys_file=keys.path / "did.json"))


def test_an_older_log_does_not_fit_the_checkpoint_that_somebody_kept(log: Path, tmp_path: Path, signer: Signer) -> None:
    kept = tmp_path / "kept"
    notes = (log / CHECKPOINTS).read_text().split("\n\n")
    kept.write_text("\n\n".join(notes[-3:-1]) + "\n")
    (log / CHECKPOINTS).write_text("\n\n".join(notes[:-3]) + "\n\n")
    (log / EVENTS).write_bytes(b"".join(lines_of(log)[:-BATCH]))
    (log / LEAVES).write_bytes((log / LEAVES).read_bytes()[: -32 * BATCH])
    assert verify(log).startswith("casset.example/log: 84 events")
    refused = found(log, checkpoint_file=kept)
    assert isinstance(refused, Misplaced)
    assert refused.first == EVENTS_LOGGED - BATCH + 1
    # The house itself tells another story than before.
    (log / EVENTS).write_bytes(b"".join(rehashed(lines_of(log)[1:] + lines_of(log)[:13])))
    forged(log, signer)
    assert "two stories" in str(found(log, checkpoint_file=kept))
    forged(log, signer, "casset.example/log2")
    assert "another log" in str(found(log, checkpoint_file=kept))


def test_a_log_whose_house_broke_a_chain_says_where(log: Path, signer: Signer) -> None:
    lines = lines_of(log)
    heads = {orjson.loads(line)["subject"]: place for place, line in enumerate(lines)}
    place = min(heads.values())
    del lines[
        next(
            n for n, line in enumerate(lines) if orjson.loads(line)["subject"] == orjson.loads(lines[place])["subject"]
        )
    ]
    (log / EVENTS).write_bytes(b"".join(lines))
    forged(log, signer)
    assert "does not follow" in str(found(log))
    (log / EVENTS).write_bytes(b"[]\n{}\n")
    forged(log, signer)
    assert "is no event" in str(found(log))


@pytest.mark.parametrize("name", [EVENTS, LEAVES, CHECKPOINTS, KEYS])
@pytest.mark.parametrize("data", [None, b"", b"\n", b"\xff", b"\0" * 31, b"[" * 100_000])
def test_a_file_that_is_another_thing_is_refused(log: Path, name: str, data: bytes | None) -> None:
    (log / name).unlink() if data is None else (log / name).write_bytes(data)
    assert str(found(log))


@pytest.fixture
async def served(target: dict[str, Any], keys: KeyFolder) -> Any:
    database = Database(target)
    await database.open()
    app = create_app(Settings(keys=keys.path), database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://casset.example") as client:
        yield client, database
    await database.close()


async def bundle_of(served: Any) -> tuple[bytes, str]:
    """A proof as it is served, and the body of its event."""
    client, database = served
    async with database.read() as connection:
        row = (await connection.execute(select(tables.provenance_event).order_by("id").offset(40).limit(1))).one()
    answer = await client.get(f"/log/inclusion/{row.hash}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return answer.content, row.body


async def test_a_proof_is_checked_offline_and_none_of_its_bytes_may_change(served: Any, tmp_path: Path) -> None:
    data, body = await bundle_of(served)
    file = tmp_path / "proof.json"
    file.write_bytes(data)
    assert verify(file).startswith("The event is number ")
    for place in range(len(data)):
        file.write_bytes(data[:place] + bytes([data[place] ^ RNG.choice((1, 2, 4, 32))]) + data[place + 1 :])
        found(file)
    file.write_bytes(rfc8785.dumps({**orjson.loads(data), "event": body}))
    assert verify(file).startswith("The event is number ")
    file.write_bytes(rfc8785.dumps({**orjson.loads(data), "event": body.replace("née", "ne")}))
    assert "does not have the hash" in str(found(file))


async def test_a_bundle_says_what_is_wrong(served: Any, keys: KeyFolder, signer: Signer, tmp_path: Path) -> None:
    data, body = await bundle_of(served)
    good = {**orjson.loads(data), "event": body, "manifest": {**MANIFEST, "proof": signer.proof(MANIFEST, NOON)}}
    file = tmp_path / "bundle.json"
    file.write_bytes(rfc8785.dumps(good) + b"\n")
    said = verify(file, keys.path / "did.json")
    assert said.startswith(f"The manifest is as it was signed by {signer.method}. The event is number ")
    place = good["inclusion"]
    other = {**MANIFEST, "tracks": [2, 1]}
    for name, value, wanted in (
        ("manifest", {**other, "proof": signer.proof(other, NOON)}, "does not record this manifest"),
        ("manifest", {**good["manifest"], "tracks": []}, "does not sign"),
        ("manifest", [], "no JSON object"),
        ("event", 5, "no text"),
        ("hash", "0" * 64, "does not have the hash"),
        ("checkpoint", 5, "without a checkpoint"),
        ("inclusion", None, "leafIndex, treeSize and hashes"),
        ("inclusion", {**place, "leafIndex": str(place["leafIndex"])}, "leafIndex, treeSize and hashes"),
        ("inclusion", {**place, "leafIndex": place["leafIndex"] + 1}, "does not lead"),
        ("inclusion", {**place, "treeSize": place["treeSize"] + 1}, "not that of the checkpoint"),
        ("inclusion", {**place, "hashes": place["hashes"][::-1]}, "does not lead"),
        ("inclusion", {**place, "more": 1}, "nothing else"),
        ("keys", {}, "did.json"),
        ("more", 1, "no bundle"),
    ):
        file.write_bytes(rfc8785.dumps({**good, name: value}))
        assert wanted in str(found(file, keys_file=keys.path / "did.json")), name
    for left_out in ("inclusion", "checkpoint", "keys"):
        file.write_bytes(rfc8785.dumps({name: value for name, value in good.items() if name != left_out}))
        assert str(found(file))


def test_a_signed_manifest_is_checked_with_the_keys_of_its_house(
    keys: KeyFolder, signer: Signer, tmp_path: Path
) -> None:
    file, did = tmp_path / "manifest.json", keys.path / "did.json"
    data = rfc8785.dumps({**MANIFEST, "proof": signer.proof(MANIFEST, NOON)})
    file.write_bytes(data)
    assert signer.method in verify(file, did)
    assert "did.json" in str(found(file))
    for place, bit in itertools.product(range(len(data)), (1, 32)):
        file.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
        found(file, keys_file=did)
    for changed in (
        data.replace(b"[1,2]", b"[1.0,2]"),
        data.replace(b"[1,2]", b"[1, 2]"),
        data.replace(b'"release":', b'"release":"x","release":'),
    ):
        file.write_bytes(changed)
        assert "not canonical JSON" in str(found(file, keys_file=did))
    for nothing in (b"", b"null", b"[]", b"{}", b"{" * 10_000, b'{"proof":1}', b'{"keys":{}}', b"\xff", b"9" * 5000):
        file.write_bytes(nothing)
        assert str(found(file, keys_file=did))


def test_a_manifest_that_is_named_by_its_address_has_its_bytes(tmp_path: Path) -> None:
    data = rfc8785.dumps(MANIFEST)
    for name in (f"sha256:{digest(data)}", f"{digest(data)}.json"):
        (tmp_path / name).write_bytes(data)
        assert verify(tmp_path / name).startswith("The bytes are those of their address.")
    (tmp_path / name).write_bytes(data.replace(b"[1,2]", b"[2,1]"))
    assert "not of their address" in str(found(tmp_path / name))


def test_an_envelope_is_checked(keys: KeyFolder, signer: Signer, tmp_path: Path) -> None:
    file = tmp_path / "release.intoto.json"
    file.write_bytes(rfc8785.dumps(sealed(statement({"manifest.json": "0" * 64}, {}), signer)))
    assert "as it was signed" in verify(file, keys.path / "did.json")
    assert "did.json" in str(found(file))


def test_the_command_names_what_is_wrong_and_fails(log: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(commands, ["verify", str(log)])
    assert (done.exit_code, done.stderr) == (0, "")
    (log / EVENTS).write_bytes(b"".join(lines_of(log)[:5]))
    done = runner.invoke(commands, ["verify", str(log)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Event 6 is missing: the log does not end there.\n"
    done = runner.invoke(commands, ["verify", str(log / "nothing")])
    assert (done.exit_code, "cannot be read" in done.stderr) == (1, True)


def test_the_verifier_stands_alone() -> None:
    asked = "import sys, graph.server.verifying; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    houses = {
        "db",
        "resolvers",
        "subscriptions",
        "sqlalchemy",
        "asyncpg",
        "starlette",
        "strawberry",
        "redis",
        "httpx",
        "asyncio",
    }
    assert not houses & set(loaded.split())
    asked = "import sys, graph.server.verifying; print(*[name for name in sys.modules if name.startswith('graph.')])"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()) <= {"graph.server", "graph.server.verifying"}


async def test_checkpoint_and_tiles_are_served_and_cached(served: Any) -> None:
    client, _ = served
    note = await client.get("/log/checkpoint")
    assert (note.headers["content-type"], note.headers["cache-control"]) == (
        "text/plain; charset=utf-8",
        "public, max-age=1",
    )
    assert note.text.startswith(f"casset.example/log\n{EVENTS_LOGGED}\n")
    tile = await client.get(f"/log/tile/0/000.p/{EVENTS_LOGGED}")
    assert (len(tile.content), tile.headers["content-type"]) == (32 * EVENTS_LOGGED, "application/octet-stream")
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await client.get(f"/log/tile/0/000.p/{EVENTS_LOGGED}", headers={"if-none-match": tile.headers["etag"]})
    assert again.status_code == 304
    entries = await client.get("/log/tile/entries/000.p/2")
    assert leaf_hash(entries.content[2:34]) + leaf_hash(entries.content[36:68]) == tile.content[:64]
    for missing in (
        "tile/0/000",
        "tile/0/000.p/97",
        "tile/1/000",
        "tile/entries/001",
        "tile/0/0",
        f"inclusion/{'0' * 64}",
        "inclusion/x",
    ):
        answer = await client.get(f"/log/{missing}")
        assert answer.status_code == 404, missing
        assert "immutable" not in answer.headers.get("cache-control", "")


async def test_an_empty_log_has_no_checkpoint_and_is_not_exported(
    database: Database, keys: KeyFolder, tmp_path: Path
) -> None:
    app = create_app(Settings(keys=keys.path), database)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://casset.example") as client:
        assert (await client.get("/log/checkpoint")).status_code == 404
    assert not await export_log(database, keys, tmp_path / "log", Console(quiet=True))
    assert not (tmp_path / "log").exists()


async def test_what_happens_is_logged_until_the_process_ends(database: Database, signer: Signer) -> None:
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_log(database, signer, stop))
    for expected in (1, 2):
        async with database.write() as connection:
            await append_events(connection, [event(Ref(Kind.TRACK, uuid7()))])
        async with asyncio.timeout(60):
            while len(await leaves(database)) < expected:
                pass
    stop.set()
    await asyncio.wait_for(keeping, 60)
    await keep_log(database, None, asyncio.Event())


async def leaves(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list(await connection.execute(select(tables.log_leaf)))
