"""Releases that come out at a time: a person chooses it, and a job publishes in their name, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.accounts import viewer_of_account
from db.assets import HeldAsset, hold_asset, update_asset
from db.engine import Database
from db.jobs import enqueue
from db.manifests import hold_scheduled, newest_version, schedule
from db.registration import hold_lineage
from domain.accounts import freshly_signed_in
from domain.errors import CycleClosed, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.provenance import Event, EventKind
from domain.publishing import LackKind, NotReady, checked_schedule
from domain.releases import ReleaseStatus
from domain.signatures import Signer
from resolvers.context import Acting, now, uuid7
from resolvers.jobs import Doing, Effect, Hopeless, Running
from resolvers.publishing import publish, ready
from resolvers.releases import refuse_moved
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import asset_updated


async def schedule_release(
    acting: Acting, release: Ref, at: datetime | None, expected_version: int, idempotency_key: str | None
) -> Ref:
    """Let a release that was never out come out at a time, or no longer; until then people see its teaser.

    Args:
        acting: the person in whose name it will be published.
        release: the release.
        at: when; None takes the time back.
        expected_version: of the release.
        idempotency_key: None where the request may be repeated.

    Raises:
        SignInNeeded: nobody is signed in, or longer than 12 hours ago.
        NotFound: there is no such release, or it is not the viewer's to publish.
        Moved: `expected_version` is no longer the current one, or the release was out before.
        Invalid: the time is past, or more than ten years away.
        NotReady: something is missing; all of it is told.
        CycleClosed: an item is made from the release.
        KeyReused: the idempotency key belongs to another request.
    """
    account = freshly_signed_in(acting.viewer, acting.now())
    if at is not None:
        checked_schedule(at, acting.now())

    async def work(connection: Any) -> Outcome:
        moment = await hold_lineage(connection)
        held = await hold_asset(connection, acting.viewer, release.id)
        if held is None:
            raise NotFound("There is no such release.", path=("release",))
        draft = await newest_version(connection, held)
        if draft.scheduled_for == at:
            return {"release": str(held.ref)}
        refuse_moved(held, expected_version)
        if draft.status not in {ReleaseStatus.DRAFT, ReleaseStatus.SCHEDULED}:
            raise Moved("The release was out before: publish its next version.", path=("release",))
        if at is not None:
            await ready(connection, acting, draft, moment)
            payload = {"account": str(Ref(Kind.ACCOUNT, account)), "at": at.isoformat()}
            job = NewJob(acting.new_id(), JobKind.PUBLISH_RELEASE, held.ref.id, held.owner, payload, at)
            await enqueue(connection, [job])
        await _schedule(connection, happened(acting, held.ref, EventKind.ASSET_UPDATED, _said(held, at)), held, at)
        return {"release": str(held.ref)}

    request = {"release": str(release), "at": at, "expectedVersion": expected_version}
    return parse_ref((await done_once(acting, "scheduleRelease", request, idempotency_key, work))["release"])


def _said(held: HeldAsset, at: datetime | None) -> dict[str, Any]:
    said = {"changed": ["scheduledFor"], "version": held.version + 1}
    return said if at is None else {**said, "at": at}


async def _schedule(connection: Any, event: Event, held: HeldAsset, at: datetime | None) -> None:
    """Write down when a held release comes out, and what follows from it."""
    await schedule(connection, held.ref.id, at)
    await update_asset(connection, held, {"teased": at is not None})
    await follow(connection, [event], [asset_updated(held.ref, held.version + 1)])


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Publishes what is due.

    Attributes:
        database: where releases are.
        signer: signs manifests; None where nothing is signed.
    """

    database: Database
    signer: Signer | None

    def doings(self) -> Mapping[JobKind, Doing]:
        """How the jobs of schedules are done."""
        return {JobKind.PUBLISH_RELEASE: self._publish}

    async def _publish(self, running: Running) -> Effect:
        """All of it happens in the transaction that calls the job done: at once, or not at all."""
        account = parse_ref(running.job.payload["account"]).id
        chosen = datetime.fromisoformat(running.job.payload["at"])

        async def effect(connection: Any) -> None:
            # Whoever was signed in when they chose the time is in person, though not here.
            viewer = await viewer_of_account(connection, account, chosen)
            acting = Acting(self.database, viewer, now, uuid7)
            at = await hold_lineage(connection)
            held = await hold_asset(connection, viewer, running.job.subject)
            if held is None:
                raise Hopeless("Whoever chose the time may not publish it any more.", _giving_up(running.job.subject))
            draft = await newest_version(connection, held)
            if draft.status is not ReleaseStatus.SCHEDULED or draft.scheduled_for != chosen:
                return  # another time was chosen since, or it was published by hand
            try:
                await publish(connection, acting, self.signer, draft, at)
            except (NotReady, CycleClosed) as missing:
                if isinstance(missing, NotReady) and all(it.kind is LackKind.MEDIA_UNREAD for it in missing.lacks):
                    raise  # it is tried again
                raise Hopeless(missing.message, _giving_up(running.job.subject)) from None

        return effect


def _giving_up(release: UUID) -> Effect:
    """What cannot be published at its time is a draft again, and promised to nobody; its owner reads why in the job."""

    async def effect(connection: Any) -> None:
        held = await hold_scheduled(connection, release)
        if held is not None:
            event = Event(uuid7(), held.ref, EventKind.ASSET_UPDATED, now(), None, _said(held, None))
            await _schedule(connection, event, held, None)

    return effect
