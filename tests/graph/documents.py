"""Random valid operations against the real schema, and what their arguments are chosen from.

An `Author` walks the schema and writes what a client might: aliases, fragments inside fragments, one key asked for
twice, literals and variables, nulls and defaults, conditions, pages in both directions from cursors seen earlier, ids
that are unknown, hidden, merged or, now and then, of the wrong kind.
"""

from __future__ import annotations

import base64
import binascii
import json
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    parse,
    print_ast,
    validate,
)
from graphql.utilities import type_comparators

from db.arguments import Paging
from db.map import TYPES
from db.places import Computed, place_of
from db.resolution import NODES
from domain.ids import Kind, Ref
from tests.graph.scene import NASTY, START, Rows, digest

ASSETS = ("track", "sample", "instrument", "release")
ABSENT = object()
LONG_ALIAS = "a_key_that_is_longer_than_an_identifier_of_postgresql_may_be_at_most"
QUERIES = (
    "track",
    "trak",
    "public",
    "kick drum",
    "KICK",
    "kik",
    "nova angstrom",
    "far",
    "x",
    "hub",
    "é",
    "مرحبا",
    "every",
)
_CURSOR = re.compile(r"[A-Za-z0-9_-]{24,}")


@dataclass(frozen=True)
class Document:
    """A request: the text, the variables, and which operation is meant."""

    text: str
    variables: dict[str, Any]
    name: str | None = None

    def __str__(self) -> str:
        """What a person needs to run it again."""
        return f"{self.text}\nvariables: {json.dumps(self.variables)}"


@dataclass
class Pool:
    """What arguments are chosen from: what the scene holds, and cursors from earlier answers."""

    ids: dict[str, list[str]]
    handles: list[str]
    references: list[str]
    cursors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows) -> Pool:
        """Everything a scene names, seen or not, and one unknown id of every kind."""
        ids: dict[str, list[str]] = {kind.value: [str(Ref(kind, rows.new_key()))] for kind in Kind}
        for ref in rows.refs.values():
            ids[ref.partition("_")[0]].append(ref)
        written = [values for _, values in rows._rows]
        handles = [values["handle"] for values in written if "claimed" in values]
        marks = [
            values[name] for values in written for name in ("isrc", "upc", "source_ref", "sha256") if values.get(name)
        ]
        forms = [
            "US-ABC-26-00002",
            "https://casset.example/nova",
            "/far",
            "@NOVA",
            "nobody",
            "no such thing!",
            "",
        ]
        references = [*handles, *marks, *forms, *[f"sha256:{digest(letter)}" for letter in "abc"]]
        return cls(ids, [*handles, "NOVA", "nobody", ""], references)

    def harvest(self, answer: Any) -> None:
        """Keep the cursors of an answer, by the tag of their order."""
        for text in _texts(answer):
            if _CURSOR.fullmatch(text):
                try:
                    tag = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:2].decode("ascii")
                except (binascii.Error, ValueError):
                    continue
                known = self.cursors.setdefault(tag, [])
                if text not in known[-200:]:
                    known.append(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))


