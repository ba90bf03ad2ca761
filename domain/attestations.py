"""The second export of a signed manifest: an in-toto Statement v1 about its files, in a DSSE envelope.

The envelope signs bytes, so that tools of the software supply chain (cosign, in-toto, securesystemslib) check it as
they check a build.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.signatures import Signer, Unverified, unbase64

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:casset:release-attestation:1"
"""What the predicate of a statement means: the release whose manifest and files are its subjects."""
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def statement(subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """A statement about some files.

    Args:
        subjects: SHA-256 of each as hexadecimal digits, by name: the manifest, and every file of sound.
        predicate: what is said of them.
    """
    named = [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)]
    return {"_type": STATEMENT, "subject": named, "predicateType": PREDICATE, "predicate": dict(predicate)}


def sealed(statement: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The envelope around a statement."""
    payload = rfc8785.dumps(dict(statement))
    signature = signer.key.sign(pre_authentication(payload))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": signer.method, "sig": base64.b64encode(signature).decode()}],
    }


def opened(envelope: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> Any:
    """The statement in an envelope that one of the trusted keys signed.

    Raises:
        Unverified: it says what is wrong.
    """
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        raise Unverified(f"payloadType is not {PAYLOAD_TYPE}.")
    payload = _bytes(envelope.get("payload"), "payload")
    signatures = envelope.get("signatures")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], Mapping):
        raise Unverified("signatures holds not exactly one.")
    method = signatures[0].get("keyid")
    key = keys.get(method) if isinstance(method, str) else None
    if key is None:
        raise Unverified("signatures.0.keyid is none of the keys that are trusted.")
    try:
        key.verify(_bytes(signatures[0].get("sig"), "signatures.0.sig"), pre_authentication(payload))
        return orjson.loads(payload)
    except InvalidSignature:
        raise Unverified("signatures.0.sig does not sign this payload.") from None
    except orjson.JSONDecodeError:
        raise Unverified("payload is no JSON.") from None


def pre_authentication(payload: bytes) -> bytes:
    """What is signed of a payload: DSSE's pre-authentication encoding, which holds every length."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _bytes(text: Any, where: str) -> bytes:
    try:
        return unbase64(text)
    except ValueError:
        raise Unverified(f"{where} is no base64.") from None
