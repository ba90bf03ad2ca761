"""Tier 2: a plan's statement answers JSON with holes, and each computed field is made for all of them at once.

A computed value is made of dictionaries by SDL names (`__typename` among them), lists and leaves; a stored thing in it
is a `Ref`. What a mutation answers is such a value too. All things that one field of all values leads to are read by
one more plan, which may have holes of its own. So an operation takes as many steps as it has computed fields and ways
out of them, however many rows it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from db.arguments import reading_of
from db.compiler import HOLE, Hole
from db.map import TYPES
from db.selection import Field
from domain.ids import Ref
from graph.computed import COMPUTED
from graph.fields import write_moment
from graph.operation import Reading
from graph.plans import Plan, Plans
from graph.running import Runner
from graph.workbench import Meter
from resolvers.context import Acting, unhurried

_HOLE = HOLE.encode()
_Things = Mapping[int, Mapping[Ref, Any]]
"""What was read of stored things, by the field that leads to them."""


class Filler:
    """Runs the plans of one operation and fills their holes."""

    def __init__(
        self, runner: Runner, plans: Plans, acting: Acting, readings: Mapping[int, Reading], meter: Meter
    ) -> None:
        """Fill for one caller, with one request's arguments; what had to be made for it is metered."""
        self._meter = meter
        self._runner = runner
        self._plans = plans
        self._acting = acting
        self._readings = readings

    async def run(self, plan: Plan) -> bytes:
        """The JSON of a plan, whole."""
        return await self._run(plan, self._readings)

    async def tell(self, field: Field, value: Any) -> bytes:
        """The JSON of one value, as a field asks for it; what it leads to is read now."""
        return orjson.dumps(_shaped(field, value, await self._things(field, [value])))

    async def _run(self, plan: Plan, readings: Mapping[int, Reading]) -> bytes:
        body = await self._runner.run(plan, readings, self._acting.viewer)
        holes = plan.statement.holes if plan.statement else ()
        if not holes:
            return body
        parts = body.split(_HOLE)
        keys: list[dict[bytes, None]] = [{} for _ in holes]
        for mark in parts[1::2]:
            number, _, key = mark.partition(b":")
            keys[int(number)][key] = None
        written: dict[bytes, bytes] = {}
        for nth, hole in enumerate(holes):
            texts = await self._fill(hole, list(keys[nth]))
            written |= {b"%d:%b" % (nth, key): text for key, text in texts.items()}
        parts[1::2] = [written[mark] for mark in parts[1::2]]
        return b"".join(parts)

    async def _fill(self, hole: Hole, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The JSON of one computed field for some rows."""
        if not keys:
            return {}
        owner = TYPES[hole.owner]
        name = hole.owner if hole.field.name in owner.places else owner.base or hole.owner
        given = self._readings[hole.field.slot][1] if hole.field.slot >= 0 else {}
        ids = [UUID(key.decode()) if key else UUID(int=0) for key in keys]
        acting = replace(self._acting, parts=hole.parts)
        values = await COMPUTED[name, hole.field.name](acting, ids, given)
        things = await self._things(hole.field, values.values())
        return {
            key: orjson.dumps(_shaped(hole.field, values.get(id_), things)) for key, id_ in zip(keys, ids, strict=True)
        }

    async def _things(self, field: Field, values: Any) -> _Things:
        """Everything stored that some values of a field lead to, by the way there.

        One plan reads what is asked for alike, whichever way leads to it.
        """
        wanted: dict[int, tuple[Field, dict[Ref, None]]] = {}
        async for value in unhurried(_each(values)):
            _seek(field, value, wanted)
        alike: dict[tuple[Field, ...], dict[Ref, Any]] = {}
        for leading, refs in wanted.values():
            alike.setdefault(leading.fields, {}).update(refs)
        for fields, refs in alike.items():
            reading = reading_of(refs)
            slot = max(self._readings, default=-1) + 1
            plan = await self._plans.things(fields, slot, reading[0], self._meter)
            plan.uses += 1
            body = await self._run(plan, {**self._readings, slot: reading})
            refs.update(zip(refs, orjson.loads(body)["nodes"], strict=True))
        return {way: alike[leading.fields] for way, (leading, _) in wanted.items()}


def _each(values: Iterable[Any]) -> Iterator[Any]:
    """The values, lists of them item by item: what explains each is worked out when it is looked at."""
    for value in values:
        yield from value if isinstance(value, list) else (value,)


def _seek(field: Field, value: Any, wanted: dict[int, tuple[Field, dict[Ref, None]]]) -> None:
    """Find the references in a value, by the field that leads to each."""
    if isinstance(value, dict):
        kind = value["__typename"]
        for inner in field.fields:
            if kind in inner.kinds:
                # Taken from leaves, too: what is worked out late is worked out here, while others have turns.
                told = value[inner.name]
                if inner.fields:
                    _seek(inner, told, wanted)
    elif isinstance(value, Ref):
        found = wanted.get(id(field))
        if found is None:
            found = wanted[id(field)] = field, {}
        found[1][value] = None
    elif isinstance(value, (list, tuple)):
        for item in value:
            _seek(field, item, wanted)


def _shaped(field: Field, value: Any, things: _Things) -> Any:
    """A value as it was asked for, key by key."""
    # The order is that of a long list: its items, what they lead to, the list; leaves are told where they are met.
    if isinstance(value, dict):
        kind = value["__typename"]
        told = {}
        for inner in field.fields:
            if kind in inner.kinds:
                part = value[inner.name]
                told[inner.key] = part if part.__class__ in _PLAIN else _shaped(inner, part, things)
        return told
    if isinstance(value, Ref):
        return things[id(field)][value]
    if isinstance(value, (list, tuple)):
        return [_shaped(field, item, things) for item in value]
    if isinstance(value, datetime):
        return write_moment(value)
    return value.isoformat() if isinstance(value, date) else value


_PLAIN = frozenset({str, int, float, bool, type(None)})
