"""Asking for anchored proof, and showing it to whoever doubts. Publishing never waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from db.anchors import anchored, ask, is_signed, state_of
from db.changes import record_changes
from db.engine import Database
from db.jobs import wake
from db.manifests import hold_version
from domain.accounts import freshly_signed_in
from domain.anchors import GATHERING, OVER, AnchorState, told_of
from domain.errors import Moved, NotFound, NotOffered
from domain.ids import Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.releases import VersionState
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow
from subscriptions.events import anchor_changed

_OUT = frozenset({VersionState.PUBLISHED, VersionState.SUPERSEDED})


async def anchor_release(acting: Acting, version: Ref, idempotency_key: str | None) -> tuple[Ref, Ref]:
    """Let the manifest of a version go with the next batch; where it is on its way or there, nothing is written.

    Returns:
        The release, and the version.

    Raises:
        SignInNeeded: nobody is signed in, or longer than 12 hours ago.
        NotOffered: this house anchors nothing.
        NotFound: there is no such version, or it is not the viewer's.
        Moved: it is not out, was taken back, or nobody signed it.
        KeyReused: the idempotency key belongs to another request.
    """
    account = freshly_signed_in(acting.viewer, acting.now())
    if acting.caller is None or not acting.caller.house.anchors:
        raise NotOffered("This house anchors nothing. What it publishes is signed and logged all the same.")

    async def work(connection: Any) -> Outcome:
        held = await hold_version(connection, acting.viewer, version.id)
        if held is None:
            raise NotFound("There is no such version.", path=("version",))
        if held.state not in _OUT or not await is_signed(connection, held.ref.id):
            raise Moved("Only what is out, and signed, is anchored.", path=("version",))
        done = {"release": str(held.release.ref), "version": str(held.ref)}
        state = await state_of(connection, held.ref.id)
        if state is None or state in OVER:
            await ask(connection, held.ref.id, account)
            await record_changes(connection, [(held.release.ref.id, "ANCHOR_ASKED", [held.ref.id])])
            told = anchor_changed(held.release.ref, held.ref, AnchorState.PREPARED)
            await follow(connection, [], [told])
            id_ = acting.new_id()
            await wake(connection, NewJob(id_, JobKind.ANCHOR_MANIFEST, id_), GATHERING)
        return done

    done = await done_once(acting, "anchorRelease", {"version": str(version)}, idempotency_key, work)
    return parse_ref(done["release"]), parse_ref(done["version"])


async def anchor_found(database: Database, version: UUID) -> Mapping[str, Any]:
    """The anchor of a version's manifest, as `casset verify` takes it. It asks nobody who they are.

    Raises:
        NotFound: there is none that is there to stay.
    """
    async with database.read() as connection:
        found = await anchored(connection, version)
    if found is None or found.batch.stamp is None or found.batch.state is not AnchorState.CONFIRMED:
        raise NotFound("This manifest has no anchor that is there to stay.")
    return told_of(found.batch.stamp, found.batch.root, (found.leaf, found.batch.size, found.hashes))
