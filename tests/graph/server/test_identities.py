"""Signing in with another house, over HTTP and real sockets: who comes in, who does not, and what is kept of it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import Table, func, select, text, update
from starlette.responses import JSONResponse, RedirectResponse, Response

from db import tables
from db.engine import Database
from domain.errors import Unavailable
from domain.identities import proofs_of
from graph.server import oauth
from graph.server.app import create_app
from graph.server.buckets import MemoryBuckets
from graph.server.house import close
from graph.server.providers import APPLE, GOOGLE, SPOTIFY, Registration, SigningKey
from graph.server.settings import SettingRefused, Settings, from_environment
from tests.graph.server.other_house import CLIENT, SECRET, Claims, OtherHouse, apple_key, other_house

PASSWORD = "lantern-over-water-7"  # opens nothing
SIGN_UP = "mutation ($h: String!, $e: String!, $p: String!) { signUp(input: { handle: $h, email: $e, password: $p }) { __typename } }"
SIGN_IN = "mutation ($n: String!, $p: String!) { signIn(input: { name: $n, password: $p }) { __typename } }"
ISSUE = 'mutation { issueKey(input: { name: "x", scopes: [READ] }) { ... on KeySuccess { secret } } }'
WHO = "{ viewer { account { handle email emailVerified identities { nodes { provider email } } } } }"
HERE = "http://127.0.0.1:8000"
FROM_HERE = {"sec-fetch-site": "same-origin"}
ELSEWHERE = {"sub": "ada-there", "name": "Ada Lovelace"}
Browser = httpx.AsyncClient


@pytest.fixture
def there() -> Iterator[OtherHouse]:
    with other_house() as house:
        yield house


@pytest.fixture
async def town(database: Database, tmp_path: Path, there: OtherHouse) -> AsyncIterator[Town]:
    signing, _ = apple_key()
    providers = (
        there.registered(),
        there.registered("apple", answers_by_form=True, secret=signing),
        there.spotify(),
    )
    here = Town(database, Settings(data=tmp_path, providers=providers), there)
    yield here
    await close(here.app._house)


class Town:
    """This house and everybody who comes to it."""

    def __init__(self, database: Database, settings: Settings, there: OtherHouse) -> None:
        self.database = database
        self.settings = settings
        self.there = there
        self.app = create_app(settings, database)
        ample = MemoryBuckets(1000, 1)
        self.app._house.attempts = self.app._house.crowd = self.app._house.letters = ample

    @asynccontextmanager
    async def browser(self, origin: str = HERE) -> AsyncIterator[Browser]:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 4000))
        async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
            yield client

    async def leave(self, browser: Browser, name: str = "there", **params: str) -> str:
        """Where the other house sends somebody back to, after they signed in there."""
        left = await browser.get(f"/api/auth/{name}", params=params, headers=FROM_HERE)
        assert left.status_code == 303, left.text
        async with httpx.AsyncClient() as client:
            return str((await client.get(left.headers["location"])).headers["location"])

    async def sign_in(self, browser: Browser, name: str = "there", **params: str) -> httpx.Response:
        return await browser.get(await self.leave(browser, name, **params))

    async def count(self, table: Table, *where: Any) -> int:
        async with self.database.read() as connection:
            return (await connection.execute(select(func.count()).select_from(table).where(*where))).scalar_one()

    async def counts(self) -> list[int]:
        """How many accounts, identities and open sessions there are."""
        opened = tables.session.c.revoked_at.is_(None)
        linked = tables.identity.c.ended_at.is_(None)
        return [
            await self.count(tables.account),
            await self.count(tables.identity, linked),
            await self.count(tables.session, opened),
        ]

    async def change(self, table: Table, *where: Any, **values: Any) -> None:
        async with self.database.write() as connection:
            await connection.exec_driver_sql("SET LOCAL ROLE casset_owner")
            await connection.execute(update(table).where(*where).values(values))

    async def letters(self) -> list[Any]:
        await self.app._house.settled()
        files = sorted((self.settings.data / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes()) for path in files]


async def ask(browser: Browser, document: str, **variables: Any) -> Any:
    asked = {"query": document, "variables": variables}
    answer = await browser.post("/graphql", json=asked, headers={"x-requested-with": "test"})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def join(browser: Browser, handle: str = "ada", email: str | None = None) -> None:
    told = await ask(browser, SIGN_UP, h=handle, e=email or f"{handle}@example.com", p=PASSWORD)
    assert told["signUp"]["__typename"] == "SignUpSuccess"


async def who(browser: Browser) -> Any:
    viewer = (await ask(browser, WHO))["viewer"]
    return viewer and viewer["account"]


def linked(account: Any) -> list[str]:
    return [node["provider"] for node in account["identities"]["nodes"]]


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert "set-cookie" not in answer.headers
    return answer.status_code, answer.json()["code"]


# -- coming in ------------------------------------------------------------------------------------------------------


async def test_the_houses_that_are_set_up_are_offered_and_no_other(database: Database, town: Town) -> None:
    async with town.browser() as browser:
        assert (await browser.get("/api/auth")).json() == {"providers": ["there", "apple", "spotify"]}
        for path in ("/api/auth/google", "/api/auth/google/callback?code=x&state=x", "/api/auth/no%2Fthing"):
            assert (await browser.get(path)).status_code == 404
        assert (await browser.post("/api/auth/google/callback", data={"state": "x"})).status_code == 404
    bare = Town(database, Settings(data=town.settings.data), town.there)
    async with bare.browser() as browser:
        assert (await browser.get("/api/auth")).json() == {"providers": []}
    await close(bare.app._house)


async def test_who_comes_from_another_house_joins_and_comes_back_as_the_same(town: Town) -> None:
    town.there.person |= {"email": "Ada@Example.com", "email_verified": True}
    async with town.browser() as browser:
        came = await town.sign_in(browser, next="/studio?tab=1")
        assert (came.status_code, came.headers["location"]) == (303, "/studio?tab=1")
        assert came.headers["cache-control"] == "no-store"
        session, flow = came.headers.get_list("set-cookie")[::-1]
        assert re.fullmatch(r"casset_session=[\w-]{43}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", session)
        assert flow == "casset_flow=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        ada = await who(browser)
    assert ada == {
        "handle": "ada-lovelace",
        "email": "Ada@Example.com",
        "emailVerified": True,
        "identities": {"nodes": [{"provider": "there", "email": "Ada@Example.com"}]},
    }
    async with town.browser() as browser:
        assert (await town.sign_in(browser)).headers["location"] == "/"
        assert await who(browser) == ada
        artists = (await ask(browser, "{ viewer { artists { nodes { handle name claimed } } } }"))["viewer"]["artists"]
    assert artists["nodes"] == [{"handle": "ada-lovelace", "name": "Ada Lovelace", "claimed": True}]
    assert await town.counts() == [1, 1, 2]
    assert await town.letters() == [], "the address was shown"


async def test_what_a_flow_sends_along_binds_what_comes_back_and_tells_no_secret(town: Town) -> None:
    async with town.browser() as browser:
        first, second = [await browser.get("/api/auth/there") for _ in range(2)]
        asked = [dict(parse_qsl(urlsplit(left.headers["location"]).query)) for left in (first, second)]
    assert asked[0].keys() == {
        *("response_type", "client_id", "redirect_uri", "scope"),
        *("state", "nonce", "code_challenge", "code_challenge_method"),
    }
    assert asked[0]["redirect_uri"] == f"{HERE}/api/auth/there/callback"
    assert (asked[0]["code_challenge_method"], asked[0]["scope"]) == ("S256", "openid email profile")
    proofs = [each[name] for each in asked for name in ("state", "nonce", "code_challenge")]
    cookies = [left.headers["set-cookie"].partition(";")[0].partition("=")[2] for left in (first, second)]
    assert len({*proofs, *cookies}) == 8
    assert all(re.fullmatch(r"[\w-]{43}", proof) for proof in proofs)
    assert first.headers["cache-control"] == "no-store"
    assert re.fullmatch(
        r"casset_flow=[\w-]{43}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", first.headers["set-cookie"]
    )
    async with town.browser("https://casset.example") as browser:
        cookie = (await browser.get("/api/auth/there")).headers["set-cookie"]
    assert cookie.startswith("__Host-casset_flow=")
    assert cookie.endswith("; Secure")


async def test_a_script_is_told_where_to_go(town: Town) -> None:
    async with town.browser() as browser:
        asked = {"accept": "application/json", "x-requested-with": "test"}
        told = await browser.get("/api/auth/there", headers=asked)
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
    assert told.json()["url"].startswith(f"{town.there.issuer}/authorize?")
    assert "casset_flow" in told.headers["set-cookie"]


async def test_a_planted_session_does_not_become_somebody_elses(town: Town) -> None:
    async with town.browser() as eve, town.browser() as ada:
        await join(eve, "eve")
        planted = eve.cookies["casset_session"]
        back = await town.leave(ada)
        ada.cookies.set("casset_session", planted, domain="127.0.0.1", path="/")
        await ada.get(back)
        assert (await who(ada))["handle"] == "ada-lovelace"
        over = tables.session.c.revoked_at.is_not(None)
        assert await town.count(tables.session, over) == 1


async def test_keys_of_every_good_kind_are_taken_and_new_ones_are_looked_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town.browser() as browser:
        assert (await town.sign_in(browser)).status_code == 303
        town.there.key = ECKey.generate_key("P-256", {"kid": "two"})
        assert refused(await town.sign_in(browser)) == (401, "UNAUTHENTICATED"), "not looked for all the time"
        monkeypatch.setattr(oauth, "LOOKED_AGAIN", -1.0)
        assert (await town.sign_in(browser)).status_code == 303
    assert (await town.counts())[:2] == [1, 1]


async def test_a_house_that_wants_the_secret_in_the_form_gets_it_there(town: Town) -> None:
    town.there.methods = ["client_secret_post"]
    async with town.browser() as browser:
        assert (await town.sign_in(browser)).status_code == 303
    assert town.there.last("/token")["client_secret"] == SECRET


async def test_of_many_who_come_at_once_as_the_same_person_one_account_is_made(town: Town) -> None:
    async with town.browser() as one, town.browser() as two, town.browser() as three:
        browsers = [one, two, three]
        backs = [await town.leave(browser) for browser in browsers]
        came = await asyncio.gather(*[browser.get(back) for browser, back in zip(browsers, backs, strict=True)])
    assert {answer.status_code for answer in came} == {303}
    assert await town.counts() == [1, 1, 3]


async def test_a_name_that_is_taken_or_none_leads_to_a_handle_that_is_free(town: Town) -> None:
    async with town.browser() as browser:
        await join(browser, "ada-lovelace")
    for number, (name, like) in enumerate(
        [
            ("Ada Lovelace", r"ada-lovelace-[0-9a-f]{6}"),
            ("Ada Lovelace", r"ada-lovelace-[0-9a-f]{6}"),
            ("Ünïcode Ødd", r"unicode-dd"),
            ("秋", r"someone-[0-9a-f]{6}"),
            ("admin", r"admin-[0-9a-f]{6}"),
            ("x" * 400, r"someone-[0-9a-f]{6}"),
            ("a\nb", r"someone-[0-9a-f]{6}"),
            (None, r"someone-[0-9a-f]{6}"),
            (["Ada"], r"someone-[0-9a-f]{6}"),
        ]
    ):
        town.there.person = {"sub": f"person {number}", "name": name}
        async with town.browser() as browser:
            assert (await town.sign_in(browser)).status_code == 303
            assert re.fullmatch(like, (await who(browser))["handle"]), name


# -- who does not come in -------------------------------------------------------------------------------------------


def altered(url: str, **values: str | None) -> str:
    given = dict(parse_qsl(urlsplit(url).query)) | values
    kept = {name: value for name, value in given.items() if value is not None}
    return str(httpx.URL(url.partition("?")[0], params=kept))


async def test_who_did_not_leave_from_this_browser_does_not_come_back(town: Town) -> None:
    async with town.browser() as ada, town.browser() as eve:
        back, other = await town.leave(ada), await town.leave(eve)
        state = dict(parse_qsl(urlsplit(back).query))["state"]
        flow = ada.cookies["casset_flow"]
        asked = len(town.there.asked)
        told = [
            await eve.get(back),  # to sign somebody in as another: the flow of one, the browser of another
            await ada.get(altered(back, state="x" * 43)),
            await ada.get(altered(back, state=None)),
            await ada.get(altered(back, state="")),
            await ada.get(altered(back, state="é" * 43)),
            await ada.get(altered(back, state=state.swapcase())),
            await ada.get(other),
            await ada.get(back.replace("/there/", "/spotify/")),
        ]
        ada.cookies.clear()
        told.append(await ada.get(back))
        chosen = [f"casset_flow={text}" for text in ("", "x", "0" * 43, "%00", "../..")]
        chosen += [f"__Host-casset_flow={flow[::-1]}", f"casset_session={flow}"]
        told += [await ada.get(back, headers={"cookie": cookie}) for cookie in chosen]
        assert {refused(answer) for answer in told} == {(400, "BAD_USER_INPUT")}
        bodies = {json.dumps(answer.json() | {"requestId": ""}) for answer in told}
        assert len(bodies) == 1, "what was wrong is not told"
        assert len(town.there.asked) == asked, "no code was redeemed"
        assert await town.counts() == [0, 0, 0]
        came = await ada.get(back, headers={"cookie": f"casset_flow={flow}"})
        assert came.status_code == 303, "and it was good all the while"


async def test_one_comes_back_once_though_the_other_house_forgets(town: Town) -> None:
    town.there.once = False
    async with town.browser() as ada:
        back, flow = await town.leave(ada), {"cookie": f"casset_flow={ada.cookies['casset_flow']}"}
        ada.cookies.clear()
        told = await asyncio.gather(*[ada.get(back, headers=flow) for _ in range(4)])
        assert sorted(answer.status_code for answer in told) == [303, 400, 400, 400]
        assert refused(await ada.get(back, headers=flow)) == (400, "BAD_USER_INPUT")
    assert await town.counts() == [1, 1, 1]


async def test_one_comes_back_in_ten_minutes_or_not_at_all(town: Town) -> None:
    async with town.browser() as ada:
        back = await town.leave(ada)
        await town.change(tables.sign_in_flow, expires_at=datetime(2026, 1, 1, tzinfo=UTC))
        assert refused(await ada.get(back)) == (400, "BAD_USER_INPUT")
    assert await town.counts() == [0, 0, 0]


def without(*names: str) -> Callable[[Claims], None]:
    return lambda claims: [claims.pop(name) for name in names] and None


def told_otherwise(**values: Any) -> Callable[[Claims], None]:
    return lambda claims: claims.update(values)


NOW = datetime.now(UTC)
LIES: dict[str, Callable[[Claims], None]] = {
    "the nonce of another flow": told_otherwise(nonce="x" * 43),
    "no nonce": without("nonce"),
    "nonce of another type": told_otherwise(nonce=["x"]),
    "for another": told_otherwise(aud="another"),
    "for others, too, and by nobody's wish": told_otherwise(aud=[CLIENT, "another"]),
    "for us, by another's wish": told_otherwise(aud=CLIENT, azp="another"),
    "for nobody": without("aud"),
    "of another house": told_otherwise(iss="https://accounts.google.com"),
    "of no house": without("iss"),
    "expired": told_otherwise(exp=int((NOW - timedelta(minutes=5)).timestamp())),
    "never ends": without("exp"),
    "ends by a word": told_otherwise(exp="2999"),
    "from the future": told_otherwise(iat=int((NOW + timedelta(hours=1)).timestamp())),
    "not yet": told_otherwise(nbf=int((NOW + timedelta(hours=1)).timestamp())),
    "nobody": without("sub"),
    "nobody by name": told_otherwise(sub=""),
    "somebody too long": told_otherwise(sub="x" * 256),
    "somebody who is a number": told_otherwise(sub=7),
    "somebody in the next line": told_otherwise(sub="ada\nthere"),
    "with the hash of another token": told_otherwise(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


async def test_what_is_not_said_for_this_flow_lets_nobody_in(town: Town) -> None:
    async with town.browser() as browser:
        for name, lie in LIES.items():
            town.there.lie = lie
            assert refused(await town.sign_in(browser)) == (401, "UNAUTHENTICATED"), name
        assert await who(browser) is None
    assert await town.counts() == [0, 0, 0]


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def authenticated(claims: Claims, secret: bytes) -> str:
    """A token that proves to know what everybody knows (HS256)."""
    said = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(claims)}"
    return f"{said}.{encoded(hmac.digest(secret, said.encode(), 'sha256'))}"


def critical(claims: Claims, house: OtherHouse) -> str:
    """A token that says of something in it that nobody may overlook it."""
    header = {"alg": "RS256", "kid": "one", "crit": ["sealed"], "sealed": True}
    said = f"{encoded(header)}.{encoded(claims)}"
    return f"{said}.{encoded(house.key.private_key.sign(said.encode(), PKCS1v15(), SHA256()))}"


def forgeries(house: OtherHouse) -> dict[str, Callable[[Claims], Any]]:
    """Tokens that the house did not sign, or not as it should."""
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    elliptic = ECKey.generate_key("P-256", {"kid": "one"})
    public: bytes = house.key.as_pem(private=False)
    own = stranger.as_dict(private=False)
    return {
        "by nobody": lambda claims: f"{encoded({'alg': 'none'})}.{encoded(claims)}.",
        "by NONE": lambda claims: f"{encoded({'alg': 'NONE', 'kid': 'one'})}.{encoded(claims)}.",
        "by a stranger": lambda claims: house.sign(claims, stranger),
        "by a stranger with a key of its own": lambda claims: house.sign(claims, stranger, jwk=own),
        "by a stranger whose key is elsewhere": lambda claims: house.sign(claims, stranger, jku="https://eve.example/"),
        "by another kind of key": lambda claims: house.sign(claims, elliptic),
        "by what is public": lambda claims: authenticated(claims, public),
        "with what is critical": lambda claims: critical(claims, house),
        "with a part that is not signed": lambda claims: house.sign(claims).rsplit(".", 1)[0] + "." + "A" * 342,
        "changed afterwards": lambda claims: ".".join(
            [(parts := house.sign(claims).split("."))[0], encoded(claims | {"sub": "eve"}), parts[2]]
        ),
        "longer keyed, unknown": lambda claims: jwt.encode(
            {"alg": "RS512", "kid": "one"}, claims, house.key, ["RS512"]
        ),
        "no token": lambda _: "no token",
        "empty": lambda _: "",
        "dots": lambda _: "....",
        "a list": lambda claims: f"{encoded([])}.{encoded(claims)}.",
        "deep": lambda _: f"{encoded(b'[' * 50_000)}.{encoded({})}.",
        "no text": lambda _: ".".join(encoded(part) for part in (b"\xff\xfe", b"\xff", b"\xff")),
        "no string": lambda _: 7,
        "nothing": lambda _: None,
    }


async def test_what_the_house_did_not_sign_lets_nobody_in(town: Town) -> None:
    for name, forge in forgeries(town.there).items():
        town.there.forge = forge
        async with town.browser() as browser:
            assert refused(await town.sign_in(browser)) == (401, "UNAUTHENTICATED"), name
            assert await who(browser) is None
    assert await town.counts() == [0, 0, 0]
    town.there.forge = None
    async with town.browser() as browser:
        assert (await town.sign_in(browser)).status_code == 303


PLACES_ELSEWHERE = [
    *(
        "https://eve.example/",
        "//eve.example/",
        "/\\eve.example/",
        "\\\\eve.example",
        "/\t/eve.example",
        "///eve.example",
    ),
    *(
        "javascript:alert(1)",
        "studio",
        "",
        "/a b",
        "/a\r\nset-cookie: x=y",
        "/\u2028",
        "/é",
        "/" + "x" * 2000,
        "http:/x",
    ),
]


async def test_next_leads_to_no_other_host(town: Town) -> None:
    async with town.browser() as browser:
        for place in PLACES_ELSEWHERE:
            left = await browser.get("/api/auth/there", params={"next": place})
            assert refused(left) == (400, "BAD_USER_INPUT"), place
        for place in ("/", "/studio", "/a/b?c=d&e=%2F#f", "/%2f/x", "/@ada", "/?next=https://eve.example"):
            assert (await town.sign_in(browser, next=place)).headers["location"] == place
    assert await town.count(tables.sign_in_flow) == 6


async def test_who_says_no_there_is_not_signed_in_here(town: Town) -> None:
    async with town.browser() as browser:
        for given in ({"error": "access_denied", "code": None}, {"code": None}, {"error": "x"}):
            back = altered(await town.leave(browser), **given)
            assert refused(await browser.get(back)) == (401, "UNAUTHENTICATED")
            assert refused(await browser.get(back)) == (400, "BAD_USER_INPUT"), "it was used up"
        assert refused(await browser.get(altered(await town.leave(browser), code="another"))) == (
            401,
            "UNAUTHENTICATED",
        )
    assert await town.counts() == [0, 0, 0]


AWAY: dict[str, Callable[[str], Response]] = {
    "an error": lambda _: Response("<h1>Bad gateway</h1>", 502),
    "an error in JSON": lambda _: JSONResponse({"error": "server_error"}, 500),
    "no JSON": lambda _: Response("<html>", 200),
    "no object": lambda _: JSONResponse([1, 2]),
    "another place": lambda issuer: RedirectResponse(f"{issuer}/v1/me"),
    "too much": lambda _: Response(b'{"a":"' + b"x" * 300_000 + b'"}', media_type="application/json"),
    "a bomb": lambda _: Response(gzip.compress(b" " * 10**7), headers={"content-encoding": "gzip"}),
    "no text": lambda _: Response(b"\xff\xfe{}", media_type="application/json"),
    "another house": lambda _: JSONResponse({"issuer": "https://accounts.google.com", "keys": []}),
    "we are unknown": lambda _: JSONResponse({"error": "invalid_client"}, 401),
}


async def test_a_house_that_does_not_say_who_it_is_leads_nowhere(there: OtherHouse) -> None:
    for away in AWAY.values():
        there.answer = away(there.issuer)
        with pytest.raises(Unavailable):
            await oauth.provider_of(there.registered()).address(proofs_of("x"), HERE)
    there.answer = None
    for places in ({"jwks_uri": "http://id.example/keys"}, {"token_endpoint": None}, {"authorization_endpoint": "//x"}):
        there.places = places
        with pytest.raises(Unavailable):
            await oauth.provider_of(there.registered()).address(proofs_of("x"), HERE)


async def test_a_house_that_is_away_is_said_to_be_and_nobody_comes_in(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with town.browser() as browser:
        for name, away in AWAY.items():
            for provider in ("there", "spotify"):
                back = await town.leave(browser, provider)
                town.there.answer = away(town.there.issuer)
                came = await browser.get(back)
                town.there.answer = None
                # That is an answer, with no token in it.
                expected = (401, "UNAUTHENTICATED") if name == "another house" else (503, "UNAVAILABLE")
                assert refused(came) == expected, (name, provider)
                assert dict(parse_qsl(urlsplit(back).query))["code"] not in "".join(capsys.readouterr())
    assert await town.counts() == [0, 0, 0]


async def test_a_house_that_nobody_answers_for_is_said_to_be_away(
    database: Database, tmp_path: Path, there: OtherHouse
) -> None:
    nobody = Registration("there", "http://127.0.0.1:9", CLIENT, SECRET)
    here = Town(database, Settings(data=tmp_path, providers=(nobody,)), there)
    async with here.browser() as browser:
        told = await browser.get("/api/auth/there")
        assert refused(told) == (503, "UNAVAILABLE")
        assert told.headers["retry-after"] == "1"
    assert await here.count(tables.sign_in_flow) == 0
    await close(here.app._house)


async def test_a_house_that_never_answers_is_said_to_be_away(
    there: OtherHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "SECONDS", 0.05)
    over = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    silent = replace(there.registered(), issuer=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    with pytest.raises(Unavailable):
        await oauth.provider_of(silent).address(proofs_of("x"), HERE)
    over.set()
    server.close()
    await server.wait_closed()


async def test_attempts_are_counted(town: Town) -> None:
    town.app._house.attempts = MemoryBuckets(2, 0.01)
    async with town.browser() as browser:
        told = [(await browser.get("/api/auth/there")).status_code for _ in range(3)]
        assert told == [303, 303, 429]
        told = [(await browser.get("/api/auth/there/callback")).status_code for _ in range(3)]
        assert told == [400, 400, 429]


# -- addresses ------------------------------------------------------------------------------------------------------


async def test_an_address_that_is_an_accounts_is_not_linked_without_its_owner(town: Town) -> None:
    async with town.browser() as ada:
        await join(ada)
        for verified in (True, "true"):
            town.there.person = ELSEWHERE | {"email": "ADA@example.com", "email_verified": verified}
            async with town.browser() as somebody:
                told = await town.sign_in(somebody)
                assert refused(told) == (409, "CONFLICT")
                assert "link there" in told.json()["detail"]
                assert await who(somebody) is None
        assert await town.counts() == [1, 0, 1]
        assert (await town.sign_in(ada)).status_code == 303
        assert linked(await who(ada)) == ["there"]
    async with town.browser() as somebody:
        await town.sign_in(somebody)
        assert (await who(somebody))["handle"] == "ada"
    assert (await town.counts())[:2] == [1, 1]


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 0, ["true"], {"true": True}])
async def test_an_address_that_was_not_verified_is_only_said_to_be_theirs(town: Town, verified: Any) -> None:
    """And whether it is somebody's is not told."""
    async with town.browser() as ada, town.browser() as eve:
        await join(ada)
        town.there.person = ELSEWHERE | {
            "sub": "eve",
            "name": "Eve",
            "email": "ada@example.com",
            "email_verified": verified,
        }
        assert (await town.sign_in(eve)).status_code == 303
        assert (await who(eve))["emailVerified"] is False
        assert (await who(eve))["handle"] == "eve"
        assert linked(await who(ada)) == []
        letters = await town.letters()
        assert [letter["Subject"] for letter in letters] == ["Your address on Casset"] * 2
    assert (await town.counts())[:2] == [2, 1]


