"""Manifests by their address: the bytes that are hashed, the same with their signature, and as an attestation."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import orjson
import rfc8785
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.manifests import Kept
from domain.accounts import ANONYMOUS
from domain.attestations import sealed, statement
from domain.errors import NotFound
from domain.manifests import PREFIX, SCHEMA
from domain.signatures import Signer, Unverified, verified
from domain.signers import trusted
from graph.server.rest import UNCACHED, Reception
from graph.server.signers import KeyFolder
from graph.server.wellknown import told
from resolvers.anchors import anchor_found
from resolvers.manifests import manifest_found

FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
SCHEMA_ADDRESS = "/schemas/casset-manifest-1.json"
_ADDRESS = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_NONE = "There is no such manifest."


class Manifests:
    """The manifests of this house."""

    def __init__(self, reception: Reception, keys: KeyFolder, signer: Signer | None) -> None:
        """Serve what is in a database.

        Args:
            reception: knows who asks.
            keys: those that are published.
            signer: signs attestations; None where nothing is signed.
        """
        self._reception = reception
        self._keys = keys
        self._signer = signer

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/manifests/{address}", self._body),
            Route("/manifests/{address}/signed", self._signed),
            Route("/manifests/{address}/attestation", self._attested),
            Route("/manifests/{address}/anchor", self._anchored),
            Route(SCHEMA_ADDRESS, _schema),
        ]

    async def _body(self, request: Request) -> Response:
        """The canonical bytes: whoever hashes them has checked the address."""
        kept, caching = await self._found(request)
        return _answer(request, kept.body, _links(kept), caching)

    async def _signed(self, request: Request) -> Response:
        """The manifest with its proof in it: what W3C's verifiers take."""
        kept, _ = await self._found(request)
        return _answer(request, rfc8785.dumps(_whole(kept)), _links(kept), UNCACHED)

    async def _attested(self, request: Request) -> Response:
        """An in-toto statement about the manifest and every file of sound, in a DSSE envelope.

        Only what the house has signed before is signed again: a row that somebody put there is not.
        """
        kept, _ = await self._found(request)
        document = self._keys.document()
        if self._signer is None or document is None:
            raise NotFound("Nothing is signed here.")
        try:
            verified(_whole(kept), trusted(document))
        except Unverified as error:
            raise NotFound("The signature of the manifest does not fit.") from error
        envelope = sealed(_stated(kept), self._signer)
        return _answer(request, rfc8785.dumps(envelope), _links(kept), UNCACHED)

    async def _anchored(self, request: Request) -> Response:
        """What `casset verify` takes: the signed manifest, its way to a root a chain has, and the keys."""
        kept, _ = await self._found(request)
        found = await anchor_found(self._reception.database, kept.version)
        document = await asyncio.to_thread(self._keys.document)
        bundle = {"manifest": _whole(kept), "anchor": found, **({} if document is None else {"keys": document})}
        return _answer(request, rfc8785.dumps(bundle), _links(kept), UNCACHED)

    async def _found(self, request: Request) -> tuple[Kept, Mapping[str, str]]:
        """The manifest and how it may be cached: what everybody may read, for ever and by anybody.

        Raises:
            NotFound: there is none, or it is not there for whoever asks: the two answer alike.
        """
        address = request.path_params["address"]
        if _ADDRESS.fullmatch(address) is None:
            raise NotFound(_NONE)
        try:
            return await manifest_found(self._reception.acting(ANONYMOUS), address), FOR_EVER
        except NotFound:
            actor = await self._reception.actor(request)
            actor.check_scopes(["node"])
            return await manifest_found(self._reception.acting(actor.viewer), address), UNCACHED


def _whole(kept: Kept) -> dict[str, Any]:
    """The manifest with its proof.

    Raises:
        NotFound: it is not signed.
    """
    if kept.proof is None:
        raise NotFound("This manifest is not signed.")
    return {**orjson.loads(kept.body), "proof": orjson.loads(kept.proof)}


def _stated(kept: Kept) -> dict[str, Any]:
    told_ = orjson.loads(kept.body)
    sounds = {item["id"]: item["media"].removeprefix(PREFIX) for item in told_["items"] if "media" in item}
    release = {"release": told_["release"]["id"], "version": told_["release"]["version"], "manifest": kept.hash}
    return statement({"manifest": kept.hash.removeprefix(PREFIX), **sounds}, {**release, "schema": SCHEMA})


def _links(kept: Kept) -> str:
    """What belongs to a manifest (RFC 8288): its schema, its signature, and the manifest before it (RFC 5829)."""
    here = f"/manifests/{kept.hash}"
    links = [
        f'<{here}>; rel="canonical"',
        f'<{SCHEMA_ADDRESS}>; rel="describedby"; type="application/schema+json"',
    ]
    if kept.proof is not None:
        links.append(f'<{here}/signed>; rel="alternate"; type="application/json"')
    previous = orjson.loads(kept.body).get("previous")
    if previous is not None:
        links.append(f'</manifests/{previous}>; rel="predecessor-version"')
    return ", ".join(links)


def _answer(request: Request, body: bytes, links: str, caching: Mapping[str, str]) -> Response:
    """A manifest with a strong tag, and the digest of what is answered (RFC 9530)."""
    digest = hashlib.sha256(body).digest()
    headers = {
        **caching,
        "etag": f'"{PREFIX}{digest.hex()}"',
        "repr-digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
        "link": links,
    }
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or headers["etag"] in asked:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def _schema(request: Request) -> Response:
    """The JSON Schema of manifests (2020-12)."""
    body = resources.files("domain").joinpath("manifests.schema.json").read_bytes()
    return told(request, body, "application/schema+json")
