"""How it goes with what is done beside requests, in the form Prometheus reads: jobs, manifests, anchors."""

from __future__ import annotations

import time
from contextlib import suppress

from prometheus_client import CollectorRegistry, Gauge

from db.anchors import standing
from db.engine import Database
from db.jobs import backlog
from domain.errors import CassetError
from domain.manifests import CheckKind
from resolvers.context import now
from resolvers.integrity import failures

FRESH = 5.0
"""Seconds for which what was counted is told again, however many ask."""


class Gauges:
    """What is counted in the database when somebody looks."""

    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        """Register what is counted in a database."""
        self._database = database
        self._jobs = Gauge("casset_jobs", "Jobs that are due, running or dead.", ["state"], registry=registry)
        self._oldest = Gauge(
            "casset_jobs_oldest_due_seconds", "How long the job waits that is due for longest.", registry=registry
        )
        self._failing = Gauge(
            "casset_manifests_failing", "Manifests whose last check found them wrong.", ["check"], registry=registry
        )
        self._anchors = Gauge("casset_anchors", "Anchored proofs, by where they stand.", ["state"], registry=registry)
        self._counted = -FRESH

    async def refresh(self) -> None:
        """Count again, unless that was done a moment ago; while the database is away the last counts stand."""
        if time.monotonic() - self._counted < FRESH:
            return
        self._counted = time.monotonic()
        with suppress(CassetError):
            async with self._database.read() as connection:
                jobs, anchors = await backlog(connection), await standing(connection)
            failing = await failures(self._database)
            for state in ("due", "running", "dead"):
                self._jobs.labels(state).set(getattr(jobs, state))
            waits = jobs.oldest_due and (now() - jobs.oldest_due).total_seconds()
            self._oldest.set(max(waits or 0, 0))
            for check in CheckKind:
                self._failing.labels(check.value).set(failing.get(check, 0))
            for each, count in anchors.states.items():
                self._anchors.labels(each.value).set(count)
