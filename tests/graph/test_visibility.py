"""Who sees what: a table written by hand from domain.md, section 4, and held against both executions.

Nothing here was learned from running code. An asset is `seen` whole, as a `stub` (a withdrawn one: title, owner, state),
as a `teaser` (a scheduled release: that and cover, hook and room), or `not` at all.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain.accounts import Viewer
from domain.assets import AssetState
from domain.ids import Kind, Ref
from graph.execution import Execution
from graph.reading import Reader
from graph.schema import executable
from tests.graph.scene import STATES, Rows, Scene, digest, mbid, named_assets
from tests.graph.secrets import Secrets, draw

OUTSIDERS = ("anonymous", "agent", "stranger")
MEMBERS = ("member", "editor")
"""Whom the artist has taken in, whatever their role; the editor holds the unclaimed artist `archive` too."""
VIEWERS = (*OUTSIDERS, *MEMBERS)

PROBE = """
fragment Probe on Asset {
  id title state owner { handle } createdAt version badges credits(first: 1) { totalCount }
  ... on Track { isrc } ... on Release { status cover { title } lead: hook { caption } room { title } }
}
"""
WHOLE = """
fragment Probe on Asset {
  id title state owner { handle }
  createdAt madeOn version derivedCount badges policy { id }
  credits(first: 1) { totalCount } splits(first: 1) { totalCount } media(first: 1) { totalCount }
  parents(first: 1) { totalCount edges { cursor } } children(first: 1) { totalCount pageInfo { endCursor hasNextPage } }
  releases(last: 1) { totalCount nodes { id } } provenance(first: 1) { totalCount }
  ... on Track { isrc bpm durationMs hook { id } }
  ... on Release {
    cover { title } lead: hook { caption } room { title }
    releaseKind status upc label publishedAt currentVersion { id }
    versions(first: 1) { totalCount } items(first: 1) { totalCount }
  }
}
"""
STUB = {"id", "title", "state", "owner"}
TEASER = {"cover", "lead", "room"}
FULL = {"createdAt", "madeOn", "version", "badges", "policy", "credits", "splits", "media", "provenance", "parents"}
"""What every asset of the scene has, besides what a stub shows."""

# What people outside see, by the way on which they meet the asset. Agents see the same, but nothing of what is teased;
# members see everything, on every way.
#             PRIVATE UNLISTED PUBLIC ARCHIVED WITHDRAWN teased
READ = "      not     seen     seen   seen     stub      teaser  "
LIST = "      not     not      seen   not      not       teaser  "
REACH = "     not     not      seen   seen     stub      teaser  "
IDENTIFIER = "not     seen     seen   seen     not       not     "
BEHIND_ROW = "not     not      seen   seen     not       not     "
BEHIND_ROOM = "not    not      seen   seen     not       teaser  "
BEHIND_LIST = "not    not      seen   not      not       not     "

# way: what people see, what stands for `$x` (a row's name, or another reference; `{}` is the asset), the field asked.
TRACKS_AND_RELEASES = {
    "node": (READ, "{}", "node(id: $x) { ...Probe }"),
    "asset": (READ, "{}", "asset(id: $x) { ...Probe }"),
    "nodes": (READ, "{}", "nodes(ids: [$x]) { ...Probe }"),
    "resolve": (READ, "{}", "resolve(ref: $x) { node { ...Probe } }"),
    "old id, node": (READ, "old.{}", "node(id: $x) { ...Probe }"),
    "old id, asset": (READ, "old.{}", "asset(id: $x) { ...Probe }"),
    "old id, nodes": (READ, "old.{}", "nodes(ids: [$x]) { ...Probe }"),
    "old id, resolve": (READ, "old.{}", "resolve(ref: $x) { node { ...Probe } }"),
    "MusicBrainz id": (READ, "mbid:{}", "resolve(ref: $x) { node { ...Probe } }"),
    "SHA-256": (IDENTIFIER, "sha256:{}", "resolve(ref: $x) { node { ...Probe } }"),
    "assets": (LIST, "nova", "assets(filter: { owner: $x }, first: 50) { nodes { ...Probe } }"),
    "artist.assets": (LIST, "nova", 'artist(handle: "nova") { assets(last: 50) { edges { node { ...Probe } } } }'),
    "search": (LIST, "title:{}", "search(query: $x) { nodes { ...Probe } }"),
    "edge.parent": (REACH, "hub", "asset(id: $x) { parents(first: 50) { nodes { parent { ...Probe } } } }"),
    "edge.child": (REACH, "root", "asset(id: $x) { children(first: 50) { nodes { child { ...Probe } } } }"),
    "node(edge).parent": (REACH, "parent.{}", "node(id: $x) { ... on LineageEdge { parent { ...Probe } } }"),
    "release.items": (REACH, "holder", "release(id: $x) { items(first: 50) { nodes { asset { ...Probe } } } }"),
    "node(item).asset": (REACH, "item.{}", "node(id: $x) { ... on ReleaseItem { asset { ...Probe } } }"),
    "node(credit).asset": (BEHIND_ROW, "credit.{}", "node(id: $x) { ... on Credit { asset { ...Probe } } }"),
    "node(split).asset": (BEHIND_ROW, "split.{}", "node(id: $x) { ... on Split { asset { ...Probe } } }"),
    "node(media).asset": (BEHIND_ROW, "master.{}", "node(id: $x) { ... on Media { asset { ...Probe } } }"),
    "contributor.credits": (
        BEHIND_LIST,
        "person.everywhere",
        "contributor(id: $x) { credits(first: 100) { nodes { asset { ...Probe } } } }",
    ),
}
TRACKS = {
    "ISRC": (IDENTIFIER, "isrc:{}", "resolve(ref: $x) { node { ...Probe } }"),
    "hooks": (BEHIND_LIST, "nova", "hooks(first: 50) { nodes { track { ...Probe } } }"),
    "feed": (BEHIND_LIST, "nova", "feed(kind: HOOKS, first: 50) { nodes { ... on Hook { track { ...Probe } } } }"),
    "world.hooks": (BEHIND_LIST, "nova", 'world(handle: "nova") { hooks(first: 50) { nodes { track { ...Probe } } } }'),
    "node(hook).track": (BEHIND_ROW, "hook.{}", "node(id: $x) { ... on Hook { track { ...Probe } } }"),
}
RELEASES = {
    "UPC": (IDENTIFIER, "upc:{}", "resolve(ref: $x) { node { ...Probe } }"),
    "release": (READ, "{}", "release(id: $x) { ...Probe }"),
    "world.releases": (LIST, "nova", 'world(handle: "nova") { releases(first: 50) { nodes { ...Probe } } }'),
    "node(version).release": (
        BEHIND_ROW,
        "version.superseded.{}",
        "node(id: $x) { ... on ReleaseVersion { release { ...Probe } } }",
    ),
    "node(room).release": (BEHIND_ROOM, "room.{}", "node(id: $x) { ... on Room { release { ...Probe } } }"),
}
WAYS = TRACKS_AND_RELEASES | TRACKS | RELEASES
TRACK_STATES = ("track.private", "track.unlisted", "track.public", "track.archived", "track.withdrawn")
RELEASE_STATES = tuple(name.replace("track", "release") for name in TRACK_STATES)


def value_of(rows: Rows, form: str, name: str) -> str:
    """What stands for `$x`: an id, or another reference to the asset."""
    way, _, rest = form.partition(":")
    if not rest:
        return rows[form.format(name)]
    if way == "mbid":
        return mbid(name)
    return digest(f"MASTER {name}") if way == "sha256" else rows.value(name, way)


async def asked(reader: Reader, text: str, variables: dict[str, Any] | None, viewer: Viewer) -> dict[str, Any]:
    """The data of an answer, made in the way the reader is meant to answer."""
    metrics = reader.metrics
    tier = (metrics.planned if reader._execution is Execution.PLAN else metrics.referred)._value
    before = tier.get()
    answer = json.loads((await reader.answer(text, None, variables, viewer)).body)
    assert "errors" not in answer, answer
    assert tier.get() == before + 1
    return answer["data"]


async def all_asked(reader: Reader, field: str, values: Iterable[str], viewer: Viewer) -> dict[str, Any]:
    """What a field answers for each of some values of `$x`, as many in one request as one statement can hold."""
    most, probe = (6, PROBE) if "Probe" in field else (20, "")
    type_ = "String!" if field.startswith(("resolve", "search")) else "ID!"
    known, found = list(dict.fromkeys(values)), {}
    for some in (known[start : start + most] for start in range(0, len(known), most)):
        declared = f"query({', '.join(f'$x{n}: {type_}' for n, _ in enumerate(some))})" if "$x" in field else ""
        fields = [f"a{n}: {field.replace('$x', f'$x{n}')}" for n, _ in enumerate(some)]
        variables = {f"x{n}": value for n, value in enumerate(some)} if declared else None
        data = await asked(reader, f"{declared} {{ {' '.join(fields)} }}{probe}", variables, viewer)
        found |= {value: data[f"a{n}"] for n, value in enumerate(some)}
    return found


def probed(answer: Any, ref: str) -> dict[str, Any] | None:
    """What a probe found of an asset, wherever in the answer; the same wherever it found it."""
    found = [node for node in probes(answer) if node["id"] == ref]
    assert all(node == found[0] for node in found)
    return found[0] if found else None


def probes(value: Any) -> Iterator[dict[str, Any]]:
    """Every asset that was probed."""
    if isinstance(value, dict) and "title" in value and "state" in value:
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from probes(inner)


def exposure(node: dict[str, Any] | None) -> str:
    """How much of an asset an answer shows."""
    if node is None:
        return "not"
    told = {name for name, value in node.items() if not is_empty(value)}
    if told == STUB:
        return "stub"
    if told == STUB | TEASER:
        return "teaser"
    return "seen" if told >= STUB | (FULL & node.keys()) else f"only {sorted(told)}"


def is_empty(value: Any) -> bool:
    """Null, an empty list, or an empty page."""
    if isinstance(value, dict) and "totalCount" in value:
        rest = {**value, "totalCount": None, **(value.get("pageInfo") or {"pageInfo": None}), "pageInfo": None}
        return value["totalCount"] == 0 and not any(rest.values())
    return value is None or value == []


@pytest.fixture(params=Execution)
def reader(request: pytest.FixtureRequest, readers: dict[Execution, Reader]) -> Reader:
    return readers[request.param]


@pytest.mark.parametrize("viewer", [*OUTSIDERS, "member"])
@pytest.mark.parametrize("way", WAYS)
async def test_an_asset_is_seen_as_its_state_and_the_way_say(
    scene: Scene, reader: Reader, way: str, viewer: str
) -> None:
    cells, form, field = WAYS[way]
    states = RELEASE_STATES if way in RELEASES else TRACK_STATES
    names = states if way in TRACKS else (*states, "release.teased")
    values = {name: value_of(scene.rows, form, name) for name in names}
    answers = await all_asked(reader, field, values.values(), scene.viewers[viewer])
    seen = {name: exposure(probed(answers[value], scene[name])) for name, value in values.items()}
    expected = dict(zip([*states, "release.teased"], cells.split(), strict=True))
    if viewer == "agent":
        expected["release.teased"] = "not"
    if viewer in MEMBERS:
        expected = dict.fromkeys(expected, "seen")
    assert seen == {name: expected[name] for name in names}


@pytest.mark.parametrize("viewer", [*OUTSIDERS, "member", "owner"])
@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (READ, "nodes(ids: $ids) { ...Probe }"),
        (LIST, "assets(filter: { owner: $nova }, first: 60) { nodes { ...Probe } }"),
        (REACH, "asset(id: $hub) { parents(first: 60) { nodes { parent { ...Probe } } } }"),
    ],
)
async def test_all_four_kinds_show_and_hide_the_same_in_every_field(
    scene: Scene, reader: Reader, cells: str, field: str, viewer: str
) -> None:
    names = named_assets(scene.rows)
    values = {
        "ids": ("[ID!]!", [scene[name] for name in names]),
        "nova": ("ID!", scene["nova"]),
        "hub": ("ID!", scene["hub"]),
    }
    known = {name: (type_, value) for name, (type_, value) in values.items() if f"${name}" in field}
    declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in known.items())
    text = f"query({declared}) {{ {field} }} {WHOLE}"
    data = await asked(reader, text, {name: value for name, (_, value) in known.items()}, scene.viewers[viewer])
    states = dict(zip((*STATES, "teased"), cells.split(), strict=True))
    if viewer == "agent":
        states["teased"] = "not"
    if viewer in ("member", "owner"):
        states = dict.fromkeys(states, "seen")
    seen = {name: exposure(probed(data, scene[name])) for name in names}
    assert seen == {name: states[name.partition(".")[2]] for name in names}


async def test_a_stub_keeps_its_owner_and_a_teaser_its_hook_whose_track_stays_hidden(
    scene: Scene, reader: Reader
) -> None:
    question = """query($stub: ID!, $teaser: ID!) {
      stub: node(id: $stub) { ... on Asset { title state owner { handle } } }
      teaser: node(id: $teaser) { ... on Release { title state hook { caption startMs track { id } } } }
    }"""
    variables = {"stub": scene["track.withdrawn"], "teaser": scene["release.teased"]}
    assert await asked(reader, question, variables, scene.viewers["anonymous"]) == {
        "stub": {"title": "TRACKwithdrawn", "state": "WITHDRAWN", "owner": {"handle": "nova"}},
        "teaser": {
            "title": "RELEASEteased",
            "state": "PRIVATE",
            "hook": {"caption": "Lead hook", "startMs": 0, "track": None},
        },
    }


# -- everything else by its id -------------------------------------------------------------------------------------

EVERYBODY, NOBODY = VIEWERS, ()
PEOPLE = ("anonymous", "stranger", *MEMBERS)
BOTH_OWNERS = ("stranger", *MEMBERS)
"""The stranger owns the other end."""

OF_ASSETS = {
    "private": MEMBERS,
    "unlisted": EVERYBODY,
    "public": EVERYBODY,
    "archived": EVERYBODY,
    "withdrawn": MEMBERS,
}
"""Who reads a row that belongs to an asset in that state and is shown only where the asset is shown whole."""

ROWS = {
    **{
        f"{row}.track.{state}": who
        for state, who in OF_ASSETS.items()
        for row in ("credit", "split", "policy", "event")
    },
    **{
        f"{row}.track.{state}": who for state, who in OF_ASSETS.items() for row in ("credit.proposed", "hook", "master")
    },
    **{f"room.hook.track.{state}": who for state, who in OF_ASSETS.items()},
    # What is said about a hook, until it is taken back; what somebody is told, and what they share, is theirs.
    **{f"comment.track.{state}": who for state, who in OF_ASSETS.items()},
    **{f"comment.gone.track.{state}": NOBODY for state in OF_ASSETS},
    **{f"activity.track.{state}": ("member",) for state in OF_ASSETS},
    **{f"share.track.{state}": ("stranger",) for state in OF_ASSETS},
    "comment.world": EVERYBODY,
    **{f"version.published.release.{state}": who for state, who in OF_ASSETS.items()},
    **{f"version.superseded.release.{state}": who for state, who in OF_ASSETS.items()},
    **{f"item.published.release.{state}": who for state, who in OF_ASSETS.items()},
    **{f"visual.cover.release.{state}": who for state, who in OF_ASSETS.items()},
    **{f"room.release.{state}": who for state, who in OF_ASSETS.items()},
    # Only members see sources, what was declined, and drafts, whatever the asset's state.
    **{f"{row}.track.{state}": MEMBERS for state in OF_ASSETS for row in ("credit.declined", "source")},
    **{
        f"{row}.release.{state}": MEMBERS
        for state in OF_ASSETS
        for row in ("version.draft", "item.draft", "policy.version")
    },
    # Of a scheduled release people see cover, hook (with its theme) and room; agents none of it; neither the rest.
    **dict.fromkeys(("visual.cover.release.teased", "room.release.teased", "hook.lead", "theme.hidden"), PEOPLE),
    **{f"{row}.release.teased": MEMBERS for row in ("credit", "split", "policy", "event", "master")},
    **{f"{row}.release.teased": MEMBERS for row in ("version.published", "version.superseded", "item.published")},
    # An item of a release that is seen, an edge with an end that is seen: there, though what they hold may be hidden.
    **{f"item.track.{state}": EVERYBODY for state in OF_ASSETS},
    **{f"{edge}.track.{state}": EVERYBODY for state in OF_ASSETS for edge in ("parent", "child")},
    "edge.confirmed": EVERYBODY,
    "edge.claimed": EVERYBODY,
    "edge.disputed": EVERYBODY,
    "edge.rejected": MEMBERS,
    "edge.refused": MEMBERS,
    "edge.rejected.theirs": BOTH_OWNERS,
    "edge.refused.theirs": BOTH_OWNERS,
    "edge.both_hidden": MEMBERS,
    # Every version is kept and read by its id, as it was cited; it is in no list.
    "edge.closed": EVERYBODY,
    "edge.ended": EVERYBODY,
    "edge.to_come": NOBODY,
    "visual.public_hook": EVERYBODY,
    "visual.world": EVERYBODY,
    "visual.private_hook": MEMBERS,
    "visual.retired": MEMBERS,
    "visual.unworn": MEMBERS,
    "theme.world": EVERYBODY,
    "theme.unworn": MEMBERS,
    "split.declined": MEMBERS,
    "split.closed": NOBODY,
    "split.ended": NOBODY,
    "policy.artist": EVERYBODY,
    "policy.platform": EVERYBODY,
    "policy.closed": EVERYBODY,
    # The stranger gave the first, and was given the second.
    "grant.given": BOTH_OWNERS,
    "grant.private": BOTH_OWNERS,
    "grant.withdrawn": MEMBERS,
    "grant.closed": NOBODY,
    "grant.ended": NOBODY,
    "event.artist": EVERYBODY,
    "room.public": EVERYBODY,
    "room.members": ("stranger",),
    "room.supporters": ("editor",),
    "message.public": EVERYBODY,
    "message.members": ("stranger",),
    "message.supporters": ("editor",),
    "queued.public.track.private": EVERYBODY,
    "guest.public.account.sid": EVERYBODY,
    "guest.members.account.mel": ("stranger",),
    "queued.members.track.public": ("stranger",),
    "person.everywhere": EVERYBODY,
    "person.private": MEMBERS,
    "person.unlisted": MEMBERS,
    "person.declined": MEMBERS,
    "person.self": BOTH_OWNERS,
    "person.uncredited": NOBODY,
    "account.sid": ("stranger",),
    "account.mel": ("member",),
    "account.ada": NOBODY,
    "nova": EVERYBODY,
    "archive": EVERYBODY,
    "old.track.private": MEMBERS,
    "old.nobody": NOBODY,
}


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_a_row_is_read_by_its_id_by_those_who_may(scene: Scene, reader: Reader, viewer: str) -> None:
    there = {scene[name]: scene["track.private" if name == "old.track.private" else name] for name in ROWS}
    answers = await all_asked(reader, "node(id: $x) { id }", there, scene.viewers[viewer])
    expected = {name: {"id": there[scene[name]]} if viewer in who else None for name, who in ROWS.items()}
    assert {name: answers[scene[name]] for name in ROWS} == expected


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_what_is_not_yours_answers_byte_for_byte_as_what_is_not_there(
    scene: Scene, reader: Reader, viewer: str
) -> None:
    questions = {
        "query($x: ID!) { node(id: $x) { __typename id } }": tuple(Kind),
        "query($x: ID!) { nodes(ids: [$x, $x]) { __typename id } }": tuple(Kind),
        "query($x: String!) { resolve(ref: $x) { matched node { id } } }": tuple(Kind),
        "query($x: ID!) { asset(id: $x) { id } }": (Kind.TRACK,),
        "query($x: ID!) { release(id: $x) { id } }": (Kind.RELEASE,),
        "query($x: ID!) { contributor(id: $x) { id } }": (Kind.CONTRIBUTOR,),
        "query($x: ID!) { assets(filter: { madeFrom: $x }) { totalCount nodes { id } } }": (Kind.TRACK,),
        "query($x: ID!) { assets(filter: { contributor: $x }) { totalCount nodes { id } } }": (Kind.CONTRIBUTOR,),
    }
    hidden = [name for name, who in ROWS.items() if viewer not in who]
    hidden += [] if viewer in MEMBERS else ["track.private", "release.private"]
    for question, kinds in questions.items():
        for kind in kinds:
            unknown = str(Ref(kind, scene.rows.new_key()))
            bodies = {
                (await reader.answer(question, None, {"x": ref}, scene.viewers[viewer])).body
                for ref in [unknown, *[scene[name] for name in hidden if scene[name].startswith(f"{kind}_")]]
            }
            assert len(bodies) == 1, (question, kind)


# -- what filters, counts and edges must not tell ------------------------------------------------------------------


@pytest.mark.parametrize("viewer", OUTSIDERS)
async def test_a_filter_tells_nothing_that_the_asset_itself_does_not(scene: Scene, reader: Reader, viewer: str) -> None:
    """A teaser shows no badge, no license, no credit and no time: no filter on these may find it."""
    filters = [
        "badge: HUMAN_MADE",
        "licenseFamily: CC_BY_SA",
        "policyDecision: { use: SYNC, decision: LICENSE_REQUIRED }",
        "hasHook: false",
        'createdFrom: "2020-01-01T00:00:00Z"',
        'createdBefore: "2040-01-01T00:00:00Z"',
        f"contributor: {json.dumps(scene['person.everywhere'])}",
        f"madeFrom: {json.dumps(scene['root'])}",
    ]
    for filter_ in filters:
        question = f"{{ assets(filter: {{ kinds: [RELEASE], {filter_} }}, first: 100) {{ nodes {{ id }} }} }}"
        data = await asked(reader, question, None, scene.viewers[viewer])
        found = {node["id"] for node in data["assets"]["nodes"]}
        assert (filter_, scene["release.public"] in found, scene["release.teased"] in found) == (filter_, True, False)


@pytest.mark.parametrize(
    ("viewer", "theirs"), [("anonymous", False), ("agent", False), ("stranger", True), ("member", True)]
)
async def test_a_filter_by_parent_follows_only_edges_that_the_viewer_may_see(
    scene: Scene, reader: Reader, viewer: str, *, theirs: bool
) -> None:
    question = "query($x: ID!) { assets(filter: { madeFrom: $x }, first: 100) { nodes { id } } }"
    data = await asked(reader, question, {"x": scene["track.public"]}, scene.viewers[viewer])
    found = {node["id"] for node in data["assets"]["nodes"]}
    names = {"confirmed": True, "claimed": True, "disputed": True, "rejected": False, "closed": False, "ended": False}
    assert {name: scene[f"child.{name}"] in found for name in names} == names
    # A refused registration still binds, but only the two owners know of it.
    assert (scene["child.refused"] in found) == (viewer in MEMBERS)
    assert (scene["child.theirs"] in found) == theirs


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_of_an_edge_with_a_hidden_end_only_kind_and_status_are_told_and_counts_hold(
    scene: Scene, reader: Reader, viewer: str
) -> None:
    question = """query($x: ID!) { asset(id: $x) { parents(first: 50) { totalCount nodes {
      id kind status parent { id } child { id }
      childWindow { startMs } parentWindow { startMs } childIsOlder binding note createdAt evidence { source }
    } } } }"""
    parents = (await asked(reader, question, {"x": scene["hub"]}, scene.viewers[viewer]))["asset"]["parents"]
    assert parents["totalCount"] == len(parents["nodes"]) == len(named_assets(scene.rows))
    told = {edge["id"]: edge for edge in parents["nodes"]}
    for name in named_assets(scene.rows):
        edge, state = told[scene[f"parent.{name}"]], name.partition(".")[2]
        hidden = viewer not in MEMBERS and state not in ("public", "archived")
        rest = {key: value for key, value in edge.items() if key not in ("id", "kind", "status", "parent", "child")}
        assert edge["kind"] == "DJ_MIX_OF"
        assert edge["status"] == "CONFIRMED"
        assert edge["child"] == {"id": scene["hub"]}
        assert (name, all(value is None for value in rest.values())) == (name, hidden)
        shown = not hidden or state == "withdrawn" or (state == "teased" and viewer != "agent")
        assert edge["parent"] == ({"id": scene[name]} if shown else None)


@pytest.mark.parametrize("viewer", VIEWERS)
async def test_a_search_finds_people_only_where_their_credits_are_listed(
    scene: Scene, reader: Reader, viewer: str
) -> None:
    field = "search(query: $x, kinds: [CONTRIBUTOR]) { totalCount nodes { ... on Contributor { id } } }"
    called = {name: scene.rows.value(name, "name") for name in ROWS if name.startswith("person.")}
    found = await all_asked(reader, field, called.values(), scene.viewers[viewer])
    for name, text in called.items():
        there = [{"id": scene[name]}] if viewer in ROWS[name] else []
        assert found[text] == {"totalCount": len(there), "nodes": there}


# -- what is computed ------------------------------------------------------------------------------------------------

EDGE = """id kind status note evidence { method } assertedBy { handle }
  history { status evidence { method } } child { id title } parent { id title }"""
STEP = f"kind edge {{ {EDGE} }} item {{ id title version {{ title }} }} parent {{ id title owner {{ handle }} }}"
VERDICT = f"""use layer decision reasons clearByReason route {{ kind price {{ amountMinor }} }}
  blockers {{ layer decision reason clause asset {{ id title }} owner {{ handle }} policy {{ id license }} path {{ {STEP} }} }}
  askAtLeast {{ owner {{ handle }} assets {{ id title }} }} clearBy {{ reRecordable step {{ {STEP} }} }}
  conflicts {{ licenses assets {{ id title }} }}"""
BRIEF = (
    "use layer decision reasons route { price { amountMinor } } blockers { clause owner { handle } asset { title } }"
)
QUESTION = "uses: [REMIX, COMMERCIAL_USE]"
WALKED = f"complete reason endCursor assets {{ distance asset {{ id title }} through {{ {STEP} }} }}"
COMPUTED_FIELDS = {
    "rights": f"query($x: ID!) {{ asset(id: $x) {{ rights({QUESTION}) {{ {VERDICT} }} }} }}",
    "hypotheticalRights": (
        f"query($x: ID!) {{ hypotheticalRights(parents: [$x], kind: SAMPLES, {QUESTION}) {{ {VERDICT} }} }}"
    ),
    "permissionCheck": (
        f"query($x: ID!) {{ permissionCheck(ids: [$x], uses: [SYNC]) {{ decision verdicts {{ {BRIEF} }} }} }}"
    ),
    "clearWindows": "query($x: ID!) { asset(id: $x) { clearWindows(uses: [SYNC], lengthMs: 9000) { startMs endMs } } }",
    "attribution": (
        "query($x: ID!) { asset(id: $x) { attribution { distance license author { handle } asset { id title } } } }"
    ),
    "ancestors": f"query($x: ID!) {{ asset(id: $x) {{ ancestors {{ {WALKED} }} }} }}",
    "descendants": f"query($x: ID!) {{ asset(id: $x) {{ descendants {{ {WALKED} }} }} }}",
    "ancestors, one by one": f"query($x: ID!) {{ asset(id: $x) {{ ancestors(first: 1) {{ {WALKED} }} }} }}",
    "ancestors of a stretch": (
        f"query($x: ID!) {{ asset(id: $x) {{ ancestors(window: {{ startMs: 0, endMs: 1 }}) {{ {WALKED} }} }} }}"
    ),
    "lineagePath": (
        f"query($x: ID!, $y: ID!) {{ lineagePath(from: $x, to: $y, k: 3) {{ length steps {{ {STEP} }} }} }}"
    ),
    "termsInWords": "query($x: ID!) { asset(id: $x) { ... on Release { termsInWords } } }",
    "lineageRoots": "query($x: ID!) { lineageRoots(id: $x, first: 100) { id title } }",
    "commonAncestors": "query($x: ID!) { commonAncestors(ids: [$x], first: 100) { distances asset { id title } } }",
    "licenseDrift": f"""query {{ licenseDrift({QUESTION}, first: 40) {{
      complete endCursor drifts {{ declared asset {{ id title }} verdict {{ decision blockers {{ clause asset {{ id }} }} }} }} }} }}""",
}
"""By the field, what is asked of the asset `$x`, and of `$y`."""
WALKS = ("ancestors", "descendants", "lineagePath", "lineageRoots", "commonAncestors")
"""Along the edges that a viewer may hear of."""
DECISIONS = ("rights", "hypotheticalRights", "permissionCheck", "clearWindows", "attribution")


@pytest.fixture(scope="module")
async def drawn(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[tuple[Secrets, Database]]:
    """The graphs of secrets, and the database they are in."""
    secrets = draw(seed=4, graphs=4, size=7)
    opened = Database(new_target())
    await opened.open()
    await secrets.rows.write(opened)
    yield secrets, opened
    await opened.close()


def watchers(secrets: Secrets) -> dict[str, Viewer]:
    """Somebody who may see nothing, an agent, one who holds some artists, and one who holds all of them."""
    artists = [secrets.rows.keys[asset.owner] for asset in secrets.assets.values()]
    me = UUID(int=1)
    return {
        "anonymous": Viewer(),
        "agent": Viewer(is_agent=True),
        "some": Viewer(account=me, holds=tuple(artists[::3])),
        "all": Viewer(account=me, holds=tuple(artists)),
    }


def ends(name: str) -> dict[str, str]:
    """What `$x` and `$y` stand for: an asset, and the first one of its graph."""
    return {"x": name, "y": f"{name.partition('x')[0]}x0q"}


async def computed(
    reader: Reader, secrets: Secrets, field: str, viewer: Viewer, names: Iterable[str]
) -> dict[str, Any]:
    """What a field answers of some assets."""
    question, answers = COMPUTED_FIELDS[field], {}
    for name in names:
        variables = {mark: secrets.rows[end] for mark, end in ends(name).items() if f"${mark}" in question}
        answer = json.loads((await reader.answer(question, None, variables, viewer)).body)
        assert "errors" not in answer, answer
        answers[name] = answer["data"]
    return answers


def leaves(value: Any) -> Iterator[str]:
    """Every text and number of an answer, as text; a cursor also as the bytes it was made of."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif value is not None:
        yield str(value)