async def test_what_is_no_address_is_left_out(town: Town) -> None:
    for number, email in enumerate(
        ["no address", "a@example.com\r\nBcc: all@example.com", 7, "x" * 300 + "@example.com"]
    ):
        town.there.person = {"sub": f"person {number}", "email": email, "email_verified": True}
        async with town.browser() as browser:
            assert (await town.sign_in(browser)).status_code == 303
            account = await who(browser)
            assert (account["email"], account["emailVerified"]) == (None, False)
    assert await town.letters() == []


# -- linking --------------------------------------------------------------------------------------------------------


async def test_who_is_signed_in_links_and_keeps_the_session(town: Town) -> None:
    async with town.browser() as ada:
        await join(ada)
        session = ada.cookies["casset_session"]
        came = await town.sign_in(ada, next="/settings")
        assert (came.status_code, came.headers["location"]) == (303, "/settings")
        assert ada.cookies["casset_session"] == session
        assert linked(await who(ada)) == ["there"]
        town.there.person = {"sub": "ada-somewhere"}
        script = {"x-requested-with": "test", "accept": "application/json"}
        way = (await ada.get("/api/auth/spotify", headers=script)).json()["url"]
        town.there.person = {"id": "ada-listens"}
        async with httpx.AsyncClient() as client:
            await ada.get((await client.get(way)).headers["location"])
        assert linked(await who(ada)) == ["there", "spotify"]
        letters = [letter for letter in await town.letters() if letter["Subject"] == "Another sign-in on Casset"]
        assert ["there" in letter.get_payload() for letter in letters] == [True, False]
    assert (await town.counts())[:2] == [1, 2]


