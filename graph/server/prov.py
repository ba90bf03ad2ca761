"""`casset lineage --prov`: a work, its history and its family in the words of W3C PROV, as PROV-JSON.

A work is an entity, the artist it belongs to an agent, an event an activity that the next one follows upon; a link is a
derivation. What may not be seen has no title, and no artist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graph.server.asking import Asker
from graph.server.lineage import Family, Work

PREFIXES = {"casset": "urn:casset:", "dcterms": "http://purl.org/dc/terms/"}
MOST_EVENTS = 1000
_PAGE = 100
_EVENTS = """query($id: ID!, $after: String) { asset(id: $id) {
  provenance(first: 100, after: $after) { nodes { id sequence kind at hash } pageInfo { hasNextPage endCursor } }
} }"""


async def events_of(asker: Asker, asset: str) -> list[Mapping[str, Any]]:
    """What happened to an asset, in the order of its chain, as far as the asker may see it."""
    events: list[Mapping[str, Any]] = []
    after = None
    for _ in range(MOST_EVENTS // _PAGE):
        page = (await asker.ask(_EVENTS, id=asset, after=after))["asset"]["provenance"]
        events += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    return sorted(events, key=lambda event: int(event["sequence"]))


def prov_json(family: Family, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A family, and the events of the work it is told of, as PROV-JSON (W3C Member Submission 2013)."""
    told: dict[str, Any] = {"prefix": dict(PREFIXES)}

    def tell(relation: str, key: str, **members: Any) -> None:
        told.setdefault(relation, {})[key] = {f"prov:{name}": value for name, value in members.items()}

    for work in family.works.values():
        told.setdefault("entity", {})[_name(work.key)] = _entity(work)
        if work.handle:
            told.setdefault("agent", {})[_artist(work)] = {"dcterms:identifier": work.handle}
            tell("wasAttributedTo", f"_:of-{work.key}", entity=_name(work.key), agent=_artist(work))
    for link in family.links:
        tell(
            "wasDerivedFrom",
            _name(link.key),
            generatedEntity=_name(link.child),
            usedEntity=_name(link.parent),
            type=_word(link.kind),
        )
    before = None
    for event in events:
        name = f"casset:{event['id']}"
        told.setdefault("activity", {})[name] = {
            "prov:startTime": event["at"],
            "prov:endTime": event["at"],
            "prov:type": _word(event["kind"]),
            "casset:sequence": event["sequence"],
            "casset:sha256": event["hash"],
        }
        if before is None:
            tell("wasGeneratedBy", f"_:{event['id']}", entity=_name(family.root), activity=name, time=event["at"])
        else:
            tell("wasInfluencedBy", f"_:{event['id']}", influencee=_name(family.root), influencer=name)
            tell("wasInformedBy", f"_:after-{event['id']}", informed=name, informant=before)
        before = name
    return told


def _entity(work: Work) -> dict[str, Any]:
    if work.title is None:
        return {}
    return {"dcterms:title": work.title, "prov:type": _word(work.kind)}


def _name(key: str) -> str:
    return f"casset:{key.replace(' ', '-')}"


def _artist(work: Work) -> str:
    return f"casset:artist-{work.handle}"


def _word(word: str) -> dict[str, str]:
    return {"$": f"casset:{word}", "type": "prov:QUALIFIED_NAME"}
