"""Where claims of artists live."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.places import Stored, ToOne, Type, columns, refer
from domain.claims import ClaimState

ARTIST_CLAIM = Type(
    "ArtistClaim",
    tables.artist_claim,
    {
        **columns(tables.artist_claim, "state", "proof_address", "created_at", "decided_at", id="ref"),
        "proofText": Stored(lambda claim: "casset " + claim.c.ref),
        "artist": ToOne("Artist", refer("artist_id"), always=True),
    },
)


async def hold_claimable(connection: AsyncConnection, artist_id: UUID) -> bool | None:
    """Lock an artist; whether it waits to be claimed, None where there is no such artist."""
    artist = tables.artist
    query = select(artist.c.claimed).where(artist.c.id == artist_id).with_for_update()
    claimed = (await connection.execute(query)).scalar()
    return None if claimed is None else not claimed


async def open_claims(connection: AsyncConnection, account_id: UUID) -> dict[UUID, UUID]:
    """The open claims of an account by artist; it gets no more before this transaction ends."""
    await connection.execute(select(tables.account.c.id).where(tables.account.c.id == account_id).with_for_update())
    claim = tables.artist_claim
    query = select(claim.c.artist_id, claim.c.id).where(
        claim.c.account_id == account_id, claim.c.state == ClaimState.OPEN.value
    )
    return {row.artist_id: row.id for row in await connection.execute(query)}


async def add_claim(
    connection: AsyncConnection, claim_id: UUID, artist_id: UUID, account_id: UUID, address: str
) -> None:
    """Keep a claim."""
    row = {"id": claim_id, "artist_id": artist_id, "account_id": account_id, "proof_address": address}
    await connection.execute(insert(tables.artist_claim).values(row))


async def move_claim(connection: AsyncConnection, claim_id: UUID, address: str) -> None:
    """Let an open claim show its proof at another address."""
    claim = tables.artist_claim
    await connection.execute(update(claim).where(claim.c.id == claim_id).values(proof_address=address))


async def hold_claim(connection: AsyncConnection, claim_id: UUID) -> Any | None:
    """Lock an open claim; its row, or None where there is none."""
    claim = tables.artist_claim
    query = select(claim).where(claim.c.id == claim_id, claim.c.state == ClaimState.OPEN.value).with_for_update()
    return (await connection.execute(query)).first()


async def decide_claim(connection: AsyncConnection, claim_id: UUID, state: ClaimState) -> None:
    """Approve or refuse a claim."""
    claim = tables.artist_claim
    values = {"state": state.value, "decided_at": func.now()}
    await connection.execute(update(claim).where(claim.c.id == claim_id).values(values))


async def settle_artist(connection: AsyncConnection, artist_id: UUID) -> int:
    """Note that somebody signs in for an artist, and refuse what else is open for it; the artist's version."""
    claim, artist = tables.artist_claim, tables.artist
    which = claim.c.artist_id == artist_id, claim.c.state == ClaimState.OPEN.value
    refused = {"state": ClaimState.REFUSED.value, "decided_at": func.now()}
    await connection.execute(update(claim).where(*which).values(refused))
    moved = update(artist).where(artist.c.id == artist_id).values(claimed=True, version=artist.c.version + 1)
    return (await connection.execute(moved.returning(artist.c.version))).scalar_one()


async def claims_waiting(connection: AsyncConnection) -> list[Any]:
    """The open claims, the oldest first, with the handles of the artist and of who claims it."""
    claim, artist, account = tables.artist_claim, tables.artist, tables.account
    query = (
        select(
            claim.c.ref,
            artist.c.handle.label("artist"),
            artist.c.name,
            account.c.handle.label("claimant"),
            claim.c.proof_address,
            claim.c.created_at,
        )
        .join_from(claim, artist, artist.c.id == claim.c.artist_id)
        .join(account, account.c.id == claim.c.account_id)
        .where(claim.c.state == ClaimState.OPEN.value)
        .order_by(claim.c.created_at, claim.c.id)
    )
    return list(await connection.execute(query))
