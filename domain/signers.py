"""The keys of a house as it publishes them: a DID document (did:web, Multikeys) and a JSON Web Key Set.

Keys are added and never taken away: the last one signs, and what the ones before have signed stays good.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.signatures import Unverified, multikey, public_key

CONTEXT = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1")


def with_key(document: Mapping[str, Any] | None, host: str, key: Ed25519PublicKey) -> dict[str, Any]:
    """The document of a host with one more key, which signs from now on; None where it is the first.

    Keys that were added under another host keep their ids, which are written in what they have signed.
    """
    did = f"did:web:{quote(host, safe='')}"
    before = [] if document is None else [(id_.partition("#")[0], known) for id_, known in trusted(document).items()]
    return _document(did, [*before, (did, key)])


def trusted(document: Any) -> dict[str, Ed25519PublicKey]:
    """The keys of a document, by URL, in the order they were added.

    Raises:
        Unverified: it is not, word for word, how a house publishes its keys.
    """
    try:
        keys = [
            (str(method["controller"]), public_key(str(method["publicKeyMultibase"])))
            for method in document["verificationMethod"]
        ]
        if keys and document == _document(document["id"], keys):
            return dict(zip(document["assertionMethod"], (key for _, key in keys), strict=True))
    except (TypeError, KeyError):
        pass
    raise Unverified("The keys are not as a house publishes them in its did.json.")


def _document(did: str, keys: Sequence[tuple[str, Ed25519PublicKey]]) -> dict[str, Any]:
    names = sorted({controller for controller, _ in keys} - {did})
    methods = [
        {
            "id": f"{controller}#{multikey(key)}",
            "type": "Multikey",
            "controller": controller,
            "publicKeyMultibase": multikey(key),
        }
        for controller, key in keys
    ]
    return {
        "@context": list(CONTEXT),
        "id": did,
        **({"alsoKnownAs": names} if names else {}),
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def key_set(keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """Keys as a JSON Web Key Set (RFC 7517, RFC 8037), for those who know no Multikeys."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": base64.urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("="),
                "kid": method,
                "use": "sig",
                "alg": "EdDSA",
            }
            for method, key in keys.items()
        ]
    }
