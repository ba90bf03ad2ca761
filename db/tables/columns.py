"""The column forms every table shares: keys, references, times and the closed vocabularies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

OPEN = text("upper_inf(known)")
"""A row of a table with history that has not been corrected since: what hot reads and their indexes look at."""


def key() -> Column[Any]:
    """The primary key: a UUIDv7 made outside the database."""
    return Column("id", Uuid, primary_key=True)


def ref(kind: str) -> Column[Any]:
    """The TypeID of the row, stored so that reads never encode; `kind` is a prefix, or a column that holds it."""
    prefix = kind if kind.startswith("lower(") else f"'{kind}'"
    return Column("ref", Text, Computed(f"typeid({prefix}, id)", persisted=True), nullable=False)


def belongs_to(name: str, table: str, *, nullable: bool = False) -> Column[Any]:
    """A foreign key to the `id` of another table."""
    return Column(name, Uuid, ForeignKey(f"{table}.id"), nullable=nullable)


def created_at() -> Column[Any]:
    """When the row was written (the database's clock, microseconds)."""
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def clocked(name: str) -> Column[Any]:
    """A moment by the clock, not by the transaction: of what is written under a lock, it follows the lock's order."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp())


def moment(name: str) -> Column[Any]:
    """A moment that is given."""
    return Column(name, DateTime(timezone=True), nullable=False)


def version() -> Column[Any]:
    """The optimistic version of a row: starts at 1, grows by one with every write."""
    return Column("version", Integer, nullable=False, server_default=text("1"))


def word(name: str, values: Iterable[str], *, nullable: bool = False, default: str | None = None) -> tuple[Any, ...]:
    """A text column holding one word of a closed vocabulary, with the check that keeps it closed."""
    listed = ", ".join(f"'{value}'" for value in values)
    return (
        Column(name, Text, nullable=nullable, server_default=default),
        CheckConstraint(f"{name} IN ({listed})", name=name),
    )


def history() -> tuple[Any, ...]:
    """`valid`: when it was so. `known`: when we held it to be so. Both half-open; open means still."""
    return (
        Column("valid", TSTZRANGE, nullable=False, server_default=text("tstzrange(now(), NULL)")),
        Column("known", TSTZRANGE, nullable=False, server_default=text("tstzrange(now(), NULL)")),
        CheckConstraint("NOT isempty(valid)", name="valid"),
        CheckConstraint("NOT isempty(known)", name="known"),
    )


def one_open_row(table: str, *columns: str, among: str | None = None, what: str = "row") -> ExcludeConstraint:
    """At most one open row per key and valid instant (btree_gist), among all of the table's or some of them.

    Ids stand in it as their bytes, and the time as a range cut by nothing: the planner takes a GiST index for cheaper
    than it is and would read by it, ten times slower than by the index on open rows. Over expressions it is a
    constraint and nothing else.
    """
    keys: list[tuple[Any, str]] = [
        (text(f"uuid_send({name})") if name.endswith("_id") else name, "=") for name in columns
    ]
    keys.append((text("(valid * '(,)'::tstzrange)"), "&&"))
    where = OPEN if among is None else text(f"{OPEN} AND {among}")
    return ExcludeConstraint(*keys, where=where, using="gist", name=f"{table}_one_open_{what}")


def open_index(name: str, *columns: Any, **options: Any) -> Index:
    """An index over the open rows only."""
    return Index(name, *columns, postgresql_where=OPEN, **options)


class XID8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type in DDL."""
        return "xid8"
