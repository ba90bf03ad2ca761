"""The questions, asked of real catalogues and held against what their files say, read here a second time."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.rights import PLATFORM_DEFAULT, Use, preset, read_license
from graph.reading import Reader
from graph.schema import executable
from resolvers.catalogues import import_catalogue
from resolvers.context import now, uuid7

CATALOGUES = Path(__file__).parents[3] / "shared" / "data" / "catalogues"
OPENNESS = ("ALLOWED", "LICENSE_REQUIRED", "CONTACT_OWNER", "DENIED")


@dataclass
class Catalogue:
    """A catalogue as its files have it, and where it can be asked.

    Attributes:
        ids: the id of each asset, by the source's own.
        assets: the rows of assets.csv, by the source's own id.
        above: the parents of each asset, one for each edge.
        ask: asks the graph a question.
    """

    ids: Mapping[str, str]
    assets: Mapping[str, Mapping[str, str]]
    above: Mapping[str, list[str]]
    ask: Callable[..., Coroutine[Any, Any, Any]]

    def ancestors(self, ref: str) -> dict[str, int]:
        """Everything an asset is made of, with how far away it is."""
        found, here, distance = {ref: 0}, [ref], 0
        while here:
            distance += 1
            here = sorted({parent for child in here for parent in self.above.get(child, ())} - found.keys())
            found |= dict.fromkeys(here, distance)
        return {other: far for other, far in found.items() if far}

    def says(self, ref: str, use: str) -> str:
        """What an asset's own license says of a use; the default of the house where there is none."""
        license_ = self.assets[ref]["license"]
        terms = preset(read_license(license_)) if license_ else PLATFORM_DEFAULT
        return next(term.decision.value for term in terms if term.use == use)

    def is_attributed(self, ref: str) -> bool:
        """Whether its license asks to name it for a remix."""
        license_ = self.assets[ref]["license"]
        return bool(license_) and preset(read_license(license_))[0].attribution


async def catalogue_of(
    name: str, new_target: Callable[[], dict[str, Any]], licenses: Sequence[str] = ()
) -> AsyncIterator[Catalogue]:
    """A catalogue in a database of its own; where licenses are given, one for each asset is drawn from them."""
    folder = CATALOGUES / name
    if not folder.is_dir():
        pytest.skip(f"the catalogue {name} is not on this machine")
    database = Database(new_target())
    await database.open()

    chance, written = random.Random(11), {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}
    if licenses:
        said = list(csv.DictReader(io.StringIO(written["assets.csv"])))
        into = io.StringIO()
        writer = csv.DictWriter(into, said[0].keys())
        writer.writeheader()
        writer.writerows({**row, "license": chance.choice(licenses)} for row in said)
        written["assets.csv"] = into.getvalue()

    def open_file(file: str) -> Any:
        return io.BytesIO(written[file].encode()) if file in written else None

    def rows(file: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(written[file])))

    await import_catalogue(database, open_file, name, progress=lambda *_: None, now=now, new_id=uuid7)
    async with database.read() as connection:
        found = await connection.execute(
            text("SELECT source_ref, ref FROM origin JOIN asset ON asset.id = origin.asset_id")
        )
        ids = {row.source_ref: row.ref for row in found}
    reader = Reader(executable(), database)

    async def ask(query: str, **variables: Any) -> Any:
        answer = json.loads((await reader.answer(query, None, variables, ANONYMOUS)).body)
        assert "errors" not in answer, answer
        return answer["data"]

    above: dict[str, list[str]] = defaultdict(list)
    for row in rows("edges.csv"):
        if {row["child"], row["parent"]} <= ids.keys():
            above[row["child"]].append(row["parent"])
    assets = {row["ref"]: row for row in rows("assets.csv") if row["ref"] in ids}
    yield Catalogue(ids, assets, above, ask)
    await database.close()


