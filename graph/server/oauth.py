"""Talking to other houses: OAuth 2.0 and OpenID Connect through Authlib, over bounded, direct requests.

Imported where somebody signs in by one of them: Authlib and its HTTP client take a fifth of a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet

from domain.errors import SignInNeeded, Unavailable
from domain.identities import Proofs, Vouched, vouched
from graph.server.outgoing import Bounded
from graph.server.providers import Registration, SigningKey, is_guarded
from resolvers.identities import Provider

log = structlog.get_logger()

SECONDS: Final = 10.0
"""That another house has for all it is asked at once."""
STEP_SECONDS: Final = 5.0
ALGORITHMS: Final = ("RS256", "ES256")
"""Fixed here, whatever a token says of itself."""
LEEWAY: Final = 60
"""Seconds by which clocks may differ."""
KEPT: Final = 3600.0
"""Seconds for which what a house says of itself is believed."""
LOOKED_AGAIN: Final = 60.0
"""Seconds between two looks for a key that was not there."""
_SECRET_LASTS: Final = timedelta(minutes=5)
_BASIC, _POST = "client_secret_basic", "client_secret_post"
_OURS: Final = frozenset({"invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type"})
"""What is wrong with how this house is set up, and not with who signs in."""


class _House:
    """What all other houses have in common: how they are reached, and what is said where they are not."""

    def __init__(self, registration: Registration) -> None:
        """Ask nothing yet."""
        self._registration = registration
        self._context = httpx2.create_ssl_context(trust_env=False)

    @property
    def name(self) -> str:
        """As it stands in addresses."""
        return self._registration.name

    def _client(self, callback: str, method: str = _BASIC) -> AsyncOAuth2Client:
        """A client for one errand: no redirects, no proxies or passwords from the environment."""
        registration = self._registration
        return AsyncOAuth2Client(
            registration.client_id,
            _client_secret(registration),
            token_endpoint_auth_method=method,
            redirect_uri=callback,
            code_challenge_method="S256",
            transport=Bounded(self._context),
            timeout=STEP_SECONDS,
            follow_redirects=False,
            trust_env=False,
        )

    def _way_there(self, url: str, proofs: Proofs, callback: str, **asked: str) -> str:
        """The address of an authorization request (RFC 6749 section 4.1.1, RFC 7636)."""
        client = self._client(callback)
        way, _ = client.create_authorization_url(url, state=proofs.state, code_verifier=proofs.verifier, **asked)
        return str(way)

    @asynccontextmanager
    async def _reached(self) -> AsyncIterator[None]:
        """Talk to the house.

        Raises:
            Unavailable: it does not answer, or not what it should.
            SignInNeeded: it does not stand by the code.
        """
        try:
            async with asyncio.timeout(SECONDS):
                yield
        except OAuthError as error:
            log.warning("another house refused", provider=self.name, error=str(error.error)[:40])
            if error.error in _OURS:
                raise self._away() from None
            raise self._refused() from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError) as error:
            # Neither the message nor the address: they may hold a code.
            log.warning("another house is away", provider=self.name, error=type(error).__name__)
            raise self._away() from None

    def _away(self) -> Unavailable:
        return Unavailable(f"{self.name} does not answer for the moment. Try again.")

    def _refused(self) -> SignInNeeded:
        return SignInNeeded(f"{self.name} did not confirm this sign-in. Begin again.")


def _client_secret(registration: Registration) -> str:
    """The secret, or one that is signed now."""
    key = registration.client_secret
    if not isinstance(key, SigningKey):
        return key
    now = int(time.time())
    lasts = int(_SECRET_LASTS.total_seconds())
    claims = {
        "iss": key.team,
        "sub": registration.client_id,
        "aud": registration.issuer,
        "iat": now,
        "exp": now + lasts,
    }
    return jwt.encode({"alg": "ES256", "kid": key.id}, claims, ECKey.import_key(key.pem))


class _About(NamedTuple):
    """What a house says of itself (OpenID Connect Discovery).

    Attributes:
        authorization: where people sign in.
        token: where a code is redeemed.
        method: how the secret is shown there.
        keys: with which it signs.
        at: when it said so, in seconds of a clock that only goes on.
    """

    authorization: str
    token: str
    method: str
    keys: KeySet
    at: float


class OpenIdHouse(_House):
    """A house that speaks OpenID Connect: what it says of somebody is signed."""

    def __init__(self, registration: Registration) -> None:
        """Ask nothing yet."""
        super().__init__(registration)
        self._known: _About | None = None

    async def address(self, proofs: Proofs, callback: str) -> str:
        """Where somebody goes to sign in.

        Raises:
            Unavailable: the house is away.
        """
        about = await self._about()
        asked = {"scope": "openid email profile"}
        if self._registration.answers_by_form:
            asked = {"scope": "openid email", "response_mode": "form_post"}
        return self._way_there(about.authorization, proofs, callback, nonce=proofs.nonce, **asked)

    async def vouch(self, code: str, proofs: Proofs, callback: str, now: datetime) -> Vouched:
        """Redeem a code for what the house says of somebody.

        Raises:
            SignInNeeded: it does not stand by the code, or what comes is not signed by it for this flow.
            Unavailable: it is away.
        """
        about = await self._about()
        async with self._reached(), self._client(callback, about.method) as client:
            token = await client.fetch_token(about.token, code=code, code_verifier=proofs.verifier)
        for again in (False, True):
            keys = (await self._about(again=again)).keys
            with suppress(InvalidKeyIdError):
                return vouched(self._registration.issuer, self._claims(keys, token, proofs, now))
        raise self._refused()

    def _claims(self, keys: KeySet, token: Mapping[str, Any], proofs: Proofs, now: datetime) -> Mapping[str, Any]:
        """What an id token says, when it is good (OpenID Connect Core section 3.1.3.7).

        Raises:
            InvalidKeyIdError: it is signed with a key that is not known.
            SignInNeeded: it is not good.
        """
        registration = self._registration
        wanted = {
            "iss": {"essential": True, "value": registration.issuer},
            "aud": {"essential": True, "value": registration.client_id},
        }
        told = {
            "client_id": registration.client_id,
            "nonce": proofs.nonce,
            "access_token": token.get("access_token"),
        }
        try:
            signed = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
            claims = CodeIDToken(signed.claims, signed.header, wanted, told)
            claims.validate(int(now.timestamp()), LEEWAY)
        except InvalidKeyIdError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a forged token makes of the library, it is not believed
            log.warning("an id token is not good", provider=self.name, error=type(error).__name__)
            raise self._refused() from None
        return claims

    async def _about(self, *, again: bool = False) -> _About:
        """What the house says of itself; looked up again where it is old, or where that did not do.

        Raises:
            Unavailable: it is away.
        """
        now = time.monotonic()
        if self._known is None or now - self._known.at > (LOOKED_AGAIN if again else KEPT):
            issuer = self._registration.issuer
            async with self._reached(), self._client("") as client:
                told = await _object(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
                if told.get("issuer") != issuer:
                    raise ValueError("it says that it is another")
                authorization = _guarded(told.get("authorization_endpoint"))
                token = _guarded(told.get("token_endpoint"))
                keys = _keys(await _object(client, _guarded(told.get("jwks_uri"))))
            methods = told.get("token_endpoint_auth_methods_supported") or [_BASIC]
            self._known = _About(authorization, token, _BASIC if _BASIC in methods else _POST, keys, now)
        return self._known


class SpotifyHouse(_House):
    """Spotify: OAuth 2.0 and a profile, which says nothing about whether the address was verified."""

    async def address(self, proofs: Proofs, callback: str) -> str:
        """Where somebody goes to sign in."""
        return self._way_there(f"{self._registration.issuer}/authorize", proofs, callback, scope="user-read-email")

    async def vouch(self, code: str, proofs: Proofs, callback: str, now: datetime) -> Vouched:
        """Redeem a code for a profile.

        Raises:
            SignInNeeded: Spotify does not stand by the code.
            Unavailable: it is away.
        """
        registration = self._registration
        async with self._reached(), self._client(callback) as client:
            await client.fetch_token(f"{registration.issuer}/api/token", code=code, code_verifier=proofs.verifier)
            profile = await _object(client, registration.profile, with_token=True)
        claims = {"sub": profile.get("id"), "name": profile.get("display_name"), "email": profile.get("email")}
        return vouched(registration.issuer, claims)


def provider_of(registration: Registration) -> Provider:
    """The house somebody is registered with."""
    return OpenIdHouse(registration) if registration.profile is None else SpotifyHouse(registration)


async def _object(client: AsyncOAuth2Client, url: Any, *, with_token: bool = False) -> Any:
    """The JSON object at an address.

    Raises:
        ValueError: there is none; or an error of the client.
    """
    answer = await client.request("GET", url, withhold_token=not with_token)
    told = answer.json() if answer.status_code == httpx2.codes.OK else None
    if isinstance(told, dict):
        return told
    raise ValueError("no object")


def _keys(told: Any) -> KeySet:
    """A set of keys (RFC 7517).

    Raises:
        ValueError: it is none, or holds none that can be used.
    """
    try:
        return KeySet.import_key_set(told)
    except (JoseError, AttributeError, KeyError, TypeError):
        raise ValueError("no keys") from None


def _guarded(url: Any) -> str:
    """An address that nobody listens to on the way.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(url, str) or not is_guarded(url):
        raise ValueError("no guarded address")
    return url