async def test_a_page_of_another_site_links_nothing(town: Town) -> None:
    async with town.browser() as ada:
        await join(ada)
        assert refused(await ada.get("/api/auth/there", headers={"sec-fetch-site": "cross-site"})) == (403, "FORBIDDEN")
        for headers in ({}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}):
            left = await ada.get("/api/auth/there", headers=headers)
            assert left.status_code == 303
        assert await town.count(tables.sign_in_flow, tables.sign_in_flow.c.account_id.is_not(None)) == 0
        told = await ada.get("/api/auth/there", headers={**FROM_HERE, "origin": "https://eve.example"})
        assert told.status_code == 303
        assert await town.count(tables.sign_in_flow, tables.sign_in_flow.c.account_id.is_not(None)) == 0


async def test_linking_needs_a_fresh_sign_in_and_coming_back_is_one(town: Town) -> None:
    stale = {"signed_in_at": datetime.now(UTC) - timedelta(hours=12, seconds=1)}
    async with town.browser() as ada:
        await join(ada)
        await town.change(tables.session, **stale)
        told = await town.sign_in(ada)
        assert refused(told) == (401, "UNAUTHENTICATED")
        assert "Sign in again" in told.json()["detail"]
        assert linked(await who(ada)) == []
        await ask(ada, SIGN_IN, n="ada", p=PASSWORD)
        await town.sign_in(ada)
        await town.change(tables.session, **stale)
        assert (await ask(ada, ISSUE))["issueKey"] == {}
        before = ada.cookies["casset_session"]
        assert (await town.sign_in(ada)).status_code == 303
        assert ada.cookies["casset_session"] != before
        assert (await ask(ada, ISSUE))["issueKey"]["secret"]
    assert (await town.counts())[:2] == [1, 1]


