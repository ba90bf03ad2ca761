"""Where receipts of permission checks live, how they are chained, and how the facts of one are read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, allowed
from db.arguments import Given, Reading
from db.engine import Database
from db.facts import Read, terms_of
from db.history import moment_under_locks
from db.places import ToOne, Type, column, columns, refer
from db.verdicts import Unbound
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.assets import AssetKind
from domain.canonical import canonical
from domain.facts import CONTAINS, Bond, Facts, Grant, Part, Statement
from domain.ids import Kind, parse_ref_of
from domain.lineage import EdgeKind
from domain.receipts import Receipt
from domain.rights import Level, LicenseFamily
from domain.windows import stretch

PERMISSION_RECEIPT = Type(
    "PermissionReceipt",
    tables.permission_receipt,
    {
        **columns(tables.permission_receipt, "sequence", "body", "created_at", id="ref"),
        "hash": column(tables.permission_receipt, "hash", plain=True),
        "previousHash": column(tables.permission_receipt, "prev", plain=True),
        "asset": ToOne("Asset", refer("asset_id")),
    },
)


class ByReceipt(Unbound):
    """`receiptId`."""

    def read(self, given: Given) -> Reading:
        """Refuse ids of other kinds."""
        return None, {"receipt_id": parse_ref_of(given["receiptId"], frozenset({Kind.RECEIPT}))}


@dataclass(frozen=True, slots=True)
class Stored:
    """A receipt as it is stored, with what is kept beside it."""

    asset: UUID
    sequence: int
    prev: str | None
    body: str
    facts: str


async def present(database: Database) -> datetime:
    """The time now, by the clock that the rows are dated by."""
    async with database.read() as connection:
        return await moment_under_locks(connection)


async def hold_chain(connection: AsyncConnection, account: UUID) -> tuple[int, str | None]:
    """Lock the chain of an account; (sequence, hash) of its last receipt, (0, None) before the first."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"receipts/{account}", 0))))
    table = tables.permission_receipt
    query = (
        select(table.c.sequence, table.c.hash)
        .where(table.c.account_id == account)
        .order_by(table.c.sequence.desc())
        .limit(1)
    )
    last = (await connection.execute(query)).first()
    return (0, None) if last is None else (last.sequence, last.hash)


async def add_receipt(
    connection: AsyncConnection, id_: UUID, account: UUID, stored: Stored, written: Receipt, at: datetime
) -> None:
    """Write a receipt at the end of its chain."""
    row = {
        "id": id_,
        "account_id": account,
        "asset_id": stored.asset,
        "sequence": stored.sequence,
        "prev": stored.prev,
        "body": written.body,
        "facts": stored.facts,
        "hash": written.hash,
        "created_at": at,
    }
    await connection.execute(insert(tables.permission_receipt).values(row))


async def receipt_of(database: Database, viewer: Viewer, receipt_id: UUID) -> Stored | None:
    """A receipt of the viewer's; None where there is none."""
    table = tables.permission_receipt
    query = select(table).where(table.c.id == receipt_id, allowed(table, Action.READ, table))
    async with database.read() as connection:
        row = (await connection.execute(query, viewer_values(viewer))).first()
    return None if row is None else Stored(row.asset_id, row.sequence, row.prev, row.body, row.facts)


def noted(read: Read) -> str:
    """What an answer was decided from, as canonical JSON.

    Rows that never change are noted by their ids: edges, policies, grants. Of what may change later, the assets and the
    items of a release, it is noted how it was; and of both what the asker was not to see.
    """
    facts = read.facts
    return canonical(
        {
            "parts": [
                [str(id_), str(part.owner), part.kind.value, part.duration_ms, part.is_withdrawn, *_version(part)]
                for id_, part in sorted(facts.parts.items())
            ],
            "unread": sorted(map(str, facts.unread)),
            "edges": sorted(str(bond.id) for bond in facts.bonds if bond.kind is not CONTAINS),
            "items": sorted([str(it.id), str(it.child), str(it.parent)] for it in facts.bonds if it.kind is CONTAINS),
            "policies": sorted(str(said.id) for said in facts.statements),
            "grants": sorted(str(grant.id) for grant in facts.grants),
            "seen": sorted(map(str, read.seen)),
            "untold": sorted(map(str, read.untold)),
        }
    ).decode()


def _version(part: Part) -> list[str]:
    """The version of a release that was out. Absent means absent."""
    return [] if part.version is None else [str(part.version)]


async def read_again(database: Database, facts: str) -> Read:
    """The facts that were noted, out of the rows they were read from."""
    told = orjson.loads(facts)
    ids = {
        name: [UUID(id_) for id_ in told[name]] for name in ("unread", "edges", "policies", "grants", "seen", "untold")
    }
    async with database.read(snapshot=True) as connection:
        edges = (await connection.execute(_EDGES, {"ids": ids["edges"]})).all()
        policies = (await connection.execute(_POLICIES, {"ids": ids["policies"]})).all()
        grants = (await connection.execute(_GRANTS, {"ids": ids["grants"]})).all()
    terms = await terms_of(database, {row.term_set_id for row in (*policies, *grants)})
    parts = [
        Part(UUID(id_), UUID(owner), AssetKind(kind), duration_ms, is_withdrawn, *map(UUID, version))
        for id_, owner, kind, duration_ms, is_withdrawn, *version in told["parts"]
    ]
    items = [Bond(UUID(id_), UUID(child), UUID(parent), CONTAINS) for id_, child, parent in told["items"]]
    known = Facts(
        {part.id: part for part in parts},
        [*items, *map(_bond, edges)],
        [
            Statement(
                row.id,
                row.subject_id,
                Level(row.level),
                terms[row.term_set_id],
                LicenseFamily(row.license_family),
                row.license,
            )
            for row in policies
        ],
        frozenset(ids["unread"]),
        [Grant(row.id, row.asset_id, row.grantee_id, terms[row.term_set_id]) for row in grants],
    )
    seen = frozenset(ids["seen"])
    return Read(known, seen, seen, frozenset(ids["untold"]))


def _bond(row: Any) -> Bond:
    windows = stretch(row.child_start_ms, row.child_end_ms), stretch(row.parent_start_ms, row.parent_end_ms)
    return Bond(row.id, row.child_id, row.parent_id, EdgeKind(row.kind), *windows)


_IDS = bindparam("ids", type_=ARRAY(Uuid), required=True)
_EDGES, _POLICIES, _GRANTS = (
    select(table).where(table.c.id == any_(_IDS))
    for table in (tables.lineage_edge, tables.policy, tables.permission_grant)
)
