"""What happened, for those who follow: places in the change log and the outbox, and who may hear what of them."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.arguments import DEFAULT_PAGE, LARGEST_PAGE, Given, Reading
from db.changes import BEGINNING
from db.verdicts import Unbound, read_count
from db.viewers import viewer_values
from domain.accounts import Viewer
from domain.errors import BadInput
from domain.ids import Kind, Ref

Position = tuple[int, int]
"""(transaction, running number) of a line that was read; the next one is after it."""


@dataclass(frozen=True, slots=True)
class PlaceForm:
    """How places of one log are written: its tag and two numbers of eight bytes, in base64 (RFC 4648 section 5)."""

    tag: str
    of: str

    def write(self, place: Position) -> str:
        """Write a place."""
        return base64.urlsafe_b64encode(self.tag.encode() + struct.pack(">qq", *place)).rstrip(b"=").decode()

    def read(self, text: str) -> Position:
        """Read a place.

        Raises:
            BadInput: the text is none, or one of another log.
        """
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            xid, number = struct.unpack(">qq", data.removeprefix(self.tag.encode()))
            if min(xid, number) < 0 or text != self.write((xid, number)):  # base64 has more than one way to write it
                raise ValueError(text)
        except (ValueError, binascii.Error, struct.error):
            raise BadInput(f"That is not a place in {self.of}.") from None
        return xid, number


CHANGES = PlaceForm("ch", "the changes")
NEWS = PlaceForm("nw", "these events")


class ByChanges(Unbound):
    """`after first`."""

    def read(self, given: Given) -> Reading:
        """Refuse sizes out of bounds, and places of other logs."""
        after = given.get("after")
        values = {
            "after": BEGINNING if after is None else CHANGES.read(after),
            "most": read_count(given, "first", DEFAULT_PAGE, LARGEST_PAGE),
        }
        return None, values


_IDS = bindparam("ids", type_=ARRAY(Uuid), required=True)


def _seen(table: Any, kind: Any, row: Any, whole: Any) -> Any:
    return select(row.c.id, kind.label("kind"), whole.label("whole")).where(
        row.c.id == any_(_IDS), allowed(table, Action.REACH, row)
    )


def _subjects() -> Any:
    """What has a chain of its own, and is met by itself: assets and artists. All else is met through one of them."""
    asset = tables.asset.alias()
    return union_all(
        _seen(tables.asset, func.lower(asset.c.kind), asset, asset_shown(asset, Exposure.FULL)),
        _seen(tables.artist, literal(Kind.ARTIST.value), tables.artist.alias(), literal(True)),
    )


_SUBJECTS = _subjects()


async def subjects_seen(
    connection: AsyncConnection, viewer: Viewer, ids: Collection[UUID]
) -> Mapping[UUID, tuple[Ref, bool]]:
    """Those of some subjects that the viewer may meet, each with whether the whole of it is shown."""
    if not ids:
        return {}
    rows = await connection.execute(_SUBJECTS, {**viewer_values(viewer), "ids": list(ids)})
    return {row.id: (Ref(Kind(row.kind), row.id), row.whole) for row in rows}


@dataclass(frozen=True, slots=True)
class Announced:
    """A line of the outbox."""

    place: Position
    topic: str
    payload: Mapping[str, Any]


async def outbox_end(connection: AsyncConnection) -> Position:
    """The place before everything that is not settled yet."""
    settled = func.pg_snapshot_xmin(func.pg_current_snapshot()).cast(Text).cast(BigInteger)
    return (await connection.execute(select(settled))).scalar_one(), 0


async def outbox_after(
    connection: AsyncConnection, topics: Sequence[str], after: Position, first: int
) -> list[Announced]:
    """The next lines of some topics, of transactions older than every open one; `db.changes` says why."""
    log = tables.outbox
    place = tuple_(literal_column(f"'{after[0]}'::xid8"), after[1])
    query = (
        select(log.c.xid.cast(Text).cast(BigInteger).label("xid"), log.c.id, log.c.topic, log.c.payload)
        .where(
            log.c.xid < func.pg_snapshot_xmin(func.pg_current_snapshot()),
            tuple_(log.c.xid, log.c.id) > place,
            log.c.topic.in_(topics),
        )
        .order_by(log.c.xid, log.c.id)
        .limit(first)
    )
    rows = await connection.execute(query)
    return [Announced((row.xid, row.id), row.topic, row.payload) for row in rows]