async def test_who_leaves_and_is_signed_in_as_another_or_nobody_links_nothing(town: Town) -> None:
    async with town.browser() as ada:
        await join(ada)
        back = await town.leave(ada)
        await ask(ada, "mutation { signOut(input: {}) { __typename } }")
        assert refused(await ada.get(back)) == (401, "UNAUTHENTICATED")
        await ask(ada, SIGN_IN, n="ada", p=PASSWORD)
        back = await town.leave(ada)
        await join(ada, "bobo")
        assert refused(await ada.get(back)) == (401, "UNAUTHENTICATED")
        assert linked(await who(ada)) == []
    assert (await town.counts())[:2] == [2, 0]


async def test_what_is_linked_to_one_account_is_linked_to_no_other(town: Town) -> None:
    async with town.browser() as ada, town.browser() as bo:
        await join(ada)
        await town.sign_in(ada)
        await join(bo, "bobo")
        assert refused(await town.sign_in(bo)) == (409, "CONFLICT")
        assert linked(await who(bo)) == []
        town.there.person = {"sub": "bo-there"}
        backs = [await town.leave(browser) for browser in (ada, bo)]
        came = await asyncio.gather(*[browser.get(back) for browser, back in zip((ada, bo), backs, strict=True)])
        assert sorted(answer.status_code for answer in came) == [303, 409]
    assert (await town.counts())[:2] == [2, 2]


