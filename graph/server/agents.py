"""The operations of the house over HTTP, as a bare ASGI callable: an address and values in, the value of one root out.

Statuses: 200 or what the operation says; 304 for what the client has; 400 for values that are not as described, 401,
403, 404 for what is not there, not theirs or no id at all, 405, 406, 409, 412, 413, 415, 422, 428, 429; 503 while the
database is away. Every refusal is a problem (RFC 9457).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

import orjson

from domain.accounts import ANONYMOUS, Viewer
from domain.errors import BadInput, CassetError, Code
from domain.ids import parse_ref
from domain.licensing import UseKind
from graph.agents.operations import AgentOperation, Variable
from graph.agents.values import check, from_text
from graph.server.buckets import Balance, rate_limit_headers
from graph.server.door import OutOfPoints
from graph.server.guard import PROBLEM_TYPE, problem
from graph.server.house import caller_of
from graph.server.negotiation import JSON_TYPE, LONGEST_HEADER, SMALLEST_CODED, VARY, accepted, coded, coding
from graph.server.offering import POLICY, Offering, Problem, check_values, not_there, problem_of
from graph.server.permissions_told import PermissionsTold, base_of
from graph.server.requests import Headers, Receive, RequestRefused, Scope, Send, body_of, check_content
from graph.server.usage import Usage
from resolvers.callers import House

MOST_PARAMETERS = 64
"""In an address, lists item by item."""
UNCACHED = (b"cache-control", b"no-store")
_OWN = (b"cache-control", b"private, no-cache")
_KEY = re.compile(r'"?([A-Za-z0-9._:~-]{1,100})"?', re.ASCII)
_VERSION = re.compile(r'"(\d{1,9})"', re.ASCII)
_CURSOR = re.compile(rb'"endCursor":"([^"\\]+)"')
_CODED = re.compile(rb'-(br|gzip)"')
_PLACE = re.compile(r"\{([\w.]+)\}", re.ASCII)

_WORKS = ("/api/agents/releases/{id}", "/api/agents/assets/{id}")

Ways = dict[str | None, Any]
"""A tree of addresses: the ways on from a segment, None for any; under the end of one, its operations by method."""


class Agents:
    """Operations by their addresses."""

    def __init__(self, offering: Offering, house: House, permissions: PermissionsTold, usage: Usage) -> None:
        """Answer for what is offered; writes are done by whoever calls this house.

        Args:
            offering: what is offered.
            house: of this process.
            permissions: says beside what is read of a work what may be done with it.
            usage: notes what is read with a key.
        """
        self._offering = offering
        self._house = house
        self._permissions, self._usage = permissions, usage

    @cached_property
    def _ways(self) -> Ways:
        ways: Ways = {}
        for operation in self._offering.operations.values():
            if operation.route is not None:
                here = ways
                for part in operation.route.parts:
                    here = here.setdefault(part, {})
                here.setdefault("", {})[operation.route.method] = operation
        return ways

    def find(self, scope: Scope) -> tuple[Mapping[str, AgentOperation], list[str]] | None:
        """The operations at an address, by method, and what stands where the address has variables; None for none."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        try:
            parts = [_unquoted(part) for part in raw.decode("ascii").split("/")[1:]]
        except UnicodeDecodeError:
            return None
        here, captured = self._ways, []
        for part in parts:
            if part and part in here:
                here = here[part]
            elif part and None in here:
                here = here[None]
                captured.append(part)
            else:
                return None
        return (here[""], captured) if "" in here else None

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, at: Mapping[str, AgentOperation], captured: list[str]
    ) -> None:
        """Answer one request at an address that was found."""
        headers = dict(scope["headers"])
        try:
            await self._answer(scope, headers, receive, send, at, captured)
        except Problem as wrong:
            await send_problem(send, wrong)
        except RequestRefused as refused:
            await send_problem(send, Problem(refused.status, refused.code, refused.message, headers=refused.headers))
        except OutOfPoints as spent:
            limits = rate_limit_headers(spent.balance)
            await send_problem(send, Problem(429, Code.RATE_LIMIT, spent.message, headers=limits))
        except CassetError as error:
            await send_problem(send, problem_of(error))

    async def _answer(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        send: Send,
        at: Mapping[str, AgentOperation],
        captured: list[str],
    ) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = at.get(method)
        if operation is None or operation.route is None:
            allowed = [*at, "HEAD"] if "GET" in at else list(at)
            allow = ((b"allow", ", ".join(sorted(allowed)).encode()),)
            raise Problem(405, Code.BAD_USER_INPUT, "This address does not answer to that method.", headers=allow)
        if accepted(headers.get(b"accept")).json is None:
            raise Problem(406, Code.BAD_USER_INPUT, "This is answered in application/json.")
        actor = await self._offering.door.enter(scope, headers)
        balance = await self._offering.count(operation, actor)
        try:
            self._offering.check_access(operation, actor)
            values = _from_path(operation, captured) | _from_query(operation, scope) | _from_headers(operation, headers)
            values |= await _from_body(operation, headers, receive)
            check_values(operation, values)
            done = await self._offering.perform(operation, values, actor, caller_of(scope, actor, self._house))
        except BadInput as error:
            raise problem_of(error).beside(rate_limit_headers(balance, POLICY)) from None
        except Problem as wrong:
            raise wrong.beside(rate_limit_headers(balance, POLICY)) from None
        beside = await self._beside(scope, operation, captured, actor.viewer)
        sent = _Sent(scope, headers, operation, balance, beside, is_public=actor.viewer is ANONYMOUS)
        await sent.whole(done.body, send)

    async def _beside(self, scope: Scope, operation: AgentOperation, captured: list[str], viewer: Viewer) -> Headers:
        """What may be done with a work, for those who look for it in headers; that it was read is noted."""
        if operation.outcome or operation.route is None or not operation.route.path.startswith(_WORKS):
            return ()
        work = parse_ref(captured[0])
        self._usage.note(viewer, work.id, UseKind.READ)
        return await self._permissions.headers_of(work, base_of(scope))


