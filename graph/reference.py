"""The reference execution: graphql-core's own algorithm over the same declarations, one hop and one batch at a time.

It is tier 3: introspection, whatever has no plan, and the oracle with which every plan is compared.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
)

from db.engine import Database
from db.map import TYPES
from db.places import Computed, Each, Inline, Many, Page, Place, Resolved, Stored, Switch, ToOne, Type
from db.resolution import met
from db.rows import ROOT, Found, RowReader
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from graph.computed import COMPUTED
from graph.mutation import read_mutation

Info = GraphQLResolveInfo[Any]
Resolve = Callable[..., Any]
Batch = Callable[[RowReader, Sequence[Any]], Awaitable[Mapping[Any, Any]]]


@dataclass(slots=True)
class Hops:
    """What one operation needs to read hop by hop: the viewer, a connection at a time, and a loader for every hop."""

    database: Database
    viewer: Viewer
    loaders: dict[Hashable, DataLoader[Any, Any]] = field(default_factory=dict)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def load(self, hop: Hashable, key: Any, batch: Batch) -> Any:
        """The answer of a hop for one parent, read together with those of its siblings."""
        if hop not in self.loaders:

            async def load(keys: list[Any]) -> list[Any]:
                async with self.one_at_a_time, self.database.read() as connection:
                    found = await batch(RowReader(TYPES, connection, self.viewer), keys)
                return [found.get(key) for key in keys]

            self.loaders[hop] = DataLoader(load)
        return self.loaders[hop].load(key)


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page as it was read, one row more than asked for."""

    rows: list[Any]
    size: int
    shape: Any
    count: Callable[[], Awaitable[int]]

    @property
    def backward(self) -> bool:
        """Read from its end."""
        return bool(self.shape[1])

    @property
    def shown(self) -> list[Any]:
        """The rows of the page, in the order of the list."""
        rows = self.rows[: self.size]
        return rows[::-1] if self.backward else rows

    def cursor(self, row: Found) -> str:
        """The cursor of one of its rows."""
        return str(self.shape[0].write(row.order_key, row.id))


def attach(schema: GraphQLSchema) -> None:
    """Give every stored field its reference resolver, and every abstract type its way to tell types apart."""
    for name, type_ in schema.type_map.items():
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            type_.resolve_type = _type_of
        elif isinstance(type_, GraphQLObjectType) and not name.startswith("__"):
            type_.is_type_of = None
            for field_name, definition in type_.fields.items():
                resolve = _resolver(name, field_name)
                if resolve is not None:
                    definition.resolve = resolve


def _type_of(value: Any, *_: Any) -> str:
    return str(value["__typename"] if isinstance(value, Mapping) else value.type)


_PAGE_INFO: dict[str, Callable[[PageRead], Any]] = {
    "hasNextPage": lambda page: "before" in page.shape[2] if page.backward else len(page.rows) > page.size,
    "hasPreviousPage": lambda page: len(page.rows) > page.size if page.backward else "after" in page.shape[2],
    "startCursor": lambda page: page.cursor(page.shown[0]) if page.shown else None,
    "endCursor": lambda page: page.cursor(page.shown[-1]) if page.shown else None,
}


_FOLLOWED = {kind.type: kind for type_ in TYPES.values() for kind in type_.kinds if kind.follow is not None}
"""Members of the unions whose rows only say where they live."""


async def _nodes(page: PageRead, info: Info) -> list[Any]:
    """The nodes of a page; where they live elsewhere, each is followed to its row."""
    return await asyncio.gather(*[_node(row, info) for row in page.shown])


async def _node(row: Found, info: Info) -> Any:
    kind = _FOLLOWED.get(row.type)
    if kind is None or row.order_key is None or row.values:
        return row
    base = TYPES[kind.type].base or kind.type
    return await info.context.hops.load(("follow", base), row.id, lambda reader, keys: reader.followed(kind, keys))


async def _edges(page: PageRead, info: Info) -> list[dict[str, Any]]:
    nodes = await _nodes(page, info)
    return [{"node": node, "cursor": page.cursor(row), **row.edge} for node, row in zip(nodes, page.shown, strict=True)]


def _resolver(type_name: str, field_name: str) -> Resolve | None:
    """The reference resolver of a field, or None where it has one of its own."""
    if type_name.endswith("Connection"):
        parts: dict[str, Resolve] = {
            "nodes": _nodes,
            "edges": _edges,
            "pageInfo": lambda page, _: page,
            "totalCount": lambda page, _: page.count(),
        }
        return parts[field_name]
    if type_name == "PageInfo":
        return lambda page, _: _PAGE_INFO[field_name](page)
    if type_name == "Mutation":
        return _mutation(field_name)
    if type_name == "Subscription":
        return lambda event, _, **__: event[field_name]
    type_ = TYPES.get(type_name)
    if type_ is None:
        # An object kept in its parent's row, an edge, a payload or a computed value: values by SDL name.
        return lambda value, info: _inner(value[field_name], info)
    own = field_name in type_.places and type_.base is not None
    owner = type_ if own or type_.base is None else TYPES[type_.base]
    place = owner.places.get(field_name)
    return None if place is None else _place_resolver(owner, field_name, place, own=own)


