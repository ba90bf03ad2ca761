"""What this process keeps for those who sign in, set up from its settings; and the caller that mutations meet."""

from __future__ import annotations

from graph.server.actors import Actor, address_of
from graph.server.buckets import Buckets, ClosedBuckets, MemoryBuckets
from graph.server.mail import Folder, Smtp
from graph.server.requests import Scope
from graph.server.settings import Settings
from graph.server.signers import keys_of
from resolvers.callers import Caller, House
from resolvers.passwords import Passwords

MINUTE, HOUR = 60.0, 3600.0
ATTEMPTS = (10, 10 / MINUTE)
"""Of one name from one network: so many at once, and so many a second after that."""
CROWD = (100, 100 / MINUTE)
"""Of one network, whatever the names: behind one address there may be a school."""
LETTERS = (5, 5 / HOUR)
"""To one address."""
PATIENCE = 5.0
"""Seconds for what is under way when the process ends."""


def house_of(settings: Settings) -> House:
    """The house of a process; letters go into its data folder where no mail server was named."""
    sender = settings.mail_from
    server = settings.mail_server
    return House(
        Passwords(),
        Folder(settings.data / "mail", sender) if server is None else Smtp(server, sender),
        _buckets(settings, *ATTEMPTS),
        _buckets(settings, *CROWD),
        _buckets(settings, *LETTERS),
        keys_of(settings).signer(),
        keys=keys_of(settings).published,
    )


def _buckets(settings: Settings, capacity: int, per_second: float) -> Buckets:
    if settings.redis_url is None:
        return MemoryBuckets(capacity, per_second)
    return ClosedBuckets(settings.redis_url, capacity, per_second)


async def close(house: House) -> None:
    """Finish what is under way, and let go of what the house holds."""
    await house.settled(PATIENCE)
    house.passwords.close()
    for buckets in (house.attempts, house.crowd, house.letters):
        if isinstance(buckets, ClosedBuckets):
            await buckets.close()


def caller_of(scope: Scope, actor: Actor, house: House) -> Caller:
    """The other end of a request over HTTP."""
    return Caller(house, address_of(scope), actor.session)
