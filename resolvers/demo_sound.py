"""The sound of the demo scene: composed by a worker, work after work, and taken in as any upload is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from db.demo import hold_work
from db.engine import Database
from domain.accounts import ANONYMOUS
from domain.assets import MediaRole
from domain.ids import Kind, Ref
from domain.jobs import JobKind
from domain.media import Format
from resolvers.blobs import Blobs
from resolvers.context import Acting, now, uuid7
from resolvers.demo_scene import Scene, Work
from resolvers.jobs import Doing, Effect, Hopeless, Running
from resolvers.media import Upload, attach

LONGEST_SAMPLE = 300
"""Seconds."""

Compose = Callable[[Mapping[str, Any], BinaryIO], Awaitable[None]]
"""Writes a piece into a file as FLAC, always the same for what it is told."""


def heard_of(scene: Scene) -> frozenset[str]:
    """The keys of the works that have sound: what has a hook, what a release holds, and the shorter samples."""
    works = [work for world in scene.worlds for work in world.works]
    held = {key for work in works for version in work.versions for key in version.items}
    return frozenset(
        work.key
        for work in works
        if work.seconds is not None
        and work.merged_into is None
        and (work.hook or work.key in held or (work.subkind and work.seconds <= LONGEST_SAMPLE))
    )


def piece_of(work: Work) -> dict[str, Any]:
    """What the sound of a work is composed from."""
    hook = work.hook.at if work.hook else None
    told = {"bpm": work.bpm, "tone": work.tone, "subkind": work.subkind}
    return {"name": work.key, "seconds": work.seconds, "hook": hook, **told}


@dataclass(frozen=True, slots=True)
class Band:
    """Plays the works of the demo scene.

    Attributes:
        database: where they are.
        blobs: where their sound goes.
        compose: composes it.
    """

    database: Database
    blobs: Blobs
    compose: Compose

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its job is done."""
        return {JobKind.COMPOSE_DEMO: self._play}

    async def _play(self, running: Running) -> Effect:
        async with self.blobs.receive() as incoming:
            await self.compose(running.job.payload, incoming.file)
            kept = await incoming.keep()

        async def effect(connection: Any) -> None:
            held = await hold_work(connection, running.job.subject)
            if held is None:
                raise Hopeless("There is no such work.")
            acting = Acting(self.database, ANONYMOUS, now, uuid7)
            media = Ref(Kind.MEDIA, acting.new_id())
            upload = Upload(held.ref, MediaRole.MASTER, Format.FLAC, kept)
            await attach(connection, acting, self.blobs, held, media, upload)

        return effect
