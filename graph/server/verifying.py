"""`casset verify`: whether a manifest, a bundle or an exported log is as it was signed.

It needs nothing else: no database, no network, no settings, and imports none of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.bundles import check_document, read_canonical
from domain.canonical import digest
from domain.checkpoints import checkpoint_of
from domain.signatures import Unverified
from domain.signers import trusted
from domain.transcripts import CHECKPOINTS, EVENTS, KEYS, LEAVES, check_log, read_checkpoints

Keys = Mapping[str, Ed25519PublicKey]
_ADDRESS = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.ASCII)


def verify(path: Path, keys_file: Path | None = None, checkpoint_file: Path | None = None) -> str:
    """Check a file, or the folder of an exported log; what was found good.

    Args:
        path: the file or folder.
        keys_file: the did.json of the house that signed, from where it is trusted; else what comes with it is.
        checkpoint_file: a checkpoint of the log from elsewhere, which it must fit too.

    Raises:
        Unverified: it says what is wrong first, and where.
    """
    keys = None if keys_file is None else _keys(keys_file)
    try:
        if path.is_dir():
            return _verify_log(path, keys, checkpoint_file)
        return _verify_file(path, keys)
    except OSError as error:
        raise Unverified(f"{error.filename} cannot be read: {error.strerror}.") from None


def _keys(file: Path) -> Keys:
    try:
        return trusted(orjson.loads(file.read_bytes()))
    except OSError as error:
        raise Unverified(f"{file} cannot be read: {error.strerror}.") from None
    except (orjson.JSONDecodeError, Unverified) as error:
        raise Unverified(f"{file}: {error}") from None


def _verify_file(path: Path, keys: Keys | None) -> str:
    data = path.read_bytes()
    document = read_canonical(data)
    address = _ADDRESS.search(path.name)
    if address is None or (isinstance(document, dict) and "proof" in document):
        return check_document(document, keys)
    # What was fetched by its address is named after it.
    if digest(data) != address[0]:
        raise Unverified(f"The bytes are those of sha256:{digest(data)}, and not of their address.")
    return "The bytes are those of their address. Who signed them is said by the proof, which is not with them."


def _verify_log(folder: Path, keys: Keys | None, checkpoint_file: Path | None) -> str:
    told = (folder / KEYS).read_bytes()
    document = read_canonical(told)
    came = trusted(document)
    source = "by the keys that came with it" if keys is None else "by the keys you trust"
    keys = came if keys is None else keys
    checkpoints = read_checkpoints(_text(folder / CHECKPOINTS), keys)
    if checkpoint_file is not None:
        other = checkpoint_of(_text(checkpoint_file), keys.values())
        if other.origin != checkpoints[-1].origin:
            raise Unverified(f"{checkpoint_file} is of another log, {other.origin}.")
        if any(known.size == other.size and known != other for known in checkpoints):
            raise Unverified(f"Two signed checkpoints of {other.size} events differ: this log tells two stories.")
        checkpoints = sorted({*checkpoints, other}, key=lambda checkpoint: checkpoint.size)
    with (folder / EVENTS).open("rb") as events:
        found = check_log(checkpoints, (folder / LEAVES).read_bytes(), events)
    size, origin = found.checkpoint.size, found.checkpoint.origin
    said = f"{size:,} events about {found.subjects:,} things are as they were logged"
    return f"{origin}: {said}, {source}. Checkpoints: {len(checkpoints)}."


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Unverified(f"{file} is no text, from byte {error.start + 1} on.") from None