async def test_the_same_name_there_is_another_person_in_another_house(database: Database, town: Town) -> None:
    async with town.browser() as browser:
        await town.sign_in(browser)
    with other_house() as elsewhere:
        providers = (elsewhere.registered(),)
        moved = Town(database, replace(town.settings, providers=providers), elsewhere)
        async with moved.browser() as browser:
            await moved.sign_in(browser)
        await close(moved.app._house)
    assert (await town.counts())[:2] == [2, 2]


async def test_a_program_neither_signs_in_nor_links(town: Town) -> None:
    async with town.browser() as ada, town.browser() as program:
        await join(ada)
        key = (await ask(ada, ISSUE))["issueKey"]["secret"]
        bearer = {"authorization": f"Bearer {key}", "x-requested-with": "test"}
        assert refused(await program.get("/api/auth/there", headers=bearer)) == (403, "FORBIDDEN")
    assert await town.count(tables.sign_in_flow) == 0


# -- Apple and Spotify ----------------------------------------------------------------------------------------------


async def by_form(town: Town, browser: Browser) -> tuple[httpx.Response, dict[str, str]]:
    """What a browser does that Apple's page tells to send a form: no cookie of ours, an origin that is not ours."""
    left = await browser.get("/api/auth/apple", headers=FROM_HERE)
    async with httpx.AsyncClient() as client:
        told = (await client.get(left.headers["location"])).json()
    async with town.browser() as without_cookies:
        answer = await without_cookies.post(told["post"], data=told["form"], headers={"origin": APPLE})
    return answer, told["form"]


