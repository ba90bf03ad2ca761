"""Manifests before they are made, and by their address. Whether they are still what they were is in `integrity`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db.history import moment_under_locks
from db.manifests import Kept, candidates_of, edited, manifest_at
from db.snapshots import live_snapshot
from domain.errors import NotFound
from domain.manifests import manifest
from domain.publishing import Lack, lacks_of
from domain.releases import VersionState
from resolvers.context import Acting

Told = dict[str, Any]


async def preview_manifest(acting: Acting, version: UUID) -> Told | None:
    """What would be published now, and all that is missing; None where it is no draft of the asker's."""
    async with acting.database.read(snapshot=True) as connection:
        if (await edited(connection, acting.viewer, [version])).get(version) is not VersionState.DRAFT:
            return None
        at = await moment_under_locks(connection)
        lacks = lacks_of(*await candidates_of(connection, acting.viewer, version, at))
        made = manifest(await live_snapshot(connection, version, at))
    return {
        "__typename": "ManifestPreview",
        "body": made.body.decode(),
        "lacks": [lack_told(lack) for lack in lacks],
    }


def lack_told(lack: Lack) -> Told:
    """A lack by SDL names."""
    return {"__typename": "ReleaseLack", "what": lack.kind.value, "message": lack.message, "asset": lack.asset}


async def manifest_found(acting: Acting, hash_: str) -> Kept:
    """The manifest at an address.

    Raises:
        NotFound: there is none, or it is not there for the viewer.
    """
    async with acting.database.read() as connection:
        kept = await manifest_at(connection, acting.viewer, hash_)
    if kept is None:
        raise NotFound("There is no such manifest.")
    return kept
