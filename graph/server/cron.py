"""What a clock elsewhere calls, where no worker runs or somebody watches: `/api/cron/releases/…`.

Whoever calls shows the secret of `CASSET_CRON`; without one there is no such address.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.anchors import standing
from db.engine import Database
from db.jobs import backlog
from domain.anchors import CHECK_EVERY, AnchorState
from domain.errors import SignInNeeded
from graph.fields import write_moment
from graph.server.readiness import findings
from graph.server.rest import UNCACHED
from graph.server.worker import Round
from resolvers.anchoring import Anchorer
from resolvers.context import now
from resolvers.integrity import failures
from resolvers.jobs import Workshop

MOST_JOBS = 50
LONGEST = 20.0
"""Seconds that one call takes; what has begun by then is finished after its answer."""
LATE = timedelta(minutes=10)
"""A job that waits so long says that nobody does any."""
STALLED = timedelta(hours=6)
"""An anchor that is not settled by then needs somebody."""
_GOOD_ENOUGH = 3
"""Days without a look at an anchor that is out."""


class Cron:
    """What is done and told when a clock calls."""

    def __init__(
        self,
        database: Database,
        secret: str,
        workshop: Workshop,
        rounds: Sequence[Round],
        anchorer: Anchorer | None,
    ) -> None:
        """Do the jobs of a database.

        Args:
            database: where they are.
            secret: what whoever calls shows.
            workshop: does them.
            rounds: what comes round.
            anchorer: what brings roots to the chain; None where nothing does.
        """
        self._database = database
        self._secret = secret.encode()
        self._workshop = workshop
        self._rounds = rounds
        self._anchorer = anchorer

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route(f"/api/cron/releases/{name}", self._guarded(answer), methods=["GET", "POST"])
            for name, answer in (("jobs", self._jobs), ("health", self._health), ("anchor-health", self._anchor_health))
        ]

    def _guarded(self, answer: Callable[[], Awaitable[dict[str, Any]]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            scheme, _, shown = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self._secret):
                raise SignInNeeded("This address is for the clock of this house.")
            return Response(orjson.dumps(await answer()), media_type="application/json", headers=UNCACHED)

        return guarded

    async def _jobs(self) -> dict[str, Any]:
        """Do what is due, so much and so long at most."""
        for each in self._rounds:
            await each.begin()
        taken = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                while taken < MOST_JOBS and (more := await self._workshop.turn()):
                    taken += more
                    await self._workshop.settled()
        return {"taken": taken, **await self._health()}

    async def _health(self) -> dict[str, Any]:
        async with self._database.read() as connection:
            jobs = await backlog(connection)
        failing = {check.value: count for check, count in (await failures(self._database)).items()}
        late = jobs.oldest_due is not None and now() - jobs.oldest_due > LATE
        told = {"due": jobs.due, "running": jobs.running, "dead": jobs.dead, "oldestDue": _moment(jobs.oldest_due)}
        return {"healthy": not any(failing.values()) and not late, "jobs": told, "failing": failing}

    async def _anchor_health(self) -> dict[str, Any]:
        async with self._database.read() as connection:
            anchors = await standing(connection)
        found = [] if self._anchorer is None else await findings(self._anchorer)
        late = anchors.waiting_since is not None and now() - anchors.waiting_since > STALLED
        unseen = anchors.unchecked_since is not None and now() - anchors.unchecked_since > _GOOD_ENOUGH * CHECK_EVERY
        lost = anchors.states[AnchorState.FAILED] + anchors.states[AnchorState.MISMATCH]
        return {
            "healthy": all(each.ready for each in found) and not late and not unseen and not lost,
            "configured": self._anchorer is not None,
            "needs": [{"what": each.what, "ready": each.ready, "said": each.said} for each in found],
            "anchors": {state.value: count for state, count in anchors.states.items()},
            "waitingSince": _moment(anchors.waiting_since),
            "waitingFor": anchors.notes,
            "uncheckedSince": _moment(anchors.unchecked_since),
        }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else write_moment(moment)
