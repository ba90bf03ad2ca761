"""Signatures in JSON: W3C Data Integrity with the cryptosuite `eddsa-jcs-2022`, and the keys that check them.

A proof signs SHA-256 of its own options and SHA-256 of the document, each in canonical form (RFC 8785). Whoever has the
document and the key can check it with public tools. Keys are Ed25519 and spelled as Multikeys: `z`, and base58btc of
0xed01 and the 32 bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.canonical import moment

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MULTICODEC = b"\xed\x01"
"""What says of 32 bytes that they are an Ed25519 public key."""
FIXED = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
"""What every proof says of itself."""


class Unverified(Exception):
    """Something is not as it was signed or recorded; the message names the first thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs.

    Attributes:
        method: the URL of the public key, such as `did:web:casset.example#z6Mk…`.
        key: the private key.
    """

    method: str
    key: Ed25519PrivateKey

    def proof(self, document: Mapping[str, Any], created: datetime) -> dict[str, Any]:
        """The proof that belongs into a document, under `proof`; a document that holds one is signed without it."""
        options: dict[str, Any] = {**FIXED, "created": moment(created), "verificationMethod": self.method}
        if "@context" in document:
            options["@context"] = document["@context"]
        signature = self.key.sign(_hashed(options, document))
        return {**options, "proofValue": "z" + base58(signature)}


def verified(document: Mapping[str, Any], keys: Mapping[str, Ed25519PublicKey]) -> str:
    """Check the proof of a document; the URL of the key that signed it.

    Stricter than the specification in one place: what the document adds to the `@context` of its proof is refused, for
    it would not be signed.

    Args:
        document: with its `proof`.
        keys: those that are trusted, by URL.

    Raises:
        Unverified: it says what is wrong.
    """
    proof = document.get("proof")
    if not isinstance(proof, Mapping):
        raise Unverified("There is no proof.")
    for name, value in FIXED.items():
        if proof.get(name) != value:
            raise Unverified(f"proof.{name} is not {value}.")
    if proof.get("@context") != document.get("@context"):
        raise Unverified("proof.@context is not that of the document.")
    method = proof.get("verificationMethod")
    key = keys.get(method) if isinstance(method, str) else None
    if not isinstance(method, str) or key is None:
        raise Unverified("proof.verificationMethod is none of the keys that are trusted.")
    signature = _signature(proof.get("proofValue"))
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        key.verify(signature, _hashed(options, document))
    except (rfc8785.CanonicalizationError, RecursionError):
        raise Unverified("The document has no canonical form.") from None
    except InvalidSignature:
        raise Unverified(
            "proof.proofValue does not sign this document: it, its proof or the key was changed."
        ) from None
    return method


def _hashed(options: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    # Not `canonical`, which brings texts into their normal form: what is checked is what is there.
    return b"".join(hashlib.sha256(rfc8785.dumps(dict(part))).digest() for part in (options, unsigned))


def _signature(text: Any) -> bytes:
    try:
        signature = unbase58(text.removeprefix("z")) if isinstance(text, str) and text.startswith("z") else b""
    except ValueError:
        signature = b""
    if len(signature) != 64:
        raise Unverified("proof.proofValue is no signature: z, and base58btc of 64 bytes.")
    return signature


def base58(data: bytes) -> str:
    """Bytes in base58btc."""
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def unbase58(text: str) -> bytes:
    """The bytes of a short text in base58btc.

    Raises:
        ValueError: it is none, or longer than a key or a signature.
    """
    if len(text) > 128:
        raise ValueError(len(text))
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def unbase64(text: Any) -> bytes:
    """The bytes that are written so in base64, and in no other way.

    Raises:
        ValueError: there are none.
    """
    data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    if base64.b64encode(data).decode() != text:
        raise ValueError(text)
    return data


def multikey(key: Ed25519PublicKey) -> str:
    """A public key as a Multikey."""
    return "z" + base58(MULTICODEC + key.public_bytes_raw())


def public_key(text: str) -> Ed25519PublicKey:
    """The public key of a Multikey.

    Raises:
        Unverified: it is none of Ed25519.
    """
    try:
        data = unbase58(text.removeprefix("z")) if text.startswith("z") else b""
    except ValueError:
        data = b""
    if len(data) != 34 or not data.startswith(MULTICODEC):
        raise Unverified("That is no Multikey of Ed25519: z, and base58btc of 0xed01 and 32 bytes.")
    return Ed25519PublicKey.from_public_bytes(data[2:])
