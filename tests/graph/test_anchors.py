"""Anchored proof on a real EVM: brought there once, told as it stands, taken back and sent again, and never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import insert, text, update

from db import tables
from db.batches import Batch, under_way
from db.engine import Database
from domain.anchors import GATHERING, AnchorState, Bid, Caps, rooted
from domain.ids import parse_ref
from domain.jobs import JobKind
from graph.execution import Execution
from graph.server.chains import remote_chain, wallet_of
from resolvers.anchoring import Anchorer
from resolvers.chains import Chain, Hindered
from resolvers.context import now, uuid7
from resolvers.jobs import Workshop
from tests.graph.albums import SIGNER, album, draft, made, publish, rows
from tests.graph.company import Company, company
from tests.graph.server.chain import GWEI, KEY, ChainPeer, served

CONFIRMATIONS = 3
CAPS = Caps(10 * GWEI, 10**15)
CAPS_BID = Bid(5 * GWEI, GWEI)
STEPS = 1 if settings.default.max_examples >= 1_000 else 5
"""At every so many steps somebody is killed; with the laws at each."""
TOLD = """release { id } version { manifest { anchor { state network contract root leafIndex treeSize hashes transaction
  blockNumber blockHash timestampedAt reorganised note askedAt checkedAt } } }"""
SEEN = "query ($id: ID!) { node(id: $id) { ... on ReleaseVersion { manifest { hash anchor { state root transaction note reorganised leafIndex treeSize hashes } } } } }"


class Killed(BaseException):
    """The process ends here."""


class Doom:
    """Somebody dies before or after one of the chain's answers: at the `last` of their steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.last = 0

    @asynccontextmanager
    async def chain(self, url: str) -> AsyncIterator[Any]:
        async with remote_chain(url) as inner:
            yield Mortal(self, inner)

    def step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self.last:
            raise Killed


class Mortal:
    """A chain, for whoever is doomed."""

    def __init__(self, doom: Doom, inner: Chain) -> None:
        self.doom, self.inner = doom, inner

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*given: Any) -> Any:
            self.doom.step(f"before {name}")
            answer = await getattr(self.inner, name)(*given)
            self.doom.step(f"after {name}")
            return answer

        return ask


@pytest.fixture
def chain() -> Iterator[ChainPeer]:
    with served(ChainPeer()) as peer:
        yield peer