class _Sent:
    """An answer on its way: with what caches, and who goes on from it, have to know."""

    def __init__(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        operation: AgentOperation,
        balance: Balance,
        beside: Headers,
        *,
        is_public: bool,
    ) -> None:
        self._scope, self._headers, self._operation = scope, headers, operation
        self._is_public = is_public
        self._limits = [*rate_limit_headers(balance, POLICY), *beside]

    async def whole(self, body: bytes, send: Send) -> None:
        """Send it, or that the client has it already."""
        told: list[tuple[bytes, bytes]] = [VARY, *self._limits, *self._links(body)]
        status = self._operation.route.status if self._operation.route else 200
        asked = self._headers.get(b"accept-encoding")
        name = coding(asked) if asked is not None and len(body) >= SMALLEST_CODED else None
        if self._operation.max_age is None:
            told.append(UNCACHED)
        else:
            tag = hashlib.sha256(body).hexdigest()[:32].encode()
            age = self._operation.max_age
            told += [(b"cache-control", b"public, max-age=%d" % age) if self._is_public else _OWN]
            told += [(b"etag", b'"%b-%b"' % (tag, name) if name else b'"%b"' % tag)]
            if _has(self._headers.get(b"if-none-match"), tag):
                await _send(send, 304, told, b"", is_head=True)
                return
        if name:
            body = coded(body, name)
            told.append((b"content-encoding", name))
        told += [(b"content-type", JSON_TYPE), (b"content-length", b"%d" % len(body))]
        await _send(send, status, told, body, is_head=self._scope["method"] == "HEAD")

    def _links(self, body: bytes) -> Headers:
        route = self._operation.route
        if route is not None and route.location is not None:
            return ((b"location", _located(route.location, body).encode()),)
        return () if self._operation.page is None else self._next(body)

    def _next(self, body: bytes) -> Headers:
        """Where the next page is (RFC 8288); inside of a JSON text no quote stands alone, so nothing else looks so."""
        goes_on = b'"hasNextPage":true,' if self._operation.page == "connection" else b'"complete":false,'
        found = _CURSOR.search(body) if goes_on in body else None
        if found is None:
            return ()
        given = parse_qsl(self._scope["query_string"].decode("ascii"), keep_blank_values=True)
        query = urlencode([(name, value) for name, value in given if name != "after"] + [("after", found[1].decode())])
        return ((b"link", f'<{quote(self._scope["path"])}?{query}>; rel="next"'.encode()),)


def _located(template: str, body: bytes) -> str:
    """Where something is that was made, by what was told of it."""
    told = orjson.loads(body)

    def value(found: re.Match[str]) -> str:
        inner: Any = told
        for name in found[1].split("."):
            inner = inner[name]
        return quote(str(inner), safe="")

    return _PLACE.sub(value, template)


def _has(given: bytes | None, tag: bytes) -> bool:
    """Whether the client has it, in whatever coding."""
    if given is None:
        return False
    tags = {_CODED.sub(b'"', part.strip().removeprefix(b"W/")) for part in given[:LONGEST_HEADER].split(b",")}
    return given.strip() == b"*" or b'"%b"' % tag in tags


