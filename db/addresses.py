"""Where things are for people: the address of a world, and of what is in it.

It begins with the origin that the house is told (`casset.origin`, set on every connection), and without one it is an
address on whatever host is asked.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, func, select

from db import tables
from db.access import Exposure
from db.places import Stored
from domain.ids import Kind

_ORIGIN = func.current_setting("casset.origin", True, type_=Text)


def address_of_world() -> Stored:
    """The address of the world at hand."""
    return Stored(lambda world: func.concat(_ORIGIN, "/", world.c.handle, type_=Text))


def address_in_world(kind: Kind, asset: str | None = None, *, nullable: bool = False) -> Stored:
    """The address of the thing at hand in its artist's world, as `domain.links.address_of` says.

    Args:
        kind: of the thing.
        asset: the column that holds the asset whose owner's world it is in; None where the row names the artist.
        nullable: it may be closed.
    """

    def value(row: Any) -> ColumnElement[Any]:
        world, owned = tables.artist.alias(), tables.asset.alias()
        ref = row.c.ref if "ref" in row.c else owned.c.ref
        address = func.concat(_ORIGIN, "/", world.c.handle, f"/{kind.value}s/", ref, type_=Text)
        if asset is None:
            query = select(address).where(world.c.id == row.c.artist_id)
        else:
            query = select(address).join_from(owned, world, world.c.id == owned.c.owner_id)
            query = query.where(owned.c.id == row.c[asset])
        return query.correlate_except(world, owned).scalar_subquery()

    return Stored(value, nullable, exposure=Exposure.TEASER)
