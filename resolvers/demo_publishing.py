"""The releases of the demo scene, published like any others once all they hold is heard: in their owners' names.

They are loaded as an import would load them, as compatibility versions. The version that follows has a manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from db.accounts import viewer_of_account
from db.assets import hold_asset
from db.engine import Database
from db.jobs import enqueue
from db.manifests import candidates_of, newest_version
from db.registration import hold_lineage
from db.releases import draft_of
from domain.ids import parse_ref
from domain.jobs import JobKind, NewJob
from domain.publishing import lacks_of
from domain.releases import VersionState
from domain.signatures import Signer
from resolvers.context import Acting, now, uuid7
from resolvers.jobs import Doing, Effect, Running
from resolvers.publishing import publish
from resolvers.releases import begin_version

WAIT = timedelta(seconds=15)
"""How long until it is looked again whether everything is heard."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Publishes what the demo scene has out.

    Attributes:
        database: where releases are.
        signer: signs manifests; None where nothing is signed.
    """

    database: Database
    signer: Signer | None

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its job is done."""
        return {JobKind.PUBLISH_DEMO: self._publish}

    async def _publish(self, running: Running) -> Effect:
        job = running.job

        async def effect(connection: Any) -> None:
            viewer = await viewer_of_account(connection, parse_ref(job.payload["account"]).id, now())
            acting = Acting(self.database, viewer, now, uuid7)
            at = await hold_lineage(connection)
            held = await hold_asset(connection, viewer, job.subject)
            before = None if held is None else await newest_version(connection, held)
            if before is None or before.state is not VersionState.PUBLISHED or before.has_manifest:
                return  # somebody goes on with it already
            if lacks_of(*await candidates_of(connection, viewer, before.ref.id, at)):
                await enqueue(connection, [_again(running, before.release.owner)])
                return
            await begin_version(connection, acting, before, await draft_of(connection, job.subject))
            held = await hold_asset(connection, viewer, job.subject)
            if held is not None:
                await publish(connection, acting, self.signer, await newest_version(connection, held), at)

        return effect


def _again(running: Running, owner: Any) -> NewJob:
    job = running.job
    return NewJob(uuid7(), job.kind, job.subject, owner, job.payload, now() + WAIT)
