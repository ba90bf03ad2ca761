"""How large a document is and how much it may read: one pass over what was parsed, before it is validated.

A fragment is measured once, wherever it is spread, so that the work grows with the document and not with what it
expands to. What means nothing (an unknown field, a missing or circular fragment) is measured too, and leads nowhere.
Every `... on` counts and so does what `@skip` leaves out: the cost is what an operation may read at most. What an
actor may spend over time is `graph.server.buckets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from db.arguments import DEFAULT_PAGE, LARGEST_PAGE
from db.map import TYPES
from db.places import Many
from db.verdicts import MOST_ASSETS
from domain.errors import TooCostly

SATURATED = 10**6
"""No count grows beyond: a chain of twenty fragments, each doubling the next, comes to it."""
ANSWER = 7
"""Objects that the verdict on one of many assets counts for: measured, it takes as long."""
SHORT_LIST = 4
"""What a computed list without pages is taken to hold: what is in the way is mostly little."""
LONG: Mapping[tuple[str, str], int] = {
    ("Hook", "timedText"): 12,
    ("Hook", "waveform"): 4,
    ("LyricLine", "words"): 8,
    ("Lyrics", "lines"): 64,
    ("Lyrics", "lrc"): 16,
    ("Suggestion", "lines"): 64,
    ("Track", "waveform"): 16,
}
"""What is longer, by its type and name: the objects of a list, and as many as numbers and texts are as long as."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What one document may come to, with every fragment written out where it is spread.

    Attributes:
        tokens: lexical tokens of the text.
        fields: fields, in all.
        depth: hops from object to object; the parts of a connection and introspection are none.
        aliases: fields with an alias.
        root_fields: fields at the root of one operation.
        directives: directives, in all.
        directives_at_once: directives in one place.
        objects: objects that one operation may read.
    """

    tokens: int
    fields: int
    depth: int
    aliases: int = 15
    root_fields: int = 20
    directives: int = 50
    directives_at_once: int = 10
    objects: int = 10_000


ANONYMOUS = Limits(tokens=500, fields=250, depth=10)
KNOWN = Limits(tokens=1000, fields=250, depth=15)

_NOUNS = {
    "tokens": "tokens",
    "fields": "fields",
    "depth": "levels of depth",
    "aliases": "aliases",
    "root_fields": "root fields",
    "directives": "directives",
    "directives_at_once": "directives in one place",
}
_INTROSPECTION = ("__schema", "__type")

_Sizes = tuple[str, ...]
"""The variables that multiply a number of objects."""


@dataclass(slots=True, eq=False)
class _Sum:
    """Objects: a number, and other sums, each times a number and the variables that multiply it.

    The sum of a fragment is held once by all that spread it: written out, two variables in a chain of doubling
    fragments would make 2^n products.
    """

    number: int = 0
    parts: list[tuple[int, _Sizes, _Sum]] = field(default_factory=list)

    def add(self, part: _Sum, number: int = 1, sizes: _Sizes = ()) -> None:
        """Add another sum, which does not change any more."""
        if sizes or part.parts:
            self.parts.append((number, sizes, part))
        else:
            self.number = min(self.number + number * part.number, SATURATED)


@dataclass(slots=True)
class _Extent:
    """What a selection set comes to; `width` is the fields at its top."""

    fields: int = 0
    width: int = 0
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    directives_at_once: int = 0
    objects: _Sum = field(default_factory=_Sum)

    def count(self, part: _Extent) -> None:
        """Add a part of it."""
        for name in ("fields", "width", "aliases", "directives"):
            setattr(self, name, min(getattr(self, name) + getattr(part, name), SATURATED))
        self.depth = max(self.depth, part.depth)
        self.directives_at_once = max(self.directives_at_once, part.directives_at_once)
        self.objects.add(part.objects)


@dataclass(frozen=True, slots=True)
class Cost:
    """How many objects an operation may read at most, as its variables say."""

    objects: _Sum
    defaults: Mapping[str, Any]

    def of(self, variables: Mapping[str, Any]) -> int:
        """The sum over the ways to an object of the product of the page sizes on the way.

        A size out of bounds counts as the nearest within: it is refused when arguments are read.
        """
        return self._total(self.objects, {**self.defaults, **variables}, {})

    def _total(self, objects: _Sum, given: Mapping[str, Any], known: dict[int, int]) -> int:
        if id(objects) not in known:
            total = objects.number
            for number, sizes, part in objects.parts:
                total += number * prod(_size(given.get(name)) for name in sizes) * self._total(part, given, known)
            known[id(objects)] = min(total, SATURATED)
        return known[id(objects)]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a document comes to, counted as `Limits` says; `costs` by the names of its operations."""

    tokens: int
    fields: int = 0
    depth: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    directives_at_once: int = 0
    costs: Mapping[str | None, Cost] = field(default_factory=dict)

    def exceeded(self, limits: Limits) -> TooCostly | None:
        """The first limit the document breaks; None where it keeps them all."""
        for name, noun in _NOUNS.items():
            count, most = getattr(self, name), getattr(limits, name)
            if count > most:
                said = f"{SATURATED} or more" if count >= SATURATED else str(count)
                return TooCostly(f"The document has {said} {noun}, more than {most}.")
        return None


