"""Anchoring from outside: by command, by the clock, in what is measured, and in what a stranger checks offline."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from db import tables
from db.engine import Database
from domain.anchors import CONFIRMATIONS
from graph.server.app import Application, create_app
from graph.server.cli import app as commands
from graph.server.house import close
from graph.server.settings import GWEI, SettingRefused, Settings, from_environment
from graph.server.signers import KeyFolder
from graph.server.verifying import verify
from resolvers.callers import secret_hash
from resolvers.context import now, uuid7
from tests.graph.albums import album, rows
from tests.graph.company import Company, company
from tests.graph.server.chain import KEY, ChainPeer, served
from tests.graph.server.test_verifying import address

ROOT = Path(__file__).parents[3]
SECRET = "a clock of this house, and no other"
CRON = "/api/cron/releases"


class Quay:
    """A company behind its own door, with a chain."""

    def __init__(self, here: Company, chain: ChainPeer, folder: Path) -> None:
        self.here, self.chain, self.folder = here, chain, folder
        key = folder / "anchor.key"
        key.write_text(f"0x{KEY.hex()}\n")
        key.chmod(0o600)
        self.settings = Settings(data=folder, chain_url=chain.url, anchor_key=key, cron_secret=SECRET)
        self.environment = {
            "DATABASE_URL": address(here.database._target),
            "CASSET_CHAIN": chain.url,
            "CASSET_ANCHOR_KEY": str(key),
            "CASSET_ANCHOR_FEES": "5 1000000",
        }

    async def run(self, *words: str, **environment: str) -> Any:
        """What a command says."""
        runner = CliRunner(env={**self.environment, **environment})
        return await asyncio.to_thread(runner.invoke, commands, ["anchor", *words, "--data", str(self.folder)])


@pytest.fixture
async def quay(database: Database, tmp_path: Path) -> AsyncIterator[Quay]:
    keys = KeyFolder(tmp_path / "keys")
    keys.begin("casset.example")
    with served(ChainPeer()) as chain:
        async with company(database, tmp_path) as here:
            here.house.signer, here.house.anchors = keys.signer(), True
            yield Quay(here, chain, tmp_path)


async def opened(quay: Quay, settings: Settings | None = None) -> tuple[Application, httpx.AsyncClient]:
    app = create_app(settings or quay.settings, quay.here.database)
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4000))
    return app, httpx.AsyncClient(transport=transport, base_url="https://casset.example")


async def shut(app: Application, client: httpx.AsyncClient) -> None:
    await client.aclose()
    await close(app._house)
    app.studio.blobs.close()


async def test_step_by_step_by_command_and_checked_by_a_stranger_offline(quay: Quay, tmp_path: Path) -> None:
    _, version, told = await album(quay.here, 1)
    manifest = told["version"]["manifest"]["hash"]
    await quay.here.do("ada", "anchorRelease", "version { id }", version=version)
    app, client = await opened(quay)
    assert (await client.get(f"/manifests/{manifest}/anchor")).status_code == 404
    ready = await quay.run("readiness")
    assert (ready.exit_code, ready.stdout.count("ready ")) == (0, 4), ready.stdout
    assert "1,000,000,000 gwei" in ready.stdout
    for step, said in (("prepare", "PREPARED"), ("submit", "SUBMITTED"), ("process", "SUBMITTED")):
        done = await quay.run(step)
        assert (done.exit_code, said in done.stdout) == (0, True), done.output
    quay.chain.mine(CONFIRMATIONS)
    for said in ("MINED", "CONFIRMED"):
        assert said in (await quay.run("process")).stdout
    done = await quay.run("verify")
    assert (done.exit_code, "Anchors: 1 confirmed." in done.stdout) == (0, True), done.output
    assert len(quay.chain.sent) == 1
    answer = await client.get(f"/manifests/{manifest}/anchor")
    assert answer.headers["cache-control"] == "no-store"
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(answer.content)
    (block, root), (seen,) = quay.chain.stamps()[0], [answer.json()["anchor"]]
    assert (seen["blockNumber"], seen["root"]) == (block, root)
    assert f"in block {block}." in verify(bundle)
    altered = {**answer.json(), "anchor": {**seen, "leafIndex": 1}}
    bundle.write_bytes(json.dumps(altered, separators=(",", ":"), sort_keys=True).encode())
    checked = CliRunner().invoke(commands, ["verify", str(bundle)])
    assert (checked.exit_code, "does not lead from this manifest" in checked.output) == (1, True), checked.output
    quay.chain.reorganise(quay.chain.head, forget=True)
    done = await quay.run("verify")
    assert (done.exit_code, "The transaction is not on the chain." in done.stdout) == (1, True)
    assert (await client.get(f"/manifests/{manifest}/anchor")).status_code == 404
    quay.chain.chain_id = 1
    for words in (("readiness",), ("verify",)):
        done = await quay.run(*words)
        assert (done.exit_code, "is eip155:1, not eip155:84532" in done.output) == (1, True), done.output
    for words, said in ((("readiness",), "nothing is anchored"), (("process",), "nothing is anchored")):
        done = await quay.run(*words, CASSET_CHAIN="")
        assert (done.exit_code, said in done.output) == (1, True), done.output
    await shut(app, client)


async def test_the_clock_does_what_is_due_and_tells_how_it_goes_to_whoever_shows_the_secret(quay: Quay) -> None:
    app, client = await opened(quay)
    closed, nobody = await opened(quay, Settings(data=quay.folder))
    shown = {"authorization": f"Bearer {SECRET}"}
    for name in ("jobs", "health", "anchor-health"):
        assert (await nobody.get(f"{CRON}/{name}", headers=shown)).status_code == 404
        for wrong in ({}, {"authorization": f"Bearer {SECRET}x"}, {"authorization": f"Basic {SECRET}"}):
            refused = await client.get(f"{CRON}/{name}", headers=wrong)
            assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED")
    _, version, _ = await album(quay.here, 1)
    await quay.here.do("ada", "anchorRelease", "version { id }", version=version)
    told = (await client.get(f"{CRON}/anchor-health", headers=shown)).json()
    assert (told["healthy"], told["configured"], told["anchors"]["PREPARED"]) == (True, True, 1)
    assert [need["what"] for need in told["needs"]] == ["key", "chain", "fee", "balance"]
    before = (await client.get(f"{CRON}/health", headers=shown)).json()
    assert before["jobs"]["due"] > 0
    for _ in range(2):
        async with quay.here.database.write() as connection:
            soon = tables.job.update().where(tables.job.c.kind == "ANCHOR_MANIFEST", tables.job.c.state == "READY")
            await connection.execute(soon.values(run_after=now()))
        done = await client.post(f"{CRON}/jobs", headers=shown)
        assert done.headers["cache-control"] == "no-store"
        quay.chain.mine(CONFIRMATIONS)
    assert done.json()["jobs"]["due"] == 0
    (state,) = await rows(quay.here, "SELECT state FROM anchor_batch")
    assert state.state == "MINED"
    quay.chain.away = True
    told = (await client.get(f"{CRON}/anchor-health", headers=shown)).json()
    assert (told["healthy"], told["needs"][-1]["ready"]) == (False, False)
    assert quay.chain.url not in json.dumps(told)
    await shut(closed, nobody)
    await shut(app, client)


async def test_what_waits_is_measured_and_the_database_is_asked_every_few_seconds_at_most(quay: Quay) -> None:
    row = {"id": uuid7(), "kind": "SIGN_MANIFEST", "state": "DEAD", "finished_at": now()}
    async with quay.here.database.write() as connection:
        await connection.execute(insert(tables.job).values(row))
    app, client = await opened(quay)
    _, version, _ = await album(quay.here, 1)
    await quay.here.do("ada", "anchorRelease", "version { id }", version=version)
    told = (await client.get("/metrics")).text
    assert 'casset_jobs{state="dead"} 1.0' in told
    assert 'casset_anchors{state="PREPARED"} 1.0' in told
    assert 'casset_jobs{state="due"} 0.0' not in told
    assert "casset_jobs_oldest_due_seconds" in told
    async with quay.here.database.write() as connection:
        await connection.execute(insert(tables.job).values({**row, "id": uuid7()}))
    assert (await client.get("/metrics")).text.count('casset_jobs{state="dead"} 1.0') == 1
    await quay.here.database.close()
    app._gauges._counted = -100.0
    assert (await client.get("/metrics")).status_code == 200, "what was counted before stands"
    await quay.here.database.open()
    await shut(app, client)


async def test_a_manifest_that_is_not_yours_has_no_anchor_for_you(quay: Quay) -> None:
    release, version, told = await album(quay.here, 1)
    manifest = told["version"]["manifest"]["hash"]
    await quay.here.do("ada", "anchorRelease", "version { id }", version=version)
    for _ in range(3):
        await quay.run("process")
        quay.chain.mine(CONFIRMATIONS)
    async with quay.here.database.write() as connection:
        row = {"id": uuid7(), "account_id": quay.here.keys["ada"], "secret_hash": secret_hash("hers")}
        lasts = {"loopback_only": False, "expires_at": now().replace(year=2999)}
        await connection.execute(insert(tables.session).values(**row, **lasts))
    app, client = await opened(quay)
    assert (await client.get(f"/manifests/{manifest}/anchor")).status_code == 200
    await quay.here.alter(tables.asset, {"state": "PRIVATE"}, tables.asset.c.ref == release)
    assert (await client.get(f"/manifests/{manifest}/anchor")).status_code == 404
    hers = {"authorization": "Bearer hers"}
    assert (await client.get(f"/manifests/{manifest}/anchor", headers=hers)).status_code == 200
    await shut(app, client)


def test_settings_that_would_send_elsewhere_pay_anything_or_be_guessed_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in (
        ("CASSET_CHAIN", "http://node.example"),
        ("CASSET_CHAIN", "ftp://127.0.0.1"),
        ("CASSET_CHAIN", "https://"),
        ("CASSET_ANCHOR_FEES", "1"),
        ("CASSET_ANCHOR_FEES", "2 1"),
        ("CASSET_ANCHOR_FEES", "x 1"),
        ("CASSET_ANCHOR_FEES", "NaN NaN"),
        ("CASSET_ANCHOR_FEES", "1 Infinity"),
        ("CASSET_CRON", "short"),
    ):
        with monkeypatch.context() as environment:
            environment.setenv(name, text)
            with pytest.raises(SettingRefused, match=name):
                from_environment(tmp_path)
    with monkeypatch.context() as environment:
        environment.setenv("CASSET_ANCHOR_KEY", "one.key")
        environment.setenv("CASSET_SETTLEMENT", f"eip155:84532 https://node.example 0x{'1' * 40} one.key")
        with pytest.raises(SettingRefused, match="two accounts"):
            from_environment(tmp_path)
    monkeypatch.setenv("CASSET_CHAIN", "https://node.example/v2/secret-of-ours")
    monkeypatch.setenv("CASSET_ANCHOR_FEES", "0.5 1000")
    settings = from_environment(tmp_path)
    assert settings.anchor_fees == (GWEI // 2, 1000 * GWEI)
    assert "secret-of-ours" not in repr(settings)


def test_nothing_of_the_chain_is_imported_before_something_is_anchored() -> None:
    """It takes a second and 65 MB: `serve` has neither to spare."""
    heavy = {"web3", "aiohttp", "eth_account", "eth_utils", "eth_abi"}
    for name in ("graph/server/chains.py", "graph/server/readiness.py", "resolvers/anchoring.py"):
        imports = [node for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.Import)]
        froms = [node for node in ast.walk(ast.parse((ROOT / name).read_text())) if isinstance(node, ast.ImportFrom)]
        named = {alias.name for node in imports for alias in node.names} | {str(node.module) for node in froms}
        assert {each.partition(".")[0] for each in named} & heavy == set()