@pytest.fixture(scope="module")
async def ccmixter(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Catalogue]:
    """Who remixed whom: nobody states a license."""
    async for catalogue in catalogue_of("ccmixter", new_target):
        yield catalogue


@pytest.fixture(scope="module")
async def licensed(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Catalogue]:
    """Who remixed whom, under licenses by chance: the real ones agree wherever they are stated."""
    licenses = ("", "CC0-1.0", "CC-BY-4.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-ND-3.0", "CC-BY-NC-ND-4.0")
    async for catalogue in catalogue_of("ccmixter", new_target, licenses):
        yield catalogue


@pytest.fixture(scope="module")
async def packs(new_target: Callable[[], dict[str, Any]]) -> AsyncIterator[Catalogue]:
    """Releases, instruments and samples under licenses of their own."""
    async for catalogue in catalogue_of("studio-packs", new_target):
        yield catalogue


def deepest(catalogue: Catalogue) -> str:
    """What is made of most."""
    return max(catalogue.ids, key=lambda ref: (len(catalogue.ancestors(ref)), ref))


async def test_q1_and_q3_everything_in_the_way_and_whom_to_ask(ccmixter: Catalogue) -> None:
    asked = deepest(ccmixter)
    made_of = ccmixter.ancestors(asked)
    assert len(made_of) > 5
    (verdict, _) = (
        await ccmixter.ask(
            """query($id: ID!) { asset(id: $id) { rights(uses: [REMIX]) {
              decision route { kind } blockers { reason clause asset { id } owner { handle } path { kind } }
              askAtLeast { owner { handle } assets { id } } } } }""",
            id=ccmixter.ids[asked],
        )
    )["asset"]["rights"]
    # Nobody has spoken: everybody is asked, and nobody quoted as refusing.
    assert (verdict["decision"], verdict["route"]) == ("CONTACT_OWNER", {"kind": "CONTACT"})
    assert {blocker["reason"] for blocker in verdict["blockers"]} == {"NOT_STATED"}
    distances = {blocker["asset"]["id"]: len(blocker["path"]) for blocker in verdict["blockers"]}
    assert distances == {ccmixter.ids[ref]: far for ref, far in {**made_of, asked: 0}.items()}
    owners = Counter(blocker["owner"]["handle"] for blocker in verdict["blockers"])
    assert {asking["owner"]["handle"]: len(asking["assets"]) for asking in verdict["askAtLeast"]} == owners


