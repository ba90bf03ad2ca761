"""Sessions and keys as they travel: the cookie, the bearer token, the limits, and the letters, over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, insert, select, update

from db import tables
from db.engine import Database
from domain.ids import Kind, Ref
from domain.keys import KeyMode, spelled
from domain.letters import Letter, reset_letter
from graph.server.app import create_app
from graph.server.buckets import RedisBuckets
from graph.server.house import ATTEMPTS, close
from graph.server.mail import Folder, MailServer, Smtp, mail_server
from graph.server.settings import Environment, SettingRefused, Settings, from_environment

PASSWORD = "lantern-over-water-7"  # opens nothing
OTHER = "nine slow tambourines"
SIGN_UP = "mutation ($h: String!, $e: String!, $p: String!) { signUp(input: { handle: $h, email: $e, password: $p }) { __typename ... on UserError { message } } }"
SIGN_IN = "mutation ($n: String!, $p: String!) { signIn(input: { name: $n, password: $p }) { __typename } }"
SIGN_OUT = "mutation { signOut(input: {}) { __typename } }"
WHO = "{ viewer { account { handle } } }"
ISSUE = "mutation ($input: IssueKeyInput!) { issueKey(input: $input) { ... on KeySuccess { secret key { id } } } }"
BROWSER = {"x-requested-with": "test"}


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
async def here(database: Database, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on this machine."""
    async with browser(database, settings, "http://127.0.0.1:8000") as client:
        yield client


@asynccontextmanager
async def browser(
    database: Database, settings: Settings, origin: str, address: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, database)
    transport = httpx.ASGITransport(app, client=(address, 4000))
    async with httpx.AsyncClient(transport=transport, base_url=origin, headers=BROWSER) as client:
        yield client
    await close(app._house)
    if isinstance(app._buckets, RedisBuckets):
        await app._buckets.close()


async def ask(
    client: httpx.AsyncClient, document: str, headers: dict[str, str] | None = None, **variables: Any
) -> httpx.Response:
    return await client.post("/graphql", json={"query": document, "variables": variables}, headers=headers)


async def join(client: httpx.AsyncClient, handle: str = "ada") -> httpx.Response:
    answer = await ask(client, SIGN_UP, h=handle, e=f"{handle}@example.com", p=PASSWORD)
    assert answer.json()["data"]["signUp"]["__typename"] == "SignUpSuccess", answer.text
    return answer


async def who(client: httpx.AsyncClient, headers: dict[str, str] | None = None) -> Any:
    answer = await ask(client, WHO, headers)
    return answer.json()["data"]["viewer"] if answer.status_code == 200 else answer.status_code


ADA = {"account": {"handle": "ada"}}


async def test_a_session_is_a_cookie_that_scripts_cannot_read(here: httpx.AsyncClient) -> None:
    set_cookie = (await join(here)).headers["set-cookie"]
    assert re.fullmatch(r"casset_session=[\w-]{43}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", set_cookie)
    assert await who(here) == ADA


async def test_elsewhere_the_cookie_is_bound_to_its_host_and_to_https(database: Database, settings: Settings) -> None:
    async with browser(database, settings, "https://casset.example", "192.0.2.1") as client:
        set_cookie = (await join(client)).headers["set-cookie"]
        assert set_cookie.startswith("__Host-casset_session=")
        assert set_cookie.endswith("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure")
        assert await who(client) == ADA
        # The name that a neighbour could plant says nothing here.
        secret = client.cookies["__Host-casset_session"]
        client.cookies.clear()
        assert await who(client, {"cookie": f"casset_session={secret}"}) is None


async def test_a_cookie_counts_beside_a_header_only(here: httpx.AsyncClient) -> None:
    await join(here)
    del here.headers["x-requested-with"]
    answer = await ask(here, SIGN_OUT)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert await who(here, BROWSER) == ADA


async def test_signing_out_forgets_the_cookie_and_the_session_is_over(here: httpx.AsyncClient) -> None:
    await join(here)
    secret = here.cookies["casset_session"]
    answer = await ask(here, SIGN_OUT)
    assert "casset_session=; Path=/; Max-Age=0" in answer.headers["set-cookie"]
    assert "casset_session" not in here.cookies
    assert await who(here) is None
    assert await who(here, {"cookie": f"casset_session={secret}"}) == 401