def measure(schema: GraphQLSchema, document: DocumentNode) -> Measure:
    """Measure a parsed document: all its operations, and the fragments that none of them reaches."""
    try:
        return _Pass(schema, document).measured()
    except RecursionError:
        # What is deeper than Python's stack is deeper than any limit.
        return Measure(document.token_count, depth=SATURATED)


class _Pass:
    """One pass over one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._document = document
        self._definitions: dict[str, list[FragmentDefinitionNode]] = {}
        for node in document.definitions:
            if isinstance(node, FragmentDefinitionNode):
                self._definitions.setdefault(node.name.value, []).append(node)
        self._fragments: dict[str, _Extent] = {}

    def measured(self) -> Measure:
        whole, root_fields, costs = _Extent(), 0, {}
        for node in self._document.definitions:
            if isinstance(node, OperationDefinitionNode):
                extent = self._set(node.selection_set, self._schema.get_root_type(node.operation))
                self._directives(node, extent)
                root_fields = max(root_fields, extent.width)
                costs[node.name.value if node.name else None] = self._cost(node, extent)
                whole.count(extent)
        for name in self._definitions:
            if name not in self._fragments:
                whole.count(self._spread(name))
        return Measure(
            self._document.token_count,
            whole.fields,
            whole.depth,
            whole.aliases,
            root_fields,
            whole.directives,
            whole.directives_at_once,
            costs,
        )

    def _cost(self, node: OperationDefinitionNode, extent: _Extent) -> Cost:
        defaults = {}
        for variable in node.variable_definitions or ():
            self._directives(variable, extent)
            default = variable.default_value
            if isinstance(default, (IntValueNode, ListValueNode)):
                defaults[variable.variable.name.value] = _literal(default)
        return Cost(extent.objects, defaults)

    def _spread(self, name: str) -> _Extent:
        """A fragment: nothing where it is missing, and nothing inside itself."""
        if name not in self._fragments:
            extent = self._fragments[name] = _Extent()
            whole = _Extent()
            for node in self._definitions.get(name, ()):
                part = self._set(node.selection_set, self._schema.get_type(node.type_condition.name.value))
                self._directives(node, part)
                whole.count(part)
            extent.count(whole)
        return self._fragments[name]

    def _set(self, node: SelectionSetNode, type_: GraphQLNamedType | None) -> _Extent:
        extent = _Extent()
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                extent.count(self._field(selection, type_))
            elif isinstance(selection, FragmentSpreadNode):
                extent.count(self._spread(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                on = selection.type_condition
                inner = self._schema.get_type(on.name.value) if on else type_
                extent.count(self._set(selection.selection_set, inner))
            self._directives(selection, extent)
        return extent

    def _field(self, node: FieldNode, type_: GraphQLNamedType | None) -> _Extent:
        extent = self._below(node, type_) if node.selection_set else _leaf(node, type_)
        extent.fields = min(extent.fields + 1, SATURATED)
        extent.width = 1
        extent.aliases += node.alias is not None
        return extent

    def _below(self, node: FieldNode, type_: GraphQLNamedType | None) -> _Extent:
        """What a field with a selection leads to: how often its objects count, and one hop more."""
        name = node.name.value
        known = isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)) and name in type_.fields
        definition = type_.fields[name] if known else None  # type: ignore[union-attr]  # known says so
        inner = get_named_type(definition.type) if definition else None
        extent = self._set(node.selection_set, inner)  # type: ignore[arg-type]  # asked by the caller
        if name in _INTROSPECTION:
            extent.depth = 0
            extent.objects = _Sum()
        elif definition is not None and type_ is not None and not _is_within(type_, name):
            given = {argument.name.value: argument.value for argument in node.arguments or ()}
            length = _length(type_.name, name) if is_list_type(get_nullable_type(definition.type)) else 1
            weight = ANSWER if {"ids", "uses"} <= definition.args.keys() else 1
            extent.objects = _times(extent.objects, weight, *_sizes(definition.args, given, length))
            extent.depth += 1
        return extent

    @staticmethod
    def _directives(node: Any, extent: _Extent) -> None:
        number = len(node.directives or ())
        extent.directives = min(extent.directives + number, SATURATED)
        extent.directives_at_once = max(extent.directives_at_once, number)


def _leaf(node: FieldNode, type_: GraphQLNamedType | None) -> _Extent:
    """A value: it comes with its object, but for those that are longer than objects are."""
    return _Extent(objects=_Sum(LONG.get((type_.name, node.name.value), 0) if type_ else 0))


def _is_within(type_: GraphQLNamedType, name: str) -> bool:
    """Whether a field leads from a connection to its page, which is no hop; a LineageEdge is an object."""
    return name in {"edges", "nodes", "node", "pageInfo"} and type_.name.endswith(("Connection", "Edge"))


def _times(below: _Sum, weight: int, number: int, variables: _Sizes) -> _Sum:
    """The objects of a field, each counting for so many, and those below each of them."""
    each, all_ = _Sum(weight), _Sum()
    each.add(below)
    all_.add(each, number, variables)
    return all_


def _length(owner: str, name: str) -> int:
    """How long a list without pages may be: as its place says, where it has one."""
    place = TYPES[owner].places.get(name) if owner in TYPES else None
    return place.cap if isinstance(place, Many) else LONG.get((owner, name), SHORT_LIST)


def _sizes(arguments: Mapping[str, Any], given: Mapping[str, ValueNode], length: int) -> tuple[int, _Sizes]:
    """How often a field's object is read: a number, and the variables that multiply it."""
    if "ids" in arguments:
        return _factor(given.get("ids"))
    if "first" not in arguments:
        return length, ()
    asked = [given[name] for name in ("first", "last") if name in given]
    asked = [value for value in asked if not isinstance(value, NullValueNode)]
    if len(asked) == 1:
        return _factor(asked[0])
    return (LARGEST_PAGE if asked else DEFAULT_PAGE), ()


def _factor(value: ValueNode | None) -> tuple[int, _Sizes]:
    return (1, (value.name.value,)) if isinstance(value, VariableNode) else (_size(_literal(value)), ())


def _literal(value: ValueNode | None) -> Any:
    if isinstance(value, IntValueNode):
        return int(value.value[:9])  # more digits are no page size, and Python refuses to read thousands of them
    return [None] * len(value.values) if isinstance(value, ListValueNode) else None


def _size(value: Any) -> int:
    """How many objects a page size, or a list of ids, may mean: a size left out is the default."""
    if value is None:
        return DEFAULT_PAGE
    if isinstance(value, list):
        return min(len(value), MOST_ASSETS)
    return max(0, min(value, LARGEST_PAGE)) if isinstance(value, int) else LARGEST_PAGE