async def test_q8_every_walk_comes_by_what_the_edges_lead_to(ccmixter: Catalogue) -> None:
    after, found = None, {}
    while True:
        page = (
            await ccmixter.ask(
                """query($after: String) { assets(first: 40, after: $after) { pageInfo { hasNextPage endCursor } nodes {
                  id ancestors { complete assets { distance asset { id } } } } } }""",
                after=after,
            )
        )["assets"]
        found |= {node["id"]: node["ancestors"] for node in page["nodes"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert all(walk["complete"] for walk in found.values())
    told = {id_: {step["asset"]["id"]: step["distance"] for step in walk["assets"]} for id_, walk in found.items()}
    assert told == {
        id_: {ccmixter.ids[other]: far for other, far in ccmixter.ancestors(ref).items()}
        for ref, id_ in ccmixter.ids.items()
    }


async def test_q11_drift_is_what_the_licenses_say(licensed: Catalogue) -> None:
    found, after, complete = {}, None, False
    while not complete:
        page = (
            await licensed.ask(
                """query($after: String) { licenseDrift(uses: [SYNC], first: 50, after: $after) { complete endCursor
                  drifts { asset { id } declared verdict { layer decision blockers { decision asset { id } } } } } }""",
                after=after,
            )
        )["licenseDrift"]
        for drift in page["drifts"]:
            found[drift["asset"]["id"], drift["verdict"]["layer"]] = drift
        after, complete = page["endCursor"], page["complete"]
    expected = {}
    for ref, id_ in licensed.ids.items():
        said = licensed.says(ref, Use.SYNC)
        above = {licensed.ids[other]: licensed.says(other, Use.SYNC) for other in licensed.ancestors(ref)}
        closed = max(above.values(), key=OPENNESS.index, default=said)
        if licensed.assets[ref]["license"] and OPENNESS.index(said) < OPENNESS.index(closed):
            lost = {other: decision for other, decision in above.items() if decision != "ALLOWED"}
            expected[id_] = said, closed, lost
    assert len(expected) > 100
    for layer in ("MASTER", "COMPOSITION"):
        told = {
            id_: (
                drift["declared"],
                drift["verdict"]["decision"],
                {it["asset"]["id"]: it["decision"] for it in drift["verdict"]["blockers"] if it["asset"]["id"] != id_},
            )
            for (id_, of), drift in found.items()
            if of == layer
        }
        assert told == expected


async def test_q14_500_assets_at_once(ccmixter: Catalogue) -> None:
    ids = list(ccmixter.ids.values())[:500]
    answers = (
        await ccmixter.ask("query($ids: [ID!]!) { permissionCheck(ids: $ids, uses: [SYNC]) { id decision } }", ids=ids)
    )["permissionCheck"]
    assert [answer["id"] for answer in answers] == ids
    assert {answer["decision"] for answer in answers} == {"LICENSE_REQUIRED"}


async def test_q16_the_most_sampled_of_those_who_say_nothing(ccmixter: Catalogue) -> None:
    children = Counter(parent for parents in ccmixter.above.values() for parent in set(parents))
    most = (
        await ccmixter.ask(
            """{ assets(order: MOST_DERIVED, filter: { hasPolicy: false }, first: 20) {
              nodes { id derivedCount policy { id } } } }"""
        )
    )["assets"]["nodes"]
    assert [asset["derivedCount"] for asset in most] == sorted(children.values(), reverse=True)[:20]
    count = {ccmixter.ids[ref]: number for ref, number in children.items()}
    assert all(count[asset["id"]] == asset["derivedCount"] and asset["policy"] is None for asset in most)


async def test_q16_in_a_catalogue_in_which_all_have_spoken_there_is_none(packs: Catalogue) -> None:
    silent = (await packs.ask("{ assets(filter: { hasPolicy: false }) { totalCount } }"))["assets"]["totalCount"]
    assert silent == sum(not asset["license"] for asset in packs.assets.values())


async def test_q18_whom_the_licenses_ask_to_name(packs: Catalogue) -> None:
    asked = deepest(packs)
    named = (
        await packs.ask(
            "query($id: ID!) { asset(id: $id) { attribution(uses: [REMIX]) { distance license asset { id } } } }",
            id=packs.ids[asked],
        )
    )["asset"]["attribution"]
    made_of = {asked: 0, **packs.ancestors(asked)}
    assert {credit["asset"]["id"]: credit["distance"] for credit in named} == {
        packs.ids[ref]: far for ref, far in made_of.items() if packs.is_attributed(ref)
    }
    assert [credit["distance"] for credit in named] == sorted(credit["distance"] for credit in named)


async def test_q19_an_imported_edge_says_that_a_catalogue_says_so(packs: Catalogue) -> None:
    child = next(ref for ref in packs.above if packs.assets[ref]["kind"] == "instrument")
    edges = (
        await packs.ask(
            """query($id: ID!) { asset(id: $id) { parents(first: 100) { nodes { status evidence { source assertedAt }
              history { status until evidence { source } } } } } }""",
            id=packs.ids[child],
        )
    )["asset"]["parents"]["nodes"]
    assert len(edges) == len(packs.above[child])
    for edge in edges:
        assert (edge["status"], edge["evidence"]["source"]) == ("CONFIRMED", "IMPORT")
        assert edge["history"] == [{"status": "CONFIRMED", "until": None, "evidence": {"source": "IMPORT"}}]