async def test_a_cookie_that_is_over_is_taken_off_so_that_one_can_sign_in_again(
    here: httpx.AsyncClient, database: Database
) -> None:
    await join(here)
    async with database.write() as connection:
        await connection.execute(update(tables.session).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    first = await ask(here, SIGN_IN, n="ada", p=PASSWORD)
    assert (first.status_code, "Max-Age=0" in first.headers["set-cookie"]) == (401, True)
    await ask(here, SIGN_IN, n="ada", p=PASSWORD)
    assert await who(here) == ADA


async def test_a_planted_session_does_not_become_somebody_elses(here: httpx.AsyncClient, database: Database) -> None:
    await join(here, "eve")
    planted = here.cookies["casset_session"]
    here.cookies.clear()
    await join(here, "ada")
    here.cookies.clear()
    here.cookies["casset_session"] = planted
    await ask(here, SIGN_IN, n="ada", p=PASSWORD)
    assert await who(here, {"cookie": f"casset_session={planted}"}) == 401


async def test_a_chosen_session_id_opens_nothing(here: httpx.AsyncClient) -> None:
    for chosen in ("", "x", "0" * 43, "../../etc", "é" * 20, "%00", '"quoted"'):
        assert await who(here, {"cookie": b"casset_session=" + chosen.encode(), "x-requested-with": "x"}) == 401  # type: ignore[dict-item]  # bytes, as they travel


async def test_a_session_slides_once_a_day_and_ends_after_thirty(here: httpx.AsyncClient, database: Database) -> None:
    await join(here)

    async def days_left() -> float:
        async with database.read() as connection:
            left = await connection.execute(select(tables.session.c.expires_at - func.now()))
            return float(left.scalar_one() / timedelta(days=1))

    async def pass_by(days: float) -> None:
        async with database.write() as connection:
            moved = {"expires_at": tables.session.c.expires_at - timedelta(days=days)}
            await connection.execute(update(tables.session).values(moved))

    await pass_by(0.5)
    await who(here)
    assert await days_left() < 29.6
    await pass_by(1)
    await who(here)
    assert await days_left() > 29.9
    await pass_by(31)
    assert await who(here) == 401


async def test_what_a_session_did_once_it_is_over_is_over_at_once(
    here: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    await join(here)
    async with browser(database, settings, "http://127.0.0.1:8000") as there:
        await ask(there, SIGN_IN, n="ada", p=PASSWORD)
        assert await who(there) == ADA
        everywhere = "mutation { signOut(input: { everywhere: true }) { ... on SignOutSuccess { sessionsEnded } } }"
        assert (await ask(here, everywhere)).json()["data"]["signOut"] == {"sessionsEnded": 2}
        assert await who(there) == 401


async def test_nobody_signs_in_with_get_and_no_cache_keeps_who_did(here: httpx.AsyncClient) -> None:
    await join(here)
    here.cookies.clear()
    document = (
        SIGN_IN.replace("$n: String!, $p: String!", "")
        .replace("mutation ()", "mutation")
        .replace("$n", '"ada"')
        .replace("$p", f'"{PASSWORD}"')
    )
    assert (await here.get("/graphql", params={"query": document})).status_code == 405
    answer = await ask(here, SIGN_IN, n="ada", p=PASSWORD)
    assert answer.headers["cache-control"] == "no-store"


async def test_the_eleventh_attempt_is_answered_with_429(here: httpx.AsyncClient) -> None:
    await join(here)
    for _ in range(ATTEMPTS[0]):
        assert (await ask(here, SIGN_IN, n="bo", p=OTHER)).status_code == 200
    answer = await ask(here, SIGN_IN, n="bo", p=OTHER)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMIT")
    assert 0 < int(answer.headers["retry-after"]) <= 6
    assert (await ask(here, SIGN_IN, n="ada", p=PASSWORD)).status_code == 200, "another name goes on"


async def test_processes_that_share_a_redis_count_together_and_close_while_it_is_away(
    database: Database, tmp_path: Path, redis_url: str
) -> None:
    shared = Settings(data=tmp_path, redis_url=redis_url)
    network = "192.0.2.77"  # nobody else's in this Redis
    async with (
        browser(database, shared, "https://casset.example", network) as one,
        browser(database, shared, "https://casset.example", network) as other,
    ):
        answers = await asyncio.gather(
            *[ask(client, SIGN_IN, n="shared-name", p=OTHER) for client in (one, other) for _ in range(ATTEMPTS[0])]
        )
        assert sorted(answer.status_code for answer in answers).count(200) <= ATTEMPTS[0]
        assert (await ask(other, SIGN_IN, n="shared-name", p=OTHER)).status_code == 429
    away = Settings(data=tmp_path, redis_url=f"unix://{tmp_path}/nothing.socket")
    async with browser(database, away, "https://casset.example", network) as client:
        assert (await ask(client, SIGN_IN, n="ada", p=PASSWORD)).status_code == 429
        assert (await ask(client, WHO)).status_code == 200, "reading goes on"


# -- keys ---------------------------------------------------------------------------------------------------------


async def issued(client: httpx.AsyncClient, **given: Any) -> str:
    answer = await ask(client, ISSUE, input={"name": "x", "scopes": ["READ"], **given})
    return str(answer.json()["data"]["issueKey"]["secret"])


async def test_a_key_asks_as_a_program_with_a_bucket_of_its_own(here: httpx.AsyncClient, database: Database) -> None:
    await join(here)
    key = await issued(here)
    here.cookies.clear()
    answer = await ask(
        here, "{ viewer { account { handle } } artists { nodes { handle } } }", {"authorization": f"Bearer {key}"}
    )
    assert answer.json()["data"] == {"viewer": None, "artists": {"nodes": [{"handle": "ada"}]}}
    async with database.read() as connection:
        first = (await connection.execute(select(tables.agent_key.c.last_used_at))).scalar_one()
    assert first is not None
    await ask(here, WHO, {"authorization": f"Bearer {key}"})
    async with database.read() as connection:
        assert (await connection.execute(select(tables.agent_key.c.last_used_at))).scalar_one() == first, (
            "to the minute"
        )


async def test_what_is_no_key_of_ours_is_refused_like_what_is_one_no_more(
    here: httpx.AsyncClient, database: Database
) -> None:
    await join(here)
    key = await issued(here)
    here.cookies.clear()
    other_mode = key.replace("cas_live_", "cas_test_")
    forms = [
        key.lower(),
        key[:-1],
        key + "0",
        other_mode,
        spelled(KeyMode.TEST, key[9:41]),
        spelled(KeyMode.LIVE, "0" * 32),
        "cas_live_",
        "eyJhbGciOiJub25lIn0.e30.",
    ]
    answers = [await ask(here, WHO, {"authorization": f"Bearer {form}"}) for form in forms]
    async with database.write() as connection:
        await connection.execute(update(tables.agent_key).values(revoked_at=func.now()))
    answers.append(await ask(here, WHO, {"authorization": f"Bearer {key}"}))
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)


async def test_a_key_asks_only_what_its_scopes_name(here: httpx.AsyncClient) -> None:
    await join(here)
    checks = {"authorization": f"Bearer {await issued(here, scopes=['CHECK'])}"}
    reads = {"authorization": f"Bearer {await issued(here, scopes=['READ'])}"}
    here.cookies.clear()
    question = "{ permissionCheck(ids: []) { id } }"
    world = '{ world(handle: "ada") { name } }'
    for document, allowed, refused, scope in ((question, checks, reads, "CHECK"), (world, reads, checks, "READ")):
        assert "data" in (await ask(here, document, allowed)).json()
        answer = await ask(here, document, refused)
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["extensions"]["code"]) == (403, "FORBIDDEN")
        assert error["message"] == f"This key lacks the scope {scope}."


