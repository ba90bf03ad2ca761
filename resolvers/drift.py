"""Finding drift: works whose stated policy is wider than what they are made of allows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db.drift import Place, derived_after
from db.orders import NEWEST
from domain.drift import drifts
from resolvers.context import Acting, Told
from resolvers.telling import Telling
from resolvers.verdicts import Terms, facts_for, question_of

LOOKED_AT = 10
"""Works that are looked at for each one that is asked for; where fewer have drifted, it is said how to go on."""


async def license_drift(acting: Acting, terms: Terms, owner: UUID | None, most: int, after: Place) -> Told:
    """The next works that have drifted, at most so many, the newest first; `after` is where the last page ended."""
    told: list[dict[str, Any]] = []
    end, drifted, is_complete = after, 0, False
    for _ in range(LOOKED_AT):
        works = await derived_after(acting.database, acting.viewer, owner, end, most)
        read = await facts_for(acting, [work.id for work, _ in works], terms)
        telling = Telling(read)
        found = drifts(read.facts, [question_of(acting, work.id, terms) for work, _ in works])
        for (work, place), each in zip(works, found, strict=True):
            end = place
            drifted += bool(each)
            verdicts = telling.verdicts(work.id, [drift.verdict for drift in each])
            told += [
                {"__typename": "Drift", "asset": work, "declared": drift.declared.value, "verdict": verdict}
                for drift, verdict in zip(each, verdicts, strict=True)
            ]
            if drifted == most:
                break
        is_complete = len(works) < most and (not works or end == works[-1][1])
        if is_complete or drifted == most:
            break
    return {
        "__typename": "LicenseDrift",
        "drifts": told,
        "complete": is_complete,
        "endCursor": None if end == after else NEWEST.write(*end),
    }