def starts(secrets: Secrets, viewer: Viewer) -> list[str]:
    """The assets a viewer may ask about."""
    return [
        name
        for name, asset in secrets.assets.items()
        if secrets.is_shown(name, viewer) or asset.state is AssetState.UNLISTED
    ]


@pytest.mark.parametrize("field", COMPUTED_FIELDS)
@pytest.mark.parametrize(
    ("execution", "who"),
    [*[(Execution.PLAN, who) for who in ("anonymous", "agent", "some")], (Execution.REFERENCE, "some")],
)
async def test_what_is_computed_shows_no_word_of_what_the_viewer_may_not_see(
    drawn: tuple[Secrets, Database], execution: Execution, field: str, who: str
) -> None:
    secrets, database = drawn
    viewer = watchers(secrets)[who]
    names = starts(secrets, viewer) if "$x" in COMPUTED_FIELDS[field] else [next(iter(secrets.assets))]
    reader = Reader(executable(), database, execution)
    for name, answer in (await computed(reader, secrets, field, viewer, names)).items():
        asked_about = [end for mark, end in ends(name).items() if f"${mark}" in COMPUTED_FIELDS[field]]
        texts = list(leaves(answer))
        for secret in secrets.secrets_of(viewer, asked_about):
            assert not [text for text in texts if secret in text], (name, secret)
        cursors = [base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in texts if _is_cursor(text)]
        for key in secrets.hidden_keys(viewer, asked_about):
            assert not [cursor for cursor in cursors if key.bytes in cursor], (name, key)


