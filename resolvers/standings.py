"""Why edges are believed: how each stood over time, and who said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.standings import standings_of
from domain.ids import Kind, Ref
from resolvers.context import Acting, Told


async def histories_of(acting: Acting, edges: Sequence[UUID]) -> Mapping[UUID, list[Told]]:
    """How some edges stood, each oldest first."""
    found: dict[UUID, list[Told]] = {edge: [] for edge in edges}
    for row in await standings_of(acting.database, acting.viewer, edges):
        found[row.edge].append(
            {
                "__typename": "EdgeStanding",
                "status": row.status,
                "since": row.since,
                "until": row.until,
                "evidence": {
                    "__typename": "Evidence",
                    "source": row.evidence_source,
                    "method": row.evidence_method,
                    "score": None if row.evidence_score is None else float(row.evidence_score),
                    "assertedAt": row.asserted_at,
                },
                "assertedBy": row.asserted_by_id and Ref(Kind.ARTIST, row.asserted_by_id),
            }
        )
    return found
