"""How a row with history changes: what we held to be so is closed, and told again with its end.

A writer takes its locks first and asks for the moment then (`moment_under_locks`). The transaction's own time will not
do: it began before the wait, and others have written since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    DateTime,
    Table,
    Uuid,
    and_,
    bindparam,
    column,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection


async def moment_under_locks(connection: AsyncConnection) -> datetime:
    """The time now, later than that of every writer who held the same locks before."""
    return (await connection.execute(select(func.clock_timestamp(type_=DateTime(timezone=True))))).scalar_one()


def holds_at(row: Any, moment: datetime) -> ColumnElement[bool]:
    """The row that holds at a moment that is now."""
    return and_(func.upper_inf(row.c.known), row.c.valid.contains(_time(moment)))


def holds_now(row: Any) -> ColumnElement[bool]:
    """The row with history that holds now."""
    return and_(func.upper_inf(row.c.known), row.c.valid.contains(func.now()))


def has_begun(row: Any) -> ColumnElement[bool]:
    """The row with history holds or has held: every version is kept, and read by its id."""
    return func.coalesce(func.lower(row.c.valid) <= func.now(), true())


_VALID_AT = bindparam("valid_at", type_=DateTime(timezone=True), required=True)
_KNOWN_AT = bindparam("known_at", type_=DateTime(timezone=True), required=True)


def stood(row: Any, *, now: bool) -> ColumnElement[bool]:
    """The row with history that holds now, or that held at `valid_at` as it was known at `known_at`."""
    return holds_now(row) if now else and_(row.c.known.contains(_KNOWN_AT), row.c.valid.contains(_VALID_AT))


def stood_since(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    """What holds, and is known, from a moment on held at `valid_at`, as it was known at `known_at`."""
    return and_(moment <= _VALID_AT, moment <= _KNOWN_AT)


def since(moment: datetime) -> dict[str, ColumnElement[Any]]:
    """The ranges of a row that holds from a moment on, and is known from then on."""
    return {name: func.tstzrange(_time(moment), null()) for name in ("valid", "known")}


def held_until(row: Any) -> ColumnElement[Any]:
    """When a row ceased to hold, or was corrected; NULL where neither."""
    ends = func.upper(row.c.valid), func.upper(row.c.known)
    return func.least(*ends, type_=DateTime(timezone=True))


async def end_row(
    connection: AsyncConnection, table: Table, id_: UUID, moment: datetime, new_id: Callable[[], UUID]
) -> None:
    """Let an open row no longer hold from a moment on; that it held until then stays known, under another id."""
    await end_rows(connection, table, [id_], moment, new_id)


async def end_rows(
    connection: AsyncConnection, table: Table, ids: Sequence[UUID], moment: datetime, new_id: Callable[[], UUID]
) -> None:
    """Let open rows no longer hold from a moment on; that they held until then stays known, under other ids."""
    if not ids:
        return
    closed = func.tstzrange(func.lower(table.c.known), _time(moment))
    await connection.execute(update(table).where(table.c.id.in_(ids)).values(known=closed))
    told = {
        "valid": func.tstzrange(func.lower(table.c.valid), _time(moment)),
        "known": func.tstzrange(_time(moment), null()),
    }
    await _copy(connection, table, [(id_, new_id()) for id_ in ids], told)


async def change_row(
    connection: AsyncConnection,
    table: Table,
    id_: UUID,
    values: Mapping[str, Any],
    moment: datetime,
    new_id: Callable[[], UUID],
) -> UUID:
    """Let an open row hold with other values from a moment on; the id of the row that says so."""
    given = {name: literal(value, table.c[name].type) for name, value in values.items()}
    (changed,) = await change_rows(connection, table, [id_], given, moment, new_id)
    return changed


async def change_rows(
    connection: AsyncConnection,
    table: Table,
    ids: Sequence[UUID],
    values: Mapping[str, ColumnElement[Any]],
    moment: datetime,
    new_id: Callable[[], UUID],
) -> list[UUID]:
    """Let open rows hold with other values from a moment on; the ids of the rows that say so, in their order.

    Args:
        connection: of the transaction.
        table: of the rows.
        ids: of the rows.
        values: by column; they may speak of the row as it was.
        moment: from which on.
        new_id: makes the ids of rows.
    """
    await end_rows(connection, table, ids, moment, new_id)
    changed = [(id_, new_id()) for id_ in ids]
    await _copy(connection, table, changed, {**since(moment), **values})
    return [written for _, written in changed]


async def _copy(
    connection: AsyncConnection,
    table: Table,
    ids: Sequence[tuple[UUID, UUID]],
    told: Mapping[str, ColumnElement[Any]],
) -> None:
    """Write some rows again, (id, other id), with what is told otherwise."""
    if not ids:
        return
    was, becomes = (literal(list(column), ARRAY(Uuid)) for column in zip(*ids, strict=True))
    pair = func.unnest(was, becomes).table_valued(column("was", Uuid), column("becomes", Uuid)).render_derived("pair")
    told = {"id": pair.c.becomes, **told}
    written: list[Column[Any]] = [each for each in table.columns if each.computed is None]
    rows = select(*[told.get(each.name, each) for each in written]).join_from(pair, table, table.c.id == pair.c.was)
    await connection.execute(insert(table).from_select([each.name for each in written], rows))


def _time(moment: datetime) -> ColumnElement[Any]:
    return literal(moment, DateTime(timezone=True))
