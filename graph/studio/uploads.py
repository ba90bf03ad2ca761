"""The mutations of uploads that go to the store by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from db.verdicts import ASSET_REF_KINDS
from domain.assets import MediaRole
from domain.ids import Kind, parse_ref_of
from domain.keys import KeyScope
from graph.fields import DateTime, stored
from graph.jobs import Job
from graph.studio.deeds import Act, Deed, key_field, key_of
from resolvers.context import Acting
from resolvers.uploads import Wish, finish_upload, stage_upload


@strawberry.type(description="Where to send the file, with PUT and nothing but its bytes.")
class StageUploadSuccess:
    """The payload."""

    upload: strawberry.ID = stored("The id of the upload, to finish it by; once it is taken, of the media it became.")
    url: str = stored("The address, good for one object. Whoever has it may send: tell nobody.")
    url_expires_at: DateTime = stored("Until when something may be sent there; repeat the request for another address.")
    expires_at: DateTime = stored("Until when it may be finished.")


@strawberry.type(description="The job that looks at what was sent; when it is done, it is media.")
class FinishUploadSuccess:
    """The payload."""

    job: Job = stored("The job; it says why where it ends without.")


@strawberry.input(description="What will be sent.")
class StageUploadInput:
    """The input of `stageUpload`."""

    of: strawberry.ID = strawberry.field(description="The asset it is for, or the artist whose world will show it.")
    role: MediaRole = strawberry.field(description="What it shall be.")
    sha256: str = strawberry.field(description="The SHA-256 of the file, as 64 hexadecimal digits in small letters.")
    byte_size: int = strawberry.field(description="How many bytes it has, at most 200 MiB.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What was sent.")
class FinishUploadInput:
    """The input of `finishUpload`."""

    id: strawberry.ID = strawberry.field(description="The upload.")
    idempotency_key: str | None = key_field()


_TARGETS = ASSET_REF_KINDS | {Kind.ARTIST}


def _stage_upload(asked: Mapping[str, Any]) -> Act:
    of, role = parse_ref_of(asked["of"], _TARGETS), MediaRole(asked["role"])
    wish, key = Wish(of, role, asked["sha256"], asked["byteSize"]), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        told = await stage_upload(acting, wish, key)
        moments = {"urlExpiresAt": told.url_expires_at, "expiresAt": told.expires_at}
        return {"upload": str(told.id), "url": told.url, **moments}

    return act


def _finish_upload(asked: Mapping[str, Any]) -> Act:
    upload, key = parse_ref_of(asked["id"], frozenset({Kind.MEDIA})), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"job": await finish_upload(acting, upload, key)}

    return act


DEEDS = (
    Deed(
        "stage_upload",
        "Gives an address to send a file to, past this process, where its store takes files so; elsewhere it is "
        "refused, and files are sent with POST /api/upload/media.",
        StageUploadInput,
        StageUploadSuccess,
        _stage_upload,
        scope=KeyScope.ASSETS_WRITE,
    ),
    Deed(
        "finish_upload",
        "Says that all of a file was sent. It is then looked at as any other upload, and becomes media where it is "
        "what was said.",
        FinishUploadInput,
        FinishUploadSuccess,
        _finish_upload,
        scope=KeyScope.ASSETS_WRITE,
    ),
)
