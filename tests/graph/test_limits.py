"""What a document is measured at and refused for, and that no document makes the measuring itself a burden."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    parse,
    value_from_ast_untyped,
)
from graphql.execution.values import VariableValues, get_variable_values
from hypothesis import given, settings
from hypothesis import strategies as st

from db.map import TYPES
from db.places import Each, Inline, Many, NotStored, Page, Place, place_of
from domain.errors import CassetError, Code
from graph.collecting import Asked
from graph.computed import COMPUTED
from graph.documents import Documents
from graph.limits import ANONYMOUS, KNOWN, LONG, SATURATED, SHORT_LIST, Limits, Measure, measure
from graph.operation import Operation, Reading
from graph.schema import executable
from tests.graph.documents import Author, Pool
from tests.graph.scene import Rows

OPERATIONS = Path(__file__).parents[1] / "benchmarks" / "operations"
DOCUMENTS = 400


def measured(text: str) -> Measure:
    return measure(executable(), parse(text))


def cost(text: str, variables: Mapping[str, Any] | None = None) -> int:
    (cost_,) = measured(text).costs.values()
    return cost_.of(variables or {})


# -- each limit --------------------------------------------------------------------------------------------------------


def _deep(hops: int) -> str:
    below = "__typename"
    for hop in range(hops - 1):
        below = f"{('artist', 'world')[hop % 2]} {{ {below} }}"
    return f"{('world', 'artist')[hops % 2]}(handle: 1) {{ {below} }}"


def _directives(count: int) -> str:
    fields = [f"__typename{' @a' * min(5, count - number)}" for number in range(0, count, 5)]
    return f"viewer {{ {' '.join(fields)} }}"


BODIES: dict[str, Callable[[int], str]] = {
    "tokens": lambda count: f"a(b: [{'1 ' * (count - 7)}])",
    "fields": lambda count: f"viewer {{ {'__typename ' * (count - 1)} }}",
    "depth": _deep,
    "aliases": lambda count: " ".join(f"a{number}: __typename" for number in range(count)),
    "root_fields": lambda count: "__typename " * count,
    "directives": _directives,
    "directives_at_once": lambda count: "viewer" + " @a" * count,
}
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda body: f"{{ {body} }}",
    "in a fragment": lambda body: f"{{ ...F }} fragment F on Query {{ {body} }}",
    "in a fragment of a fragment": lambda body: (
        f"fragment G on Query {{ {body} }} {{ ...F }} fragment F on Query {{ ...G }}"
    ),
    "in inline fragments": lambda body: f"{{ ... on Query {{ ... {{ {body} }} }} }}",
    "in the first operation": lambda body: f"query A {{ {body} }} query B {{ }}",
    "in the last operation": lambda body: f"query A {{ }} query B {{ {body} }}",
    "in a mutation": lambda body: f"mutation {{ updateAsset {{ ... on Query {{ {body} }} }} }}",
    "in a fragment nobody spreads": lambda body: f"{{ }} fragment F on Query {{ {body} }}",
    "in a fragment whose name is taken": lambda body: (
        f"{{ ...F }} fragment F on Query {{ }} fragment F on Query {{ {body} }}"
    ),
    "below a field there is not": lambda body: f"{{ nope {{ ... on Nope {{ nope }} ... on Query {{ {body} }} }} }}",
}
ELSEWHERE = ("in a mutation", "in a fragment nobody spreads", "below a field there is not")
CASES = [(name, form) for name in BODIES for form in FORMS if not (name == "root_fields" and form in ELSEWHERE)]


@pytest.mark.parametrize("limits", [ANONYMOUS, KNOWN], ids=["anonymous", "known"])
@pytest.mark.parametrize(("name", "form"), CASES)
def test_a_document_passes_at_a_limit_and_is_refused_one_above(name: str, form: str, limits: Limits) -> None:
    most = getattr(limits, name)
    around = getattr(measured(FORMS[form](BODIES[name](20))), name) - 20
    at, above = (measured(FORMS[form](BODIES[name](most - around + more))) for more in (0, 1))
    assert (getattr(at, name), getattr(above, name)) == (most, most + 1)
    assert at.exceeded(limits) is None
    refusal = above.exceeded(limits)
    assert refusal
    assert refusal.code is Code.TOO_COSTLY
    assert f" {most + 1} " in refusal.message
    assert refusal.message.endswith(f", more than {most}.")


def test_a_fragment_counts_as_often_as_it_is_spread() -> None:
    text = "{{ viewer {{ {} }} }} fragment F on Viewer {{ a: account {{ id @a @b }} b: account {{ id @a @b }} }}"
    once, thrice = (measured(text.format("...F " * times)) for times in (1, 3))
    assert (once.fields, once.aliases, once.directives) == (5, 2, 4)
    assert (thrice.fields, thrice.aliases, thrice.directives) == (13, 6, 12)
    assert (thrice.depth, thrice.directives_at_once, thrice.root_fields) == (once.depth, 2, 1)


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("{ __typename }", 0),
        ("{ viewer { account { id } } }", 2),
        ("{ assets { edges { cursor node { id } } nodes { id } pageInfo { endCursor } totalCount } }", 1),
        ("{ assets { nodes { owner { id } } edges { node { owner { world { handle } } } } } }", 3),
        (
            "{ nodes(ids: []) { ... on Track { hook { id } } } node(id: 1) { ... on Hook { track { owner { id } } } } }",
            3,
        ),
        ("{ asset(id: 1) { parents { nodes { parent { parents { nodes { parent { id } } } } } } } }", 5),
        (
            "{ asset(id: 1) { ...F } } fragment F on Asset { owner { ... { ...G } } } fragment G on Artist { world { handle } }",
            3,
        ),
        ("{ __schema { types { fields { type { ofType { ofType { ofType { name } } } } } } } }", 0),
        ("{ asset(id: 1) { owner { id } } __type(name: 1) { fields { args { type { ofType { name } } } } } }", 2),
    ],
)
def test_depth_is_hops_of_the_graph(text: str, depth: int) -> None:
    assert measured(text).depth == depth


def test_comments_are_tokens() -> None:
    assert measured("{ id }\n# one\n# two\n").tokens == measured("{ id }").tokens + 2


INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
    experimental_directive_deprecation=True,
    one_of=True,
)


@pytest.mark.parametrize(
    "text", [INTROSPECTION, INTROSPECTION.replace("{ name }", "{ name kind }")], ids=["graphql-core", "GraphiQL"]
)
def test_anybody_may_ask_for_the_whole_introspection(text: str) -> None:
    assert measured(text).fields > 200
    assert measured(text).exceeded(ANONYMOUS) is None
    assert cost(text) == 0


@pytest.mark.parametrize("path", sorted(OPERATIONS.glob("*.graphql")), ids=lambda path: path.stem)
def test_the_pages_of_the_product_are_within_what_anybody_may_ask(path: Path) -> None:
    assert measured(path.read_text()).exceeded(ANONYMOUS) is None


# -- what means nothing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { ...A ...A }",
        "{ ...A } fragment A on Query { viewer { ...B } } fragment B on Viewer { account { ...A } ...B }",
        "fragment A on Asset { owner { ...B } } fragment B on Artist { assets { nodes { ...A } } }",
        "{ ...Missing viewer { ...Missing } }",
        "{ ... on Missing { a { b } } } fragment F on Missing { a { b(first: 1) { c } } }",
        "{ ... on String { a } ... on AssetFilter { a { b } } } fragment F on ID { a }",
        "{ viewer assets { nodes nodes { id { id } } } __typename { __typename { a } } }",
        '{ assets(first: "1", first: {a: 1}, last: 1.5, nope: [[$x]]) { nodes { id } } nodes(ids: 1) { id } nodes { id } }',
        "{ assets(first: $missing) { nodes { id } } nodes(ids: [[1], {a: 1}, $missing, null]) { id } node { id } }",
        "query ($a: Nope = {a: [1]}, $a: Int = 1.5, $first: [[Int]] = [[1]]) { assets(first: $a, last: $first) { nodes { id } } }",
        "query A { a } query A { b } { c } { d } mutation { e { f } } subscription { g { h } }",
        "{ a @skip @include(if: 1) @skip(if: $x, unless: 2) @nope(if: {}) { b } }",
        "type Query { a: Int @b } { a } schema { query: Query } extend type Query { b: Int } directive @a on FIELD",
        "{ }",
        "fragment F on Query { }",
        f"{{ assets(first: {'9' * 5000}) {{ nodes {{ id }} }} b: assets(last: -{'9' * 5000}) {{ nodes {{ id }} }} }}",
    ],
)
@pytest.mark.parametrize("value", [None, True, -1, 10**30, 1.5, "1", [], [[1]] * 200, {"a": 1}])
def test_what_means_nothing_is_measured_too(text: str, value: Any) -> None:
    found = measured(text)
    assert found.fields < SATURATED
    for each in found.costs.values():
        assert 0 <= each.of({"a": value, "x": value, "missing": value, "first": value}) <= SATURATED


def test_what_is_nested_deeper_than_the_stack_is_too_deep() -> None:
    stack = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)  # a library of other tests raises it a hundredfold
    try:
        chain = "{ ...F0 }" + "".join(f" fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(2_000))
        assert measured(chain).depth == SATURATED
    finally:
        sys.setrecursionlimit(stack)


# -- attacks -----------------------------------------------------------------------------------------------------------


def _chain(length: int, fragment: str, start: str = "{ artist(handle: 1) { ...F0 } }") -> str:
    """Fragments, each of which spreads the next in some way; `#` is its number."""
    parts = [
        f"fragment F{n} on Artist {fragment.replace('NEXT', f'...F{n + 1}').replace('#', str(n))}"
        for n in range(length)
    ]
    return "\n".join([start, *parts, f"fragment F{length} on Artist {{ id }}"])


_TWICE = "{ a: assets(first: $A) { nodes { owner { NEXT } } } b: assets(first: $B) { nodes { owner { NEXT } } } }"
ONE_VARIABLE, TWO_VARIABLES = (
    _TWICE.replace("$A", "$a").replace("$B", "$a"),
    _TWICE.replace("$A", "$a").replace("$B", "$b"),
)
MANY_VARIABLES = _TWICE.replace("$A", "$a#").replace("$B", "$b#")
GROWING: dict[str, Callable[[int], str]] = {
    "fragments doubling": lambda size: _chain(size, "{ NEXT NEXT }"),
    "fragments doubling by inline fragments": lambda size: _chain(
        size, "{ ... on Node { NEXT } ... { NEXT } ... on Artist { NEXT } }"
    ),
    "aliases doubling": lambda size: _chain(size, "{ a: world { artist { NEXT } } b: world { artist { NEXT } } }"),
    "pages doubling, of one variable": lambda size: _chain(size, ONE_VARIABLE),
    "pages doubling, of two variables": lambda size: _chain(size, TWO_VARIABLES),
    "pages doubling, each of its own variable": lambda size: _chain(size, MANY_VARIABLES),
    "pages inside each other, each of its own variable": lambda size: _chain(
        size, "{ assets(first: $a#) { nodes { owner { NEXT } } } }"
    ),
    "conditions doubling": lambda size: _chain(size, "{ ... @include(if: $a#) { NEXT } ... @skip(if: $b#) { NEXT } }"),
    "fragments in a circle": lambda size: _chain(size, "{ NEXT ...F0 world { artist { ...F0 NEXT } } }"),
    "each fragment spreading a chain": lambda size: (
        _chain(size, ONE_VARIABLE, "") + "".join(f" query Q{n} {{ artist {{ ...F{n} }} }}" for n in range(size))
    ),
    "operations": lambda size: " ".join(
        f"query Q{n}($a: Int = {n}) {{ assets(first: $a) {{ nodes {{ id }} }} }}" for n in range(size)
    ),
    "directives": lambda size: "{ a " + "@include(if: true) " * size + "}",
    "fields again and again": lambda size: "{ " + "artist(handle: 1) { world { artist { id } } } " * size + "}",
}


def _steps(text: str) -> int:
    """How many instructions Python runs to measure a text."""
    steps, document = 0, parse(text)

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        measure(executable(), document)
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("shape", GROWING)
def test_measuring_takes_work_in_proportion_to_the_text(shape: str) -> None:
    measured(GROWING[shape](1))
    small, large = (_steps(GROWING[shape](size)) for size in (4, 8))
    assert large < 2.2 * small


@pytest.mark.parametrize("shape", [shape for shape in GROWING if "doubling" in shape and "pages" in shape])
def test_the_cost_of_a_bomb_is_told_in_proportion_to_its_text(shape: str) -> None:
    sizes = [f"{letter}{number}" for letter in "ab" for number in ("", *range(8))]
    assert cost(GROWING[shape](8), dict.fromkeys(sizes, 100)) > KNOWN.objects
    assert cost(GROWING[shape](8), dict.fromkeys(sizes, 0)) == 1


ATTACKS = {
    "22 fragments doubling": _chain(22, "{ NEXT NEXT }"),
    "60 fragments doubling": _chain(60, "{ NEXT NEXT }"),
    "10^8 aliases": _chain(27, "{ a: world { artist { NEXT } } b: world { artist { NEXT } } }"),
    "2,000 @include on one field": "{ __typename " + "@include(if: true) " * 2000 + "}",
    "300 repeated nested fields": "{ " + "artist(handle: 1) { world { artist { id } } } " * 75 + "}",
    "a comment on every line": "{ id }" + "\n#" * 100_000,
    "20,000 open braces": "{ a " * 20_000,
    "20,000 nested list types": f"query ($a: {'[' * 20_000}",
    "20,000 nested lists": f"{{ asset(id: {'[' * 20_000}",
    "2,000 operations": " ".join(f"query Q{n} {{ __typename }}" for n in range(2000)),
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_ends_at_the_parser_or_at_a_limit(text: str) -> None:
    try:
        document = parse(text, max_tokens=KNOWN.tokens)
    except GraphQLError:
        return
    assert measure(executable(), document).exceeded(KNOWN)


# -- the cost ----------------------------------------------------------------------------------------------------------

PAGE = "query ($n: Int = 3, $m: Int) { assets(ARGUMENTS) { nodes { owner { id } } } }"


@pytest.mark.parametrize(
    ("arguments", "variables", "size"),
    [
        ("order: TITLE", {}, 20),
        ("first: 7", {}, 7),
        ("last: 7", {}, 7),
        ("first: null, last: 7", {}, 7),
        ("first: null", {}, 20),
        ("first: 100", {}, 100),
        ("first: 101", {}, 100),
        ("first: 2147483647", {}, 100),
        ("first: 0", {}, 0),
        ("first: -5", {}, 0),
        ("first: $n", {}, 3),
        ("first: $n", {"n": 5}, 5),
        ("first: $n", {"n": None}, 20),
        ("last: $n", {"n": 1}, 1),
        ("first: $m", {}, 20),
        ("first: $m", {"m": 0}, 0),
        ("first: $m", {"m": -1}, 0),
        ("first: $m", {"m": 2147483647}, 100),
    ],
)
def test_a_page_costs_its_size(arguments: str, variables: dict[str, Any], size: int) -> None:
    assert cost(PAGE.replace("ARGUMENTS", arguments), variables) == 2 * size


@pytest.mark.parametrize(
    ("text", "variables", "objects"),
    [
        ("{ __typename }", {}, 0),
        ("{ asset(id: 1) { id owner { id world { handle } } } }", {}, 3),
        ("{ assets(first: 5) { totalCount pageInfo { endCursor } } }", {}, 5),
        ("{ assets(first: 2) { nodes { owner { id } } edges { node { owner { id } } } } }", {}, 6),
        ("{ assets(first: 2) { nodes { credits(first: 3) { nodes { contributor { id } } } } } }", {}, 14),
        ("query ($n: Int) { assets(first: $n) { nodes { credits(first: $n) { nodes { id } } } } }", {"n": 4}, 20),
        ("{ asset(id: 1) { parents(first: 2) { nodes { parent { owner { id } } } } } }", {}, 7),
        ("{ asset(id: 1) { policy { terms { use } } } }", {}, 18),
        ("{ asset(id: 1) { ... on Track { lyrics { lines { text words { text } } } } } }", {}, 578),
        ("{ assets(first: 3) { nodes { ... on Track { waveform } } } }", {}, 51),
        ("{ hooks(first: 20) { nodes { waveform timedText { text words { text } } } } }", {}, 2_260),
        ("{ nodes(ids: [1, 2, 3]) { id } }", {}, 3),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Asset { owner { id } } } }", {"ids": ["a", "b"]}, 4),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 300}, 300),
        ("query ($ids: [ID!]!) { permissionCheck(ids: $ids) { decision } }", {"ids": ["a"] * 500}, 3500),
        ("query ($ids: [ID!]!) { permissionCheck(ids: $ids) { verdicts { use } } }", {"ids": ["a"] * 500}, 5500),
        ("{ assets(first: 2) { nodes { ...F ...F } } } fragment F on Asset { owner { id } }", {}, 6),
        ("{ ...F } fragment F on Query { a: viewer { account { id } } b: viewer { account { id } } }", {}, 4),
    ],
)
def test_a_cost_is_the_product_of_the_page_sizes_on_the_way(text: str, variables: dict[str, Any], objects: int) -> None:
    assert cost(text, variables) == objects


def test_each_operation_has_its_own_cost_and_its_own_defaults() -> None:
    text = """
        query A($n: Int = 2) { ...F }
        query B($n: Int = 5) { ...F }
        query C($n: Int) { ...F viewer { account { id } } }
        fragment F on Query { assets(first: $n) { nodes { id } } }
    """
    costs = measured(text).costs
    assert {name: costs[name].of({}) for name in ("A", "B", "C")} == {"A": 2, "B": 5, "C": 22}
    assert {name: costs[name].of({"n": 1}) for name in ("A", "B", "C")} == {"A": 1, "B": 1, "C": 3}


def test_the_cost_is_never_less_than_what_the_plan_may_read() -> None:
    """Over random documents; what one object of each type is asked for is added up by hand, and the dearest type taken."""
    schema, pool, compared, close = executable(), Pool.of(Rows(random.Random(1))), 0, 0
    documents = Documents(schema)
    for seed in range(DOCUMENTS):
        document = Author(schema, pool, random.Random(seed)).document()
        if any(name in document.text for _, name in COMPUTED):
            continue  # what is computed is estimated, and bounded by its own arguments
        operation = documents.operation(document.text, document.name, None)
        if not isinstance(operation, Operation):
            continue  # a literal that is no moment, for example
        declared = operation.definition.variable_definitions or ()
        values = get_variable_values(schema, declared, document.variables)
        if not isinstance(values, VariableValues):
            continue
        try:
            collected = operation.under(values.coerced)
            readings = {slot: operation.slots[slot].read(values) for slot in collected.slots}
        except (CassetError, GraphQLError):
            continue
        least = _read(frozenset({"Query"}), collected.fields, operation, readings)
        most = operation.cost.of(values.coerced)
        assert least <= most, str(document)
        compared, close = compared + 1, close + (least == most)
    assert compared > DOCUMENTS / 5
    assert close > compared / 10


def _read(types: frozenset[str], fields: Sequence[Asked], operation: Operation, readings: Mapping[int, Reading]) -> int:
    """What may be read for one value that is of one of some types."""
    return max(
        sum(_read_by(type_, asked, operation, readings) for asked in fields if type_ in asked.kinds) for type_ in types
    )


def _read_by(owner: str, asked: Asked, operation: Operation, readings: Mapping[int, Reading]) -> int:
    if not asked.fields:
        return 0
    kinds = frozenset(kind for inner in asked.fields for kind in inner.kinds)
    below = _read(kinds, asked.fields, operation, readings)
    values = readings.get(operation.slot_of.get(id(asked.nodes[0]), -1), (None, {}))[1]
    match _place(owner, asked.name):
        case None:
            return below
        case Inline():
            return 0
        case Page():
            return values["size"] * (1 + below)
        case Each():
            return len(values["ids"]) * (1 + below)
        case Many(cap=cap):
            return cap * (1 + below)
    return 1 + below


def _place(owner: str, name: str) -> Place | None:
    """Where a field lives; None for the parts of a connection and whatever else is not stored."""
    try:
        return place_of(TYPES, TYPES[owner], name)[0] if owner in TYPES else None
    except NotStored:
        return None


# -- by hand -----------------------------------------------------------------------------------------------------------

FRAGMENTS = 4
TYPE_NAMES = (
    "Query",
    "Asset",
    "Track",
    "Artist",
    "World",
    "Node",
    "LineageEdge",
    "AssetConnection",
    "SearchResult",
    "Nope",
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Documents of fields that may exist or not, and of fragments that spread later ones, some of which are missing."""

    def selections(owner: str, depth: int, later: int) -> str:
        return " ".join(selection(owner, depth, later) for _ in range(draw(st.integers(1, 2))))

    def selection(owner: str, depth: int, later: int) -> str:
        directive = draw(st.sampled_from(["", "", "", "@a", "@skip(if: true)", "@include(if: $c) @a"]))
        what = draw(st.sampled_from(["leaf", "field", "field", "field", "inline", "spread"]))
        if what == "spread":
            return f"...F{draw(st.integers(later, FRAGMENTS))} {directive}"
        if what == "inline" and depth:
            on = draw(st.sampled_from([owner, *TYPE_NAMES]))
            written = f"on {on}" if on != owner else draw(st.sampled_from(["", f"on {on}"]))
            return f"... {written} {directive} {{ {selections(on, depth - 1, later)} }}"
        alias = draw(st.sampled_from(["", "", "b: "]))
        composite = [*_composite(owner), "nope", "__schema"]
        if what == "leaf" or not depth:
            return f"{alias}id {directive}"
        name = draw(st.sampled_from(composite))
        size = draw(st.sampled_from(["", "(first: 2)", "(last: 3)", "(first: $n)", "(ids: [1, 2])", "(ids: $ids)"]))
        return f"{alias}{name}{size} {directive} {{ {selections(_leads(owner, name), depth - 1, later)} }}"

    types = [draw(st.sampled_from(TYPE_NAMES)) for _ in range(FRAGMENTS)]
    fragments = [f"fragment F{n} on {type_} {{ {selections(type_, 2, n + 1)} }}" for n, type_ in enumerate(types)]
    operations = [f"query Q{n} {{ {selections('Query', 3, 0)} }}" for n in range(draw(st.integers(1, 2)))]
    return "\n".join(draw(st.permutations([*operations, *fragments])))