async def test_a_key_in_a_cookie_is_no_session(here: httpx.AsyncClient) -> None:
    await join(here)
    key = await issued(here)
    here.cookies.clear()
    assert await who(here, {"cookie": f"casset_session={key}"}) == 401


async def test_a_key_writes_what_its_artist_owns_and_nothing_else(here: httpx.AsyncClient, database: Database) -> None:
    await join(here)
    async with database.write() as connection:
        ada = (await connection.execute(select(tables.artist.c.id))).scalar_one()
        row = {"handle": "bo", "name": "Bo", "kind": "CREATOR", "claimed": True}
        await connection.execute(insert(tables.artist).values(id=UUID(int=7), **row))
        for number, owner in ((1, ada), (2, UUID(int=7))):
            asset = {"id": UUID(int=number), "kind": "TRACK", "owner_id": owner, "title": "Rain", "state": "PRIVATE"}
            await connection.execute(insert(tables.asset).values(asset))
            await connection.execute(insert(tables.track).values(id=UUID(int=number)))
    artist = str(Ref(Kind.ARTIST, ada))
    writer = {"authorization": f"Bearer {await issued(here, scopes=['ASSETS_WRITE', 'READ'], artist=artist)}"}
    reader = {"authorization": f"Bearer {await issued(here, scopes=['READ'], artist=artist)}"}
    document = 'mutation ($id: ID!) { updateAsset(input: { id: $id, expectedVersion: 1, title: "Snow" }) { __typename ... on UserError { code } } }'
    mine, theirs = (str(Ref(Kind.TRACK, UUID(int=number))) for number in (1, 2))
    here.cookies.clear()

    async def told(headers: dict[str, str], id_: str) -> Any:
        return (await ask(here, document, headers, id=id_)).json()["data"]["updateAsset"]

    assert await told(reader, mine) == {"__typename": "ForbiddenError", "code": "FORBIDDEN"}
    assert await told(writer, theirs) == {"__typename": "NotFoundError", "code": "NOT_FOUND"}
    assert await told(writer, mine) == {"__typename": "UpdateAssetSuccess"}
    seen = "query ($id: ID!) { asset(id: $id) { title } }"
    assert (await ask(here, seen, reader, id=mine)).json()["data"] == {"asset": None}