async def test_apple_answers_by_a_form_and_is_shown_a_secret_signed_for_it(town: Town) -> None:
    town.there.methods = ["client_secret_post"]
    town.there.person |= {"email": "ada@privaterelay.example.com", "email_verified": "true", "is_private_email": "true"}
    async with town.browser() as browser:
        again, form = await by_form(town, browser)
        assert (again.status_code, again.headers["cache-control"]) == (303, "no-store")
        assert "set-cookie" not in again.headers
        way = again.headers["location"]
        assert way.startswith("/api/auth/apple/callback?")
        assert dict(parse_qsl(urlsplit(way).query)) == {"state": form["state"], "code": form["code"]}
        assert town.there.last("/authorize")["response_mode"] == "form_post"
        assert (await browser.get(way)).status_code == 303
        assert (await who(browser))["emailVerified"] is True
    registration = town.settings.providers[1]
    assert isinstance(registration.client_secret, SigningKey)
    shown = town.there.last("/token")["client_secret"]
    signed = jwt.decode(shown, ECKey.import_key(registration.client_secret.pem), ["ES256"])
    assert signed.header == {"alg": "ES256", "kid": "KEYID", "typ": "JWT"}
    claims = {name: signed.claims[name] for name in ("iss", "sub", "aud")}
    assert claims == {"iss": "TEAM", "sub": CLIENT, "aud": town.there.issuer}
    assert 0 < signed.claims["exp"] - signed.claims["iat"] <= 300


