"""Uploads that go to the store by themselves: what is sent to an address is looked at, and becomes media."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from db.accounts import viewer_of_account
from db.artists import HeldArtist
from db.custody import writable
from db.engine import Database
from db.jobs import enqueue
from db.uploads import (
    Staged,
    add_staged,
    finish_staged,
    hold_staged,
    hold_staging,
    staged_upload,
    taking,
)
from domain.assets import MediaRole
from domain.errors import Invalid, NotFound, SignInNeeded, Unsupported
from domain.ids import Kind, Ref, parse_ref
from domain.jobs import JobKind, NewJob
from domain.media import SNIFFED, Format, check_role, sniffed
from domain.uploads import ADDRESS_LASTS, MOST_STAGED, STAGED_LASTS, check_staged
from resolvers.blobs import Blobs, Incoming, sha256_of
from resolvers.context import Acting, now, uuid7
from resolvers.jobs import Doing, Effect, Hopeless, Running
from resolvers.media import Upload, attach, held_target
from resolvers.staging import Staging
from resolvers.writing import Outcome, done_once

Outline = Callable[[BinaryIO, MediaRole, Format], None]
"""Looks whether a file has the outline of what it shall be. Unsupported where it has not."""


class Address(NamedTuple):
    """Where a file is sent, and the media it will be."""

    id: Ref
    url: str
    url_expires_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody is about to send, and what it shall be to an asset or an artist."""

    of: Ref
    role: MediaRole
    sha256: str
    byte_size: int


async def stage_upload(acting: Acting, wish: Wish, idempotency_key: str | None) -> Address:
    """Give somebody an address to send a file to, beside this process.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset or artist, or it is not the viewer's to change.
        Invalid: this house takes no files so; nothing may be uploaded in that role; or too many are on their way.
        KeyReused: the idempotency key belongs to another request.
    """
    if acting.viewer.account is None:
        raise SignInNeeded("Sign in first.")
    account = acting.viewer.account
    of = await writable(acting.database, acting.viewer, wish.of)
    if of is None:
        raise NotFound(f"There is no such {'artist' if wish.of.kind is Kind.ARTIST else 'asset'}.", path=("of",))
    check_staged(of, wish.role, wish.sha256, wish.byte_size)
    staging = None if acting.caller is None else acting.caller.house.staging
    if staging is None:
        raise Invalid("This house keeps its files itself: send them with POST /api/upload/media.")

    async def work(connection: Any) -> Outcome:
        if await hold_staging(connection, account) >= MOST_STAGED:
            raise Invalid(f"{MOST_STAGED} uploads wait to be finished. Finish some of them.", path=("of",))
        id_ = acting.new_id()
        values = {"role": wish.role.value, "sha256": wish.sha256, "byte_size": wish.byte_size}
        expires_at = await add_staged(connection, {"id": id_, "account_id": account, **values}, of, STAGED_LASTS)
        # The media is not there yet: who may see what it is for hears of it again.
        return {"of": str(of), "upload": id_.hex, "expiresAt": expires_at.isoformat()}

    request = {"of": str(of), "role": wish.role.value, "sha256": wish.sha256, "byteSize": wish.byte_size}
    outcome = await done_once(acting, "stageUpload", request, idempotency_key, work)
    upload = Ref(Kind.MEDIA, UUID(hex=outcome["upload"]))
    # Whoever repeats the request gets another address for the same upload: it is a secret, and none is kept.
    url = await staging.address(staged_name(upload.id), ADDRESS_LASTS)
    return Address(upload, url, acting.now() + ADDRESS_LASTS, datetime.fromisoformat(outcome["expiresAt"]))


async def finish_upload(acting: Acting, upload: Ref, idempotency_key: str | None) -> Ref:
    """Say that all was sent; the job that looks at it and makes it media. Said twice, it is the same job.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such upload on its way, or it is not the viewer's.
        KeyReused: the idempotency key belongs to another request.
    """

    async def work(connection: Any) -> Outcome:
        staged = await hold_staged(connection, upload.id)
        if staged is None:
            raise _gone()
        try:
            held = await held_target(connection, acting, staged.of)
        except NotFound:
            raise _gone() from None
        known = await taking(connection, staged.id)
        if known is not None:
            return {"job": str(known)}
        owner = held.id if isinstance(held, HeldArtist) else held.owner
        job = NewJob(acting.new_id(), JobKind.TAKE_UPLOAD, staged.id, owner)
        await finish_staged(connection, staged.id)
        await enqueue(connection, [job])
        return {"job": str(Ref(Kind.JOB, job.id))}

    outcome = await done_once(acting, "finishUpload", {"id": str(upload)}, idempotency_key, work)
    return parse_ref(outcome["job"])


def _gone() -> NotFound:
    return NotFound("There is no such upload on its way.", path=("id",))


def staged_name(id_: UUID) -> str:
    """What an upload is called in the store until it is looked at: no name of a blob."""
    return id_.hex


@dataclass(frozen=True, slots=True)
class Taking:
    """Takes uploads that went to the store by themselves.

    Attributes:
        database: knows what was said of them.
        blobs: where they come to.
        staging: where they are; None where nothing can be sent to.
        outline: looks at them, as is done on the direct road.
    """

    database: Database
    blobs: Blobs
    staging: Staging | None
    outline: Outline

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its jobs are done."""
        return {} if self.staging is None else {JobKind.TAKE_UPLOAD: self._take}

    async def _take(self, running: Running) -> Effect:
        """Look at what was sent, keep what was looked at, and attach it as if it had come directly."""
        async with self.database.read() as connection:
            staged = await staged_upload(connection, running.job.subject)
        if staged is None or self.staging is None:
            raise Hopeless("There is no such upload.")
        try:
            async with self.blobs.receive() as incoming:
                await _read(self.staging, staged, incoming, running)
                format_ = await self._looked_at(staged, incoming.file)
                kept = await incoming.keep()
        except FileNotFoundError:
            raise Hopeless("Nothing was sent to the address.") from None
        except (Invalid, Unsupported) as error:
            raise Hopeless(error.message) from None

        async def effect(connection: Any) -> None:
            acting = Acting(self.database, await viewer_of_account(connection, staged.account), now, uuid7)
            try:
                held = await held_target(connection, acting, staged.of)
            except NotFound:
                raise Hopeless("What it was for is not its sender's to change any more.") from None
            upload = Upload(staged.of, staged.role, format_, kept)
            await attach(connection, acting, self.blobs, held, Ref(Kind.MEDIA, staged.id), upload)

        return effect

    async def _looked_at(self, staged: Staged, file: BinaryIO) -> Format:
        """What it is that was sent, where it is what was said."""
        # Whoever has the address may send again, for as long as it is good: what counts is what was read here.
        if await asyncio.to_thread(sha256_of, file) != staged.sha256:
            raise Invalid("The bytes that were sent have another SHA-256 than was said.")
        file.seek(0)
        format_ = check_role(staged.role, sniffed(file.read(SNIFFED)))
        await asyncio.to_thread(self.outline, file, staged.role, format_)
        return format_


async def _read(staging: Staging, staged: Staged, incoming: Incoming, running: Running) -> None:
    """Fetch what was sent, and no more than was said."""
    name, done = staged_name(staged.id), 0
    size = await staging.staged_size(name)
    if size == staged.byte_size:
        async for piece in staging.staged(name):
            done += len(piece)
            if done > staged.byte_size:
                break
            await incoming.write(piece)
            running.progress = done * 100 // size
        await incoming.flush()
        size = done
    if size != staged.byte_size:
        raise Invalid(f"{size} bytes were sent, not {staged.byte_size} as was said.")
