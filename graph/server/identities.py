"""`/api/auth`: signing in with another house, and linking one to the account that is signed in.

`GET /api/auth` says with which. `GET /api/auth/{provider}?next=/studio` leads there; `…/callback` is the way back, and
leads on to `next`. Who is signed in when they leave links what they come back with, where it was not linked before,
within 12 hours of signing in. Whether somebody is, counts only where a page of this host asks (a navigation says so by
`Sec-Fetch-Site`, a script by `X-Requested-With`): else another page could link an identity of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.accounts import ANONYMOUS
from domain.errors import BadInput, Forbidden, NotFound, TooLarge, Unsupported
from graph.server.actors import PREFLIGHT_HEADERS, Actor
from graph.server.cookies import Cookie, cookie, keeping
from graph.server.house import caller_of
from graph.server.providers import Registration
from graph.server.requests import RequestRefused
from graph.server.rest import UNCACHED, Reception, address
from resolvers.callers import House
from resolvers.context import Acting
from resolvers.identities import Came, Provider, begin_sign_in, end_sign_in

_LARGEST_FORM = 16 * 1024
_CALLBACK = "sign-in callback"
_ANSWER = ("state", "code", "error")


class SignIns:
    """The routes of signing in with another house."""

    def __init__(self, reception: Reception, house: House, registrations: Iterable[Registration]) -> None:
        """Know the houses this one is registered with."""
        self._reception = reception
        self._house = house
        self._providers: Mapping[str, Provider] = _providers(registrations)

    def routes(self) -> list[Route]:
        """The routes below `/api/auth`."""
        return [
            Route("/api/auth", self.offered),
            Route("/api/auth/{provider}", self.begin),
            Route("/api/auth/{provider}/callback", self.end, name=_CALLBACK),
            Route("/api/auth/{provider}/callback", self.end_by_form, methods=["POST"]),
        ]

    async def offered(self, _: Request) -> Response:
        """`{"providers": […]}`: the names of the houses one may sign in with."""
        return JSONResponse({"providers": list(self._providers)}, headers=UNCACHED)

    async def begin(self, request: Request) -> Response:
        """Lead somebody to another house; a script that asks for JSON is told where, as it cannot see a redirect."""
        provider = self._provider(request)
        acting = await self._acting(request, believed=_asked_from_here(request))
        begun = await begin_sign_in(acting, provider, request.query_params.get("next"), _callback(request))
        if "application/json" in request.headers.get("accept", ""):
            answer: Response = JSONResponse({"url": begun.address}, headers=UNCACHED)
        else:
            answer = _led(begun.address)
        answer.raw_headers.append(keeping(_headers(request), begun.secret, Cookie.FLOW))
        return answer

    async def end(self, request: Request) -> Response:
        """Come back from another house, and be led on."""
        provider = self._provider(request)
        acting = await self._acting(request, believed=True)
        secret = cookie(_headers(request), Cookie.FLOW)
        told = [request.query_params.get(name) for name in _ANSWER]
        came = Came(None if secret is None else secret.decode("latin-1"), *told)
        answer = _led(await end_sign_in(acting, provider, came, _callback(request)))
        answer.raw_headers.append(keeping(_headers(request), "", Cookie.FLOW))
        if acting.caller is not None and acting.caller.opened is not None:
            answer.raw_headers.append(keeping(_headers(request), acting.caller.opened))
        return answer

    async def end_by_form(self, request: Request) -> Response:
        """Come back by a form that a page of the other house sends, without our cookie: come once more by GET.

        Of the form goes on what any house says in an address: neither a token nor what else is told of somebody.
        """
        self._provider(request)
        told = await _form(request)
        again = urlencode({name: told[name] for name in _ANSWER if name in told})
        return _led(f"{request.url.path}?{again}")

    def _provider(self, request: Request) -> Provider:
        try:
            return self._providers[request.path_params["provider"]]
        except KeyError:
            raise NotFound("Nobody signs in with that here.") from None

    async def _acting(self, request: Request, *, believed: bool) -> Acting:
        """The hands of who is signed in; of nobody where the cookie is not to be believed, or is over."""
        actor = Actor(ANONYMOUS, address(request))
        if believed:
            with suppress(RequestRefused):
                actor = await self._reception.actor(request, embedded=True)
        return self._reception.acting(actor.viewer, caller_of(request.scope, actor, self._house))


def _providers(registrations: Iterable[Registration]) -> Mapping[str, Provider]:
    listed = list(registrations)
    if not listed:
        return {}
    from graph.server.oauth import provider_of  # noqa: PLC0415  # a fifth of a second, where nobody is signed in so

    return {registration.name: provider_of(registration) for registration in listed}


def _asked_from_here(request: Request) -> bool:
    """Whether a page of this host asks, or a script that a preflight was answered to.

    Raises:
        Forbidden: a page of another site sends somebody here to be signed in.
    """
    site = request.headers.get("sec-fetch-site")
    shown = any(name.decode() in request.headers for name in PREFLIGHT_HEADERS)
    if site == "cross-site" and not shown:
        raise Forbidden("Sign in from a page of this host.")
    return shown or site == "same-origin"


def _callback(request: Request) -> str:
    """Where one comes back to; the other house knows it, and leads nowhere else."""
    own = request.url_for(_CALLBACK, provider=request.path_params["provider"])
    return str(own)


def _headers(request: Request) -> Mapping[bytes, bytes]:
    return dict(request.headers.raw)


def _led(place: str) -> Response:
    return Response(status_code=303, headers={**UNCACHED, "location": place})


async def _form(request: Request) -> Mapping[str, Any]:
    """The fields of a form.

    Raises:
        Unsupported: it is no form.
        TooLarge: it is larger than any answer.
        BadInput: it cannot be read.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Unsupported("Send application/x-www-form-urlencoded.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_FORM:
            raise TooLarge(f"A form has at most {_LARGEST_FORM} bytes.")
    try:
        return dict(parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=16))
    except ValueError:
        raise BadInput("The form cannot be read.") from None
