"""Recordings made by code, and a house where they are uploaded and heard."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert, select, update

from db import tables
from db.engine import Database
from domain.audio import Pcm, wav_head
from domain.ids import Kind, Ref
from graph.server.app import Application, create_app
from graph.server.house import close
from graph.server.settings import Settings
from graph.server.signers import KeyFolder
from graph.server.worker import workshop_of

PCM = Pcm(8_000, 2, 16, is_float=False)
ADA, BO, CY = UUID(int=11), UUID(int=12), UUID(int=13)
"""The owner of the artist, somebody else, and a member without a hand in anything."""
ARTIST, STRANGE = UUID(int=21), UUID(int=22)
OPEN, CLOSED, BARE = UUID(int=31), UUID(int=32), UUID(int=33)
"""A public track with a hook, a private one, and a public one without a hook."""
HOOK, CLOSED_HOOK = UUID(int=41), UUID(int=42)
START_MS, END_MS = 12_500, 42_500
SECONDS = 90
EVERYONE = {"ada": ADA, "bo": BO, "cy": CY}


def track(id_: UUID) -> str:
    return str(Ref(Kind.TRACK, id_))


def wav(seconds: float = SECONDS, seed: int = 1, pcm: Pcm = PCM) -> bytes:
    """Noise, so that no two stretches of it are alike."""
    data = random.Random(seed).randbytes(int(seconds * pcm.rate) * pcm.frame)
    return wav_head(pcm, len(data)) + data + b"\0" * (len(data) % 2)


def samples(file: bytes) -> bytes:
    """What is heard of a file of `wav`."""
    return file[44 : 44 + struct.unpack("<I", file[40:44])[0]]


def with_chunk(file: bytes, name: bytes, body: bytes) -> bytes:
    """The same recording with something else before its samples."""
    body += b"\0" * (len(body) % 2)
    inner = file[12:36] + name + struct.pack("<I", len(body)) + body + file[36:]
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WAVE" + inner


def form(file: bytes, boundary: str = "mark", name: str = "x.wav", **fields: str) -> tuple[bytes, dict[str, str]]:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'
    body = b"".join([*parts, f"--{boundary}\r\n{head}".encode(), file, f"\r\n--{boundary}--\r\n".encode()])
    return body, {"content-type": f"multipart/form-data; boundary={boundary}"}


class Listening:
    """An application, its users' tokens and its worker."""

    def __init__(self, app: Application, client: httpx.AsyncClient, database: Database, data: Path) -> None:
        self.app, self.client, self.database, self.data = app, client, database, data

    @staticmethod
    def by(who: str | None) -> dict[str, str]:
        return {} if who is None else {"authorization": f"Bearer session of {who}"}

    async def upload(
        self, file: Any, who: str | None = "ada", id_: UUID = OPEN, role: str = "MASTER", **headers: str
    ) -> httpx.Response:
        query = f"asset={track(id_)}&role={role}"
        said = {**self.by(who), **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.client.post(f"/api/upload/media?{query}", content=file, headers=said)

    async def work(self) -> None:
        await workshop_of(self.app.studio, KeyFolder(self.data / "keys")).drain()

    async def has(self, id_: UUID, file: bytes | None = None) -> bytes:
        """Upload a recording for a track and have it read."""
        file = file or wav(seed=id_.int)
        answer = await self.upload(file, id_=id_)
        assert answer.status_code == 201, answer.text
        await self.work()
        return file

    async def token(self, id_: UUID, who: str | None = None, mode: str | None = None) -> httpx.Response:
        asked = {"trackId": track(id_)} | ({} if mode is None else {"mode": mode})
        return await self.client.post("/api/audio/token", json=asked, headers=self.by(who))

    async def hear(self, id_: UUID, token: str, method: str = "GET", **headers: Any) -> httpx.Response:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, f"/api/audio/{track(id_)}?token={token}", headers=said)

    async def set_state(self, id_: UUID, state: str) -> None:
        async with self.database.write() as connection:
            await connection.execute(update(tables.asset).where(tables.asset.c.id == id_).values(state=state))

    async def rows(self, table: Any, *order: Any) -> list[Any]:
        async with self.database.read() as connection:
            return list(await connection.execute(select(table).order_by(*order)))

    def blobs(self) -> list[str]:
        folder = self.data / "blobs"
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


async def furnish(database: Database) -> None:
    async with database.write() as connection:
        for handle, id_ in EVERYONE.items():
            await connection.execute(insert(tables.account).values(id=id_, handle=handle))
            secret_hash = hashlib.sha256(f"session of {handle}".encode()).digest()
            row = {"id": id_, "account_id": id_, "secret_hash": secret_hash, "loopback_only": False}
            await connection.execute(insert(tables.session).values(**row, expires_at=datetime(2999, 1, 1, tzinfo=UTC)))
        for id_, handle, account in ((ARTIST, "ada", ADA), (STRANGE, "bo", BO)):
            row = {"id": id_, "handle": handle, "name": handle, "kind": "CREATOR", "claimed": True}
            await connection.execute(insert(tables.artist).values(row))
            row = {"id": id_, "account_id": account, "artist_id": id_, "role": "OWNER"}
            await connection.execute(insert(tables.membership).values(row))
        row = {"id": CY, "account_id": CY, "artist_id": ARTIST, "role": "MEMBER"}
        await connection.execute(insert(tables.membership).values(row))
        for id_, state in ((OPEN, "PUBLIC"), (CLOSED, "PRIVATE"), (BARE, "PUBLIC")):
            row = {"id": id_, "kind": "TRACK", "owner_id": ARTIST, "title": state, "state": state}
            await connection.execute(insert(tables.asset).values(row))
            await connection.execute(insert(tables.track).values(id=id_))
        for id_, of in ((HOOK, OPEN), (CLOSED_HOOK, CLOSED)):
            row = {"id": id_, "track_id": of, "start_ms": START_MS, "end_ms": END_MS}
            await connection.execute(insert(tables.hook).values(row))


@asynccontextmanager
async def listening(database: Database, data: Path, blobs_url: str | None = None) -> AsyncIterator[Listening]:
    await furnish(database)
    app = create_app(Settings(data=data, blobs_url=blobs_url), database)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="https://casset.example") as client:
        yield Listening(app, client, database, data)
    await close(app._house)
    app.studio.blobs.close()
