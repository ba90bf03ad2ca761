"""What can be done with media: what was uploaded is attached to an asset, or to an artist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db.artists import HeldArtist, hold_artist
from db.assets import HeldAsset, hold_asset, update_asset
from db.jobs import enqueue
from db.media import (
    add_media,
    media_held,
)
from domain.accounts import allow
from domain.assets import MediaRole
from domain.errors import NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.keys import KeyScope
from domain.media import Format, check_role, check_target
from domain.provenance import EventKind
from resolvers.blobs import Blobs, Kept, hold_blob
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import Announcement, artist_updated, asset_updated


@dataclass(frozen=True, slots=True)
class Upload:
    """What came: bytes that are stored, and what they shall be to an asset, or to an artist."""

    of: Ref
    role: MediaRole
    format: Format
    kept: Kept


async def attach_media(acting: Acting, blobs: Blobs, upload: Upload, idempotency_key: str | None) -> Ref:
    """Attach an upload, in one transaction with the jobs that read it; the same bytes again change nothing.

    Raises:
        Unavailable: the bytes were cleared away since they were stored.
        SignInNeeded: nobody is signed in.
        Forbidden: a key lacks the scope.
        NotFound: there is no such asset or artist, or it is not the viewer's to change.
        Invalid: nothing may be uploaded in that role.
        Unsupported: not a file like this.
        KeyReused: the idempotency key belongs to another request.
    """
    allow(acting.viewer, KeyScope.ASSETS_WRITE, writes=True)
    check_target(upload.of, upload.role)
    check_role(upload.role, upload.format)

    async def work(connection: Any) -> Outcome:
        held = await held_target(connection, acting, upload.of)
        media = Ref(Kind.MEDIA, acting.new_id())
        return {"media": str(await attach(connection, acting, blobs, held, media, upload))}

    request = {"of": str(upload.of), "role": upload.role.value, "sha256": upload.kept.sha256}
    outcome = await done_once(acting, "uploadMedia", request, idempotency_key, work)
    return parse_ref(outcome["media"])


async def attach(
    connection: Any, acting: Acting, blobs: Blobs, held: HeldAsset | HeldArtist, media: Ref, upload: Upload
) -> Ref:
    """Attach an upload to what is held, as `attach_media` does; as this media, or as what the same bytes are already.

    Raises:
        Unavailable: the bytes were cleared away since they were stored.
    """
    of, owner = (held.ref, held.owner) if isinstance(held, HeldAsset) else (upload.of, held.id)
    known = await media_held(connection, of, upload.role, upload.kept.sha256)
    if known is not None:
        return known
    await hold_blob(connection, blobs, upload.kept.sha256)
    values = {"role": upload.role.value, "sha256": upload.kept.sha256, "byte_size": upload.kept.size}
    await add_media(connection, media.id, of, values, upload.format)
    kinds = _JOBS.get(upload.role)
    if kinds is not None:
        await enqueue(connection, [NewJob(acting.new_id(), kind, media.id, owner) for kind in kinds])
    payload = {"media": str(media), "role": upload.role.value, "sha256": upload.kept.sha256}
    event = happened(acting, of, EventKind.MEDIA_ATTACHED, payload)
    await follow(connection, [event], [await _moved_on(connection, held)], touched=[media.id])
    return media


async def held_target(connection: Any, acting: Acting, of: Ref) -> HeldAsset | HeldArtist:
    """What an upload is attached to, under the writer's lock.

    Raises:
        NotFound: there is no such asset or artist, or it is not the viewer's to change.
    """
    if of.kind is Kind.ARTIST:
        artist = await hold_artist(connection, acting.viewer, of.id)
        if artist is None:
            raise NotFound("There is no such artist.", path=("artist",))
        return artist
    asset = await hold_asset(connection, acting.viewer, of.id)
    if asset is None:
        raise NotFound("There is no such asset.", path=("asset",))
    return asset


async def _moved_on(connection: Any, held: HeldAsset | HeldArtist) -> Announcement:
    """An asset is another one with another file; a world is not, before it shows the file."""
    if isinstance(held, HeldArtist):
        return artist_updated(Ref(Kind.ARTIST, held.id), held.version)
    await update_asset(connection, held, {})
    return asset_updated(held.ref, held.version + 1)


_JOBS = {
    MediaRole.MASTER: (JobKind.HASH_MEDIA, JobKind.COMPUTE_WAVEFORM, JobKind.ANALYZE_MUSIC),
    MediaRole.COVER: (JobKind.HASH_MEDIA,),
    MediaRole.LOOP: (JobKind.HASH_MEDIA,),
}