async def test_a_form_is_a_form_of_some_size(town: Town) -> None:
    async with town.browser() as browser:
        path, kind = "/api/auth/apple/callback", {"content-type": "application/x-www-form-urlencoded"}
        assert refused(await browser.post(path, json={"state": "x"})) == (415, "UNSUPPORTED_MEDIA")
        assert refused(await browser.post(path, content=b"state=" + b"x" * 20_000, headers=kind)) == (413, "TOO_LARGE")
        for body in (b"state=\xff", b"state=%ff", b"&".join(b"a=b" for _ in range(20))):
            assert refused(await browser.post(path, content=body, headers=kind)) == (400, "BAD_USER_INPUT")
        led = await browser.post(path, content=b"state=a%0d%0ab&next=//eve.example&error=x", headers=kind)
        assert led.headers["location"] == "/api/auth/apple/callback?state=a%0D%0Ab&error=x"


async def test_spotify_tells_who_it_is_and_its_address_is_not_believed(town: Town) -> None:
    town.there.person = {"id": "ada.listens", "display_name": "Ada", "email": "ada@example.com", "email_verified": True}
    async with town.browser() as browser:
        assert (await town.sign_in(browser, "spotify")).status_code == 303
        account = await who(browser)
        assert (account["email"], account["emailVerified"], linked(account)) == ("ada@example.com", False, ["spotify"])
        asked = town.there.last("/authorize")
        assert (asked["scope"], asked["code_challenge_method"], "nonce" in asked) == ("user-read-email", "S256", False)
        town.there.person = {"display_name": "Nobody"}
        assert refused(await town.sign_in(browser, "spotify")) == (401, "UNAUTHENTICATED")
    async with town.database.read() as connection:
        identity = tables.identity.c
        row = (await connection.execute(select(identity.issuer, identity.subject))).one()
    assert tuple(row) == (town.there.issuer, "ada.listens")


# -- passwords ------------------------------------------------------------------------------------------------------


async def code(town: Town) -> str:
    """The code of the last letter about a password."""
    letters = [letter for letter in await town.letters() if letter["Subject"] == "Your Casset password"]
    lines = letters[-1].get_payload(decode=True).decode().splitlines()
    return next(line for line in lines if re.fullmatch(r"[\w-]{43}", line))


RESET = "mutation ($c: String!, $p: String!) { resetPassword(input: { code: $c, newPassword: $p }) { __typename } }"
SEND = "mutation ($e: String!) { requestPasswordReset(input: { email: $e }) { __typename } }"