def _composite(owner: str) -> list[str]:
    fields = getattr(executable().type_map.get(owner), "fields", {})
    return [name for name, definition in fields.items() if is_composite_type(get_named_type(definition.type))]


def _leads(owner: str, name: str) -> str:
    known = name in _composite(owner)
    return get_named_type(executable().type_map[owner].fields[name].type).name if known else "Nope"


@dataclass
class Part:
    """A field or a fragment, with everything inside written out, and the type of which it is asked."""

    owner: str
    node: FieldNode | InlineFragmentNode | FragmentSpreadNode
    parts: list[Part]

    def every(self) -> Iterator[Part]:
        """The part and all inside."""
        yield self
        for part in self.parts:
            yield from part.every()

    def top(self) -> Iterator[Part]:
        """The fields that stand where it stands."""
        if isinstance(self.node, FieldNode):
            yield self
        else:
            for part in self.parts:
                yield from part.top()


class ByHand:
    """A document with every fragment written out wherever it is spread."""

    def __init__(self, text: str) -> None:
        definitions = parse(text).definitions
        self.fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
        self.reached: set[str] = set()
        self.operations = {
            node.name.value: self.written(node.selection_set, "Query")
            for node in definitions
            if isinstance(node, OperationDefinitionNode)
        }
        self.rest = [part for name in self.fragments if name not in self.reached for part in self.spread(name)]

    def written(self, selection_set: SelectionSetNode | None, type_: str) -> list[Part]:
        parts = []
        for node in selection_set.selections if selection_set else ():
            match node:
                case FieldNode():
                    parts.append(Part(type_, node, self.written(node.selection_set, _leads(type_, node.name.value))))
                case InlineFragmentNode():
                    on = node.type_condition.name.value if node.type_condition else type_
                    parts.append(Part(type_, node, self.written(node.selection_set, on)))
                case FragmentSpreadNode():
                    parts.append(Part(type_, node, self.spread(node.name.value)))
        return parts

    def spread(self, name: str) -> list[Part]:
        self.reached.add(name)
        node = self.fragments.get(name)
        return self.written(node.selection_set, node.type_condition.name.value) if node else []


