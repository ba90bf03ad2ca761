"""The keys of a house: made once, replaced by adding, published, and refused where they cannot be trusted."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from db.engine import Database
from domain.signatures import verified
from domain.signers import trusted
from graph.server.app import create_app
from graph.server.cli import app as commands
from graph.server.settings import Environment, Settings
from graph.server.signers import KeyFolder, KeysBroken, keys_of, signer_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    folder = KeyFolder(tmp_path / "keys")
    folder.rotate("casset.example")
    return folder


def test_the_first_serve_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", hosts=("casset.example", "www.casset.example"))
    signer = signer_of(settings)
    assert signer is not None
    assert signer.method.startswith("did:web:casset.example#z6Mk")
    again = signer_of(settings)
    assert again is not None
    assert again.method == signer.method
    keys = keys_of(settings).path
    assert keys.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in keys.iterdir()} == {0o600}
    assert [file.name for file in keys.parent.iterdir()] == ["keys"]


def test_who_begins_later_takes_the_key_that_is_there(folder: KeyFolder) -> None:
    signer = folder.signer()
    folder.begin("elsewhere.example")
    assert folder.signer() is not None
    assert folder.signer().method == signer.method  # type: ignore[union-attr]  # said just before
    assert [each.name for each in folder.path.parent.iterdir()] == ["keys"]


def test_a_rotated_key_stays_listed_and_its_private_half_is_gone(folder: KeyFolder) -> None:
    before = folder.signer()
    assert before is not None
    signed = {"title": "Nachtfahrt", "proof": before.proof({"title": "Nachtfahrt"}, NOON)}
    method = folder.rotate("casset.example")
    assert folder.signer().method == method != before.method  # type: ignore[union-attr]  # it was just made
    assert verified(signed, trusted(folder.document())) == before.method
    assert len(list(folder.path.glob("*.pem"))) == 1


def test_keys_that_must_be_there_and_are_not_end_the_start(tmp_path: Path) -> None:
    elsewhere = "postgresql://casset@/casset"
    for settings in (
        Settings(data=tmp_path, keys=tmp_path / "named"),
        Settings(data=tmp_path, database_url=elsewhere, environment=Environment.PRODUCTION),
    ):
        with pytest.raises(KeysBroken, match="casset keys rotate"):
            signer_of(settings)
    assert signer_of(Settings(data=tmp_path, database_url=elsewhere)) is None
    assert not list(tmp_path.iterdir())


def test_keys_that_cannot_be_used_end_the_start(folder: KeyFolder) -> None:
    (private,) = folder.path.glob("*.pem")
    text = private.read_bytes()
    private.chmod(0o640)
    with pytest.raises(KeysBroken, match="read by others"):
        folder.signer()
    private.chmod(0o600)
    for broken, said in ((b"", "no private key"), (b"\xff" * 40, "no private key"), (text[:-40], "no private key")):
        private.write_bytes(broken)
        with pytest.raises(KeysBroken, match=said):
            folder.signer()
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    private.write_bytes(other)
    with pytest.raises(KeysBroken, match="another key"):
        folder.signer()
    private.unlink()
    with pytest.raises(KeysBroken, match="cannot be read"):
        folder.signer()
    private.mkdir(mode=0o700)
    with pytest.raises(KeysBroken, match="cannot be read"):
        folder.signer()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"assertionMethod": [1], "verificationMethod": [1]}', "null"])
def test_a_broken_list_of_keys_ends_the_start(folder: KeyFolder, text: str) -> None:
    (folder.path / "did.json").write_text(text)
    with pytest.raises(KeysBroken, match="broken"):
        folder.signer()


def test_the_commands_add_and_list_keys(tmp_path: Path) -> None:
    runner = CliRunner(env={"CASSET_HOSTS": "casset.example", "CASSET_KEYS": str(tmp_path / "elsewhere")})
    here = ["--data", str(tmp_path / "data")]
    assert "There are no keys" in runner.invoke(commands, ["keys", "list", *here]).stdout
    for _ in range(2):
        assert "signs from now on" in runner.invoke(commands, ["keys", "rotate", *here]).stdout
    said = runner.invoke(commands, ["keys", "list", *here]).stdout.splitlines()
    assert [line.split(None, 1)[1][:7] for line in said] == ["signs", "retired"]
    assert not (tmp_path / "data").exists()
    shutil.rmtree(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "did.json").write_text("no")
    done = runner.invoke(commands, ["keys", "list", *here])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "broken" in done.stderr


async def test_the_keys_are_published_with_a_tag(database: Database, folder: KeyFolder) -> None:
    app = create_app(Settings(keys=folder.path), database)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://casset.example") as client:
        told = await client.get("/.well-known/did.json")
        assert (told.status_code, told.headers["content-type"]) == (200, "application/did+json")
        assert told.headers["cache-control"] == "public, max-age=300"
        assert told.json() == folder.document()
        again = await client.get("/.well-known/did.json", headers={"if-none-match": told.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        folder.rotate("casset.example")
        keys = await client.get("/.well-known/jwks.json")
        assert keys.headers["content-type"] == "application/jwk-set+json"
        assert [key["kid"] for key in keys.json()["keys"]] == list(trusted(folder.document()))
        private = next(folder.path.glob("*.pem")).read_text().splitlines()[1]
        assert private not in keys.text + told.text
        newer = await client.get("/.well-known/did.json", headers={"if-none-match": told.headers["etag"]})
        assert newer.status_code == 200
    assert json.loads(newer.content) == folder.document()


async def test_where_nothing_is_signed_no_keys_are_published(database: Database, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(app=create_app(Settings(data=tmp_path), database))
    async with httpx.AsyncClient(transport=transport, base_url="http://casset.example") as client:
        assert (await client.get("/.well-known/did.json")).status_code == 404