async def test_who_has_no_password_takes_one_by_mail_and_keeps_what_is_linked(town: Town) -> None:
    town.there.person |= {"email": "ada@example.com", "email_verified": True}
    async with town.browser() as ada:
        await town.sign_in(ada)
    async with town.browser() as ada:
        assert (await ask(ada, SIGN_IN, n="ada@example.com", p=PASSWORD))["signIn"]["__typename"] == "SignInNeededError"
        await ask(ada, SEND, e="ada@example.com")
        assert (await ask(ada, RESET, c=await code(town), p=PASSWORD))["resetPassword"][
            "__typename"
        ] == "ResetPasswordSuccess"
        assert (await ask(ada, SIGN_IN, n="ada@example.com", p=PASSWORD))["signIn"]["__typename"] == "SignInSuccess"
        assert linked(await who(ada)) == ["there"]


async def test_who_waited_in_an_account_for_the_owner_of_its_address_is_out(town: Town) -> None:
    town.there.person |= {"email": "ada@example.com", "email_verified": False}
    async with town.browser() as eve, town.browser() as ada:
        await town.sign_in(eve)
        await ask(ada, SEND, e="ada@example.com")
        await ask(ada, RESET, c=await code(town), p=PASSWORD)
        await ask(ada, SIGN_IN, n="ada@example.com", p=PASSWORD)
        assert linked(await who(ada)) == []
        await town.sign_in(eve)
        assert (await who(eve))["handle"] != (await who(ada))["handle"]


# -- secrets --------------------------------------------------------------------------------------------------------


async def test_no_secret_of_a_flow_is_kept_or_said(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    async with town.browser() as browser:
        back = await town.leave(browser)
        flow, told = browser.cookies["casset_flow"], dict(parse_qsl(urlsplit(back).query))
        came = await browser.get(back)
        session = browser.cookies["casset_session"]
        verifier = town.there.last("/token")["code_verifier"]
        async with town.database.read() as connection:
            rows = [
                str(row)
                for table in tables.metadata.sorted_tables
                for row in await connection.execute(text(f'SELECT "{table.name}"::text FROM "{table.name}"'))
            ]
    kept, said = "\n".join(rows), "".join(capsys.readouterr()) + came.text + came.headers["location"]
    assert "ada-there" in kept, "or nothing was looked at"
    for secret in (flow, session, verifier, told["code"], told["state"], SECRET, "an access token", "eyJ"):
        assert secret not in kept
        assert secret.encode().hex() not in kept
        assert secret not in said
    assert SECRET not in repr(town.settings)
    assert "PRIVATE" not in repr(town.settings)


# -- settings -------------------------------------------------------------------------------------------------------


def test_the_settings_say_with_whom_people_sign_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key, _ = apple_key()
    (tmp_path / "key.p8").write_text(key.pem)
    monkeypatch.setenv("CASSET_GOOGLE", "id.apps.example secret")
    monkeypatch.setenv("CASSET_SPOTIFY", " id  secret ")
    monkeypatch.setenv("CASSET_APPLE", f"com.example.casset TEAM KEYID {tmp_path}/key.p8")
    monkeypatch.setenv("CASSET_OIDC", "home https://id.example/realm a b, local http://127.0.0.1:9000 c d")
    assert from_environment(Path("data")).providers == (
        Registration("google", GOOGLE, "id.apps.example", "secret"),
        Registration("apple", APPLE, "com.example.casset", key, answers_by_form=True),
        Registration("spotify", SPOTIFY, "id", "secret", profile="https://api.spotify.com/v1/me"),
        Registration("home", "https://id.example/realm", "a", "b"),
        Registration("local", "http://127.0.0.1:9000", "c", "d"),
    )


def test_only_a_key_that_apple_takes_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in (ECKey.generate_key("P-384"), RSAKey.generate_key(2048)):
        (tmp_path / "key.p8").write_bytes(key.as_pem(private=True))
        monkeypatch.setenv("CASSET_APPLE", f"id TEAM KEY {tmp_path}/key.p8")
        with pytest.raises(SettingRefused, match=r"CASSET_APPLE.*P-256"):
            from_environment(Path("data"))
    (tmp_path / "key.p8").write_bytes(ECKey.generate_key("P-256").as_pem(private=False))
    with pytest.raises(SettingRefused, match=r"CASSET_APPLE"):
        from_environment(Path("data"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOOGLE", "hunter2"),
        ("GOOGLE", "id hunter2 more"),
        ("SPOTIFY", "hunter2"),
        ("APPLE", "id TEAM KEY /nowhere/hunter2"),
        ("APPLE", f"id TEAM KEY {__file__}"),
        ("OIDC", "home http://id.example id hunter2"),
        ("OIDC", "home https://id.example?x id hunter2"),
        ("OIDC", "home https://user:pass@id.example id hunter2"),
        ("OIDC", "home https:// id hunter2"),
        ("OIDC", "home ftp://127.0.0.1 id hunter2"),
        ("OIDC", "Home/ https://id.example id hunter2"),
        ("OIDC", "home https://id.example id hunter2,"),
        ("OIDC", "home https://id.example id hunter2, home https://id.example id hunter2"),
    ],
)
def test_what_a_setting_cannot_mean_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CASSET_{name}", value)
    with pytest.raises(SettingRefused) as told:
        from_environment(Path("data"))
    assert f"CASSET_{name}" in str(told.value)
    assert "hunter2" not in str(told.value)