class Author:
    """Writes random documents, the same ones from the same seed and pool."""

    def __init__(self, schema: GraphQLSchema, pool: Pool, chance: random.Random) -> None:
        """Start a page."""
        self.schema, self.pool, self.chance = schema, pool, chance
        self._composite = [
            type_ for name, type_ in schema.type_map.items() if is_composite_type(type_) and name[:2] != "__"
        ]
        self._clear()

    def _clear(self) -> None:
        self._declared: list[str] = []
        self._variables: dict[str, Any] = {}
        self._fragments: list[tuple[str, GraphQLNamedType, str]] = []
        self._keys: dict[str, tuple[str, str, str]] = {}
        self._left = self.chance.choice((10, 20, 40))
        self._meant = "Track"
        # Let validation decide whether keys agree: then one key may mean different things for different types.
        self._loose = self._happens(0.15)

    def _happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def document(self) -> Document:
        """Write a valid document."""
        while True:
            document = self._draft()
            if not self._loose or not validate(self.schema, parse(document.text)):
                return document

    def _draft(self) -> Document:
        self._clear()
        root = self.schema.query_type
        assert root is not None
        body = self._set(root, self.chance.choice((2, 3, 4, 6)), self.chance.choice((20, 100, 400)))
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        fragments = [f"fragment {name} on {type_.name} {text}" for name, type_, text in self._fragments]
        operations = [f"query Asked{declared} {body}"]
        if several := self._happens(0.05):
            operations.insert(0, "query Other { __typename }")
        return Document("\n".join([*operations, *fragments]), self._variables, "Asked" if several else None)

    # -- selections -----------------------------------------------------------------------------------------------

    def _set(self, type_: Any, depth: int, room: int) -> str:
        count = self.chance.choice((1, 2, 2, 3, 3, 4, 6))
        return "{ " + " ".join(self._selection(type_, depth, room) for _ in range(count)) + " }"

    def _selection(self, type_: Any, depth: int, room: int) -> str:
        self._left -= 1
        fields = {} if isinstance(type_, GraphQLUnionType) else type_.fields
        # A preview says at which moment it was asked for, and two who ask one after the other differ in it.
        fields = {name: fields[name] for name in fields if (type_.name, name) != ("ManifestPreview", "body")}
        if self._left < 0 or depth < 0:
            fields = {name: definition for name, definition in fields.items() if not _is_composite(definition)}
        elif not fields or self._happens(0.6 if type_.name == "Node" else 0.2):
            return self._fragment(type_, depth - 1, room)
        if not fields or self._happens(0.07):
            key = self._key("__typename", "", "String!")
            return ("" if key == "__typename" else f"{key}: ") + "__typename" + self._directive()
        names = list(fields)
        composite = [name for name in names if _is_composite(fields[name])]
        name = self.chance.choice(composite if composite and self._happens(0.6) else names)
        return self._field(type_, name, fields[name], depth, room)

    def _fragment(self, type_: Any, depth: int, room: int) -> str:
        conditions = [
            other for other in self._composite if type_comparators.do_types_overlap(self.schema, type_, other)
        ]
        if type_.name == "Node" and self._happens(0.7):
            conditions = [other for other in conditions if other.name == self._meant]
        if self._happens(0.5):
            condition = self.chance.choice([None, type_, *conditions])
            on = f" on {condition.name}" if condition else ""
            return f"...{on}{self._directive()} {self._set(condition or type_, depth, room)}"
        known = [name for name, on_, _ in self._fragments if on_ in conditions]
        if known and self._happens(0.5):
            return f"...{self.chance.choice(known)}{self._directive()}"
        condition = self.chance.choice([type_, *conditions])
        text = self._set(condition, depth, room)
        name = f"F{len(self._fragments)}"
        self._fragments.append((name, condition, text))
        return f"...{name}{self._directive()}"

    def _field(self, owner: Any, name: str, definition: GraphQLField, depth: int, room: int) -> str:
        arguments, size = self._arguments(owner, name, definition, room)
        key = self._key(name, arguments, str(definition.type))
        head = f"{key}: {name}{arguments}" if key != name else f"{name}{arguments}"
        if not _is_composite(definition):
            return head + self._directive()
        below = get_named_type(definition.type)
        inner = depth if owner.name.endswith(("Connection", "Edge")) else depth - 1
        written = f"{head}{self._directive()} {self._set(below, inner, room // size)}"
        if self._happens(0.12):
            again = f"{head}{self._directive()} {self._set(below, inner, room // size)}"
            conditions = [possible.name for possible in self._possible(owner)]
            written += f" ... on {self.chance.choice(conditions)} {{ {again} }}" if self._happens(0.5) else f" {again}"
        return written

    def _possible(self, type_: Any) -> Sequence[GraphQLObjectType]:
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            return self.schema.get_possible_types(type_)
        return [type_]

    def _key(self, name: str, arguments: str, type_: str) -> str:
        """A response key that means the same wherever it stands in the document."""
        wanted = self.chance.choice(("a", "b", "id", "node", "_1", LONG_ALIAS)) if self._happens(0.2) else name
        meaning = (name, arguments, type_)
        if self._loose:
            return wanted
        number = 0
        while self._keys.setdefault(wanted, meaning) != meaning:
            number += 1
            wanted = f"{name}{number}"
        return wanted

    def _directive(self) -> str:
        if not self._happens(0.08):
            return ""
        directive, wanted = self.chance.choice((("skip", False), ("include", True)))
        given = wanted if self._happens(0.6) else not wanted
        if self._happens(0.5):
            return f" @{directive}(if: {json.dumps(given)})"
        way = self.chance.random()
        if way < 0.5:
            said = self._declare("Boolean!", None, given)
        elif way < 0.97:
            said = self._declare("Boolean", json.dumps(given), ABSENT if way < 0.75 else not given)
        else:
            said = self._declare("Boolean", "true", None)
        return f" @{directive}(if: {said})"

    # -- arguments ------------------------------------------------------------------------------------------------

    def _arguments(self, owner: Any, name: str, definition: GraphQLField, room: int) -> tuple[str, int]:
        """The arguments as they are written, and how many objects there may be below."""
        chosen: dict[str, Any] = {}
        size = 1
        if "first" in definition.args:
            chosen, size = self._page(owner.name, name, room)
        elif "ids" in definition.args:
            size = min(8, room) or 1
        for word, argument in definition.args.items():
            if word in ("first", "last", "after", "before") or (word == "order" and word in chosen):
                continue
            if isinstance(argument.type, GraphQLNonNull) or self._happens(0.3):
                chosen[word] = self._value(argument.type, name, word, size)
        written = [
            f"{word}: {said}"
            for word, value in sorted(chosen.items(), key=lambda _: self.chance.random())
            if (said := self._said(definition.args[word], value)) is not ABSENT
        ]
        return (f"({', '.join(written)})" if written else ""), size

    def _said(self, argument: GraphQLArgument, value: Any) -> Any:
        return ABSENT if value is ABSENT else self._write(argument.type, value)

    def _page(self, owner: str, name: str, room: int) -> tuple[dict[str, Any], int]:
        place, _ = place_of(TYPES, TYPES[owner], name)
        if isinstance(place, Computed):
            size = self.chance.choice([size for size in (1, 2, 5, 20) if size <= max(1, room)])
            return {"first": size}, size
        paging: Paging = place.arguments
        order = self.chance.choice([None, *paging.orders])
        chosen: dict[str, Any] = {} if order is None or len(paging.orders) == 1 else {"order": order}
        sizes = [size for size in (1, 1, 2, 3, 5, 20, 100) if size <= max(1, room)]
        size = self.chance.choice(sizes)
        if room >= 20 and self._happens(0.3):
            size = 20
        else:
            chosen["last" if self._happens(0.35) else "first"] = size
        if self._happens(0.05):
            chosen.setdefault("first", None)
        if self._happens(0.01):
            chosen.update(self.chance.choice(({"first": 0}, {"last": 101}, {"first": 1, "last": 1})))
        tag = paging.orders[order or paging.default].tag
        for word in ("after", "before"):
            if self._happens(0.2):
                known = self.pool.cursors.get(tag, [])
                foreign = [cursor for tag_, cursors in self.pool.cursors.items() if tag_ != tag for cursor in cursors]
                chosen[word] = self.chance.choice(known) if known else None
                if self._happens(0.03) and foreign:
                    chosen[word] = self.chance.choice([*foreign, "no cursor"])
        return chosen, size

    def _value(self, type_: Any, field_name: str, word: str, size: int) -> Any:
        """A value for an argument or a field of an input."""
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self._happens(0.05):
            return None
        if isinstance(type_, GraphQLList):
            least = 1 if word == "parents" or field_name == "commonAncestors" else 0
            length = self.chance.randint(least, size if word == "ids" else 3)
            items = [self._value(type_.of_type, field_name, word, size) for _ in range(length)]
            return [*items, *self.chance.sample(items, len(items) // 3)]
        if isinstance(type_, GraphQLInputObjectType):
            fields = {name: inner.type for name, inner in type_.fields.items()}
            wanted = [name for name in fields if isinstance(fields[name], GraphQLNonNull) or self._happens(0.2)]
            return {name: self._value(fields[name], field_name, name, size) for name in wanted}
        if isinstance(type_, GraphQLEnumType):
            return self.chance.choice(list(type_.values))
        if type_.name == "Boolean":
            return self._happens(0.5)
        if type_.name == "Int":
            sizes = {
                "endMs": (40_000, 60_000, 120_000),
                "startMs": (0, 1000, 30_000),
                "lengthMs": (1000, 30_000),
                "second": (20, 100),
            }
            return self.chance.choice(sizes.get(word, (1, 2, 3, 5))) if self._happens(0.98) else -1
        return self._text(type_.name, field_name, word)

    def _text(self, type_name: str, field_name: str, word: str) -> str:
        if type_name == "DateTime":
            moment = START.isoformat() if self._happens(0.5) else "2026-01-31T13:00:00.123457+01:00"
            if self._happens(0.02):
                return "9999-12-31T23:59:59.999999-12:00"  # which falls out of the years that there are
            return self.chance.choice((moment, "0001-01-01T00:00:00Z", "2026-01-31T12:00:00Z"))
        if word == "territory":
            return self.chance.choice(("DE", "JP", "US")) if self._happens(0.98) else "de"
        if word == "purpose":
            return self.chance.choice(("", "education", "accessibility"))
        if word == "query":
            return self.chance.choice((*QUERIES, *QUERIES, *NASTY[:8]))
        if word == "ref":
            return self._id(list(self.pool.ids)) if self._happens(0.4) else self.chance.choice(self.pool.references)
        if word == "hash":
            return digest(self.chance.choice("abc")) if self._happens(0.98) else "no hash"
        if word == "handle":
            return self.chance.choice(self.pool.handles)
        kinds: Sequence[str] = list(self.pool.ids)
        if self._happens(0.985):
            kinds = {
                "asset": ASSETS,
                "release": ("release",),
                "releaseId": ("release",),
                "versionId": ("version",),
                "ritual": ("ritual",),
                "hook": ("hook",),
                "artist": ("artist",),
                "sender": ("artist",),
                "room": ("room",),
                "contributor": ("contributor",),
                "parents": ASSETS,
                "from": ASSETS,
                "to": ASSETS,
                "lineageRoots": ASSETS,
                "commonAncestors": ASSETS,
                "owner": ("artist",),
                "madeFrom": ASSETS,
                "permissionCheck": ASSETS,
                "subject": (*ASSETS, "artist"),
                "child": ASSETS,
                "parent": ASSETS,
                "simulateTakedown": ASSETS,
                "receiptId": ("receipt",),
            }.get(word if word not in ("id", "ids") else field_name, kinds)
        return self._id(kinds)

    def _id(self, kinds: Sequence[str]) -> str:
        """An id of one of some kinds, remembered as what is meant."""
        kind = self.chance.choice(kinds)
        self._meant = NODES[Kind(kind)]
        return self.chance.choice(self.pool.ids[kind])

    # -- writing values -------------------------------------------------------------------------------------------

    def _write(self, type_: Any, value: Any) -> str:
        """A value as a literal or a variable."""
        if not self._happens(0.35):
            return self._literal(type_, value)
        nullable = not isinstance(type_, GraphQLNonNull)
        bare = str(type_).removesuffix("!")
        way = self.chance.random()
        if value is None and nullable:
            return self._declare(bare, None, self.chance.choice((None, ABSENT)))
        if way < 0.5:
            return self._declare(str(type_), None, value)
        if way < 0.7:
            return self._declare(f"{bare}!", None, value)
        default = self._constant(type_, value)
        if way < 0.98 or not nullable:
            return self._declare(bare, default, value if way < 0.85 else ABSENT)
        return self._declare(bare, default, None)

    def _declare(self, type_: str, default: str | None, value: Any) -> str:
        name = f"v{len(self._declared)}"
        self._declared.append(f"${name}: {type_}" + (f" = {default}" if default is not None else ""))
        if value is not ABSENT:
            self._variables[name] = value
        return f"${name}"

    def _literal(self, type_: Any, value: Any) -> str:
        """A literal, in which inner values may be variables."""
        return self._spell(type_, value, self._write)

    def _constant(self, type_: Any, value: Any) -> str:
        return self._spell(type_, value, self._constant)

    def _spell(self, type_: Any, value: Any, inner: Callable[[Any, Any], str]) -> str:
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if value is None:
            return "null"
        if isinstance(type_, GraphQLList):
            if len(value) == 1 and self._happens(0.3):
                return self._constant(type_.of_type, value[0])
            return f"[{', '.join(inner(type_.of_type, item) for item in value)}]"
        if isinstance(type_, GraphQLInputObjectType):
            return f"{{{', '.join(f'{name}: {inner(type_.fields[name].type, item)}' for name, item in value.items())}}}"
        if isinstance(type_, GraphQLEnumType):
            return str(value)
        return json.dumps(value, ensure_ascii=self._happens(0.5))


def _is_composite(definition: GraphQLField) -> bool:
    return is_composite_type(get_named_type(definition.type))


# -- making a failing document small -------------------------------------------------------------------------------


async def minimised(
    schema: GraphQLSchema, document: Document, fails: Callable[[Document], Awaitable[bool]]
) -> Document:
    """Take away selections for as long as the document still fails."""
    number = 0
    while True:
        smaller = _without(schema, document, number)
        if smaller is None:
            return document
        if smaller != document and await fails(smaller):
            document = smaller
        else:
            number += 1


def _without(schema: GraphQLSchema, document: Document, number: int) -> Document | None:
    """The document without its n-th selection (or argument), or the same where that is not valid; None past the last."""
    tree = parse(document.text)
    places: list[tuple[Any, str, int]] = []

    def walk(set_: SelectionSetNode | None) -> None:
        for position, node in enumerate(set_.selections if set_ else ()):
            places.append((set_, "selections", position))
            if isinstance(node, FieldNode):
                places.extend((node, "arguments", place) for place, _ in enumerate(node.arguments or ()))
            places.extend((node, "directives", place) for place, _ in enumerate(node.directives or ()))
            walk(getattr(node, "selection_set", None))

    for definition in tree.definitions:
        walk(definition.selection_set)
    if number >= len(places):
        return None
    holder, part, position = places[number]
    kept = list(getattr(holder, part))
    del kept[position]
    object.__setattr__(holder, part, tuple(kept))  # nodes are frozen, and this tree is ours
    text = "\n".join(print_ast(definition) for definition in _used(tree.definitions))
    try:
        valid = not validate(schema, parse(text))
    except Exception:  # an empty selection set is no document
        valid = False
    if not valid:
        return document
    names = set(re.findall(r"\$(\w+)", text))
    return Document(text, {name: value for name, value in document.variables.items() if name in names}, document.name)


def _used(definitions: Sequence[Any]) -> list[Any]:
    """The definitions without fragments and variables that nobody mentions."""
    kept = list(definitions)
    while True:
        text = "\n".join(print_ast(definition) for definition in kept)
        still = [
            node
            for node in kept
            if isinstance(node, OperationDefinitionNode) or re.search(rf"\.\.\.\s?{node.name.value}\b", text)
        ]
        if len(still) == len(kept):
            break
        kept = still
    for node in kept:
        if isinstance(node, OperationDefinitionNode):
            mentioned = tuple(
                definition
                for definition in node.variable_definitions or ()
                if len(re.findall(rf"\${definition.variable.name.value}\b", text)) > 1
            )
            object.__setattr__(node, "variable_definitions", mentioned)
    return kept


def ordered(body: bytes) -> Any:
    """An answer in which the order of keys counts, and 120 equals 120.0 but not true; as it is where it is no JSON."""

    def number(text: str) -> Mapping[str, float]:
        return {"number": float(text)}

    try:
        return json.loads(body, object_pairs_hook=list, parse_int=number, parse_float=number)
    except ValueError:
        return body
