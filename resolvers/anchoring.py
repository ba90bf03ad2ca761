"""Anchoring: roots over manifests are brought to a chain, watched until they are there to stay, and looked up again.

Whatever is sent was signed and written down before, and is only ever sent again as it was: who is killed at any step
goes on from what is written, and sends nothing twice. One transaction is on its way at a time, so that the numbers of
the account that pays have no gap; more may be bid for it, under the same number.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from db import anchors, batches, chains
from db.anchors import Leaf
from db.batches import Batch
from db.chains import Signed
from db.engine import Database
from db.jobs import come_round
from domain.anchors import (
    CHECK_EVERY,
    CONFIRMATIONS,
    NETWORK,
    STUCK,
    AnchorState,
    Caps,
    Fees,
    Stamp,
    bid,
    longest_wait,
    outbid,
    rooted,
)
from domain.jobs import JobKind, NewJob
from domain.provenance import Event, EventKind
from resolvers.chains import Chain, Hindered, Receipt, Wallet
from resolvers.jobs import Doing, Effect, Running
from resolvers.writing import follow
from subscriptions.events import anchor_changed

log = structlog.get_logger()
SOON = timedelta(seconds=5)
"""Between two looks at what is on its way."""
_HINDERED = "It waits until the chain can be used again."
_CHECKED_AT_ONCE = 100
_SENT_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Anchorer:
    """Brings roots to a chain.

    Attributes:
        database: knows what was asked for.
        chains: opens the chain.
        wallet: opens the account that pays; raises Hindered where its key is not there.
        caps: the most that is paid.
        now: the clock.
        new_id: makes a UUIDv7.
        confirmations: blocks after which a root counts as there to stay.
        stuck: how long a transaction may wait before more is bid for it.
    """

    database: Database
    chains: Callable[[], AbstractAsyncContextManager[Chain]]
    wallet: Callable[[], Awaitable[Wallet]]
    caps: Caps
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    confirmations: int = CONFIRMATIONS
    stuck: timedelta = STUCK

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its jobs are done."""
        return {JobKind.ANCHOR_MANIFEST: self._turn, JobKind.VERIFY_ANCHOR: self._look}

    async def begin(self) -> None:
        """See to it that what is left to do comes round.

        Raises:
            Unavailable: the database is away.
        """
        async with self.database.write() as connection:
            await self._come_round(connection, SOON, 0)
            await self._look_again(connection, CHECK_EVERY)

    async def _turn(self, running: Running) -> Effect:
        hindrances, wait = int(running.job.payload.get("hindrances", 0)), SOON
        try:
            await self.process()
            hindrances = 0
        except Hindered as error:
            # A chain may be away for days: this waits, longer and longer, and never gives up.
            hindrances += 1
            wait = longest_wait(hindrances)
            log.warning("nothing is anchored for the moment", why=error.message)
        return lambda connection: self._come_round(connection, wait, hindrances)

    async def _come_round(self, connection: Any, wait: timedelta, hindrances: int) -> None:
        await batches.take_turn(connection)
        if await batches.anything_left(connection):
            id_ = self.new_id()
            job = NewJob(id_, JobKind.ANCHOR_MANIFEST, id_, payload={"hindrances": hindrances})
            await come_round(connection, job, wait)

    async def _look(self, _: Running) -> Effect:
        wait = CHECK_EVERY
        try:
            await self.verify(CHECK_EVERY)
        except Hindered as error:
            wait = longest_wait(16)
            log.warning("no anchor is looked up for the moment", why=error.message)
        return lambda connection: self._look_again(connection, wait)

    async def _look_again(self, connection: Any, wait: timedelta) -> None:
        id_ = self.new_id()
        await come_round(connection, NewJob(id_, JobKind.VERIFY_ANCHOR, id_), wait)

    async def prepare(self) -> list[Batch]:
        """Put what was asked for into batches; the new ones."""
        made: list[Batch] = []
        while True:
            async with self.database.write() as connection:
                await batches.take_turn(connection)
                waiting = await anchors.gather(connection)
                if not waiting:
                    return made
                tree, id_ = rooted([address for _, address in waiting]), self.new_id()
                await batches.add_batch(connection, id_, [version for version, _ in waiting], tree)
                made.append(await batches.batch_of(connection, id_))

    async def submit(self) -> list[Batch]:
        """Send what is prepared and was not sent; the batches under way as they stand then.

        Raises:
            Hindered: nothing can be done with the chain for the moment.
        """
        return await self._forward({AnchorState.PREPARED})

    async def process(self) -> list[Batch]:
        """Do all that can be done now; the batches that were under way, as they stand then.

        Raises:
            Hindered: nothing can be done with the chain for the moment.
        """
        await self.prepare()
        return await self._forward({AnchorState.PREPARED, AnchorState.SUBMITTED, AnchorState.MINED})

    async def _forward(self, states: set[AnchorState]) -> list[Batch]:
        async with self.database.read() as connection:
            these = await batches.under_way(connection)
        if not these:
            return []
        try:
            async with self.chains() as chain:
                await chain.check()
                for batch in these:
                    if batch.state in states:
                        await self._advance(chain, batch)
        except Hindered:
            # What exactly is in the way is between this house and its chain.
            async with self.database.write() as connection:
                await batches.note(connection, [batch.id for batch in these], _HINDERED)
            raise
        async with self.database.read() as connection:
            return [await batches.batch_of(connection, batch.id) for batch in these]

    async def _advance(self, chain: Chain, batch: Batch) -> None:
        if batch.state is AnchorState.MINED and await self._stays(chain, batch):
            return
        async with self.database.read() as connection:
            batch, sent = await batches.batch_of(connection, batch.id), await chains.signed_for(connection, batch.id)
        if sent:
            await self._follow(chain, batch, sent)
        else:
            await self._begin(chain, batch)

    # -- before a block has it

    async def _begin(self, chain: Chain, batch: Batch) -> None:
        """Sign and send, unless the root is there already, whoever brought it."""
        if await self._found(chain, batch):
            return None
        wallet = await self.wallet()
        fees, gas = await chain.fees(), await chain.gas(wallet.address, batch.root)
        offer = bid(fees, gas, self.caps)
        if offer is None:
            return await self._note(batch, "It waits until the chain asks for no more than this house pays.")
        if await chain.balance(wallet.address) < gas * offer.per_gas:
            raise Hindered("The account that pays for it has too little.")
        nonce = await chain.nonce(wallet.address)
        hash_, raw = wallet.signed(nonce, gas, offer, batch.root)
        signed = Signed(hash_, wallet.address, nonce, gas, offer, raw)
        async with self.database.write() as connection:
            await batches.take_turn(connection)
            if await chains.one_is_out(connection, wallet.address):
                return None
            uncounted = await chains.signed_from(connection, wallet.address, nonce, _SENT_AT_ONCE)
            if not uncounted:
                await chains.add_transaction(connection, batch.id, signed)
        if not uncounted:
            return await self._send(chain, batch, signed)
        # The chain lost what it had, or is late to say so: what has these numbers comes before anything new.
        for each in uncounted:
            await chain.send(each.raw)
        return await self._note(batch, "It waits until the chain has again what it had before.")

    async def _follow(self, chain: Chain, batch: Batch, sent: Sequence[Signed]) -> None:
        """Find out what became of what was signed; send it again where nobody knows of it, bid more where it waits."""
        newest = sent[-1]
        # What is used up is asked first: whatever used it up is then found below, if it was one of these.
        settled = await chain.nonce(newest.sender, max(await chain.head() - self.confirmations, 0))
        for signed in reversed(sent):
            receipt = await chain.receipt(signed.hash, batch.root)
            if receipt is not None:
                return await self._mined(chain, batch, receipt)
        if await self._found(chain, batch):
            return None
        if settled > newest.nonce:
            return await self._overtaken(batch)
        known = newest.is_sent and await chain.knows(newest.hash)
        if newest.created_at is not None and self.now() - newest.created_at > self.stuck:
            fees = await chain.fees()
            # What is pending, or too little to be taken at all, gets nowhere by itself.
            more = known or fees.base + fees.tip > newest.bid.per_gas
            if more and await self._bid_more(chain, batch, newest, fees):
                return None
        return None if known else await self._send(chain, batch, newest)

    async def _found(self, chain: Chain, batch: Batch) -> bool:
        """Whether the contract has the root: it takes none twice, and one that somebody else brought proves as much."""
        timestamp = await chain.timestamp(batch.root)
        if not timestamp:
            return False
        stamp = await chain.stamp(batch.root, timestamp)
        if stamp is None:
            raise Hindered("The chain has the root, and does not say where.")
        await self._move(batch, AnchorState.MINED, stamp)
        return True

    async def _mined(self, chain: Chain, batch: Batch, receipt: Receipt) -> None:
        if receipt.stamp is not None:
            await self._move(batch, AnchorState.MINED, receipt.stamp)
        elif not await self._found(chain, batch):
            await self._move(batch, AnchorState.FAILED, note="The chain refused the root.")

    async def _overtaken(self, batch: Batch) -> None:
        """The number was used by something this house did not sign: begin again with another one."""
        async with self.database.write() as connection:
            await batches.take_turn(connection)
            await chains.drop(connection, batch.id)
            if batch.state is not AnchorState.PREPARED:
                said = "Another transaction took its place; it is sent anew."
                await self._write(connection, batch, AnchorState.PREPARED, note=said)

    async def _bid_more(self, chain: Chain, batch: Batch, newest: Signed, fees: Fees) -> bool:
        """Sign and send the same once more, for more; False where that is more than this house pays."""
        offer = outbid(newest.bid, fees, newest.gas, self.caps)
        if offer is None:
            await self._note(batch, "It waits; more than is bid for it this house does not pay.")
            return False
        wallet = await self.wallet()
        if wallet.address != newest.sender:
            raise Hindered("The account that pays is another one than signed what is on its way.")
        hash_, raw = wallet.signed(newest.nonce, newest.gas, offer, batch.root)
        signed = Signed(hash_, newest.sender, newest.nonce, newest.gas, offer, raw)
        async with self.database.write() as connection:
            await batches.take_turn(connection)
            if (await chains.signed_for(connection, batch.id))[-1].hash != newest.hash:
                return True
            await chains.add_transaction(connection, batch.id, signed)
        await self._send(chain, batch, signed)
        return True

    async def _send(self, chain: Chain, batch: Batch, signed: Signed) -> None:
        await chain.send(signed.raw)
        async with self.database.write() as connection:
            await chains.note_sent(connection, signed.hash)
            if batch.state is AnchorState.PREPARED:
                await self._write(connection, batch, AnchorState.SUBMITTED)
            else:
                await batches.note(connection, [batch.id], None)

    # -- once a block has it

    async def _stays(self, chain: Chain, batch: Batch) -> bool:
        """Whether the block that held the root still does; once it is deep enough the root is there to stay."""
        stamp = batch.stamp
        if stamp is None:
            return False
        receipt = await chain.receipt(stamp.transaction, batch.root)
        if receipt is None or receipt.stamp is None:
            async with self.database.read() as connection:
                sent = await chains.signed_for(connection, batch.id)
            state = AnchorState.SUBMITTED if sent else AnchorState.PREPARED
            await self._move(batch, state, note=f"Block {stamp.block} was taken back; it is sent again.")
            return False
        if receipt.stamp != stamp:
            said = f"Block {stamp.block} was taken back; block {receipt.block} holds it now."
            await self._move(batch, AnchorState.MINED, receipt.stamp, said)
        elif await chain.head() - stamp.block + 1 >= self.confirmations:
            found = await self._wrong(chain, batch)
            await (self._confirm(batch, stamp) if found is None else self._note(batch, found))
        return True

    async def _confirm(self, batch: Batch, stamp: Stamp) -> None:
        async with self.database.write() as connection:
            leaves = await anchors.leaves_of(connection, batch.id)
            await anchors.hold_anchored(connection, [leaf.release for leaf in leaves])
            if await self._write(connection, batch, AnchorState.CONFIRMED, stamp, leaves=leaves):
                said = {"root": batch.root, "network": NETWORK, "transaction": stamp.transaction, "block": stamp.block}
                await self._record(connection, leaves, EventKind.MANIFEST_ANCHORED, said)
                await self._look_again(connection, CHECK_EVERY)

    async def verify(self, unchecked_for: timedelta = timedelta()) -> list[Batch]:
        """Look up what is out and was not looked up for so long; those batches, as they stand then.

        Raises:
            Hindered: nothing can be done with the chain for the moment.
        """
        async with self.database.read() as connection:
            these = await batches.confirmed(connection, _CHECKED_AT_ONCE, unchecked_for)
        if not these:
            return []
        async with self.chains() as chain:
            await chain.check()
            for batch in these:
                await self._checked(batch, await self._wrong(chain, batch))
        async with self.database.read() as connection:
            return [await batches.batch_of(connection, batch.id) for batch in these]

    async def _checked(self, batch: Batch, found: str | None) -> None:
        state = AnchorState.CONFIRMED if found is None else AnchorState.MISMATCH
        async with self.database.write() as connection:
            leaves = await anchors.leaves_of(connection, batch.id)
            await anchors.hold_anchored(connection, [leaf.release for leaf in leaves])
            if not await batches.note_checked(connection, batch, state, found):
                return
            if batch.checked_at is None or state is not batch.state:
                said = {"root": batch.root, "network": NETWORK, "outcome": state.value}
                await self._record(connection, leaves, EventKind.ANCHOR_VERIFIED, said)
            if state is not batch.state:
                await self._tell(connection, leaves, state)
        if state is not batch.state:
            log.warning("an anchor is another one now", batch=str(batch.id), state=state.value, found=found)

    async def _wrong(self, chain: Chain, batch: Batch) -> str | None:
        """What is wrong first with a root that is out, here or on the chain; None where nothing is."""
        stamp = batch.stamp
        if stamp is None:
            return "It is nowhere on the chain."
        async with self.database.read() as connection:
            leaves = await anchors.leaves_of(connection, batch.id)
        tree = rooted([leaf.manifest for leaf in leaves]) if len(leaves) == batch.size else None
        if tree is not None and (tree.root != batch.root or tree.paths != [leaf.hashes for leaf in leaves]):
            return "The manifests here do not lead to the root."
        receipt = await chain.receipt(stamp.transaction, batch.root)
        if receipt is None:
            return "The transaction is not on the chain."
        if receipt.stamp is None:
            return "The transaction did not bring the root."
        if receipt.stamp != stamp:
            return f"Block {receipt.block} holds it, not block {stamp.block}, or at another time."
        if await chain.block_hash(stamp.block) != stamp.block_hash:
            return f"Block {stamp.block} is another one."
        if await chain.timestamp(batch.root) != stamp.at:
            return "The contract has the root since another time, or not at all."
        return None

    # -- what is written

    async def _move(
        self, batch: Batch, state: AnchorState, stamp: Stamp | None = None, note: str | None = None
    ) -> None:
        async with self.database.write() as connection:
            await batches.take_turn(connection)
            await self._write(connection, batch, state, stamp, note)

    async def _write(
        self,
        connection: Any,
        batch: Batch,
        state: AnchorState,
        stamp: Stamp | None = None,
        note: str | None = None,
        leaves: Sequence[Leaf] | None = None,
    ) -> bool:
        """Let a batch stand elsewhere, and tell; False where somebody else has moved it."""
        if not await batches.move(connection, batch, state, stamp, note):
            return False
        await self._tell(connection, leaves or await anchors.leaves_of(connection, batch.id), state)
        return True

    async def _tell(self, connection: Any, leaves: Sequence[Leaf], state: AnchorState) -> None:
        await follow(connection, [], [anchor_changed(leaf.release, leaf.version, state) for leaf in leaves])

    async def _record(self, connection: Any, leaves: Sequence[Leaf], kind: EventKind, said: Mapping[str, Any]) -> None:
        """Let the chains of the releases go on, in the name of whoever asked."""
        at = self.now()
        events = [
            Event(self.new_id(), leaf.release, kind, at, leaf.account, {"manifest": leaf.manifest, **said})
            for leaf in leaves
        ]
        await follow(connection, events, [], touched=[leaf.version.id for leaf in leaves])

    async def _note(self, batch: Batch, said: str) -> None:
        if batch.note != said:
            async with self.database.write() as connection:
                await batches.note(connection, [batch.id], said)