@pytest.fixture(scope="module")
async def town(new_target: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    database = Database(new_target())
    await database.open()
    async with company(database, tmp_path_factory.mktemp("mail")) as each:
        yield each
    await database.close()


@pytest.fixture
async def here(town: Company) -> Company:
    """The company, where nobody has asked for anything yet."""
    town.house.signer, town.house.anchors = SIGNER, True
    await forget(town)
    return town


async def forget(here: Company) -> None:
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        for table in ("anchor_transaction", "anchor", "anchor_batch", "job", "outbox"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")


@pytest.fixture
def anchorer(here: Company, chain: ChainPeer, tmp_path: Path) -> Anchorer:
    file = tmp_path / "anchor.key"
    file.write_text(KEY.hex() + "\n")
    file.chmod(0o600)
    return Anchorer(
        here.database,
        lambda: remote_chain(chain.url),
        lambda: wallet_of(file),
        CAPS,
        now,
        uuid7,
        confirmations=CONFIRMATIONS,
    )


async def asked(here: Company, *versions: str, who: str = "ada") -> list[Any]:
    return [await here.do(who, "anchorRelease", TOLD, version=version) for version in versions]


async def seen(here: Company, version: str) -> Any:
    told, _ = await here.ask(None, SEEN, id=version)
    return told["manifest"]["anchor"]


async def out(here: Company, count: int = 1) -> list[str]:
    """Versions that are out."""
    return [(await album(here, 1))[1] for _ in range(count)]


async def settled(anchorer: Anchorer, chain: ChainPeer) -> list[Batch]:
    """Bring what waits to the chain, and let it stay there."""
    await anchorer.process()
    chain.mine(CONFIRMATIONS)
    await anchorer.process()
    return await anchorer.process()


async def recorded(here: Company, kind: str, *versions: str) -> list[Any]:
    """What the chains of releases say of the manifests of some versions."""
    query = """
        SELECT body::json -> 'payload' AS said, actor_id FROM provenance_event
        WHERE kind = :kind AND subject_id IN (SELECT release_id FROM release_version WHERE ref = ANY(:versions))
        ORDER BY at, id"""
    return await rows(here, query, kind=kind, versions=list(versions))


async def test_manifests_share_a_root_that_is_brought_once_confirmed_and_looked_up(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    versions = await out(here, 3)
    for answer in await asked(here, *versions):
        anchor = answer["version"]["manifest"]["anchor"]
        assert (anchor["state"], anchor["root"], anchor["transaction"]) == ("PREPARED", None, None)
    (job,) = await rows(here, "SELECT run_after - now() AS wait FROM job WHERE kind = 'ANCHOR_MANIFEST'")
    assert timedelta() < job.wait <= GATHERING
    (batch,) = await anchorer.prepare()
    assert (await seen(here, versions[0]))["state"] == "PREPARED"
    assert chain.sent == []
    (batch,) = await anchorer.process()
    assert (batch.state, batch.size, len(chain.sent)) == (AnchorState.SUBMITTED, 3, 1)
    chain.mine()
    (batch,) = await anchorer.process()
    assert batch.state is AnchorState.MINED
    assert await recorded(here, "MANIFEST_ANCHORED", *versions) == []
    chain.mine(CONFIRMATIONS - 1)
    (batch,) = await anchorer.process()
    assert batch.state is AnchorState.CONFIRMED
    assert chain.stamps() == [(1, batch.root)]
    anchors = [await seen(here, version) for version in versions]
    manifests = [(await here.ask(None, SEEN, id=version))[0]["manifest"]["hash"] for version in versions]
    tree = rooted(manifests)
    assert [(each["root"], each["leafIndex"], each["hashes"]) for each in anchors] == [
        (tree.root, index, path) for index, path in enumerate(tree.paths)
    ]
    assert {each["transaction"] for each in anchors} == set(chain.sent)
    oracle = replace(here, execution=Execution.REFERENCE)
    assert [await seen(oracle, version) for version in versions] == anchors
    events = await recorded(here, "MANIFEST_ANCHORED", *versions)
    assert [(event.said["manifest"], event.said["root"]) for event in events] == [
        (manifest, tree.root) for manifest in manifests
    ]
    assert {event.actor_id for event in events} == {here.keys["ada"]}
    assert [each.state for each in await anchorer.verify()] == [AnchorState.CONFIRMED]
    verified = await recorded(here, "ANCHOR_VERIFIED", *versions)
    assert [each.said["outcome"] for each in verified] == ["CONFIRMED"] * 3
    await anchorer.verify()
    assert len(await recorded(here, "ANCHOR_VERIFIED", *versions)) == 3, "the same again is no news"
    told = await rows(here, "SELECT payload ->> 'state' AS state FROM outbox WHERE topic = 'anchor.changed'")
    assert sorted(each.state for each in told) == sorted(["PREPARED", "SUBMITTED", "MINED", "CONFIRMED"] * 3)
    assert len(chain.sent) == 1


async def test_what_is_out_is_looked_up_every_day_and_what_comes_round_begins_again_with_the_process(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    await settled(anchorer, chain)
    query = "SELECT state, run_after - now() AS wait FROM job WHERE kind = 'VERIFY_ANCHOR' ORDER BY created_at DESC"
    (job,) = await rows(here, query)
    assert timedelta(hours=23) < job.wait <= timedelta(days=1)
    await here.alter(tables.anchor_batch, {"changed_at": now() - timedelta(days=2)})
    for away, least in ((True, timedelta(minutes=9)), (False, timedelta(hours=23))):
        chain.away = away
        await here.alter(tables.job, {"run_after": now()}, tables.job.c.state == "READY")
        workshop = Workshop(here.database, anchorer.doings())
        await workshop.turn()
        await workshop.settled()
        job = (await rows(here, query))[0]
        assert (job.state, least < job.wait <= least + timedelta(hours=1)) == ("READY", True)
    assert len(await recorded(here, "ANCHOR_VERIFIED", version)) == 1
    await forget(here)
    await anchorer.begin()
    await anchorer.begin()
    kinds = await rows(here, "SELECT kind FROM job")
    assert [each.kind for each in kinds] == ["VERIFY_ANCHOR"], "nothing is left to bring"
    await asked(here, version)
    await here.alter(tables.job, {"state": "DEAD"}, tables.job.c.kind == "ANCHOR_MANIFEST")
    await anchorer.begin()
    kinds = await rows(here, "SELECT kind FROM job WHERE state = 'READY' ORDER BY kind")
    assert [each.kind for each in kinds] == ["ANCHOR_MANIFEST", "VERIFY_ANCHOR"]


async def test_asked_for_twice_it_is_brought_once_and_nothing_is_written_the_second_time(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    await settled(anchorer, chain)
    listed = (tables.change, tables.outbox, tables.job, tables.provenance_event, tables.anchor)
    before = [await here.count(table) for table in listed]
    (answer,) = await asked(here, version)
    assert answer["version"]["manifest"]["anchor"]["state"] == "CONFIRMED"
    assert [await here.count(table) for table in listed] == before
    assert await anchorer.process() == []
    assert len(chain.sent) == 1


async def test_only_what_is_out_and_signed_is_anchored_where_the_house_does_so(here: Company) -> None:
    release, version = await draft(here, await made(here, "Song"))
    assert [each["code"] for each in await asked(here, version, who="bo")] == ["NOT_FOUND"]
    assert [each["code"] for each in await asked(here, version)] == ["CONFLICT"]
    here.house.signer = None
    await publish(here, release, version)
    assert [each["code"] for each in await asked(here, version)] == ["CONFLICT"]
    here.house.anchors, here.house.signer = False, SIGNER
    _, other, told = await album(here, 1)
    assert told["version"]["manifest"]["hash"], "publishing asks nobody whether it can be anchored"
    (refused,) = await asked(here, other)
    assert (refused["__typename"], refused["code"]) == ("NotOfferedError", "NOT_OFFERED")
    assert await here.count(tables.anchor) == await here.count(tables.job, tables.job.c.kind == "ANCHOR_MANIFEST") == 0


async def test_a_block_that_is_taken_back_unanchors_what_it_held_and_it_is_sent_again_as_it_was(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    await anchorer.process()
    chain.mine()
    await anchorer.process()
    assert (await seen(here, version))["state"] == "MINED"
    chain.reorganise(1, forget=True)
    chain.mine(CONFIRMATIONS)
    await anchorer.process()
    anchor = await seen(here, version)
    assert (anchor["state"], anchor["reorganised"], anchor["transaction"]) == ("SUBMITTED", 1, None)
    told = await rows(
        here, "SELECT payload ->> 'state' AS state FROM outbox WHERE topic = 'anchor.changed' ORDER BY id"
    )
    assert [each.state for each in told] == ["PREPARED", "SUBMITTED", "MINED", "SUBMITTED"]
    assert len(chain.sent) == 2, "it was sent again"
    assert len(set(chain.sent)) == 1, "as it was"
    chain.mine()
    await anchorer.process()
    chain.reorganise(1)
    chain.mine(2)
    (batch,) = await anchorer.process()
    assert batch.state is AnchorState.MINED, "another block holds it now"
    anchor = await seen(here, version)
    assert anchor["reorganised"] == 2
    assert anchor["note"] == f"Block {chain.head - 1} was taken back; block {chain.head - 1} holds it now."
    chain.mine(CONFIRMATIONS)
    (batch,) = await anchorer.process()
    assert batch.state is AnchorState.CONFIRMED
    assert [root for _, root in chain.stamps()] == [batch.root]


async def test_what_is_gone_or_another_one_after_it_was_confirmed_is_a_mismatch_that_may_be_asked_for_again(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    await settled(anchorer, chain)
    chain.reorganise(chain.head, forget=True)
    chain.mine(CONFIRMATIONS)
    (batch,) = await anchorer.verify()
    assert (batch.state, batch.note) == (AnchorState.MISMATCH, "The transaction is not on the chain.")
    assert [each.said["outcome"] for each in await recorded(here, "ANCHOR_VERIFIED", version)] == ["MISMATCH"]
    await asked(here, version)
    await anchorer.process()
    assert (await seen(here, version))["note"] == "It waits until the chain has again what it had before."
    await settled(anchorer, chain)
    anchor = await seen(here, version)
    assert anchor["state"] == "CONFIRMED"
    assert len(set(chain.sent)) == 1, "what had the number is sent again: it has no gap"
    assert [root for _, root in chain.stamps()] == [anchor["root"]]
    values = {"block_hash": "0x" + "0" * 64}
    await here.alter(tables.anchor_batch, values, tables.anchor_batch.c.state == "CONFIRMED")
    lied = next(
        batch for batch in await anchorer.verify() if batch.state is AnchorState.MISMATCH and "holds" in str(batch.note)
    )
    assert lied.root == anchor["root"]


async def test_a_root_that_somebody_else_brought_is_not_brought_again(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    (batch,) = await anchorer.prepare()
    wallet = await anchorer.wallet()
    async with anchorer.chains() as open_chain:
        _, raw = wallet.signed(0, 100_000, CAPS_BID, batch.root)
        await open_chain.send(raw)
    chain.mine(4)
    (batch,) = await anchorer.process()
    assert (batch.state, batch.stamp and batch.stamp.block) == (AnchorState.MINED, 1)
    (batch,) = await anchorer.process()
    assert batch.state is AnchorState.CONFIRMED
    assert await here.count(tables.anchor_transaction) == 0
    # Where it comes between, the contract takes ours no more: it stands as proof all the same.
    (other,) = await out(here)
    await asked(here, other)
    await anchorer.process()
    ours = chain.pool.popitem()
    async with anchorer.chains() as open_chain:
        (batch,) = await anchorer.process()
        _, raw = wallet.signed(1, 100_000, CAPS_BID, batch.root)
        await open_chain.send(raw)
    chain.mine(CONFIRMATIONS)
    del ours
    await anchorer.process()
    assert (await seen(here, other))["state"] in {"MINED", "CONFIRMED"}


async def test_a_number_that_something_else_used_up_is_replaced_by_the_next(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    await anchorer.process()
    wallet = await anchorer.wallet()
    chain.pool.clear()
    async with anchorer.chains() as open_chain:
        await open_chain.send(wallet.signed(0, 100_000, CAPS_BID, "0x" + "ab" * 32)[1])
    chain.mine(1)
    await anchorer.process()
    assert (await seen(here, version))["state"] == "SUBMITTED", "it may be in a block that is not seen yet"
    chain.mine(CONFIRMATIONS)
    await anchorer.process()
    assert (await seen(here, version))["note"] == "Another transaction took its place; it is sent anew."
    await settled(anchorer, chain)
    assert (await seen(here, version))["state"] == "CONFIRMED"
    signed = await rows(here, "SELECT nonce, dropped_at IS NULL AS lives FROM anchor_transaction ORDER BY nonce")
    assert [tuple(each) for each in signed] == [(0, False), (1, True)]


async def test_fees_above_the_cap_are_waited_for_and_more_is_bid_within_it(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    chain.tip = CAPS.per_gas
    await anchorer.process()
    anchor = await seen(here, version)
    assert (anchor["state"], chain.sent) == ("PREPARED", [])
    assert "no more than this house pays" in anchor["note"]
    chain.tip = GWEI
    await anchorer.process()
    chain.tip = 4 * GWEI  # a spike, after it was sent
    chain.mine()
    hurried = replace(anchorer, stuck=timedelta())
    await hurried.process()
    bids = await rows(here, "SELECT nonce, per_gas, tip FROM anchor_transaction ORDER BY created_at")
    assert [each.nonce for each in bids] == [0, 0]
    assert bids[1].tip >= 4 * GWEI
    assert max(each.per_gas for each in bids) <= CAPS.per_gas
    chain.tip = 100 * GWEI
    chain.mine()
    for _ in range(8):
        await hurried.process()
    bids = await rows(here, "SELECT per_gas, gas FROM anchor_transaction")
    assert max(each.per_gas for each in bids) <= CAPS.per_gas
    assert max(each.per_gas * each.gas for each in bids) <= CAPS.per_batch
    assert "does not pay" in (await seen(here, version))["note"]
    chain.tip = GWEI
    await settled(anchorer, chain)
    assert (await seen(here, version))["state"] == "CONFIRMED"
    assert len(chain.stamps()) == 1
    # What was signed before a spike and not sent is taken by nobody: more is bid under its number.
    (other,) = await out(here)
    await asked(here, other)
    doom = Doom()
    doom.last = 13
    with pytest.raises(Killed):
        await replace(anchorer, chains=lambda: doom.chain(chain.url)).process()
    assert doom.steps[-1] == "before send"
    chain.surge = 5 * GWEI
    with pytest.raises(Hindered):
        await anchorer.process()
    await hurried.process()
    chain.mine(CONFIRMATIONS)
    await anchorer.process()
    assert (await seen(here, other))["state"] == "MINED"
    assert len(chain.stamps()) == 2


async def test_a_chain_that_is_away_or_wrong_and_a_key_that_is_missing_are_waited_for_and_never_given_up(
    here: Company, anchorer: Anchorer, chain: ChainPeer, tmp_path: Path
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    unreachable = replace(anchorer, chains=lambda: remote_chain("http://127.0.0.1:1/secret"))
    keyless = replace(anchorer, wallet=lambda: wallet_of(None))
    readable = tmp_path / "readable.key"
    readable.write_text(KEY.hex())
    readable.chmod(0o644)
    open_key = replace(anchorer, wallet=lambda: wallet_of(readable))
    chain.away = True
    for each in (anchorer, unreachable):
        with pytest.raises(Hindered, match="does not answer") as hindered:
            await each.process()
        assert "secret" not in str(hindered.value)
        assert "127.0.0.1" not in str(hindered.value)
    assert (await seen(here, version))["note"] == "It waits until the chain can be used again."
    chain.away = False
    for each, said in ((keyless, "no key"), (open_key, "read by others")):
        with pytest.raises(Hindered, match=said):
            await each.process()
    chain.chain_id = 8453
    with pytest.raises(Hindered, match="eip155:8453, not eip155:84532"):
        await anchorer.process()
    workshop = Workshop(here.database, anchorer.doings())
    waits = []
    for _ in range(12):
        async with here.database.write() as connection:
            await connection.execute(
                update(tables.job).values(run_after=text("now()")).where(tables.job.c.state == "READY")
            )
        await workshop.turn()
        await workshop.settled()
        (job,) = await rows(
            here,
            "SELECT attempts, run_after - now() AS wait FROM job WHERE state = 'READY' AND kind = 'ANCHOR_MANIFEST'",
        )
        waits.append(job.wait)
    assert waits[0] < timedelta(seconds=3)
    assert timedelta(minutes=9) < max(waits) < timedelta(minutes=11)
    assert await here.count(tables.job, tables.job.c.state == "DEAD") == 0
    chain.chain_id = 84532
    await settled(anchorer, chain)
    assert (await seen(here, version))["state"] == "CONFIRMED"


async def test_whoever_is_killed_at_any_step_goes_on_and_sends_nothing_twice(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    """Before and after each answer of the chain somebody dies; whoever follows knows only what is written."""
    (version,) = await out(here)
    doom = Doom()
    doomed = replace(anchorer, chains=lambda: doom.chain(chain.url))

    async def live() -> None:
        chain.reorganise(chain.head, forget=True)
        chain.sent.clear()
        doom.steps.clear()
        await forget(here)
        await asked(here, version)
        for blocks in (1, CONFIRMATIONS, 0):
            try:
                await doomed.process()
            except Killed:
                await anchorer.process()
            chain.mine(blocks)
        anchor = await seen(here, version)
        assert (anchor["state"], anchor["reorganised"]) == ("CONFIRMED", 0), doom.steps
        (signed,) = await rows(here, "SELECT hash FROM anchor_transaction")
        assert set(chain.sent) == {signed.hash}, doom.steps
        assert len(chain.stamps()) == 1

    await live()
    whole = list(doom.steps)
    fatal = [n for n, name in enumerate(whole, 1) if n % STEPS == 0 or "send" in name]
    assert len(fatal) >= 8
    for doom.last in fatal:
        await live()
        assert doom.steps[doom.last - 1] == whole[doom.last - 1]
    assert len(await recorded(here, "MANIFEST_ANCHORED", version)) == 1 + len(fatal)


async def test_owners_read_how_it_goes_with_what_is_theirs_and_nobody_else_does(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    query = "{ viewer { upkeep { jobsDue oldestDueAt jobsDead manifestsFailing anchorsWaiting anchorsLost } } }"

    async def upkeep(who: str) -> Any:
        told, _ = await here.ask(who, query)
        oracle, _ = await replace(here, execution=Execution.REFERENCE).ask(who, query)
        assert told == oracle
        return told["upkeep"]

    well = dict.fromkeys(("jobsDue", "jobsDead", "manifestsFailing", "anchorsWaiting", "anchorsLost"), 0)
    well |= {"oldestDueAt": None}
    async with here.database.write() as connection:
        await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
        await connection.exec_driver_sql("DELETE FROM job")
    assert await upkeep("ada") == await upkeep("bo") == well
    versions = await out(here, 2)
    await asked(here, *versions)
    await here.alter(tables.job, {"state": "DEAD"}, tables.job.c.kind == "VERIFY_SNAPSHOT")
    check = {
        "id": uuid7(),
        "manifest_id": parse_ref(versions[0]).id,
        "kind": "SIGNATURE",
        "passed": False,
        "found": "x",
    }
    async with here.database.write() as connection:
        await connection.execute(insert(tables.manifest_check).values(check))
    told = await upkeep("ada")
    assert told.pop("oldestDueAt") is not None
    assert told.pop("jobsDue") > 0
    assert told == {"jobsDead": 2, "manifestsFailing": 1, "anchorsWaiting": 2, "anchorsLost": 0}
    await settled(anchorer, chain)
    chain.reorganise(chain.head, forget=True)
    await anchorer.verify()
    async with here.database.write() as connection:
        row = {**check, "id": uuid7(), "passed": True, "found": None, "created_at": now()}
        await connection.execute(insert(tables.manifest_check).values(row))
    told = await upkeep("ada")
    assert (told["manifestsFailing"], told["anchorsWaiting"], told["anchorsLost"]) == (0, 0, 2)
    assert await upkeep("bo") == well


async def test_two_workers_and_askers_at_once_share_numbers_without_gap_or_repetition(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    versions = await out(here, 3)
    await asyncio.gather(*[asked(here, version) for version in versions])
    assert await here.count(tables.job, tables.job.c.kind == JobKind.ANCHOR_MANIFEST.value) == 1
    for version in await out(here, 2):
        versions.append(version)
        await asked(here, version)
        await asyncio.gather(*[anchorer.process() for _ in range(4)])
        chain.mine()
        await asyncio.gather(*[anchorer.process() for _ in range(4)])
    chain.mine(CONFIRMATIONS)
    await asyncio.gather(*[anchorer.process() for _ in range(4)])
    await anchorer.process()
    async with here.database.read() as connection:
        assert await under_way(connection) == []
    signed = await rows(here, "SELECT nonce FROM anchor_transaction ORDER BY nonce")
    assert [each.nonce for each in signed] == list(range(len(signed)))
    assert len({root for _, root in chain.stamps()}) == len(chain.stamps()) == len(signed)
    assert len(await recorded(here, "MANIFEST_ANCHORED", *versions)) == 5


async def test_a_request_that_comes_while_the_job_ends_is_not_forgotten(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    workshop = Workshop(here.database, anchorer.doings())
    async with here.database.write() as connection:
        row = {"id": uuid7(), "kind": "ANCHOR_MANIFEST"}
        await connection.execute(insert(tables.job).values(**row, subject_id=row["id"]))
    chain.lock.acquire()
    try:
        # Nothing is left to do, so the job ends; whoever asks meanwhile holds it until they are done.
        await asyncio.gather(workshop.turn(), asked(here, version))
    finally:
        chain.lock.release()
    await workshop.settled()
    (job,) = await rows(here, "SELECT count(*) AS many FROM job WHERE kind = 'ANCHOR_MANIFEST' AND state = 'READY'")
    assert job.many == 1


async def test_a_nonce_is_of_one_batch_and_what_was_signed_is_not_rewritten(
    here: Company, anchorer: Anchorer, chain: ChainPeer
) -> None:
    (version,) = await out(here)
    await asked(here, version)
    await anchorer.process()
    (sent,) = await rows(here, "SELECT * FROM anchor_transaction")
    refused = (
        "UPDATE anchor_transaction SET raw = ''",
        "UPDATE anchor_batch SET root = '0x' || repeat('0', 64)",
        "DELETE FROM anchor_transaction",
        "DELETE FROM anchor",
    )
    for statement in refused:
        with pytest.raises(Exception, match="permission denied"):
            async with here.database.write() as connection:
                await connection.execute(text(statement))
    batch = {"id": uuid7(), "network": "x", "contract": "x", "root": "0x" + "0" * 64, "size": 1}
    values = {"sender": sent.sender, "nonce": sent.nonce, "gas": 1, "per_gas": 1, "tip": 1, "raw": b""}
    row = {"hash": "0x" + "1" * 64, "batch_id": batch["id"], **values}
    async with here.database.write() as connection:
        await connection.execute(insert(tables.anchor_batch).values(batch))
        with pytest.raises(Exception, match="anchor_transaction_one_batch"):
            await connection.execute(insert(tables.anchor_transaction).values(row))
