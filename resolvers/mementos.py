"""What those who waited for a ritual take along: what it unlocks, and what they can show. However many they are.

Both are given by jobs, a part of the people in a transaction: what is out does not wait for it, and who is killed in
between gives the rest, once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db import presaves, rituals
from db.engine import Database
from db.history import moment_under_locks
from db.rituals import HeldRitual
from db.signals import Around, add_signals
from domain.ids import Kind, Ref
from domain.jobs import JobKind
from domain.measures import SignalKind
from domain.rituals import Presave, participation
from domain.signatures import Signer
from resolvers.context import unhurried
from resolvers.entitlements import reward
from resolvers.jobs import Doing, Effect, Running

AT_ONCE = 1_000
"""People who are given something in one transaction."""


@dataclass(frozen=True, slots=True)
class Mementos:
    """Gives what rituals leave.

    Attributes:
        database: where they are.
        signer: signs what participants can show; None where nothing is signed.
    """

    database: Database
    signer: Signer | None

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its jobs are done."""
        return {JobKind.UNLOCK_RITUAL: self._unlock, JobKind.PROVE_RITUAL: self._prove}

    async def _unlock(self, running: Running) -> Effect:
        """Give those who waited what was promised to them; who has it from there already is given nothing."""
        async for held, waited in self._waited(running):
            async with self.database.write() as connection:
                at = await moment_under_locks(connection)
                # In one order: two that give something to the same people do not wait for each other in a circle.
                accounts = sorted(each.account.id for each in waited)
                given = [] if held.unlocks is None else await reward(connection, accounts, held.unlocks, at)
                await add_signals(connection, given, SignalKind.UNLOCK, Around(held.artist, *held.around))
        return _nothing_more

    async def _prove(self, running: Running) -> Effect:
        """Let those who waited show it: what, when, nth of how many."""
        async for held, waited in self._waited(running):
            async with self.database.write() as connection:
                at = await moment_under_locks(connection)
                ritual = Ref(Kind.RITUAL, held.id)
                proofs: dict[int, Mapping[str, Any]] = {}
                async for each in unhurried(waited):
                    told = participation(ritual, held.subject, each, held.presaves)
                    proofs[each.nth] = told if self.signer is None else {**told, "proof": self.signer.proof(told, at)}
                await presaves.add_proofs(connection, held.id, proofs)
        return _nothing_more

    async def _waited(self, running: Running) -> AsyncIterator[tuple[HeldRitual, Sequence[Presave]]]:
        """The ritual, with some of those who waited for it at a time."""
        told = 0
        while True:
            async with self.database.read() as connection:
                held = await rituals.ritual_of(connection, running.job.subject)
                waited = await presaves.presaves_after(connection, held.id, told, AT_ONCE)
            if not waited:
                return
            yield held, waited
            told = waited[-1].nth
            running.progress = 100 * told // held.presaves


async def _nothing_more(_: Any) -> None:
    """What there was to do is done, each part in a transaction of its own."""