def _unquoted(part: str) -> str:
    return unquote_to_bytes(part).decode("utf-8", "surrogateescape") if "%" in part else part


def _from_path(operation: AgentOperation, captured: list[str]) -> dict[str, Any]:
    """The values in an address: what was never a good one is not there."""
    names = [part[1:-1] for part in operation.route.path.split("/") if part.startswith("{")] if operation.route else []
    values = dict(zip(names, captured, strict=True))
    try:
        for name, text in values.items():
            variable = operation.variables[name]
            if not text.isprintable() or any("\ud800" <= character <= "\udfff" for character in text):
                raise not_there()
            check(text, variable.type, variable.bounds, (name,))
    except BadInput:
        raise not_there() from None
    return values


def _from_query(operation: AgentOperation, scope: Scope) -> dict[str, Any]:
    """The values of the query string; whoever gives one that is not known has mistaken something."""
    query: bytes = scope["query_string"]
    known = {each.wire: each for each in operation.variables.values() if each.place == "query"}
    given: dict[str, list[str]] = {}
    if query:
        try:
            text = query.decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        except ValueError:
            raise _bad("The query string is not valid.") from None
        for name, value in pairs:
            if name not in known:
                raise _bad(f"There is no parameter {name[:100]!r}.", name[:100])
            given.setdefault(name, []).append(value)
    _check_there(known, given)
    return {known[name].name: from_text(name, texts, known[name].type) for name, texts in given.items()}


def _check_there(known: Mapping[str, Variable], given: Mapping[str, Any]) -> None:
    for wire, variable in known.items():
        if variable.required and wire not in given:
            raise _bad(f"{wire} is missing.", wire)


def _from_headers(operation: AgentOperation, headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    """The values that travel in headers: the key under which it happens once, and the version that was read."""
    values: dict[str, Any] = {}
    for variable in operation.variables.values():
        if variable.place != "header":
            continue
        text = headers.get(variable.wire.lower().encode())
        if text is not None:
            values[variable.name] = _from_header(variable, text[:LONGEST_HEADER].decode("latin-1"))
        elif variable.required:
            status = 428 if variable.wire == "If-Match" else 400
            raise Problem(status, Code.BAD_USER_INPUT, f"Send the header {variable.wire}: {variable.description}")
    return values


def _from_header(variable: Variable, text: str) -> Any:
    if variable.wire == "If-Match":
        found = _VERSION.fullmatch(text.strip())
        if found is None:
            raise _bad('If-Match is the version you read, in quotes, such as "3".', variable.wire)
        return int(found[1])
    if variable.wire == "Idempotency-Key":
        found = _KEY.fullmatch(text.strip())
        if found is None:
            raise _bad("An Idempotency-Key has 1 to 100 letters, digits and . _ : ~ -", variable.wire)
        return found[1]
    return from_text(variable.wire, [text], variable.type)


async def _from_body(operation: AgentOperation, headers: Mapping[bytes, bytes], receive: Receive) -> dict[str, Any]:
    """The values in a JSON body."""
    known = {each.wire: each for each in operation.variables.values() if each.place == "body"}
    if operation.route is None or operation.route.method in {"GET", "DELETE"}:
        return {}
    media, encoding = headers.get(b"content-type"), headers.get(b"content-encoding", b"identity")
    if known or media is not None:
        check_content((media or b"")[:LONGEST_HEADER], encoding[:LONGEST_HEADER])
    body = await body_of(receive)
    if not body and not known:
        return {}
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _bad("The body is no JSON in UTF-8.") from None
    if not isinstance(given, dict):
        raise _bad("The body is a JSON object.")
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise _bad(f"There is no property {unknown[0][:100]!r}.", unknown[0][:100])
    _check_there(known, given)
    return {known[name].name: value for name, value in given.items()}


def _bad(message: str, *path: str) -> Problem:
    return Problem(400, Code.BAD_USER_INPUT, message, members={"path": list(path)} if path else None)


async def send_problem(send: Send, wrong: Problem) -> None:
    """Send a refusal."""
    body = problem(wrong.status, wrong.message, wrong.code)
    if wrong.members:
        body = orjson.dumps(orjson.loads(body) | dict(wrong.members))
    told = [(b"content-type", PROBLEM_TYPE.encode()), (b"content-length", b"%d" % len(body)), VARY, UNCACHED]
    await _send(send, wrong.status, [*told, *wrong.headers], body)


async def _send(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, is_head: bool = False
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else body})
