"""What programs are offered, performed: who may, how often, with which values; and the answer cut out of the graph's.

HTTP and MCP bring the same operations here. There is no way round the door of the graph: the same actors, the same
points, the same plans.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, Final, NamedTuple

import orjson
from graphql import GraphQLSchema

from domain.accounts import ANONYMOUS, PROGRAM
from domain.errors import CassetError, Code, TooMany, Unavailable
from graph.agents.operations import AgentOperation
from graph.agents.reading import operations_of
from graph.agents.values import check
from graph.server.actors import Actor
from graph.server.buckets import Balance, rate_limit_headers
from graph.server.door import Door, OutOfPoints, Refused
from graph.server.requests import GraphQLRequest, Headers, RequestRefused, counted
from graph.server.rest import Allowance, allowance, status_of
from graph.server.settings import Settings
from resolvers.callers import Caller

READS, ANONYMOUS_READS, WRITES = 60, 30, 10
"""A minute, of one actor."""
USUAL_POINTS = 1_000
"""A second, of the graph: who raises those raises these as well."""
POLICY: Final = b"agent"
WORLDS = "/api/casset/"
NOT_THERE = "There is no such thing, or it is not yours."
_REFUSAL = re.compile(rb'\{"__typename":"(\w+)"')


class Problem(Exception):
    """A request that is refused, as RFC 9457 tells it."""

    def __init__(
        self,
        status: int,
        code: Code,
        message: str,
        *,
        headers: Headers = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what is told; `members` stand beside what every problem has."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.members = members or {}

    def beside(self, headers: Headers) -> Problem:
        """The same with some more headers, where it has none of them itself."""
        own = {name for name, _ in self.headers}
        self.headers = (*self.headers, *(header for header in headers if header[0] not in own))
        return self


class Performed(NamedTuple):
    """What an operation answered: the JSON of its root, of a mutation what it did."""

    body: bytes


class Offering:
    """The operations of the house."""

    def __init__(self, schema: GraphQLSchema, door: Door, settings: Settings) -> None:
        """Offer them on a schema, through a door; nothing is read before the first is asked."""
        self._schema = schema
        self._door = door
        more = settings.points_per_second / USUAL_POINTS
        sizes = (("agent read", READS), ("anonymous agent read", ANONYMOUS_READS), ("agent write", WRITES))
        self._allowances = [allowance(settings, what, max(1, round(size * more))) for what, size in sizes]
        self._running: set[tuple[str, str]] = set()

    @cached_property
    def operations(self) -> Mapping[str, AgentOperation]:
        """All of them, by their names."""
        return {operation.name: operation for operation in operations_of(self._schema)}

    @property
    def door(self) -> Door:
        """The door of the graph."""
        return self._door

    async def close(self) -> None:
        """Let go of what counts."""
        for each in self._allowances:
            await each.close()

    async def count(self, operation: AgentOperation, actor: Actor) -> Balance:
        """Count a request, whatever becomes of it.

        Raises:
            Problem: there were enough.
        """
        known, anonymous, writes = self._allowances
        allowed: Allowance = writes if operation.outcome else anonymous if actor.viewer is ANONYMOUS else known
        balance = await allowed.buckets.take(f"{allowed.what}:{actor.key}", 1)
        if balance.wait_seconds:
            raise _enough(balance, POLICY)
        return balance

    @staticmethod
    def check_access(operation: AgentOperation, actor: Actor) -> None:
        """Let those ask who may.

        Raises:
            Problem: they may not.
        """
        if actor.viewer is ANONYMOUS:
            if not operation.access.open:
                challenge = ((b"www-authenticate", b"Bearer"),)
                said = "This needs a key, as Authorization: Bearer cas_…."
                raise Problem(401, Code.UNAUTHENTICATED, said, headers=challenge)
            return
        try:
            actor.check_any(operation.access.scopes, writes=operation.outcome is not None)
        except RequestRefused as refused:
            raise Problem(refused.status, refused.code, refused.message) from None

    def may(self, operation: AgentOperation, actor: Actor) -> bool:
        """Whether they may."""
        try:
            self.check_access(operation, actor)
        except Problem:
            return False
        return True

    async def perform(
        self, operation: AgentOperation, variables: Mapping[str, Any], actor: Actor, caller: Caller | None
    ) -> Performed:
        """Do it, with values that were held against their types.

        Raises:
            Problem: it is refused, or there is nothing.
        """
        request = GraphQLRequest(operation.text, None, variables, None, counted(variables))
        if actor.viewer is ANONYMOUS and not (operation.route and operation.route.path.startswith(WORLDS)):
            actor = actor._replace(viewer=PROGRAM)
        with self._alone(operation, variables, actor):
            try:
                admitted = await self._door.admit_own(request, actor)
                answer, _ = await self._door.answer(admitted, caller)
            except Refused as refused:
                raise _bad(refused.answer.body) from None
            except OutOfPoints as spent:
                raise _enough(spent.balance, b"graphql", spent.message) from None
            except CassetError as error:
                raise problem_of(error) from None
        return Performed(_cut(operation, answer.body))

    @contextmanager
    def _alone(self, operation: AgentOperation, variables: Mapping[str, Any], actor: Actor) -> Iterator[None]:
        """One request under one key at a time; the same request in another process waits in the database."""
        given = variables.get(operation.key.name) if operation.key else None
        if given is None:
            yield
            return
        key = (str(actor.viewer.account), given)
        if key in self._running:
            again = ((b"retry-after", b"1"),)
            raise Problem(409, Code.CONFLICT, "A request with this Idempotency-Key is being answered.", headers=again)
        self._running.add(key)
        try:
            yield
        finally:
            self._running.discard(key)


def check_values(operation: AgentOperation, given: Mapping[str, Any]) -> None:
    """Hold the values of variables against their types.

    Raises:
        BadInput: one of them is another.
    """
    for name, value in given.items():
        variable = operation.variables[name]
        check(value, variable.type, variable.bounds, (name,))


def problem_of(error: CassetError) -> Problem:
    """An error of ours."""
    headers: Headers = ()
    if isinstance(error, TooMany):
        headers = ((b"retry-after", b"%d" % max(1, round(error.seconds))),)
    elif isinstance(error, Unavailable):
        headers = ((b"retry-after", b"1"),)
    members = {"path": list(error.path)} if error.path else {}
    return Problem(status_of(error.code), error.code, error.message, headers=headers, members=members)


def not_there() -> Problem:
    """What is not there, not theirs, or was never an id: one answer."""
    return Problem(404, Code.NOT_FOUND, NOT_THERE)


def _enough(balance: Balance, policy: bytes, message: str | None = None) -> Problem:
    said = message or f"Too much at once. Try again in {max(1, round(balance.wait_seconds))} s."
    return Problem(429, Code.RATE_LIMIT, said, headers=rate_limit_headers(balance, policy))


def _bad(body: bytes) -> Problem:
    """What the graph refuses before anything runs."""
    error = orjson.loads(body)["errors"][0]
    code = error.get("extensions", {}).get("code", Code.BAD_USER_INPUT)
    return Problem(400, Code(code), error["message"])


def _cut(operation: AgentOperation, body: bytes) -> bytes:
    """The value of the root, out of a whole answer of the graph; half an answer is none.

    Raises:
        Problem: it is null, a refusal, or not whole.
    """
    begin = len(operation.root) + len(b'{"data":{"":')
    # A whole answer ends with the braces of `data` and of all of it; one with errors ends with their list.
    if not body.endswith(b"}}"):
        raise _failed(body)
    value = body[begin:-2]
    if value == b"null":
        raise not_there()
    if operation.outcome is None:
        return value
    found = _REFUSAL.match(value)
    if found is None or found[1].decode() != operation.outcome:
        raise _refused(value, operation)
    rest = value[found.end() :]
    return b"{" + rest[1:] if rest.startswith(b",") else b"{" + rest


def _failed(body: bytes) -> Problem:
    """An answer with errors: the first of them says why."""
    error: dict[str, Any] = next(iter(orjson.loads(body).get("errors", ())), {})
    with suppress(ValueError):
        code = Code(error.get("extensions", {}).get("code"))
        if code is not Code.INTERNAL:
            return Problem(status_of(code), code, error["message"])
    return Problem(500, Code.INTERNAL, "Something went wrong on our side.")


def _refused(value: bytes, operation: AgentOperation) -> Problem:
    """A refusal that a mutation tells: its code has the status, and what it tells beside stands beside."""
    told = orjson.loads(value)
    code, path = Code(told["code"]), told["path"]
    if code is Code.NOT_FOUND:
        return not_there()
    members = {key: inner for key, inner in told.items() if key not in {"__typename", "code", "message", "path"}}
    members |= {"path": path} if path else {}
    moved = code is Code.CONFLICT and any(each.wire == "If-Match" for each in operation.variables.values())
    again: Headers = ((b"retry-after", b"%d" % told["seconds"]),) if "seconds" in told else ()
    return Problem(412 if moved else status_of(code), code, told["message"], headers=again, members=members)
