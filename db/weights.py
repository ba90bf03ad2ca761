"""How much a selection may read: the static cost that is bounded before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from db.places import Each, Many, NotStored, Page, Place, Resolved, Switch, ToOne, Type, Types, place_of
from db.selection import Field, Selection

Weights = tuple[tuple[tuple[int, ...], int], ...]
"""For each product of page sizes (slots), how many objects are read that many times."""


def _targets(types: Types, place: Place, field: Field) -> tuple[Type, ...]:
    """The types a place leads to for a field of that shape."""
    if isinstance(place, (Switch, Resolved)):
        chosen = place.choose(field.shape)
        return () if chosen is None else (types[chosen.type],)
    if isinstance(place, Each):
        return tuple(types[place.choose(kind).type] for kind in sorted(field.shape))
    if isinstance(place, (ToOne, Many, Page)):
        return (types[place.type],)
    return ()


def weigh(types: Types, selection: Selection) -> Weights:
    """How many objects a selection may read, in terms of its page sizes; what is not stored weighs nothing."""
    weights: Counter[tuple[int, ...]] = Counter()
    _weigh(types, types[selection.root], selection.fields, (), weights)
    return tuple(weights.items())


def _weigh(
    types: Types,
    type_: Type,
    fields: Sequence[Field],
    path: tuple[int, ...],
    weights: Counter[tuple[int, ...]],
) -> None:
    for field in fields:
        if not field.fields:
            continue
        owner = types.get(next(iter(field.kinds)), type_) if type_.kinds else type_
        try:
            place, _ = place_of(types, owner, field.name)
        except NotStored:
            continue
        inner = field.fields
        below = path
        if isinstance(place, (Page, Each)):
            below = (*path, field.slot)
            if isinstance(place, Page):
                inner = tuple(node for part in field.fields for node in _nodes(part))
        elif isinstance(place, Resolved):
            inner = tuple(node for part in field.fields if part.name == "node" for node in part.fields)
        weights[below] += place.cap if isinstance(place, Many) else 1
        for target in _targets(types, place, field):
            _weigh(types, target, inner, below, weights)


def _nodes(part: Field) -> tuple[Field, ...]:
    """The fields asked of each node of a page, through `nodes` or through `edges`."""
    if part.name == "nodes":
        return part.fields
    return tuple(
        field for inner in part.fields if part.name == "edges" and inner.name == "node" for field in inner.fields
    )
