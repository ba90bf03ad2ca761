"""Who is at the other end of a request, and what this process keeps for those who sign in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from domain.accounts import Viewer
from domain.errors import TooMany
from domain.integrity import Keys
from domain.letters import Letter
from domain.signatures import Signer
from resolvers.passwords import Passwords
from resolvers.staging import Staging

log = structlog.get_logger()


class Balance(Protocol):
    """What a bucket says of an attempt."""

    @property
    def wait_seconds(self) -> float:
        """0 where there was one left."""


class Attempts(Protocol):
    """Buckets of attempts, told apart by a string."""

    async def take(self, actor: str, points: int) -> Balance:
        """Take some, or nothing where fewer are there."""


class Post(Protocol):
    """Sends letters."""

    async def send(self, letter: Letter) -> None:
        """Send one; whatever it raises, the letter is lost."""


@dataclass(slots=True)
class House:
    """What one process keeps for those who sign in.

    Attributes:
        passwords: hashes and checks them.
        post: sends letters.
        attempts: of one name from one network.
        crowd: of one network, whatever the names.
        letters: to one address.
        signer: signs manifests and the log; None where nothing is signed.
        keys: those that are published, by URL.
        staging: takes uploads by itself; None where this process takes them.
        anchors: this house brings roots over manifests to a chain.
    """

    passwords: Passwords
    post: Post
    attempts: Attempts
    crowd: Attempts
    letters: Attempts
    signer: Signer | None = None
    staging: Staging | None = None
    anchors: bool = False
    keys: Callable[[], Keys] = dict
    _under_way: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the answer, which says nothing of it: neither how it ends nor how long it takes."""
        task = asyncio.create_task(_quietly(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def may_write_to(self, address: str) -> bool:
        """Whether an address gets another letter; it is counted."""
        return not (await self.letters.take(f"letter:{_blurred(address)}", 1)).wait_seconds

    async def settled(self, seconds: float | None = None) -> None:
        """Wait for what is under way; where it takes longer than there is time, it is lost."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)


def secret_hash(secret: str) -> bytes:
    """What is kept of a secret: 256 random bits need no salt, and no slow hash."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def _blurred(name: str) -> str:
    """By what somebody is counted: what they typed may be long, an address, or a password in the wrong field."""
    return secret_hash(name).hex()[:32]


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  # nobody waits for it; what it holds may be secret, its type is not
        log.warning("work after an answer failed", error=type(error).__name__)


@dataclass(slots=True)
class Caller:
    """The other end of one request over HTTP.

    Attributes:
        house: of this process.
        network: the bucket of its address.
        session: the hash of the session's secret that came with the request.
        opened: the secret of the session that was opened: the answer carries it in a cookie, and nowhere else; empty
            where the cookie shall be forgotten.
        became: the viewer from now on, where somebody signed in or out, or holds one artist more.
    """

    house: House
    network: str
    session: bytes | None = None
    opened: str | None = None
    became: Viewer | None = None

    def enter(self, viewer: Viewer, secret: str) -> None:
        """Be somebody from now on, once that is written down; an empty secret leaves."""
        self.session = secret_hash(secret) if secret else None
        self.opened, self.became = secret, viewer

    async def attempt(self, what: str, who: str = "") -> None:
        """Count an attempt.

        Raises:
            TooMany: there were enough.
        """
        for buckets, key in (
            (self.house.crowd, f"{what}:{self.network}"),
            (self.house.attempts, f"{what}:{_blurred(who)}:{self.network}"),
        ):
            balance = await buckets.take(key, 1)
            if balance.wait_seconds:
                raise TooMany(balance.wait_seconds)
