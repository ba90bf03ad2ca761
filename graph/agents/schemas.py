"""JSON Schema (2020-12) of what an operation takes, and of what it answers: exactly what its document selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.pyutils import Undefined

from domain.ids import Kind
from graph.agents.operations import AgentOperation, Variable
from graph.agents.values import ANY, LARGEST_INT, LONGEST_TEXT, MOST_ITEMS, SMALLEST_INT, Bounds

Json = dict[str, Any]
_ID_SUFFIX = "_[0-7][0-9a-hjkmnp-tv-z]{25}$"
_NEVER = frozenset({"__typename"})
MANY = 7
"""Kinds that are not listed: as many as there are kinds of things, or so."""
JSON_TEXTS = frozenset({("ReleaseManifest", "body"), ("ReleaseManifest", "proof"), ("PermissionReceipt", "body")})
"""Texts that are JSON themselves: kept as text, since their bytes are what is hashed."""


def input_schema(variables: Mapping[str, Variable] | list[Variable]) -> Json:
    """A plain object of some variables, by their names; nothing else is taken."""
    each = list(variables.values()) if isinstance(variables, Mapping) else variables
    schema: Json = {
        "type": "object",
        "properties": {variable.name: variable_schema(variable) for variable in each},
        "additionalProperties": False,
    }
    required = [variable.name for variable in each if variable.required]
    return schema | ({"required": required} if required else {})


def variable_schema(variable: Variable) -> Json:
    """What one variable takes, with what it is for."""
    schema = taken(variable.type, variable.bounds)
    if variable.default is not None:
        schema["default"] = variable.default
    return schema | {"description": variable.description}


def taken(type_: GraphQLInputType, bounds: Bounds = ANY) -> Json:
    """What a type takes."""
    if isinstance(type_, GraphQLNonNull):
        return _taken(type_.of_type, bounds)
    return _nullable(_taken(type_, bounds))


def _taken(type_: Any, bounds: Bounds) -> Json:
    if isinstance(type_, GraphQLList):
        return {"type": "array", "items": taken(type_.of_type, bounds), "maxItems": bounds.items or MOST_ITEMS}
    if isinstance(type_, GraphQLEnumType):
        return {"type": "string", "enum": list(type_.values)}
    if isinstance(type_, GraphQLInputObjectType):
        return _taken_object(type_)
    return _taken_scalar(type_.name, bounds)


def _taken_object(type_: GraphQLInputObjectType) -> Json:
    fields = type_.fields
    schema: Json = {
        "type": "object",
        "properties": {
            name: taken(field.type) | ({"description": field.description} if field.description else {})
            for name, field in fields.items()
        },
        "additionalProperties": False,
    }
    if type_.is_one_of:
        return schema | {"minProperties": 1, "maxProperties": 1}
    required = [
        name
        for name, field in fields.items()
        if isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined
    ]
    return schema | ({"required": required} if required else {})


def _taken_scalar(name: str, bounds: Bounds) -> Json:
    if name == "Boolean":
        return {"type": "boolean"}
    if name == "Float":
        return {"type": "number"}
    if name == "Int":
        least = SMALLEST_INT if bounds.min is None else bounds.min
        return {"type": "integer", "minimum": least, "maximum": LARGEST_INT if bounds.max is None else bounds.max}
    schema: Json = {"type": "string", "maxLength": bounds.length or LONGEST_TEXT}
    if name == "DateTime":
        schema["format"] = "date-time"
    elif name == "Date":
        schema["format"] = "date"
    elif name == "ID":
        schema["minLength"] = 1
    if bounds.pattern is not None:
        schema["pattern"] = f"^(?:{bounds.pattern})$"
    if bounds.kinds:
        schema["pattern"] = id_pattern(bounds.kinds)
    return schema


def id_pattern(kinds: frozenset[Kind]) -> str:
    """What ids of some kinds look like."""
    return f"^({'|'.join(sorted(kind.value for kind in kinds))}){_ID_SUFFIX}"


def _nullable(schema: Json) -> Json:
    if "enum" in schema:
        return schema | {"type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if "oneOf" in schema:
        return {"oneOf": [*schema["oneOf"], {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def output_schema(operation: AgentOperation, schema: GraphQLSchema) -> Json:
    """What an operation answers where it succeeds: the value of its root field, of a mutation its success."""
    return _Answered(operation, schema).whole()


class _Answered:
    """Walks what a document selects."""

    def __init__(self, operation: AgentOperation, schema: GraphQLSchema) -> None:
        self._operation = operation
        self._schema = schema
        definitions = operation.document.definitions
        self._fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
        self._definition = next(node for node in definitions if isinstance(node, OperationDefinitionNode))

    def whole(self) -> Json:
        root: Any = self._schema.get_root_type(self._definition.operation)
        field = self._definition.selection_set.selections[0]
        if not isinstance(field, FieldNode):
            raise TypeError(field)
        if self._operation.outcome is None:
            return self._type(_non_null(root.fields[field.name.value].type), [field])
        success: Any = self._schema.get_type(self._operation.outcome)
        return self._object(success, [field], hidden=_NEVER)

    def _type(self, type_: Any, nodes: list[FieldNode]) -> Json:
        if isinstance(type_, GraphQLNonNull):
            return self._bare(type_.of_type, nodes)
        return _nullable(self._bare(type_, nodes))

    def _bare(self, type_: Any, nodes: list[FieldNode]) -> Json:
        if isinstance(type_, GraphQLList):
            return {"type": "array", "items": self._type(type_.of_type, nodes)}
        if isinstance(type_, GraphQLEnumType):
            return {"type": "string", "enum": list(type_.values)}
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, nodes)
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._abstract(type_, nodes)
        return _answered_scalar(type_.name)

    def _abstract(self, type_: GraphQLInterfaceType | GraphQLUnionType, nodes: list[FieldNode]) -> Json:
        """One object where all its kinds are told alike; else one for each way of telling them, by `__typename`.

        Of many kinds the plain ones are told by what they are not: new ones come, and break nobody's contract.
        """
        told: dict[str, tuple[Json, list[str]]] = {}
        for kind in self._schema.get_possible_types(type_):
            schema = self._object(kind, nodes)
            plain = schema | {"title": type_.name, "properties": _untold(schema["properties"])}
            told.setdefault(repr(plain), (schema, []))[1].append(kind.name)
        if len(told) == 1:
            ((schema, names),) = told.values()
            return _named(
                schema, type_.name, {"type": "string", "enum": names} if len(names) < MANY else {"type": "string"}
            )
        listed = [name for _, names in told.values() if len(names) < MANY for name in names]
        branches = []
        for schema, names in told.values():
            if len(names) == 1:
                branches.append(schema)
            else:
                others = {"type": "string", "not": {"enum": sorted(listed)}}
                tells = {"type": "string", "enum": names} if len(names) < MANY else others
                branches.append(_named(schema, self._narrowest(type_, names), tells))
        return {"oneOf": branches}

    def _narrowest(self, type_: GraphQLInterfaceType | GraphQLUnionType, names: list[str]) -> str:
        """What some kinds have in common: the narrowest interface of all of them."""
        shared = [
            interface
            for interface in self._schema.type_map.values()
            if isinstance(interface, GraphQLInterfaceType)
            and set(names) <= {kind.name for kind in self._schema.get_possible_types(interface)}
        ]
        return min(shared, key=lambda each: len(self._schema.get_possible_types(each)), default=type_).name

    def _object(self, type_: GraphQLObjectType, nodes: list[FieldNode], hidden: frozenset[str] = frozenset()) -> Json:
        fields: dict[str, list[FieldNode]] = {}
        surely: set[str] = set()
        for node in nodes:
            if node.selection_set is not None:
                self._collect(type_, node.selection_set, fields, surely, sure=True)
        properties: Json = {}
        for key, asked in fields.items():
            name = asked[0].name.value
            if key in hidden:
                continue
            if name == "__typename":
                properties[key] = {"type": "string", "const": type_.name}
                continue
            field = type_.fields[name]
            told = self._type(field.type, asked)
            if (type_.name, name) in JSON_TEXTS:
                told["contentMediaType"] = "application/json"
            properties[key] = told | ({"description": field.description} if field.description else {})
        required = [key for key in properties if key in surely]
        schema: Json = {"type": "object", "title": type_.name, "properties": properties}
        return schema | ({"required": required} if required else {})

    def _collect(
        self,
        type_: GraphQLObjectType,
        selections: SelectionSetNode,
        fields: dict[str, list[FieldNode]],
        surely: set[str],
        *,
        sure: bool,
    ) -> None:
        """The fields told of one type; what has a condition may be missing."""
        for node in selections.selections:
            here = sure and not node.directives
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                fields.setdefault(key, []).append(node)
                surely.update([key] if here else [])
                continue
            inner: Any = self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            on = inner.type_condition
            wider: Any = self._schema.get_type(on.name.value) if on else type_
            if wider is type_ or (not isinstance(wider, GraphQLObjectType) and self._schema.is_sub_type(wider, type_)):
                self._collect(type_, inner.selection_set, fields, surely, sure=here)


def _named(schema: Json, title: str, tells: Json) -> Json:
    """One object for several kinds, with what its `__typename` may be where that is told."""
    properties = schema["properties"]
    told = {"__typename": tells} if "__typename" in properties else {}
    return schema | {"title": title, "properties": told | _untold(properties)}


def _non_null(type_: Any) -> Any:
    """A root that is null is no answer: it is not there."""
    return type_ if isinstance(type_, GraphQLNonNull) else GraphQLNonNull(type_)


def _untold(properties: Json) -> Json:
    return {key: told for key, told in properties.items() if key != "__typename"}


def _answered_scalar(name: str) -> Json:
    if name == "Int":
        return {"type": "integer"}
    if name == "Float":
        return {"type": "number"}
    if name == "Boolean":
        return {"type": "boolean"}
    formats = {"DateTime": "date-time", "Date": "date"}
    return {"type": "string"} | ({"format": formats[name]} if name in formats else {})
