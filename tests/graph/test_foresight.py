"""What is told before a change is what differs after it: on any graph, for any change, and hidden things count unnamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import event, given
from hypothesis import strategies as st

from db.facts import facts_of
from db.hooks import windows_of
from domain.accounts import Viewer
from domain.assets import AssetState
from domain.facts import Question
from domain.ids import Kind, Ref
from domain.rights import Layer, Outcome, Use
from domain.verdicts import decide
from resolvers.context import now
from tests.graph.graphs_drawn import HOLDERS, Change, Drawn, changes, graphs, law
from tests.graph.graphs_placed import Ground, Placed

PAGE = 100
CHANGES = """{ count owners complete changes {
  asset { id } owner { id } hook { id } isOfHook use layer before after } }"""
FORESEEN = {
    "setPolicy": (
        "simulatePolicy",
        {"subject": "ID!", "license": "String", "preset": "PolicyPreset", "terms": "[TermInput!]"},
    ),
    "withdrawPolicy": ("simulatePolicy", {"subject": "ID!"}),
    **dict.fromkeys(("setAssetState", "withdrawRelease"), ("simulateTakedown", {"id": "ID!"})),
    "declareEdge": (
        "simulateEdge",
        {
            "child": "ID!",
            "parent": "ID!",
            "kind": "EdgeKind!",
            "childWindow": "WindowInput",
            "parentWindow": "WindowInput",
        },
    ),
}


class Answer(NamedTuple):
    """What is answered about an asset, or about the hook of one."""

    asset: UUID
    outcomes: Mapping[tuple[Use, Layer], Outcome]


@st.composite
def cases(draw: st.DrawFn, *mutations: str) -> tuple[Drawn, Change, frozenset[UUID]]:
    """A graph, a change of it, and the artists of who makes it: the owner of one thing the change is about, and others."""
    graph = draw(graphs(twins="mergeAssets" in mutations))
    change = draw(changes(graph, *mutations))
    theirs = graph.owner(draw(st.sampled_from(change.subjects)))
    return graph, change, frozenset({theirs, *draw(HOLDERS)})


async def answers(placed: Placed, viewer: Viewer) -> dict[UUID, Answer]:
    """What is answered now, by asset and by hook, without grants; without those of an asset that goes by another id."""
    assets = list(map(placed.id, placed.graph.facts.parts))
    hooks = await windows_of(placed.ground.database, list(map(placed.hook, placed.graph.hooks)))
    read = await facts_of(placed.ground.database, viewer, assets)
    asked = {asset: Question(asset, frozenset(Use), now().date()) for asset in assets}
    for hook, (track, window) in hooks.items():
        asked[hook] = Question(track, frozenset(Use), now().date(), window=window)
    return {
        id_: Answer(question.asset, {(it.use, it.layer): it.outcome for it in decide(read.facts, question)})
        for id_, question in asked.items()
        if read.current(question.asset) == question.asset
    }


def told(placed: Placed, before: Mapping[UUID, Answer], after: Mapping[UUID, Answer], holds: frozenset[UUID]) -> Any:
    """What differs, as it is told to who holds some artists."""
    drawn = {placed.id(asset): asset for asset in placed.graph.facts.parts}
    changes, owners = [], set()
    for id_ in sorted(after, key=lambda it: (after[it].asset, it not in drawn)):
        asset = drawn[after[id_].asset]
        owner, state = placed.graph.owner(asset), placed.graph.states[asset]
        is_shown = owner in holds or state in (AssetState.PUBLIC, AssetState.ARCHIVED)
        for (use, layer), outcome in before[id_].outcomes.items():
            if outcome is not after[id_].outcomes[use, layer]:
                owners.add(owner)
                flip = {
                    "asset": {"id": placed.ref(asset)} if is_shown else None,
                    "owner": {"id": placed.ref(owner)} if is_shown else None,
                    "hook": {"id": str(Ref(Kind.HOOK, id_))} if is_shown and id_ not in drawn else None,
                    "isOfHook": id_ not in drawn,
                    "use": use.value,
                    "layer": layer.value,
                    "before": outcome.value,
                    "after": after[id_].outcomes[use, layer].value,
                }
                changes.append(flip)
    return {"count": len(changes), "owners": len(owners), "complete": True, "changes": changes}


def page(whole: dict[str, Any]) -> dict[str, Any]:
    """The page that a payload holds."""
    return {**whole, "changes": whole["changes"][:PAGE], "complete": whole["count"] <= PAGE}


async def foreseen(placed: Placed, holds: frozenset[UUID], change: Change) -> Any:
    field, arguments = FORESEEN[change.mutation]
    variables = ", ".join(f"${name}: {type_}" for name, type_ in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    document = f"query ({variables}) {{ {field}({passed}, first: 1000) {CHANGES} }}"
    asked = dict(zip(arguments, map(placed.ref, change.subjects), strict=False))
    asked |= {name: value for name, value in change.given.items() if name in arguments}
    return await placed.ask(placed.viewer(holds), document, **asked)


async def tried(placed: Placed, holds: frozenset[UUID], change: Change, asked: str) -> tuple[Any, Any]:
    """The answer of a change, and what differs after it."""
    viewer = placed.viewer(holds)
    before = await answers(placed, viewer)
    answer = await placed.do(viewer, change, asked)
    event(answer["__typename"])
    return answer, told(placed, before, await answers(placed, viewer), holds)


Case = tuple[Drawn, Change, frozenset[UUID]]


@law
@given(cases("setPolicy", "withdrawPolicy"))
async def test_what_a_policy_would_flip_is_what_it_flips(ground: Ground, case: Case) -> None:
    graph, change, holds = case
    placed = await ground.place(graph)
    simulated = await foreseen(placed, holds, change)
    answer, expected = await tried(placed, holds, change, f"flipped {CHANGES}")
    assert simulated == expected
    assert answer.get("flipped", page(expected)) == page(expected)


@law
@given(cases("declareEdge"))
async def test_what_an_edge_would_flip_is_what_it_flips(ground: Ground, case: Case) -> None:
    graph, change, holds = case
    placed = await ground.place(graph)
    simulated = await foreseen(placed, holds, change)
    answer, expected = await tried(placed, holds, change, "edge { binding }")
    if "edge" in answer:
        assert simulated == expected


@law
@given(cases("setAssetState", "withdrawRelease"))
async def test_what_a_takedown_would_flip_is_what_it_flips(ground: Ground, case: Case) -> None:
    graph, change, holds = case
    placed = await ground.place(graph)
    simulated = await foreseen(placed, holds, change)
    answer, expected = await tried(placed, holds, change, f"flipped {CHANGES}")
    if change.given.get("state") in (None, "WITHDRAWN") and "flipped" in answer:
        assert simulated == expected
    assert answer.get("flipped", page(expected)) == page(expected)


@law
@given(cases("mergeAssets"))
async def test_what_a_merge_tells_is_what_it_flips(ground: Ground, case: Case) -> None:
    graph, change, holds = case
    placed = await ground.place(graph)
    answer, expected = await tried(placed, holds, change, f"flipped {CHANGES}")
    assert answer.get("flipped", page(expected)) == page(expected)
