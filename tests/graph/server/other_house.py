"""Another house on a real socket: OpenID Connect, and what Spotify speaks, honest unless it is told to lie.

It keeps what it was asked, holds codes to their flow (PKCE, redirect, once), and signs with keys of its own.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from graph.server.providers import Registration, SigningKey
from tests.graph.server.running import running

CLIENT, SECRET = "casset-here", "the-secret-of-this-house"
Claims = dict[str, Any]


@dataclass
class OtherHouse:
    """A provider at `issuer`.

    Attributes:
        person: what is said of whoever signs in.
        lie: changes the claims of an id token before they are signed.
        forge: makes the token itself, of its claims.
        once: a code is redeemed once.
        places: what it says of itself otherwise.
        answer: takes the place of every answer, where it is not None.
        asked: what came, in order.
        codes: (what the authorization request asked) by code.
    """

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "ada-there", "name": "Ada Lovelace"})
    lie: Callable[[Claims], Any] = lambda claims: None
    forge: Callable[[Claims], str] | None = None
    once: bool = True
    places: Claims = field(default_factory=dict)
    answer: Response | None = None
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic", "client_secret_post"])
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    asked: list[tuple[str, Claims]] = field(default_factory=list)
    codes: dict[str, Claims] = field(default_factory=dict)

    def registered(self, name: str = "there", **more: Any) -> Registration:
        return Registration(name, self.issuer, CLIENT, more.pop("secret", SECRET), **more)

    def spotify(self) -> Registration:
        return Registration("spotify", self.issuer, CLIENT, SECRET, profile=f"{self.issuer}/v1/me")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._told(self._about)),
                Route("/keys", self._told(self._keys)),
                Route("/authorize", self._told(self._authorize)),
                Route("/token", self._told(self._token), methods=["POST"]),
                Route("/api/token", self._told(self._token), methods=["POST"]),
                Route("/v1/me", self._told(self._me)),
            ]
        )

    def _told(self, answer: Callable[[Request, Claims], Response]) -> Any:
        async def tell(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode())) if request.method == "POST" else {}
            given = {**request.query_params, **form}
            self.asked.append((request.url.path, given))
            return self.answer or answer(request, given)

        return tell

    def _about(self, *_: Any) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": self.methods,
                **self.places,
            }
        )

    def _keys(self, *_: Any) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    def _authorize(self, _: Request, given: Claims) -> Response:
        code = hashlib.sha256(repr((len(self.codes), given)).encode()).hexdigest()
        self.codes[code] = given
        back = {"code": code, "state": given["state"]}
        if given.get("response_mode") == "form_post":
            told = {**back, "id_token": "never.looked.at", "user": '{"name":{"firstName":"Ada"}}'}
            return JSONResponse({"post": given["redirect_uri"], "form": told})
        return RedirectResponse(f"{given['redirect_uri']}?{urlencode(back)}", 302)

    def _token(self, request: Request, given: Claims) -> Response:
        asked = self.codes.get(given.get("code", ""))
        if not self._is_client(request, given):
            return JSONResponse({"error": "invalid_client"}, 401)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).decode()
        good = asked is not None and asked["code_challenge"] == challenge.rstrip("=")
        if asked is None or not good or asked["redirect_uri"] != given["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant", "error_description": f"no code {given.get('code')}"}, 400)
        if self.once:
            del self.codes[given["code"]]
        token = {"access_token": "an access token", "token_type": "Bearer", "expires_in": 3600}
        if "nonce" in asked:
            token["id_token"] = self._signed(asked["nonce"])
        return JSONResponse(token)

    def _is_client(self, request: Request, given: Claims) -> bool:
        if "client_secret_basic" in self.methods:
            expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            return request.headers.get("authorization") == f"Basic {expected}"
        return "authorization" not in request.headers and bool(given.get("client_secret"))

    def _signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        self.lie(claims)
        return self.forge(claims) if self.forge else self.sign(claims)

    def sign(self, claims: Claims, key: Any = None, **header: Any) -> str:
        key = key or self.key
        algorithm = {"RSA": "RS256", "EC": "ES256", "oct": "HS256"}[key.key_type]
        return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])

    def _me(self, request: Request, _: Claims) -> Response:
        if request.headers.get("authorization") != "Bearer an access token":
            return JSONResponse({"error": {"status": 401}}, 401)
        return JSONResponse(self.person)

    def last(self, path: str) -> Claims:
        """What was asked last at a path."""
        return next(given for asked, given in reversed(self.asked) if asked == path)


def apple_key() -> tuple[SigningKey, ECKey]:
    """A key that signs client secrets, and its public half."""
    key = ECKey.generate_key("P-256")
    return SigningKey("TEAM", "KEYID", key.as_pem(private=True).decode()), key


@contextmanager
def other_house() -> Iterator[OtherHouse]:
    """A provider that answers on this machine until the end of a test."""
    house = OtherHouse()
    with running(house.app()) as server:
        house.issuer = server.address
        yield house
