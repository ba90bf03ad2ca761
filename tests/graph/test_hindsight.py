"""What was answered then is answered again: whatever is written after it, on any graph, from receipts and as of then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import event, given
from hypothesis import strategies as st
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from domain.accounts import Viewer
from domain.ids import Kind, Ref
from domain.rights import Use
from resolvers.context import now
from tests.domain.facts_drawn import OWNERS, windows
from tests.graph.company import publish
from tests.graph.graphs_drawn import SUBJECTS, Change, Drawn, changes, graphs, law, window_input
from tests.graph.graphs_placed import Ground, Placed

CORRECTED, PUBLISHED = "corrected", "published"
SHOWING = {"setAssetState", "withdrawRelease", "mergeAssets"}
"""Who is shown what now is shown it of the past, too: after these the decisions are the same, and others are named."""
VERDICT = """use layer decision reasons clearByReason
  blockers { layer decision reason asset { id } owner { id } clause path { kind item { id } parent { id } } }
  askAtLeast { owner { id } assets { id } } clearBy { reRecordable step { kind parent { id } } }
  conflicts { licenses assets { id } } route { kind price { amountMinor currency } }"""
TERMS = {
    "uses": "[Use!]",
    "territory": "String",
    "purpose": "String",
    "window": "WindowInput",
    "asOf": "DateTime",
    "knownAt": "DateTime",
}
VARIABLES = ", ".join(f"${name}: {type_}" for name, type_ in TERMS.items())
PASSED = ", ".join(f"{name}: ${name}" for name in TERMS)
CHECK = f"""query ($ids: [ID!]!, {VARIABLES}) {{ permissionCheck(ids: $ids, {PASSED})
  {{ decision verdicts {{ {VERDICT} }} }} }}"""
RIGHTS = f"""query ($ids: [ID!]!, {VARIABLES}) {{ nodes(ids: $ids) {{
  ... on Asset {{ rights({PASSED}) {{ {VERDICT} }} }}
  ... on Hook {{ ofHook: rights({PASSED.replace("window: $window, ", "")}) {{ {VERDICT} }} }} }} }}"""
RECORD = """mutation ($input: RecordPermissionCheckInput!) { recordPermissionCheck(input: $input) { __typename
  ... on RecordPermissionCheckSuccess { receipt { id body hash } } } }"""
REPLAY = "query ($id: ID!) { replay(receiptId: $id) { reproduced body hash receipt { id body hash } } }"


Answers = Mapping[tuple[str, str], list[dict[str, Any]] | None]
"""Verdicts, by the question and the asset or hook; None where there is none for the asker."""


class History(NamedTuple):
    """A graph, who asks about it, and what is done and asked in turn."""

    graph: Drawn
    holds: frozenset[UUID]
    steps: list[tuple[Change, Mapping[str, Any]]]


questions = st.fixed_dictionaries(
    {
        "uses": st.sampled_from([None, ["SYNC"], ["REMIX", "AI_TRAINING"], [use.value for use in Use]]),
        "territory": st.sampled_from([None, None, "DE", "US"]),
        "purpose": st.sampled_from([None, None, "film", "accessibility"]),
        "window": windows.map(window_input),
    }
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    graph = draw(graphs(twins=True))
    corrections = st.sampled_from(list(graph.facts.parts)).map(lambda asset: Change(CORRECTED, (asset,), {}))
    held = [(one, other) for one, other in combinations(graph.facts.parts, 2) if one in graph.releases]
    published = [st.sampled_from(held).map(lambda pair: Change(PUBLISHED, pair, {}))] if held else []
    steps = st.tuples(st.one_of(changes(graph, *SUBJECTS), corrections, *published), questions)
    holds = frozenset(draw(st.sets(st.sampled_from(OWNERS))))
    return History(graph, holds, draw(st.lists(steps, min_size=1, max_size=4)))


async def write(placed: Placed, change: Change) -> None:
    """Do something as the owner of everything."""
    if change.mutation in (CORRECTED, PUBLISHED):
        async with placed.ground.database.write() as connection:
            await (correct if change.mutation == CORRECTED else publish)(connection, *map(placed.id, change.subjects))
    else:
        answer = await placed.do(placed.viewer(OWNERS), change)
        event(f"{change.mutation}: {answer['__typename']}")


async def correct(connection: AsyncConnection, asset: UUID) -> None:
    """What was said of an asset was never so, as we know from now on."""
    for table, column in ((tables.lineage_edge, "child_id"), (tables.policy, "subject_id")):
        until = func.tstzrange(func.lower(table.c.known), func.now())
        rows = table.c[column] == asset, func.upper_inf(table.c.known)
        await connection.execute(update(table).where(*rows).values(known=until))


async def answered(placed: Placed, asker: Viewer, question: Mapping[str, Any], at: str | None = None) -> Answers:
    """What is answered about every asset and hook, now or as of then."""
    assets = list(map(placed.ref, placed.graph.facts.parts))
    hooks = [str(Ref(Kind.HOOK, placed.hook(track))) for track in placed.graph.hooks]
    asked = {**question, "asOf": at, "knownAt": at}
    checks = await placed.ask(asker, CHECK, ids=assets, **asked)
    # Together they might cost more than one operation may.
    rights = [node for ids in (assets, hooks) for node in await placed.ask(asker, RIGHTS, ids=ids, **asked)]
    told = {("check", id_): answer["verdicts"] for id_, answer in zip(assets, checks, strict=True)}
    return told | {
        ("rights", id_): node and next(iter(node.values()), None)
        for id_, node in zip([*assets, *hooks], rights, strict=True)
    }


@law
@given(histories())
async def test_receipts_are_reproduced_byte_for_byte_whatever_is_written_since(
    ground: Ground, history: History
) -> None:
    placed = await ground.place(history.graph)
    asker, receipts = placed.viewer(history.holds), []
    for change, question in history.steps:
        for asset in list(history.graph.facts.parts)[:2]:
            answer = await placed.ask(asker, RECORD, input={"id": placed.ref(asset), **question})
            receipts += [answer["receipt"]] if "receipt" in answer else []
        await write(placed, change)
    for receipt in receipts:
        again = await placed.ask(asker, REPLAY, id=receipt["id"])
        assert again == {"reproduced": True, "body": receipt["body"], "hash": receipt["hash"], "receipt": receipt}


@law
@given(histories())
async def test_as_of_then_is_answered_what_was_answered_then(ground: Ground, history: History) -> None:
    placed = await ground.place(history.graph)
    asker, moments = placed.viewer(history.holds), []
    for change, question in history.steps:
        moments.append((now().isoformat(), question, await answered(placed, asker, question)))
        await write(placed, change)
    for place, (at, question, then) in enumerate(moments):
        since = {change.mutation for change, _ in history.steps[place:]}
        again = await answered(placed, asker, question, at)
        if not SHOWING & since:
            assert again == then
        for asked, verdicts in then.items():
            # What goes by another id is another node by now, and so may be the track of a hook.
            is_moved = "mergeAssets" in since and asked[0] == "rights"
            if not is_moved and verdicts is not None and again[asked] is not None:
                assert decisions(again[asked]) == decisions(verdicts)


def decisions(verdicts: Sequence[Mapping[str, Any]] | None) -> list[tuple[str, ...]]:
    return [(it["use"], it["layer"], it["decision"]) for it in verdicts or ()]
