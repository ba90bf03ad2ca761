"""Checkpoints: how many leaves the log has and the root over them, as signed notes (C2SP signed-note, tlog-checkpoint).

casset.example/log
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— casset.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.signatures import Unverified, unbase64

ED25519 = b"\x01"
"""What says of a key that it signs notes with Ed25519."""
_LAST_LINE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/=]+)\n")
_TEXT = re.compile(r"(?P<origin>[^\s+]+)\n(?P<size>0|[1-9]\d{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n", re.ASCII)


class Checkpoint(NamedTuple):
    """What the log says of itself.

    Attributes:
        origin: the name of the log.
        size: how many leaves it has.
        root: the hash over them.
    """

    origin: str
    size: int
    root: bytes

    def signed(self, key: Ed25519PrivateKey) -> str:
        """The checkpoint as a note, signed in the name of the log."""
        return sign_note(f"{self.origin}\n{self.size}\n{_base64(self.root)}\n", self.origin, key)


def checkpoint_of(note: str, keys: Iterable[Ed25519PublicKey]) -> Checkpoint:
    """Read a checkpoint that the log itself signed with one of the trusted keys.

    Raises:
        Unverified: it says what is wrong.
    """
    text, name = open_note(note, keys)
    read = _TEXT.fullmatch(text)
    if read is None:
        raise Unverified("The checkpoint is not three lines: the log, its size, its root.")
    if read["origin"] != name:
        raise Unverified("The checkpoint of one log is signed in the name of another.")
    root = _bytes(read["root"])
    if root is None:
        raise Unverified("The root of the checkpoint is no base64.")
    return Checkpoint(read["origin"], int(read["size"]), root)


def key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    """The four bytes by which a signature says whose it is."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:4]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """A public key as other tools take it: the name, its four bytes, and the key."""
    return f"{name}+{key_hash(name, key).hex()}+{_base64(ED25519 + key.public_bytes_raw())}"


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """A text, which ends with its line, signed as a note."""
    signature = key_hash(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n— {name} {_base64(signature)}\n"


def open_note(note: str, keys: Iterable[Ed25519PublicKey]) -> tuple[str, str]:
    """The text of a note, and the name in which one of the trusted keys signed it; it has one signature.

    Raises:
        Unverified: it says what is wrong.
    """
    text, _, last = note.rpartition("\n\n")
    line = _LAST_LINE.fullmatch(last)
    signature = None if line is None else _bytes(line["signature"])
    if line is None or signature is None or not text:
        raise Unverified("The note does not end with an empty line and one signature.")
    text, name = text + "\n", line["name"]
    for key in keys:
        if key_hash(name, key) == signature[:4]:
            try:
                key.verify(signature[4:], text.encode())
            except InvalidSignature:
                raise Unverified("The signature of the note does not sign its text.") from None
            return text, name
    raise Unverified("The note is signed by none of the keys that are trusted.")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes | None:
    try:
        return unbase64(text)
    except ValueError:
        return None