# -- letters ------------------------------------------------------------------------------------------------------


async def test_letters_are_files_that_others_cannot_read(database: Database, settings: Settings) -> None:
    async with browser(database, settings, "http://127.0.0.1:8000") as client:
        await join(client)
    [file] = (settings.data / "mail").glob("*.eml")
    assert [oct(path.stat().st_mode & 0o777) for path in (file, file.parent)] == ["0o600", "0o700"]
    letter = message_from_bytes(file.read_bytes())
    assert (letter["To"], letter["Subject"]) == ("ada@example.com", "Your address on Casset")


class MailPeer:
    """A mail server that takes whatever comes, with a name and a password."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 peer\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.heard.append(line)
            match line.split()[0].upper():
                case "EHLO":
                    writer.write(b"250-peer\r\n250 AUTH PLAIN\r\n")
                case "AUTH":
                    writer.write(b"235 in\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    self.heard.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                    writer.write(b"250 taken\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 fine\r\n")
        writer.close()


async def test_letters_go_through_a_mail_server() -> None:
    peer = MailPeer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        await Smtp(mail_server(f"smtp://u%40x:p%3Aw@127.0.0.1:{port}"), "casset@example.com").send(
            reset_letter("ada@example.com", "ada", "the-code")
        )
    heard = "\n".join(peer.heard)
    assert "mail FROM:<casset@example.com>" in heard
    assert "rcpt TO:<ada@example.com>" in heard
    assert "the-code" in heard
    assert any(line.startswith("AUTH PLAIN ") for line in peer.heard)


async def test_a_letter_cannot_be_given_another_header(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"linefeed|carriage return"):
        await Folder(tmp_path, "casset@example.com").send(Letter("a@example.com\r\nBcc: all@example.com", "x", "x"))


@pytest.mark.parametrize("url", ["http://host", "smtp://", "host:25", "smtp://user:hunter2@host:port"])
def test_a_mail_server_is_named_well_and_its_password_is_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASSET_SMTP", url)
    with pytest.raises(SettingRefused) as refused:
        from_environment(Path("data"))
    assert "CASSET_SMTP" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_the_settings_say_where_letters_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASSET_SMTP", "smtps://user:pass@mail.example")
    monkeypatch.setenv("CASSET_MAIL_FROM", "hello@casset.example")
    told = from_environment(Path("data"))
    assert told.mail_server == MailServer("mail.example", 465, encrypted=True, user="user", password="pass")
    assert told.mail_from == "hello@casset.example"
    monkeypatch.setenv("CASSET_MAIL_FROM", "no address")
    with pytest.raises(SettingRefused):
        from_environment(Path("data"))


def test_the_settings_repeat_no_password_that_an_address_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {
        "DATABASE_URL": "postgresql://casset:hunter2@db.example/casset",
        "REDIS_URL": "redis://:hunter2@redis.example/0",
        "CASSET_SMTP": "smtps://user:hunter2@mail.example",
        "CASSET_BLOBS": "s3://key:hunter2@store.example/bucket",
    }
    for name, address in addresses.items():
        monkeypatch.setenv(name, address)
    assert "hunter2" not in repr(from_environment(Path("data")))


async def test_production_keeps_its_cookies_the_same_way(database: Database, tmp_path: Path) -> None:
    produced = Settings(data=tmp_path, environment=Environment.PRODUCTION)
    async with browser(database, produced, "https://casset.example", "192.0.2.1") as client:
        assert "Secure" in (await join(client)).headers["set-cookie"]