def _is_cursor(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{24,}", text) is not None and len(text) % 4 != 1


def skeleton(value: Any) -> Any:
    """What is left of an answer without names: decisions, distances and how many there are."""
    if isinstance(value, list):
        return sorted((skeleton(item) for item in value), key=repr)
    return {
        key: inner if key in ALIKE else skeleton(inner)
        for key, inner in (value or {}).items()
        if key in ALIKE or key in HOLDING
    }


ALIKE = frozenset({"decision", "distance", "distances", "complete", "startMs", "endMs", "use", "layer", "length"})
"""What every viewer is told alike."""
HOLDING = frozenset(
    {"asset", "rights", "verdicts", "blockers", "clearWindows", "attribution", "ancestors", "descendants", "assets"}
    | {"permissionCheck", "hypotheticalRights", "commonAncestors", "lineageRoots", "lineagePath"}
)
"""What holds it."""


@pytest.mark.parametrize("who", ["anonymous", "agent", "some"])
@pytest.mark.parametrize("field", [*DECISIONS, *WALKS])
async def test_what_a_viewer_may_not_see_changes_no_decision_and_no_count(
    drawn: tuple[Secrets, Database], field: str, who: str
) -> None:
    secrets, database = drawn
    viewers = watchers(secrets)
    reader = Reader(executable(), database)
    names = [name for name in secrets.assets if secrets.is_shown(name, viewers[who])]
    if field == "lineagePath":
        names = [name for name in names if secrets.is_shown(ends(name)["y"], viewers[who])]
    if field in WALKS:
        # An edge that its owners keep to themselves is no step for others; it still binds.
        names = [name for name in names if int(name.removeprefix("asset").partition("x")[0]) % 2 == 0]
    theirs = await computed(reader, secrets, field, viewers[who], names)
    whole = await computed(reader, secrets, field, viewers["all"], names)
    assert {name: skeleton(answer) for name, answer in theirs.items()} == {
        name: skeleton(answer) for name, answer in whole.items()
    }
