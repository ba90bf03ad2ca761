"""One contract, two surfaces: any asset answers the same questions, and what people enter carries no machinery."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, get_named_type, is_interface_type

from domain.assets import AssetKind
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from tests.graph.scene import Scene

ASSET = """query ($id: ID!) { asset(id: $id) {
  __typename id title state createdAt madeOn owner { handle }
  credits { nodes { role instrument acceptance contributor { id name } } }
  splits { nodes { pool basisPoints contributor { name } } }
  parents { nodes { kind status parent { id title } } } children { totalCount }
  ancestors { assets { distance asset { id } through { kind } } complete } descendants { complete }
  policy { level licenseFamily terms { use decision } }
  rights(uses: [REMIX, AI_TRAINING]) { use layer decision reasons blockers { decision clause path { kind } } route { kind } }
  attribution { license } clearWindows(uses: [SYNC]) { startMs endMs }
  provenance { nodes { sequence kind at hash previousHash inclusion { state } } }
} }"""
SURFACES = ("World", "Hook", "VisualWorld", "Room", "Ritual")
MACHINE_WORDS = ("manifest", "anchor", "grant", "payment", "job")


@pytest.mark.parametrize("execution", Execution)
async def test_one_document_reads_identity_people_lineage_rights_and_provenance_of_all_four_kinds(
    scene: Scene, readers: dict[Execution, Reader], execution: Execution
) -> None:
    assert "... on" not in ASSET
    shapes = {}
    for kind in AssetKind:
        id_ = scene[f"{kind.lower()}.public"]
        answer = await readers[execution].answer(ASSET, None, {"id": id_}, scene.viewers["anonymous"])
        told = json.loads(answer.body)["data"]["asset"]
        assert (told["__typename"].upper(), told["id"], told["owner"]["handle"]) == (kind.value, id_, "nova")
        assert told["title"]
        assert all(credit["contributor"]["name"] for credit in told["credits"]["nodes"])
        listed = ("credits", "splits", "parents", "provenance")
        assert {name: bool(told[name]["nodes"]) for name in listed} == dict.fromkeys(listed, True)
        assert {step["asset"]["id"] for step in told["ancestors"]["assets"] if step["distance"] == 1 and step["asset"]}
        asked = {(verdict["use"], verdict["layer"]) for verdict in told["rights"]}
        assert asked == {(use, layer) for use in ("REMIX", "AI_TRAINING") for layer in ("MASTER", "COMPOSITION")}
        assert all(verdict["decision"] and verdict["reasons"] for verdict in told["rights"])
        assert next(event["sequence"] for event in told["provenance"]["nodes"]) == 1
        assert all(len(event["hash"]) == 64 for event in told["provenance"]["nodes"])
        shapes[kind] = list(told)
    assert len({tuple(shape) for shape in shapes.values()}) == 1


def machinery(schema: GraphQLSchema, surface: str) -> Iterator[str]:
    """The fields of a type, and of the values in it, that say or lead to something of the machine layer.

    A thing with an id of its own is where a surface ends: what hangs on an asset or a release hangs there.
    """
    waiting, seen = [surface], {surface}
    while waiting:
        type_ = schema.type_map[waiting.pop()]
        fields = type_.fields if isinstance(type_, GraphQLObjectType) else {}
        for name, field in fields.items():
            target = get_named_type(field.type)
            said = " ".join((name, target.name, *field.args)).lower()
            if any(word in said for word in MACHINE_WORDS):
                yield f"{type_.name}.{name}: {target.name}"
            elif target.name not in seen and isinstance(target, GraphQLObjectType) and not _is_node(target):
                seen.add(target.name)
                waiting.append(target.name)


def _is_node(type_: GraphQLObjectType) -> bool:
    return any(interface.name == "Node" for interface in type_.interfaces)


@pytest.mark.parametrize("surface", SURFACES)
def test_what_people_enter_carries_nothing_of_the_machine_layer(surface: str) -> None:
    assert list(machinery(executable(), surface)) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("type Hook { grants: [Int] }", "Hook.grants: Int"),
        ("type Hook { proof: ReleaseAnchor } type ReleaseAnchor { id: ID }", "Hook.proof: ReleaseAnchor"),
        ("type Hook { play: Play } type Play { price: Price } type Price { payment: ID }", "Price.payment: ID"),
        ("type Hook { open(grant: ID): Int }", "Hook.open: Int"),
    ],
)
def test_machinery_that_is_planted_in_a_surface_is_found(planted: str, found: str) -> None:
    schema = build_schema(f"type Query {{ hook: Hook }} {planted}")
    assert list(machinery(schema, "Hook")) == [found]


def test_the_machine_layer_hangs_on_releases_and_assets() -> None:
    known = executable().type_map
    assert is_interface_type(known["Asset"])
    assert {"rights", "provenance", "grants"} <= set(known["Asset"].fields)  # type: ignore[attr-defined]  # an interface
    assert "integrity" in known["Release"].fields  # type: ignore[attr-defined]  # an object type
    assert {"manifest", "integrity"} <= set(known["ReleaseVersion"].fields)  # type: ignore[attr-defined]  # an object type
