"""Total orders and the cursors bound to them.

A cursor is an order tag, the bytes of the sort key and the sixteen bytes of the id, in base64 with the URL-safe
alphabet, no padding (RFC 4648 section 5). It is unsigned: it holds nothing but what its row already showed, and
what it points at is filtered again. A cursor of another order, or any other text, is refused before execution.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Text, cast, func, literal_column, tuple_
from sqlalchemy import types as sql

from domain.errors import BadInput

LOWEST_ID, HIGHEST_ID = UUID(int=0), UUID(int=2**128 - 1)
POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, eq=False)
class KeyForm:
    """How one type of sort key is compared, written into a cursor and read back."""

    type: sql.TypeEngine[Any]
    send: Callable[[ColumnElement[Any]], ColumnElement[bytes]]
    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], Any]
    lowest: Any
    highest: Any


def _unpack_moment(data: bytes) -> datetime:
    """Read `timestamptz_send`: microseconds since 2000-01-01 as a big-endian integer."""
    return POSTGRES_EPOCH + struct.unpack(">q", data)[0] * MICROSECOND


def _unpack_text(data: bytes) -> str:
    """Read UTF-8 that PostgreSQL can hold."""
    text = data.decode()
    if "\0" in text:
        raise ValueError(text)
    return text


MOMENT = KeyForm(
    sql.DateTime(timezone=True),
    lambda column: func.timestamptz_send(column, type_=LargeBinary),
    lambda moment: struct.pack(">q", (moment - POSTGRES_EPOCH) // MICROSECOND),
    _unpack_moment,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC),
)
NUMBER = KeyForm(
    sql.Integer(),
    lambda column: func.int4send(column, type_=LargeBinary),
    lambda number: struct.pack(">i", number),
    lambda data: struct.unpack(">i", data)[0],
    -(2**31),
    2**31 - 1,
)
WORDS = KeyForm(
    sql.Text(collation="C"),
    lambda column: func.convert_to(column, "UTF8", type_=LargeBinary),
    lambda words: words.encode(),
    _unpack_text,
    "",
    "\U0010ffff" * 201,
)


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A total order: one NOT NULL key column, then the id, both in one direction.

    `tag` is two letters, unique among all orders, and leads every cursor of this order. An order equals only itself:
    it stands in the keys of plans, which are hashed on every request. Where no column is the key, `of` makes it.
    """

    tag: str
    key: str
    form: KeyForm
    descending: bool = False
    of: Callable[[Any], ColumnElement[Any]] | None = None

    def value(self, row: Any) -> ColumnElement[Any]:
        """The key of `row`."""
        key: ColumnElement[Any] = row.c[self.key] if self.of is None else self.of(row)
        return key

    def columns(self, row: Any, *, backward: bool) -> list[ColumnElement[Any]]:
        """The ORDER BY of a page over `row`, reversed where it is read from its end."""
        keys = [self.value(row), row.c.id]
        return [key.desc() if self.descending != backward else key.asc() for key in keys]

    def past(self, row: Any, key: ColumnElement[Any], id_: ColumnElement[Any], *, after: bool) -> ColumnElement[bool]:
        """Whether `row` stands after (or before) the place a cursor names."""
        here, there = tuple_(self.value(row), row.c.id), tuple_(key, id_)
        return here < there if self.descending == after else here > there

    def nowhere(self, *, after: bool) -> tuple[Any, UUID]:
        """The place before (or after) every row: what an absent cursor stands for."""
        low = self.descending != after
        return (self.form.lowest, LOWEST_ID) if low else (self.form.highest, HIGHEST_ID)

    def cursor(self, row: Any) -> ColumnElement[str]:
        """The cursor of `row`, as PostgreSQL writes it."""
        tag = literal_column(f"'\\x{self.tag.encode().hex()}'::bytea", LargeBinary)
        sent = tag.concat(self.form.send(self.value(row))).concat(func.uuid_send(row.c.id, type_=LargeBinary))
        return func.translate(func.encode(sent, literal_column("'base64'")), "+/=\n", "-_", type_=Text)

    def write(self, key: Any, id_: UUID) -> str:
        """Write the cursor of a key and an id."""
        return base64.urlsafe_b64encode(self.tag.encode() + self.form.pack(key) + id_.bytes).rstrip(b"=").decode()

    def read(self, text: str) -> tuple[Any, UUID]:
        """Read a cursor of this order.

        Raises:
            BadInput: the text is no cursor, or one of another order.
        """
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if len(data) < len(self.tag) + 16 or not data.startswith(self.tag.encode()):
                raise ValueError(text)
            place = self.form.unpack(data[len(self.tag) : -16]), UUID(bytes=data[-16:])
            if text != self.write(*place):  # base64 has more than one way to write the same
                raise ValueError(text)
        except (ValueError, binascii.Error, struct.error, OverflowError):
            raise BadInput("That is not a cursor of this list in this order.") from None
        return place


DAY = KeyForm(
    sql.Date(),
    lambda column: func.date_send(column, type_=LargeBinary),
    lambda day: struct.pack(">i", (day - POSTGRES_EPOCH.date()).days),
    lambda data: POSTGRES_EPOCH.date() + timedelta(days=struct.unpack(">i", data)[0]),
    date(1, 1, 1),
    date(9999, 12, 31),
)


def _dated(asset: Any) -> ColumnElement[Any]:
    """The day a work is of: the one it says, or the one it was written down on."""
    return func.coalesce(asset.c.made_on, cast(func.timezone("UTC", asset.c.created_at), sql.Date()), type_=sql.Date())


NEWEST = Order("ne", "created_at", MOMENT, descending=True)
TITLE = Order("ti", "title_key", WORDS)
NAME = Order("na", "name_key", WORDS)
MOST_DERIVED = Order("md", "derived_count", NUMBER, descending=True)
POSITION = Order("po", "position", NUMBER)
SOONEST = Order("so", "opens_at", MOMENT)
NUMBERED = Order("nu", "number", NUMBER, descending=True)
SEQUENCE = Order("se", "sequence", NUMBER)
OLDEST = Order("ol", "created_at", MOMENT)
LATEST = Order("la", "at", MOMENT, descending=True)
DATED = Order("da", "made_on", DAY, descending=True, of=_dated)
JOINED = Order("jo", "joined_at", MOMENT, descending=True)
WALKED = Order("wa", "distance", NUMBER)
"""Of a walk along lineage, by distance and id."""
FLIPPED = Order("fl", "number", NUMBER)
"""Of verdicts that change, by their number."""
