"""`/s/{code}`: where a share link leads."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.accounts import ANONYMOUS
from domain.errors import TooMany, Unavailable
from graph.server.rest import UNCACHED, Allowance, Reception, address, paid
from resolvers.links import count_visit, followed

VISITS_A_MINUTE = 30


class Links:
    """The share links of this house."""

    def __init__(self, reception: Reception, visits: Allowance) -> None:
        """Lead by links of a database; so many visits from one network in a minute are counted."""
        self._reception = reception
        self._visits = visits

    def routes(self) -> list[Route]:
        """The addresses."""
        return [Route("/s/{code}", self._follow)]

    async def _follow(self, request: Request) -> Response:
        """Lead on. A link leads whatever is counted; who only looks where it leads, or asks ahead, is no visitor."""
        acting = self._reception.acting(ANONYMOUS)
        visit = await followed(acting, request.path_params["code"])
        ahead = request.headers.get("sec-purpose", "") or request.headers.get("purpose", "")
        if request.method == "GET" and "prefetch" not in ahead:
            try:
                await paid(self._visits.buckets, f"{self._visits.what}:{address(request)}", 1)
                await count_visit(acting, visit, address(request))
            except (TooMany, Unavailable):
                pass  # it is not counted
        return RedirectResponse(visit.address, 302, {**UNCACHED, "referrer-policy": "no-referrer"})
