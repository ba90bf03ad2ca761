"""PROV-JSON: another reader of it finds the works, whose they are, what they are made of and what happened."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prov.model import ProvActivity, ProvAgent, ProvAttribution, ProvDerivation, ProvDocument, ProvEntity

from db.accounts import viewer_of_account
from graph.server.asking import Asker
from graph.server.lineage import family_of
from graph.server.prov import events_of, prov_json
from tests.graph.company import Company, company


@pytest.fixture
async def people(database: object, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path) as made:  # type: ignore[arg-type]  # the fixture is a Database
        yield made


async def test_another_reader_of_prov_finds_what_was_told(people: Company) -> None:
    track, other = people.ids["track"], people.ids["other"]
    told = await people.do("ada", "declareEdge", "edge { id }", child=track, parent=other, kind="SAMPLES")
    edge = told["edge"]["id"]
    for version in (1, 2):
        changed = await people.do(
            "ada", "updateAsset", "asset { id }", id=track, title=f"Take {version}", expectedVersion=version
        )
        assert changed["__typename"] == "UpdateAssetSuccess", changed
    async with people.database.read() as connection:
        asker = Asker(people.database, await viewer_of_account(connection, people.keys["ada"]))
    events = await events_of(asker, track)
    document = prov_json(await family_of(asker, track), events)
    read = ProvDocument.deserialize(content=json.dumps(document), format="json")
    assert {entity.identifier.localpart for entity in read.get_records(ProvEntity)} == {track, other}
    (title,) = read.get_record(f"casset:{track}")[0].get_attribute("dcterms:title")
    assert title == "Take 2"
    assert {agent.identifier.localpart for agent in read.get_records(ProvAgent)} == {"artist-nova", "artist-far"}
    assert len(list(read.get_records(ProvAttribution))) == 2
    (derived,) = read.get_records(ProvDerivation)
    assert derived.identifier.localpart == edge
    assert [str(value) for _, value in derived.formal_attributes[:2]] == [f"casset:{track}", f"casset:{other}"]
    activities = {str(activity.identifier) for activity in read.get_records(ProvActivity)}
    assert activities == {f"casset:{event['id']}" for event in events}
    assert [event["kind"] for event in events] == ["LINEAGE_CHANGED", "ASSET_UPDATED", "ASSET_UPDATED"]
    # Written by that reader again, it says the same.
    again = ProvDocument.deserialize(content=read.serialize(format="json"), format="json")
    assert again == read
