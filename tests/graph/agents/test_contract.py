"""The contract of programs: what is checked in is what the documents say, a bad one is refused, a promise is kept."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import GraphQLSchema
from hypothesis import given
from hypothesis import strategies as some
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from domain.errors import BadInput
from graph.agents.building import LOCK, OPENAPI, TOOLS, built, checked_in, stale
from graph.agents.checks import problems
from graph.agents.contract import broken, lock_of
from graph.agents.operations import AgentOperation, Faulty
from graph.agents.reading import FRAGMENTS, files, operations_of, read
from graph.agents.schemas import input_schema
from graph.agents.values import check
from graph.schema import executable
from graph.server.actors import QUESTIONS

ROOT = Path(__file__).parents[3]
GOOD = '''"""A release."""
query Asked("Which." $id: ID! @id(of: ["release"])) @rest(method: GET, path: "/api/x/{id}") @cache(maxAge: 30) {
  release(id: $id) { id title }
}'''
PAGED = '''"""Releases."""
query Asked("How many." $first: Int = 20 @bounds(min: 1, max: 50), "Where." $after: String)
@rest(method: GET, path: "/api/x") { assets(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }'''
FILTERED = PAGED.replace('"Where."', '"By." $by: AssetOrder, "Where."').replace(
    "(first: $first,", "(order: $by, first: $first,"
)
WRITES = '''"""Writes."""
mutation Asked("Which." $id: ID!, "Once." $key: String! @in(header: "Idempotency-Key"))
@rest(method: POST, path: "/api/x/{id}") @mcp(title: "Write", allow: true) {
  recordPermissionCheck(input: { id: $id, idempotencyKey: $key }) {
    __typename ... on RecordPermissionCheckSuccess { receipt { id } } ... on UserError { code message path }
  }
}'''


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return executable()


@pytest.fixture(scope="module")
def operations(schema: GraphQLSchema) -> list[AgentOperation]:
    return operations_of(schema)


def test_what_is_checked_in_is_what_the_documents_say_byte_by_byte(schema: GraphQLSchema) -> None:
    assert stale(built(schema)) == [], "run: ./dev casset agents build"


def test_what_documents_share_is_shared() -> None:
    text = resources.files("graph.agents").joinpath(FRAGMENTS).read_text()
    shared = set(re.findall(r"^fragment (\w+)", text, re.MULTILINE))
    spread = Counter(name for _, text in files() for name in set(re.findall(r"\.\.\.(\w+)", text)))
    assert set(spread) == shared
    assert [name for name, count in spread.items() if count < 2] == []


@pytest.mark.parametrize("text", [GOOD, PAGED, WRITES])
def test_a_good_document_is_taken(schema: GraphQLSchema, text: str) -> None:
    assert problems([read("Asked", text, schema)], schema) == []


@pytest.mark.parametrize(
    ("text", "change", "to", "said"),
    [
        (GOOD, "query Asked", "query Other", "named as the file"),
        (GOOD, "release(id: $id) {", "one: release(id: $id) {", "without an alias"),
        (GOOD, "  release(id: $id) {", "  viewer { account { id } } release(id: $id) {", "one field at the root"),
        (GOOD, "title }", "nothing }", "Cannot query field 'nothing'"),
        (GOOD, "title }", "...NoSuchThing }", "there is no shared fragment NoSuchThing"),
        (GOOD, "title }", "...VersionInShort }", "Cannot query field 'number' on type 'Release'"),
        (GOOD, '"""A release."""', "", "it has no description"),
        (GOOD, '"Which." ', "", "$id has no description"),
        (GOOD, "GET", "DELETE", "it is asked with GET"),
        (GOOD, "ID! @id", "ID @id", "Variable '$id' of type 'ID'"),
        (GOOD, "/api/x/{id}", "/api/x/{id}/{other}", "nothing is put into {other}"),
        (GOOD, "/api/x/{id}", "/api/X y/{id}", "no path of words"),
        (GOOD, '["release"]', '["realese"]', "no id of any kind"),
        (GOOD, "maxAge: 30", "maxAge: 3600", "may be kept for 30 s"),
        (GOOD, "@cache(maxAge: 30)", "@cache(maxAge: 30) @cache(maxAge: 20)", "does not stand there, or twice"),
        (GOOD, "@cache(maxAge: 30)", "@cash(maxAge: 30)", "Unknown directive '@cash'"),
        (GOOD, "@cache(maxAge: 30)", "@cache(maxage: 30)", "maxAge"),
        (GOOD, '@rest(method: GET, path: "/api/x/{id}")', "", "only what is asked with GET is kept"),
        (
            GOOD,
            "title }",
            "items(first: 100) { nodes { asset { descendants(first: 100) { assets { asset { id owner { id } } } } } } } }",
            "may read 130201 objects",
        ),
        (PAGED, "assets(first: $first, after: $after)", "assets(first: $first)", "Variable '$after' is never used"),
        (PAGED, "pageInfo { hasNextPage endCursor }", "pageInfo { endCursor hasNextPage }", "hasNextPage endCursor"),
        (PAGED, "pageInfo { hasNextPage endCursor }", "", "it tells one endCursor"),
        (PAGED, "nodes { id }", "nodes { id ... on Track { isrc } }", "does not tell its __typename"),
        (FILTERED.replace("order:", "filter:"), "AssetOrder", "AssetFilter", "$by is an object"),
        (WRITES, "allow: true", "allow: false", "only where @mcp allows it"),
        (WRITES, ' @in(header: "Idempotency-Key")', "", "the header Idempotency-Key"),
        (WRITES, "$key: String!", "$key: String", "the Idempotency-Key is required"),
        (WRITES, "__typename ...", "...", "begins with __typename"),
        (WRITES, "{ code message path }", "{ code message }", "UserError { code message path }"),
        (WRITES, "... on RecordPermissionCheckSuccess { receipt { id } }", "", "it tells nothing of"),
        (WRITES, "POST", "GET", "it is asked with DELETE or PATCH or POST or PUT"),
    ],
)
def test_a_bad_document_is_refused_and_says_why(
    schema: GraphQLSchema, text: str, change: str, to: str, said: str
) -> None:
    assert change in text
    try:
        found = problems([read("Asked", text.replace(change, to, 1), schema)], schema)
    except Faulty as fault:
        found = [str(fault)]
    assert any(said in wrong for wrong in found), found


def test_two_documents_do_not_share_an_address_or_a_name(schema: GraphQLSchema) -> None:
    def at(name: str, path: str) -> AgentOperation:
        return read(name, GOOD.replace("Asked", name).replace("/api/x/{id}", path), schema)

    for one, other, said in (
        ("/api/x/{id}", "/api/x/{id}", True),
        ("/api/{id}/y", "/api/x/{id}", True),
        ("/api/x/{id}", "/api/x/y/{id}", False),
        ("/api/x/{id}", "/api/y/{id}", False),
    ):
        assert bool(problems([at("One", one), at("Other", other)], schema)) is said, (one, other)
    tools = [
        read(
            name,
            GOOD.replace("Asked", name).replace("@cache", '@mcp(title: "x") @cache').replace("/x/", f"/{at}/"),
            schema,
        )
        for name, at in (("GetIt", "a"), ("GetIT", "b"))
    ]
    assert any("one tool" in wrong for wrong in problems(tools, schema))


def _altered(lock: dict[str, Any], alter: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    changed = copy.deepcopy(lock)
    alter(changed["operations"]["GetRelease"])
    return changed


BREAKING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "it is gone": lambda promise: promise.update(path="/api/agents/v2/releases/{id}"),
    "another status": lambda promise: promise.update(status=201),
    "it needs a key": lambda promise: promise.update(open=False),
    "another scope": lambda promise: promise.update(scopes=["BUNDLE"]),
    "another tool": lambda promise: promise.update(tool="fetch_release"),
    "a variable is gone": lambda promise: promise["request"]["properties"].clear(),
    "a variable is required": lambda promise: promise["request"].update(required=["id", "more"]),
    "a variable travels elsewhere": lambda promise: promise["wire"].update(id="query:id"),
    "a variable takes less": lambda promise: promise["request"]["properties"]["id"].update(maxLength=10),
    "a variable is another type": lambda promise: promise["request"]["properties"]["id"].update(type="integer"),
    "a field is gone": lambda promise: promise["response"]["properties"].pop("title"),
    "a field may be null": lambda promise: promise["response"]["properties"]["title"].update(type=["string", "null"]),
    "a field may be missing": lambda promise: promise["response"]["required"].remove("title"),
    "a field within is gone": lambda promise: promise["response"]["properties"]["owner"]["properties"].pop("id"),
}
KEPT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another field": lambda promise: promise["response"]["properties"].update(more={"type": "string"}),
    "another variable": lambda promise: promise["request"]["properties"].update(more={"type": ["string", "null"]}),
    "more is taken": lambda promise: promise["request"]["properties"]["id"].update(maxLength=10**6),
    "another word": lambda promise: promise["response"]["properties"]["state"]["enum"].append("FORGOTTEN"),
    "never null any more": lambda promise: promise["response"]["properties"]["upc"].update(type="string"),
    "another scope, too": lambda promise: promise["scopes"].append("BUNDLE"),
}


@pytest.fixture(scope="module")
def lock(schema: GraphQLSchema, operations: list[AgentOperation]) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(orjson.dumps(lock_of(operations, schema)))
    return told


@pytest.mark.parametrize("name", BREAKING)
def test_a_promise_that_would_be_broken_is_found(lock: dict[str, Any], name: str) -> None:
    assert broken(lock, _altered(lock, BREAKING[name]))


@pytest.mark.parametrize("name", KEPT)
def test_what_breaks_nobody_is_let_through(lock: dict[str, Any], name: str) -> None:
    assert broken(lock, lock) == []
    assert broken(lock, _altered(lock, KEPT[name])) == []


def test_nothing_that_was_committed_is_broken() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no earlier contract to compare with")
    shown = subprocess.run(["git", "show", f"HEAD:graph/agents/{LOCK}"], cwd=ROOT, capture_output=True, check=False)
    if shown.returncode == 0:
        assert broken(json.loads(shown.stdout), json.loads(checked_in(LOCK))) == []


def test_openapi_is_valid_and_every_operation_is_in_it(operations: list[AgentOperation]) -> None:
    told = json.loads(checked_in(OPENAPI))
    assert list(OpenAPIV31SpecValidator(told).iter_errors()) == []
    described = {(method.upper(), path) for path, at in told["paths"].items() for method in at}
    asked = {(each.route.method, each.route.path) for each in operations if each.route}
    assert asked | {("GET", "/api/agents")} <= described


def test_what_is_told_of_one_kind_is_told_of_it_in_one_way_alone() -> None:
    """Of the branches of a `oneOf` no two take the same `__typename`: else nothing that is answered would be valid."""
    checked = 0

    def walk(schema: Any) -> None:
        nonlocal checked
        if isinstance(schema, dict):
            branches = [resolved(each) for each in schema.get("oneOf", ())]
            tells = [each["properties"]["__typename"] for each in branches if "properties" in each]
            listed = [name for each in tells for name in each.get("enum", [each.get("const")]) if name]
            assert len(listed) == len(set(listed)), listed
            rest = [set(each["not"]["enum"]) for each in tells if "not" in each]
            assert rest in ([], [set(listed)]), (rest, listed)
            checked += len(tells) > 1
            for inner in schema.values():
                walk(inner)
        elif isinstance(schema, list):
            for inner in schema:
                walk(inner)

    told = json.loads(checked_in(OPENAPI))

    def resolved(schema: Any) -> Any:
        return told["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema

    walk(told)
    assert checked


def test_a_tool_takes_a_plain_object_whose_properties_have_types() -> None:
    for tool in json.loads(checked_in(TOOLS)):
        taken = tool["inputSchema"]
        assert (taken["type"], taken["additionalProperties"]) == ("object", False)
        assert not taken.keys() & {"oneOf", "anyOf", "allOf", "if", "$ref"}
        assert all("type" in inner and inner["description"] for inner in taken["properties"].values()), tool["name"]
        assert tool["outputSchema"]["type"] == "object"
        Draft202012Validator.check_schema(tool["outputSchema"])


def test_who_may_ask_without_a_document_that_says_more_is_who_may_ask_the_graph(
    operations: list[AgentOperation],
) -> None:
    """A key reads here what it reads there: its scope is that of the root field, or one that the document names."""
    for each in operations:
        if each.outcome is None and each.root in QUESTIONS:
            assert "CHECK" in each.access.scopes, each.name
        elif each.outcome is None:
            assert "READ" in each.access.scopes, each.name


def test_the_lock_names_the_clean_documents(operations: list[AgentOperation]) -> None:
    promised = json.loads(checked_in(LOCK))["operations"]
    assert {name: promise["sha256"] for name, promise in promised.items()} == {
        each.name: each.sha256 for each in operations
    }
    assert not any(word in each.text for each in operations for word in ("@rest", "@mcp", "@bounds", '"""'))