def _fields(parts: Sequence[Part]) -> list[Part]:
    return [field for part in parts for field in part.top()]


def _hops(parts: Sequence[Part]) -> int:
    return max((_hops_of(field) for field in _fields(parts)), default=0)


def _hops_of(field: Part) -> int:
    if field.node.name.value == "__schema" or not field.parts:
        return 0
    return _hops(field.parts) + _is_hop(field)


def _is_hop(field: Part) -> bool:
    """Whether it leads to other objects: not what is unknown, nor the parts of a connection, whose edges have cursors."""
    is_edge = {"cursor", "node"} <= getattr(executable().type_map.get(field.owner), "fields", {}).keys()
    return field.node.name.value in _composite(field.owner) and not is_edge and not field.owner.endswith("Connection")


def _objects(parts: Sequence[Part], variables: Mapping[str, Any]) -> int:
    return sum(_objects_of(field, variables) for field in _fields(parts))


def _objects_of(field: Part, variables: Mapping[str, Any]) -> int:
    if field.node.name.value == "__schema" or not field.parts:
        return 0
    below = _objects(field.parts, variables)
    return _times(field, variables) * (_weight(field) + below) if _is_hop(field) else below


def _weight(field: Part) -> int:
    """A verdict on one of many assets takes as long as reading seven objects."""
    return 7 if {"ids", "uses"} <= executable().type_map[field.owner].fields[field.node.name.value].args.keys() else 1