def _mutation(name: str) -> Resolve:
    async def resolve(_: None, info: Info, **given: Any) -> Mapping[str, Any]:
        told = await read_mutation(name, given)(info.context.acting)
        info.context.acting = info.context.acting.afterwards()
        # What was read before is not what is there now, and may not be whose it is now.
        info.context.hops.viewer = info.context.acting.viewer
        info.context.hops.loaders.clear()
        return told

    return resolve


def _place_resolver(owner: Type, name: str, place: Place, *, own: bool) -> Resolve:
    async def resolve(row: Found | None, info: Info, **given: Any) -> Any:
        if row is not None and not row.shown[place.exposure]:
            return _closed(place)
        return await _read(owner, name, place, row, info, given, own=own)

    return resolve


def _closed(place: Place) -> Any:
    """What a field answers where its row is not shown that far."""
    if isinstance(place, Page):
        shape = (next(iter(place.arguments.orders.values())), False, (), ())
        return PageRead([], 0, shape, _none)
    if isinstance(place, Stored):
        return json.loads(place.closed)
    return [] if isinstance(place, (Many, Each)) else None


async def _none() -> int:
    return 0


async def _read(
    owner: Type,
    name: str,
    place: Place,
    row: Any,
    info: Info,
    given: Mapping[str, Any],
    *,
    own: bool,
) -> Any:
    hops: Hops = info.context.hops
    hop = (owner.name, name)
    match place:
        case Stored() | Inline():
            values = row.values
            if own:
                values = await hops.load(("own", owner.name), row.id, lambda reader, keys: reader.own(owner, keys))
            if isinstance(place, Stored):
                return values[name]
            return {inner: values[f"{name}.{inner}"] for inner in place.places} if values[name] else None
        case ToOne(arguments=None) if row is not None:
            found = await hops.load(hop, row.id, lambda reader, keys: reader.to_one(owner, place, keys))
            return found[0] if found else None
        case Many():
            return (
                await hops.load(hop, row.id, lambda reader, keys: reader.to_one(owner, place, keys, by=place.by)) or []
            )
        case Page():
            return await _page(owner, hop, place, row, hops, given)
        case Each():
            _, values = place.arguments.read(given)
            kinds = map(Kind, filter(None, values["kinds"].split(",")))
            asked = zip(values["ids"], kinds, strict=True)
            return await asyncio.gather(*[_named(hops, place.choose(kind), id_) for id_, kind in asked])
        case ToOne() | Switch() | Resolved():
            return await _root(place, hops, given)
        case Computed():
            return await _computed(hop, place, row, info, given)
    raise TypeError(place)


async def _computed(hop: tuple[str, str], place: Computed, row: Any, info: Info, given: Mapping[str, Any]) -> Any:
    """A computed value, made together with those of its siblings."""
    hops, values = info.context.hops, place.arguments.read(given)[1] if place.arguments else {}
    same = ("computed", *hop, repr(sorted(values.items(), key=lambda item: item[0])))
    if same not in hops.loaders:

        async def load(keys: list[Any]) -> list[Any]:
            found = await COMPUTED[hop](info.context.acting, keys, values)
            return [found.get(key) for key in keys]

        hops.loaders[same] = DataLoader(load)
    inner = _inner(await hops.loaders[same].load(ROOT if row is None else row.id), info)
    return await inner if inspect.isawaitable(inner) else inner


def _inner(value: Any, info: Info) -> Any:
    """A part of a value that is no row; a stored thing it leads to, or several, are read."""
    if isinstance(value, Ref):
        return _named(info.context.hops, met(value.kind), value.id)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], Ref):
        return asyncio.gather(*[_inner(item, info) for item in value])
    return value


async def _named(hops: Hops, place: ToOne, id_: Any) -> Any:
    return await hops.load(("named", place.type, place.action), id_, lambda reader, keys: reader.named(place, keys))


async def _root(place: ToOne | Switch | Resolved, hops: Hops, given: Mapping[str, Any]) -> Any:
    """A row that arguments name."""
    shape, values = place.arguments.read(given) if place.arguments else (None, {})
    bound = place.arguments.bind(shape, "s0") if place.arguments else {}
    named = {f"s0_{key}": value for key, value in values.items()}
    async with hops.one_at_a_time, hops.database.read() as connection:
        reader = RowReader(TYPES, connection, hops.viewer)
        if isinstance(place, Resolved):
            for match, form in place.choose(shape).items():
                node = await reader.root(form, bound, named)
                if node is not None:
                    return {"matched": match, "node": node}
            return None
        chosen = place if isinstance(place, ToOne) else place.choose(shape)
        return None if chosen is None else await reader.root(chosen, bound, named)


async def _page(
    owner: Type, hop: tuple[str, str], place: Page, row: Any, hops: Hops, given: Mapping[str, Any]
) -> PageRead:
    shape, values = place.arguments.read(given)
    bound = place.arguments.bind(shape, "s0")
    named = {f"s0_{key}": value for key, value in values.items()}
    table = owner if row is not None else None
    key = row.id if row is not None else ROOT
    same = (hop, shape, repr(sorted(values.items(), key=lambda item: item[0])))

    async def count() -> int:
        counting = ("count", *same)
        return (
            await hops.load(counting, key, lambda reader, keys: reader.count(table, place, keys, shape, bound, named))
            or 0
        )

    rows = await hops.load(same, key, lambda reader, keys: reader.page(table, place, keys, shape, bound, named))
    return PageRead(rows or [], values["size"], shape, count)