ATOMS = some.one_of(
    *(some.none(), some.booleans(), some.integers(-(2**33), 2**33), some.floats(allow_nan=False, allow_infinity=False)),
    *(some.text(max_size=5), some.sampled_from(["DE", "SYNC", "2026-01-31T12:00:00Z", "release_", "x" * 201])),
    some.sampled_from(["track_01jd0000000000000000000000", "release_01jd0000000000000000000000"]),
)
NAMES = some.sampled_from(["startMs", "endMs", "use", "decision", "x"])
VALUES = some.recursive(
    ATOMS, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(NAMES, inner, max_size=3)
)


@given(data=some.data())
def test_what_is_taken_is_what_the_schema_takes(operations: list[AgentOperation], data: some.DataObject) -> None:
    """The check of values and the JSON Schema that is published say the same of anything."""
    each = data.draw(some.sampled_from(operations))
    if not each.variables:
        return
    variable = data.draw(some.sampled_from(list(each.variables.values())))
    value = data.draw(VALUES)
    said = input_schema([variable])["properties"][variable.name]
    allowed = Draft202012Validator(said).is_valid(value)
    try:
        check(value, variable.type, variable.bounds, (variable.name,))
    except BadInput:
        taken = False
    else:
        taken = True
    assert taken == allowed