def _times(field: Part, variables: Mapping[str, Any]) -> int:
    definition = executable().type_map[field.owner].fields[field.node.name.value]
    given = {each.name.value: each.value for each in field.node.arguments or ()}
    values = {
        name: variables.get(value.name.value) if isinstance(value, VariableNode) else value_from_ast_untyped(value)
        for name, value in given.items()
    }
    if "ids" in definition.args:
        return len(values["ids"]) if "ids" in values else 20
    if "first" in definition.args:
        return next((values[name] for name in ("first", "last") if values.get(name) is not None), 20)
    if not is_list_type(get_nullable_type(definition.type)):
        return 1
    return (
        16
        if field.owner in {"PermissionPolicy", "PermissionGrant"}
        else LONG.get((field.owner, field.node.name.value), SHORT_LIST)
    )


@settings(deadline=None, max_examples=200)
@given(
    texts(), st.fixed_dictionaries({"n": st.sampled_from([None, 0, 1, 5]), "ids": st.lists(st.just("a"), max_size=3)})
)
def test_a_measure_is_that_of_the_document_with_its_fragments_written_out(text: str, variables: dict[str, Any]) -> None:
    found, hand = measured(text), ByHand(text)
    whole = [*hand.rest, *[part for parts in hand.operations.values() for part in parts]]
    every = [inner.node for part in whole for inner in part.every()]
    assert found.fields == sum(isinstance(node, FieldNode) for node in every)
    assert found.aliases == sum(isinstance(node, FieldNode) and node.alias is not None for node in every)
    assert found.directives == sum(len(node.directives or ()) for node in every)
    assert found.directives_at_once == max((len(node.directives or ()) for node in every), default=0)
    assert found.root_fields == max(len(_fields(parts)) for parts in hand.operations.values())
    assert found.depth == _hops(whole)
    costs = {name: cost_.of(variables) for name, cost_ in found.costs.items()}
    assert costs == {name: _objects(parts, variables) for name, parts in hand.operations.items()}
