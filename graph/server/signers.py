"""The keys this house signs with: a folder that holds what is published, `did.json`, and the key that signs.

A key that is replaced stays listed; its private half is deleted. Whoever runs already goes on signing with it until
they are started again.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from rich.console import Console

from domain.signatures import Signer, Unverified, multikey
from domain.signers import trusted, with_key
from graph.server.settings import Environment, Settings

PUBLISHED = "did.json"


class KeysBroken(Exception):
    """The keys of this house are not there, or cannot be used."""


class KeyFolder:
    """The folder of the keys."""

    def __init__(self, path: Path) -> None:
        """Nothing is read or made yet."""
        self.path = path

    def document(self) -> dict[str, Any] | None:
        """The DID document that is published; None where no key was ever made.

        Raises:
            KeysBroken: it cannot be read.
        """
        file = self.path / PUBLISHED
        try:
            document = orjson.loads(file.read_bytes())
            trusted(document)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeysBroken(f"{file} cannot be read: {error.strerror}.") from None
        except (orjson.JSONDecodeError, Unverified) as error:
            raise KeysBroken(f"{file} is broken: {error}") from None
        return dict(document)

    def published(self) -> Mapping[str, Ed25519PublicKey]:
        """The keys that are published, by URL; none where no key was ever made.

        Raises:
            KeysBroken: they cannot be read.
        """
        document = self.document()
        return {} if document is None else trusted(document)

    def signer(self) -> Signer | None:
        """The key that signs: the last one that was added; None where no key was ever made.

        Raises:
            KeysBroken: it is not there, cannot be read, is another one, or others may read it.
        """
        document = self.document()
        if document is None:
            return None
        method, public = list(trusted(document).items())[-1]
        file = self.path / f"{multikey(public)}.pem"
        try:
            if stat.S_IMODE(file.stat().st_mode) & 0o077:
                raise KeysBroken(f"{file} can be read by others: chmod 600.")
            key = load_pem_private_key(file.read_bytes(), None)
        except OSError as error:
            raise KeysBroken(f"{file} cannot be read: {error.strerror}. Nothing can be signed without it.") from None
        except (ValueError, TypeError):
            raise KeysBroken(f"{file} is no private key in PEM, or is locked with a password.") from None
        if not isinstance(key, Ed25519PrivateKey) or multikey(key.public_key()) != file.stem:
            raise KeysBroken(f"{file} holds another key than its name says.")
        return Signer(method, key)

    def begin(self, host: str) -> None:
        """Make the folder with its first key, all at once; where somebody else was faster, theirs is the first."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = KeyFolder(self.path.with_name(f"{self.path.name}.{secrets.token_hex(8)}"))
        made.rotate(host)
        try:
            made.path.rename(self.path)
        except OSError:
            shutil.rmtree(made.path)

    def rotate(self, host: str) -> str:
        """Add a key, which signs from now on; its URL.

        The private half is on the disk before the key is listed, and the one before is deleted after that.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        document = with_key(self.document(), host, key.public_key())
        mine = f"{multikey(key.public_key())}.pem"
        _write(self.path / mine, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(self.path / PUBLISHED, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        for file in self.path.glob("*.pem"):
            if file.name != mine:
                file.unlink()
        return str(document["assertionMethod"][-1])


def _write(file: Path, data: bytes) -> None:
    """Write a file for its owner only, whole or not at all."""
    written = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as open_file:
        open_file.write(data)
        open_file.flush()
        os.fsync(descriptor)
    written.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def keys_of(settings: Settings) -> KeyFolder:
    """The folder of a process: the one it was told, or the one in its data folder."""
    return KeyFolder(settings.keys or settings.data / "keys")


def host_of(settings: Settings) -> str:
    """The name under which this house publishes its keys: the first it answers to."""
    return settings.hosts[0] if settings.hosts else "localhost"


def signer_of(settings: Settings) -> Signer | None:
    """Who signs in a process that begins; the first key is made where the database is embedded too.

    Raises:
        KeysBroken: the keys cannot be used, or there are none where there must be some.
    """
    folder = keys_of(settings)
    signer = folder.signer()
    if signer is None and settings.database_url is None and settings.keys is None:
        folder.begin(host_of(settings))
        return folder.signer()
    if signer is None and (settings.keys is not None or settings.environment is Environment.PRODUCTION):
        raise KeysBroken(
            f"There are no keys in {folder.path}. Make the first with `casset keys rotate`, or name another folder in "
            "CASSET_KEYS."
        )
    return signer


def rotate_keys(settings: Settings, console: Console) -> None:
    """Add a key, which signs from now on."""
    method = keys_of(settings).rotate(host_of(settings))
    _say(console, f"{method} signs from now on. Start again what runs already.")


def list_keys(settings: Settings, console: Console) -> None:
    """Show the keys, the one that signs first."""
    folder = keys_of(settings)
    document = folder.document()
    if document is None:
        _say(console, f"There are no keys in {folder.path}.")
        return
    current, *retired = reversed(trusted(document))
    folder.signer()
    _say(console, f"{current}  signs")
    for method in retired:
        _say(console, f"{method}  retired; what it signed stays good")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
