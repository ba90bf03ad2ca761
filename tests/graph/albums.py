"""A release of Nova's that can be published, told by those who own it: Ada, whom the company knows."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, text

from db import tables
from domain.canonical import digest
from domain.ids import parse_ref
from domain.signatures import Signer
from resolvers.context import uuid7
from tests.graph.company import Company

SIGNER = Signer("did:web:casset.test#key", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = {SIGNER.method: SIGNER.key.public_key()}
OUT = (
    "release { id version state status publishedAt currentVersion { id } } version { id number state title publishedAt "
)
OUT += "manifest { hash body proof signatureState } items { nodes { id position title asset { id state } } } }"
LACKING = "... on NotReadyError { lacks { what message asset { id } } }"


async def made(here: Company, title: str, kind: str = "track", **details: Any) -> str:
    """Another asset of Nova's, private; what sounds has a master that was read."""
    given = {"owner": here.ids["nova"], "title": title, "details": {kind: details}}
    told = await here.do("ada", "createAsset", "asset { id }", **given)
    id_ = str(told["asset"]["id"])
    if kind in {"track", "sample"}:
        await sound(here, id_)
    return id_


async def sound(here: Company, asset: str, state: str | None = "READY") -> str:
    """Give an asset a master; None: one that an import brought."""
    sha256 = digest(asset.encode() + uuid7().bytes)
    row = {"id": uuid7(), "asset_id": parse_ref(asset).id, "role": "MASTER", "sha256": sha256, "mime_type": "audio/wav"}
    async with here.database.write() as connection:
        await connection.execute(insert(tables.media).values(row))
        if state is not None:
            content = {"media_id": row["id"], "format": "WAV", "state": state}
            await connection.execute(insert(tables.media_content).values(content))
    return sha256


async def version_of(here: Company, id_: str) -> int:
    """The optimistic version an asset is at."""
    query = select(tables.asset.c.version).where(tables.asset.c.id == parse_ref(id_).id)
    async with here.database.read() as connection:
        return (await connection.execute(query)).scalar_one()


async def draft(here: Company, *items: str, release: str | None = None, title: str = "Album") -> tuple[str, str]:
    """(release, draft) that holds some items."""
    release = release or await made(here, title, "release", releaseKind="ALBUM", label="Nightlight", upc="036000291452")
    given = {"release": release, "items": list(items), "expectedVersion": await version_of(here, release)}
    told = await here.do("ada", "setReleaseItems", "version { id }", **given)
    assert told["__typename"] == "SetReleaseItemsSuccess", told
    return release, str(told["version"]["id"])


async def publish(here: Company, release: str, version: str, who: str = "ada", asked: str = OUT, **more: Any) -> Any:
    """What publishing a draft answers."""
    given = {"version": version, "expectedVersion": await version_of(here, release), **more}
    return await here.do(who, "publishVersion", asked, **given)


async def album(here: Company, count: int = 2) -> tuple[str, str, Any]:
    """(release, version, answer) of an album that is out."""
    items = [await made(here, f"Song {number}") for number in range(count)]
    release, version = await draft(here, *items)
    return release, version, await publish(here, release, version)


async def rows(here: Company, sql: str, **values: Any) -> list[Any]:
    """Rows of the database, as they are."""
    async with here.database.read() as connection:
        return list((await connection.execute(text(sql), values)).all())
