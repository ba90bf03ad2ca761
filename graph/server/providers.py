"""The other houses where people sign in, as they are set up. Talking to them is in `graph/server/oauth.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from domain.errors import Invalid
from domain.identities import checked_provider

GOOGLE, APPLE, SPOTIFY = "https://accounts.google.com", "https://appleid.apple.com", "https://accounts.spotify.com"
SPOTIFY_PROFILE = "https://api.spotify.com/v1/me"
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class SigningKey(NamedTuple):
    """A key that signs a client secret anew for each use, as Apple wants it.

    Attributes:
        team: whose key it is.
        id: of the key.
        pem: a private key on P-256 (PKCS 8).
    """

    team: str
    id: str
    pem: str


@dataclass(frozen=True, slots=True)
class Registration:
    """This house, as another one knows it.

    Attributes:
        name: the other house in addresses, `/api/auth/{name}`.
        issuer: its address; whoever it vouches for is known by it.
        client_id: what this house is called there.
        client_secret: shows that it is this house; or the key that signs such secrets.
        answers_by_form: it comes back with POST (OAuth 2.0 Form Post Response Mode).
        profile: where it tells who signed in; None for OpenID Connect, which signs it.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str | SigningKey = field(repr=False)
    answers_by_form: bool = False
    profile: str | None = None


def google(text: str) -> tuple[Registration, ...]:
    """Read `client-id client-secret`.

    Raises:
        ValueError: it is something else. What it is, is not repeated: it may hold a secret.
    """
    client_id, secret = _words(text, "client-id client-secret")
    return (Registration("google", GOOGLE, client_id, secret),)


def apple(text: str) -> tuple[Registration, ...]:
    """Read `client-id team-id key-id key-file`: a services id, and the key that signs for it.

    Raises:
        ValueError: it is something else, or the file is no such key.
    """
    client_id, team, key_id, file = _words(text, "client-id team-id key-id key-file")
    key = SigningKey(team, key_id, _private_key(Path(file)))
    return (Registration("apple", APPLE, client_id, key, answers_by_form=True),)


def _private_key(file: Path) -> str:
    try:
        pem = file.read_bytes()
        key = load_pem_private_key(pem, None)
    except (OSError, ValueError, TypeError):
        raise ValueError("the key file holds no private key, or cannot be read") from None
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return pem.decode("ascii")
    raise ValueError("the key file holds a key of another kind than P-256")


def spotify(text: str) -> tuple[Registration, ...]:
    """Read `client-id client-secret`.

    Raises:
        ValueError: it is something else.
    """
    client_id, secret = _words(text, "client-id client-secret")
    return (Registration("spotify", SPOTIFY, client_id, secret, profile=SPOTIFY_PROFILE),)


def any_house(text: str) -> tuple[Registration, ...]:
    """Read `name issuer client-id client-secret` of a house that speaks OpenID Connect; several with commas between.

    Raises:
        ValueError: it is something else, or an issuer without HTTPS that is not on this machine.
    """
    houses = [_words(one, "name issuer client-id client-secret") for one in text.split(",")]
    try:
        return tuple(
            Registration(checked_provider(name), _issuer(url), id_, secret) for name, url, id_, secret in houses
        )
    except Invalid as error:
        raise ValueError(error.message.rstrip(".")) from None


def _words(text: str, form: str) -> list[str]:
    words = text.split()
    if len(words) != len(form.split()):
        raise ValueError(f"write {form}")
    return words


def _issuer(url: str) -> str:
    if not is_guarded(url) or urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError("an issuer is an address with https://, or on this machine")
    return url


def is_guarded(url: str) -> bool:
    """Whether nobody listens on the way to an address: it has HTTPS, or is on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_here = parts.scheme == "http" and parts.hostname in _HERE
    return bool(parts.hostname) and parts.username is None and (parts.scheme == "https" or is_here)


def none_twice(registrations: tuple[Registration, ...]) -> tuple[Registration, ...]:
    """Let every house have a name of its own.

    Raises:
        ValueError: two have the same.
    """
    names = [registration.name for registration in registrations]
    if len(set(names)) < len(names):
        raise ValueError("two providers have the same name")
    return registrations
