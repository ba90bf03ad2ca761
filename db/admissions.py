"""Who may hear a room, asked of many viewers in many rooms at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.sql.visitors import replacement_traverse

from db import tables
from db.access import Action, allowed
from db.engine import Database
from db.statements import statement_text
from db.viewers import viewer_values
from domain.accounts import EDITING_ROLES, Role, Viewer

_COLUMNS = {
    "number": Integer,
    "room_id": Uuid,
    "viewer_account": Uuid,
    "viewer_asker": Uuid,
    "viewer_holds": Text,
    "viewer_grantees": Text,
    "viewer_edits": Text,
    "viewer_is_agent": Boolean,
}


async def admitted(database: Database, asked: Sequence[tuple[UUID, Viewer]]) -> set[int]:
    """Which of some (room, viewer) are let in, by their place. What a person holds is asked anew.

    Raises:
        Unavailable: the database is away.
    """
    given: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for number, (room, viewer) in enumerate(asked):
        row = {"number": number, "room_id": room, **viewer_values(viewer)}
        for name, values in given.items():
            value = row[name]
            # Arrays of arrays have one length: each of these travels as text.
            values.append(f"{{{','.join(map(str, value))}}}" if isinstance(value, tuple) else value)
    async with database.plan_connection(_SQL) as connection:
        return {row["number"] for row in await connection.fetch(_SQL, *[given[name] for name in _PARAMETERS])}


def _statement() -> Any:
    asked = func.unnest(*[bindparam(name, type_=ARRAY(type_), required=True) for name, type_ in _COLUMNS.items()])
    viewer = asked.table_valued(*[column(name, type_) for name, type_ in _COLUMNS.items()]).render_derived()
    room = tables.room.alias()
    own = {
        "viewer_holds": _held(viewer, Role),
        "viewer_grantees": _held(viewer, Role),
        "viewer_edits": _held(viewer, EDITING_ROLES),
    }
    values: dict[str, ColumnElement[Any]] = {name: viewer.c[name] for name in _COLUMNS}
    for name, artists in own.items():
        values[name] = case((viewer.c.viewer_is_agent, cast(viewer.c[name], ARRAY(Uuid))), else_=artists)

    def of_each(element: Any, **_: Any) -> Any:
        """Where a predicate speaks of the one viewer of a statement, here it speaks of each."""
        of_viewer = isinstance(element, BindParameter) and str(element.key).startswith("viewer_")
        return values[element.key] if of_viewer else None

    may = replacement_traverse(allowed(tables.room, Action.READ, room), {}, of_each)
    return select(viewer.c.number).select_from(viewer.join(room, room.c.id == viewer.c.room_id)).where(may)


def _held(viewer: Any, roles: Iterable[Role]) -> Any:
    membership = tables.membership.alias()
    query = select(membership.c.artist_id).where(
        membership.c.account_id == viewer.c.viewer_asker,
        membership.c.ended_at.is_(None),
        membership.c.role.in_(sorted(role.value for role in roles)),
    )
    return func.array(query.correlate(viewer).scalar_subquery(), type_=ARRAY(Uuid))


_SQL, _PARAMETERS = statement_text(_statement())
