"""Where sign-ins with other houses live: what is linked to an account, and the flows under way."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.places import Type, columns
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.identities import FLOW_LASTS, Vouched

IDENTITY = Type(
    "Identity",
    tables.identity,
    {**columns(tables.identity, "provider", "email", "created_at", id="ref")},
)


class Flow(NamedTuple):
    """Somebody is on their way to another house; `account` was signed in when they left."""

    provider: str
    account: UUID | None
    place: str


async def add_flow(connection: AsyncConnection, id_: UUID, flow: Flow, secret_hash: bytes) -> None:
    """Keep a flow, by the hash of the secret that the browser keeps."""
    row = {"id": id_, "provider": flow.provider, "account_id": flow.account, "place": flow.place}
    ends = func.now() + FLOW_LASTS
    await connection.execute(insert(tables.sign_in_flow).values(**row, secret_hash=secret_hash, expires_at=ends))


async def use_flow(connection: AsyncConnection, secret_hash: bytes, provider: str) -> Flow | None:
    """Use a flow up; None where there is none to this provider, it is over, or another request was first."""
    flow = tables.sign_in_flow
    used = (
        update(flow)
        .where(
            flow.c.secret_hash == secret_hash,
            flow.c.provider == provider,
            flow.c.used_at.is_(None),
            flow.c.expires_at > func.now(),
        )
        .values(used_at=func.now())
        .returning(flow.c.provider, flow.c.account_id, flow.c.place)
    )
    row = (await connection.execute(used)).first()
    return None if row is None else Flow(*row)


async def account_linked(connection: AsyncConnection, who: Vouched) -> UUID | None:
    """The account somebody's identity is linked to; it is linked to no other before this transaction ends."""
    named = f"identity/{who.issuer}/{who.subject}"
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(named, 0))))
    identity = tables.identity
    query = select(identity.c.account_id).where(
        identity.c.issuer == who.issuer, identity.c.subject == who.subject, identity.c.ended_at.is_(None)
    )
    return (await connection.execute(query)).scalar()


async def add_identity(connection: AsyncConnection, id_: UUID, account_id: UUID, provider: str, who: Vouched) -> None:
    """Link an identity to an account."""
    row = {"id": id_, "account_id": account_id, "provider": provider, "email": who.email}
    await connection.execute(insert(tables.identity).values(**row, issuer=who.issuer, subject=who.subject))


class WaysIn(NamedTuple):
    """How an account is signed in to: the ids of its identities, and whether it has a password."""

    identities: tuple[UUID, ...]
    has_password: bool


async def hold_ways_in(connection: AsyncConnection, viewer: Viewer) -> WaysIn:
    """Lock the viewer's account, and read how it is signed in to."""
    account, identity, password = tables.account.alias(), tables.identity.alias(), tables.password
    mine = allowed(tables.account, Action.READ, account)
    await connection.execute(select(account.c.id).where(mine).with_for_update(key_share=True), viewer_values(viewer))
    linked = select(identity.c.id).where(allowed(tables.identity, Action.WRITE, identity))
    ids = tuple((await connection.execute(linked, viewer_values(viewer))).scalars())
    has_password = select(exists().where(password.c.account_id == account.c.id)).select_from(account).where(mine)
    return WaysIn(ids, bool((await connection.execute(has_password, viewer_values(viewer))).scalar()))


async def end_identity(connection: AsyncConnection, identity_id: UUID) -> None:
    """Link an identity to its account no longer."""
    identity = tables.identity
    await connection.execute(
        update(identity).where(identity.c.id == identity_id).values(ended_at=func.clock_timestamp())
    )


async def end_identities_before_proof(connection: AsyncConnection, account_id: UUID) -> None:
    """Link nothing to an account any more whose address nobody has shown to be theirs yet."""
    account, identity = tables.account, tables.identity
    unproven = exists().where(account.c.id == account_id, account.c.email_verified_at.is_(None))
    await connection.execute(
        update(identity)
        .where(identity.c.account_id == account_id, identity.c.ended_at.is_(None), unproven)
        .values(ended_at=func.clock_timestamp())
    )
