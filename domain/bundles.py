"""What is shown to somebody who doubts: one JSON object that is checked by itself.

A signed manifest carries its proof; a DSSE envelope its signature. A bundle holds some of these members: `manifest`,
with its proof; `event`, the canonical text of the event that recorded it; `hash`, of an event; `inclusion`, its place
in the log; `checkpoint`; `anchor`, the way of the manifest to a root that a chain has; and `keys`, the DID document of
the house. Whoever has the keys from elsewhere trusts those.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.anchors import check_anchor
from domain.attestations import opened
from domain.checkpoints import checkpoint_of
from domain.merkle import is_included, leaf_hash
from domain.signatures import Unverified, unbase64, verified
from domain.signers import trusted

Keys = Mapping[str, Ed25519PublicKey]
_MEMBERS = frozenset({"manifest", "event", "hash", "inclusion", "checkpoint", "anchor", "keys"})
_PLACE = frozenset({"leafIndex", "treeSize", "hashes"})
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def read_canonical(data: bytes) -> Any:
    """The JSON of some bytes that are its canonical form, as they were hashed and signed; one line end may follow.

    Raises:
        Unverified: they are no JSON, or are written in another way; it says where.
    """
    body = data.removesuffix(b"\n")
    try:
        read = orjson.loads(body)
        written = rfc8785.dumps(read)
    except (orjson.JSONDecodeError, rfc8785.CanonicalizationError, RecursionError) as error:
        raise Unverified(f"That is no JSON with a canonical form: {error}.") from None
    if written != body:
        place = next((at for at, (one, other) in enumerate(zip(body, written, strict=False)) if one != other), 0)
        raise Unverified(f"The bytes are not canonical JSON (RFC 8785), from byte {place + 1} on.")
    return read


def check_document(document: Any, keys: Keys | None) -> str:
    """Check a signed manifest, an envelope or a bundle; a sentence about what was found good.

    Args:
        document: the JSON.
        keys: those that are trusted; None trusts those that come with a bundle.

    Raises:
        Unverified: it says what is wrong first.
    """
    if not isinstance(document, Mapping):
        raise Unverified("That is no manifest, no envelope, and no bundle.")
    if "payloadType" in document:
        opened(document, _some(keys))
        return "The envelope is signed, and as it was signed."
    if "proof" in document:
        return f"The document is as it was signed by {verified(document, _some(keys))}."
    if not set(document) <= _MEMBERS or not {"manifest", "inclusion"} & set(document):
        raise Unverified("That is no manifest with a proof, no envelope, and no bundle.")
    return _check_bundle(document, trusted(document.get("keys")) if keys is None else keys)


def _some(keys: Keys | None) -> Keys:
    if keys is None:
        raise Unverified("No keys are known: name the did.json of the house that signed.")
    return keys


def _check_bundle(bundle: Mapping[str, Any], keys: Keys) -> str:
    said, event, hash_ = [], bundle.get("event"), bundle.get("hash")
    if "keys" in bundle:
        trusted(bundle["keys"])
    if "event" in bundle:
        if not isinstance(event, str):
            raise Unverified("event is no text.")
        digest = hashlib.sha256(event.encode(errors="surrogatepass")).hexdigest()
        if hash_ is not None and hash_ != digest:
            raise Unverified("event does not have the hash that is told.")
        hash_ = digest
    if "manifest" in bundle:
        said.append(f"The manifest is as it was signed by {_check_manifest(bundle['manifest'], event, keys)}.")
    if "anchor" in bundle:
        if "manifest" not in bundle:
            raise Unverified("anchor stands without the manifest it is of.")
        said.append(check_anchor(bundle["anchor"], _address(bundle["manifest"])))
    if "inclusion" in bundle:
        said.append(_check_inclusion(bundle["inclusion"], hash_, bundle.get("checkpoint"), keys))
    elif {"event", "hash", "checkpoint"} & set(bundle):
        raise Unverified("inclusion is missing: nothing shows that the event is in the log.")
    return " ".join(said)


def _check_manifest(manifest: Any, event: Any, keys: Keys) -> str:
    if not isinstance(manifest, Mapping):
        raise Unverified("manifest is no JSON object.")
    method = verified(manifest, keys)
    if event is not None:
        address = _address(manifest)
        try:
            recorded = orjson.loads(event)["payload"]["manifest"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            recorded = None
        if recorded != address:
            raise Unverified(f"event does not record this manifest, {address}.")
    return method


def _address(manifest: Mapping[str, Any]) -> str:
    """The address of a manifest, which is that of its bytes without the proof."""
    unsigned = {name: value for name, value in manifest.items() if name != "proof"}
    return f"sha256:{hashlib.sha256(rfc8785.dumps(unsigned)).hexdigest()}"


def _check_inclusion(inclusion: Any, hash_: Any, note: Any, keys: Keys) -> str:
    if not isinstance(hash_, str) or _SHA256.fullmatch(hash_) is None or not isinstance(note, str):
        raise Unverified("inclusion stands without the hash of an event, or without a checkpoint.")
    index, size, path = _place(inclusion)
    checkpoint = checkpoint_of(note, keys.values())
    if size != checkpoint.size:
        raise Unverified(f"inclusion.treeSize is not that of the checkpoint, {checkpoint.size}.")
    if not is_included(leaf_hash(bytes.fromhex(hash_)), index, size, path, checkpoint.root):
        raise Unverified("inclusion does not lead from this event to the root of the checkpoint.")
    return f"The event is number {index + 1} of {size} in {checkpoint.origin}, as it was signed."


def _place(inclusion: Any) -> tuple[int, int, list[bytes]]:
    """(leaf, leaves, hashes) of an inclusion."""
    try:
        index, size, path = inclusion["leafIndex"], inclusion["treeSize"], list(map(unbase64, inclusion["hashes"]))
        if set(inclusion) == _PLACE and type(index) is int and type(size) is int:
            return index, size, path
    except (KeyError, TypeError, ValueError):
        pass
    raise Unverified("inclusion is not leafIndex, treeSize and hashes in base64, and nothing else.")
