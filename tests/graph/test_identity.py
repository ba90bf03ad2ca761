"""Who somebody is: accounts, passwords, letters, handles, artists, claims and keys, asked through both executions."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console
from sqlalchemy import Table, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from db import tables
from db.engine import Database
from db.keys import viewer_of_key
from domain.accounts import ANONYMOUS, Viewer
from domain.canonical import digest
from domain.claims import ClaimState
from domain.errors import Moved, NotFound, TooMany
from domain.handles import skeleton
from domain.ids import Kind, Ref, parse_ref
from domain.keys import is_key
from graph.execution import Execution
from graph.mutation import _DEEDS
from graph.reading import Reader
from graph.schema import executable
from graph.server.buckets import MemoryBuckets
from graph.server.claims import settle_claim, show_claims
from graph.server.mail import Folder
from resolvers.callers import Caller, House, secret_hash
from resolvers.claims import decide_claim
from resolvers.context import Acting, now, uuid7
from resolvers.passwords import Passwords

PASSWORD = "lantern-over-water-7"  # opens nothing
OTHER = "nine slow tambourines"
UNCLAIMED = UUID(int=77)
ASKED = {
    "signUp": "account { id handle email emailVerified } artist { id handle name claimed version world { handle } }",
    "signIn": "account { id handle }",
    "signOut": "sessionsEnded",
    "changePassword": "account { handle }",
    "requestPasswordReset": "email",
    "resetPassword": "handle",
    "requestEmailVerification": "account { email emailVerified }",
    "verifyEmail": "verified",
    "updateAccount": "account { handle }",
    "createArtist": "artist { id handle name kind world { tagline bio } claimed version provenance { nodes { kind } } }",
    "updateArtist": "artist { id handle name kind world { tagline bio } version provenance { nodes { kind sequence } } }",
    "claimArtist": "claim { id state proofAddress proofText artist { handle } }",
    "issueKey": "key { id name mode scopes expiresAt revokedAt lastUsedAt artist { handle } } secret",
    "rotateKey": "key { id name scopes artist { handle } } secret",
    "revokeKey": "key { id revokedAt }",
    "deleteAccount": "deletedId",
}


@dataclass
class Person:
    """Somebody at a browser: the session they have, and what they ask."""

    reader: Reader
    house: House
    network: str = "address:192.0.2.1"
    viewer: Viewer = ANONYMOUS
    session: bytes | None = None
    cookies: list[str] = field(default_factory=list)

    async def ask(self, name: str, /, **given: Any) -> dict[str, Any]:
        caller = Caller(self.house, self.network, self.session)
        result = name[0].upper() + name[1:]
        document = (
            f"mutation ($input: {result}Input!) {{ {name}(input: $input) {{ __typename "
            f"... on UserError {{ code message path }} ... on {self._success(name)} {{ {ASKED[name]} }} }} }}"
        )
        answer = await self.reader.answer(document, None, {"input": given}, self.viewer, caller)
        told = json.loads(answer.body)
        if caller.became is not None:
            self.viewer, self.session = caller.became, caller.session
        if caller.opened is not None:
            self.cookies.append(caller.opened)
        assert not caller.opened or caller.opened not in answer.body.decode(), "a session's secret is in no body"
        assert told.get("data") or told["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", told
        return dict(told["data"][name]) if told.get("data") else dict(told)

    @staticmethod
    def _success(name: str) -> str:
        shared = {
            "changePassword": "AccountSuccess",
            "requestEmailVerification": "AccountSuccess",
            "updateAccount": "AccountSuccess",
            "createArtist": "ArtistSuccess",
            "updateArtist": "ArtistSuccess",
            "issueKey": "KeySuccess",
            "rotateKey": "KeySuccess",
        }
        return shared.get(name, name[0].upper() + name[1:] + "Success")

    async def read(self, document: str) -> dict[str, Any]:
        return dict(json.loads((await self.reader.answer(document, None, None, self.viewer)).body))

    async def join(self, handle: str, email: str | None = None) -> dict[str, Any]:
        told = await self.ask("signUp", handle=handle, email=email or f"{handle}@example.com", password=PASSWORD)
        assert told["__typename"] == "SignUpSuccess", told
        return told


@dataclass
class Town:
    """A database, a house over it, and its letters."""

    database: Database
    reader: Reader
    house: House
    folder: Path

    def person(self, network: str = "address:192.0.2.1") -> Person:
        return Person(self.reader, self.house, network)

    async def letters(self) -> list[Any]:
        await self.house.settled()
        files = sorted(self.folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes()) for path in files]

    async def code(self, subject: str) -> str:
        """The code in the last letter about something."""
        found = [letter for letter in await self.letters() if letter["Subject"] == subject]
        lines = found[-1].get_payload(decode=True).decode().splitlines()
        return next(line for line in lines if re.fullmatch(r"[\w-]{43}", line))

    async def count(self, table: Table, *where: Any) -> int:
        async with self.database.read() as connection:
            query = select(func.count()).select_from(table).where(*where)
            return (await connection.execute(query)).scalar_one()

    async def everything(self) -> str:
        """Every row of every table, as text: what somebody finds who steals the database."""
        async with self.database.read() as connection:
            rows = [
                str(row)
                for table in tables.metadata.sorted_tables
                for row in await connection.execute(text(f'SELECT "{table.name}"::text FROM "{table.name}"'))
            ]
        return "\n".join(rows)

    async def age(self, table: Table, column: str, by: timedelta) -> None:
        async with self.database.write() as connection:
            await connection.execute(text("SET LOCAL ROLE casset_owner"))
            await connection.execute(update(table).values({column: table.c[column] - by}))


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    folder = tmp_path / "mail"
    ample = MemoryBuckets(1000, 1)
    house = House(Passwords(patience=30), Folder(folder, "casset@example.com"), ample, ample, ample)
    async with database.write() as connection:
        await connection.execute(
            insert(tables.artist).values(id=UNCLAIMED, handle="nina.s", name="Nina S", kind="CREATOR", claimed=False)
        )
    yield Town(database, Reader(executable(), database), house, folder)
    await house.settled()
    house.passwords.close()


# -- signing up and in --------------------------------------------------------------------------------------------


async def test_who_signs_up_is_signed_in_and_has_a_world(town: Town) -> None:
    ada = town.person()
    told = await ada.ask("signUp", handle="@Ada", email="Ada@Example.com", password=PASSWORD, artistName="Ada L.")
    artist = told.pop("artist")
    assert told["account"] | {"id": ""} == {
        "id": "",
        "handle": "ada",
        "email": "Ada@Example.com",
        "emailVerified": False,
    }
    assert artist | {"id": ""} == {
        "id": "",
        "handle": "ada",
        "name": "Ada L.",
        "claimed": True,
        "version": 1,
        "world": {"handle": "ada"},
    }
    read = await ada.read(
        "{ viewer { account { handle email } artists { nodes { handle provenance { nodes { kind } } } } } }"
    )
    assert read["data"]["viewer"] == {
        "account": {"handle": "ada", "email": "Ada@Example.com"},
        "artists": {"nodes": [{"handle": "ada", "provenance": {"nodes": [{"kind": "ARTIST_CREATED"}]}}]},
    }
    assert (await ada.read('{ search(query: "Ada") { nodes { __typename } } }'))["data"]["search"]["nodes"]
    assert [await town.count(table) for table in (tables.provenance_event, tables.change, tables.outbox)] == [1, 1, 1]


async def test_one_signs_in_by_handle_or_address(town: Town) -> None:
    await town.person().join("ada")
    for name in ("ada", " @ADA ", "ada@example.com", "ADA@example.COM"):
        assert (await town.person().ask("signIn", name=name, password=PASSWORD))["account"]["handle"] == "ada"


async def test_both_executions_answer_alike(town: Town) -> None:
    told = []
    for handle, execution in (("some-plan", Execution.PLAN), ("some-call", Execution.REFERENCE)):
        person = town.person()
        person.reader = Reader(executable(), town.database, execution)
        artist = (await person.join(handle))["artist"]["id"]
        asked = [
            await person.ask("signUp", handle=handle, email="x", password=""),
            await person.ask("signIn", name=handle, password=OTHER),
            await person.ask("signIn", name=handle, password=PASSWORD),
            await person.ask("createArtist", handle=f"{handle}-2", name="Two"),
            await person.ask("updateArtist", id=artist, expectedVersion=1, tagline="Hm"),
            await person.ask("issueKey", name="x", scopes=["READ"]),
            await person.ask("signOut"),
            await person.ask("signOut"),
        ]
        said = json.dumps(asked).replace(handle, "")
        told.append(re.sub(r'"(secret|id|expiresAt)": "[^"]*"', "", said))
    assert told[0] == told[1]


async def test_a_wrong_name_and_a_wrong_password_answer_alike(town: Town) -> None:
    await town.person().join("ada")
    async with town.database.write() as connection:
        await connection.execute(insert(tables.account).values(id=UUID(int=5), handle="no-password"))
    for name, password in (
        ("ada", PASSWORD + " "),
        ("ada", PASSWORD.upper()),
        ("ada", ""),
        ("ada", "x" * 1000),
        ("bo", PASSWORD),
        ("no-password", PASSWORD),
        ("ada@example.org", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("%", PASSWORD),
        ("@", PASSWORD),
        ("", ""),
    ):
        stranger = town.person()
        assert await stranger.ask("signIn", name=name, password=password) == {
            "__typename": "SignInNeededError",
            "code": "UNAUTHENTICATED",
            "message": "The name or the password is wrong.",
            "path": [],
        }
        assert stranger.cookies == []


async def test_an_unknown_name_costs_a_hash_like_a_known_one(town: Town) -> None:
    """The same work, so the same time: counted, as no test here looks at a clock."""
    done: list[str] = []
    hasher = town.house.passwords._hasher

    class Watched:
        """The hasher, telling what it is asked to verify."""

        hash = hasher.hash

        @staticmethod
        def verify(encoded: str, password: bytes) -> bool:
            done.append(encoded.split("$")[3])
            return hasher.verify(encoded, password)

    town.house.passwords._hasher = Watched()  # type: ignore[assignment]  # the same work, counted
    await town.person().join("ada")
    for name in ("ada", "nobody-at-all", "nobody@example.com"):
        await town.person().ask("signIn", name=name, password=OTHER)
    assert done == ["m=19456,t=2,p=1"] * 3


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"password": "short"}, "password"),
    ({"password": "x" * 257}, "password"),
    ({"password": "1234567890"}, "password"),
    ({"password": "QWERTYuiop"}, "password"),
    ({"password": "aaaaaaaaaaaa"}, "password"),
    ({"password": "a bell\u0007 in a password"}, "password"),
    ({"handle": "longer-handle", "password": "longer-handle"}, "password"),
    ({"email": "longer.name@example.com", "password": "Longer.Name"}, "password"),
    ({"email": "no address"}, "email"),
    ({"email": "a@b"}, "email"),
    ({"email": "a@example.com\r\nBcc: all@example.com"}, "email"),
    ({"email": "<a@example.com>"}, "email"),
    ({"email": "a@ex ample.com"}, "email"),
    ({"email": "x" * 65 + "@example.com"}, "email"),
    ({"handle": "ab"}, "handle"),
    ({"handle": "x" * 31}, "handle"),
    ({"handle": "a--b"}, "handle"),
    ({"handle": "-ada"}, "handle"),
    ({"handle": "a.b.c"}, "handle"),
    ({"handle": "адa"}, "handle"),
    ({"handle": "ad\u0430"}, "handle"),
    ({"handle": "\u212aate"}, "handle"),
    ({"handle": "admin"}, "handle"),
    ({"handle": "adm1n"}, "handle"),
    ({"handle": "r00t"}, "handle"),
    ({"handle": "supp0rt"}, "handle"),
    ({"handle": "sign-in"}, "handle"),
    ({"handle": "usrc17607839"}, "handle"),
    ({"artistName": " "}, "artistName"),
    ({"artistName": "x" * 301}, "artistName"),
    ({"artistName": "a\u0000b"}, "artistName"),
]


async def test_what_cannot_be_taken_is_refused_by_name(town: Town) -> None:
    for given, path in REFUSED:
        wanted = {"handle": "ada-l", "email": "ada@example.com", "password": PASSWORD, **given}
        told = await town.person().ask("signUp", **wanted)
        assert (told["code"], told["path"]) == ("VALIDATION", [path]), (given, told)
    assert await town.count(tables.account) == 0


LIKE_ADA_LOVELACE = ["ada-lovelace", "adalovelace", "ada_love1ace", "ada-l0velace", "Ada_Lovelace"]


async def test_nobody_passes_for_somebody_else_nor_for_an_artist_who_was_imported(town: Town) -> None:
    await town.person().join("ada-lovelace")
    for handle in (*LIKE_ADA_LOVELACE, "nina-s", "nina_s", "ninas"):
        told = await town.person().ask("signUp", handle=handle, email="eve@example.com", password=PASSWORD)
        assert (told["code"], told["path"], "taken" in told["message"]) == ("VALIDATION", ["handle"], True)
    assert await town.count(tables.account) == 1


async def test_the_database_folds_handles_as_the_domain_does(town: Town) -> None:
    handles = ["ada", "rnvv0-1_l.x", "vvv", "rrnn", "01-_.", "0mega-1", "vrnv", "arn-n"]
    async with town.database.read() as connection:
        for handle in handles:
            folded = await connection.execute(text("SELECT handle_skeleton(:handle)"), {"handle": handle})
            assert folded.scalar() == skeleton(handle)


async def test_of_many_who_want_like_handles_at_once_one_has_it(town: Town) -> None:
    told = await asyncio.gather(
        *[
            town.person().ask("signUp", handle=handle, email=f"{n}@example.com", password=PASSWORD)
            for n, handle in enumerate(LIKE_ADA_LOVELACE)
        ]
    )
    assert sorted(one["__typename"] for one in told) == ["InvalidError"] * 4 + ["SignUpSuccess"]
    assert await town.count(tables.account) == 1


async def test_a_taken_address_is_answered_like_a_free_one_and_taken_by_who_shows_it(town: Town) -> None:
    eve, ada = town.person(), town.person()
    first = await eve.join("eve-first", "ada@example.com")
    second = await ada.join("ada", "ADA@example.com")
    assert first.keys() == second.keys()
    unclear = await town.person().ask("signIn", name="ada@example.com", password=PASSWORD)
    assert unclear["code"] == "UNAUTHENTICATED", "an address two accounts claim is neither's"
    code = await town.code("Your address on Casset")
    assert (await town.person().ask("verifyEmail", code=code))["verified"]
    whose = await town.person().ask("signIn", name="ada@example.com", password=PASSWORD)
    letter = (await town.letters())[-1].get_payload(decode=True).decode()
    assert f"@{whose['account']['handle']} " in letter


async def test_a_code_is_good_once_for_one_thing_and_not_for_long(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    code = await town.code("Your address on Casset")
    refused = {"code": "VALIDATION", "path": ["code"]}
    other_purpose = await town.person().ask("resetPassword", code=code, newPassword=OTHER)
    assert refused.items() <= other_purpose.items()
    told = await asyncio.gather(*[town.person().ask("verifyEmail", code=code) for _ in range(4)])
    assert sorted(one["__typename"] for one in told) == ["InvalidError"] * 3 + ["VerifyEmailSuccess"]
    await town.person().ask("requestPasswordReset", email="ada@example.com")
    late = await town.code("Your Casset password")
    await town.age(tables.mailed_code, "expires_at", timedelta(hours=1))
    assert refused.items() <= (await town.person().ask("resetPassword", code=late, newPassword=OTHER)).items()


# -- sessions -----------------------------------------------------------------------------------------------------


async def test_a_session_somebody_planted_dies_at_sign_in(town: Town) -> None:
    eve, ada = town.person(), town.person()
    await eve.join("eve")
    await town.person().join("ada")
    planted = ada.session = eve.session
    assert planted is not None
    await ada.ask("signIn", name="ada", password=PASSWORD)
    assert ada.session != planted
    assert (
        await town.count(tables.session, tables.session.c.secret_hash == planted, tables.session.c.revoked_at.is_(None))
        == 0
    )


async def test_signing_out_ends_one_session_or_all(town: Town) -> None:
    people = [town.person() for _ in range(3)]
    await people[0].join("ada")
    for person in people[1:]:
        await person.ask("signIn", name="ada", password=PASSWORD)
    assert await people[0].ask("signOut") == {"__typename": "SignOutSuccess", "sessionsEnded": 1}
    assert people[0].cookies[-1] == ""
    assert people[0].viewer is ANONYMOUS
    assert (await people[1].ask("signOut", everywhere=True))["sessionsEnded"] == 2
    assert await town.count(tables.session, tables.session.c.revoked_at.is_(None)) == 0
    assert (await town.person().ask("signOut"))["code"] == "UNAUTHENTICATED"


async def test_a_changed_password_ends_every_session_but_renews_this_one(town: Town) -> None:
    here, there = town.person(), town.person()
    await here.join("ada")
    await there.ask("signIn", name="ada", password=PASSWORD)
    before = here.session
    wrong = await here.ask("changePassword", currentPassword=OTHER, newPassword=OTHER)
    assert (wrong["code"], wrong["path"], here.session) == ("VALIDATION", ["currentPassword"], before)
    assert (await here.ask("changePassword", newPassword=OTHER))["path"] == ["currentPassword"]
    assert (await here.ask("changePassword", currentPassword=PASSWORD, newPassword="too short"))["path"] == [
        "newPassword"
    ]
    assert (await here.ask("changePassword", currentPassword=PASSWORD, newPassword=OTHER))["account"] == {
        "handle": "ada"
    }
    alive = select(tables.session.c.secret_hash).where(tables.session.c.revoked_at.is_(None))
    async with town.database.read() as connection:
        assert (await connection.execute(alive)).scalars().all() == [here.session]
    assert here.session != before
    assert (await town.person().ask("signIn", name="ada", password=PASSWORD))["code"] == "UNAUTHENTICATED"
    assert (await town.letters())[-1]["Subject"] == "Your Casset password was changed"


async def test_of_an_account_that_is_deleted_nothing_says_who_it_was(town: Town) -> None:
    ada, elsewhere, bo = town.person(), town.person(), town.person()
    id_ = (await ada.join("zelda-quince", "zelda.quince@example.com"))["account"]["id"]
    await bo.join("bo-under")
    await elsewhere.ask("signIn", name="zelda-quince", password=PASSWORD)
    await ada.ask("updateAccount", handle="zelda-marlow")
    await ada.ask("issueKey", name="Zelda's machine", scopes=["READ"], mode="LIVE")
    for wrong in ({"password": OTHER}, {}):
        refused = await ada.ask("deleteAccount", **wrong)
        assert (refused["code"], refused["path"]) == ("VALIDATION", ["password"])
    assert re.search("zelda", await town.everything(), re.IGNORECASE)
    gone = await ada.ask("deleteAccount", password=PASSWORD)
    assert gone == {"__typename": "DeleteAccountSuccess", "deletedId": id_}
    rows = [
        row for row in (await town.everything()).splitlines() if re.search("zelda|quince|marlow", row, re.IGNORECASE)
    ]
    assert sorted(rows) == ["('(quince)',)", "('(zelda)',)"], "words that search can spell, of nobody"
    assert (ada.viewer, ada.cookies[-1]) == (ANONYMOUS, "")
    assert await town.count(tables.session, tables.session.c.revoked_at.is_(None)) == 1, "Bo's"
    for name in ("zelda-quince", "zelda-marlow", "zelda.quince@example.com"):
        assert (await town.person().ask("signIn", name=name, password=PASSWORD))["code"] == "UNAUTHENTICATED"
    last = (await town.letters())[-1]
    assert (last["Subject"], last["To"]) == ("Your Casset account was deleted", "zelda.quince@example.com")
    assert (await town.person().ask("signUp", handle="left-0123456789ab", email="x@example.com", password=PASSWORD))[
        "code"
    ] == "VALIDATION", "nobody passes for somebody who left"
    await town.person().join("zelda-quince")


async def test_an_account_with_works_others_meet_stays_until_somebody_else_owns_them(town: Town) -> None:
    ada = town.person()
    artist = parse_ref((await ada.join("ada"))["artist"]["id"]).id
    async with town.database.write() as connection:
        row = {"id": uuid7(), "kind": "TRACK", "owner_id": artist, "title": "Song", "state": "PUBLIC"}
        await connection.execute(insert(tables.asset).values(row))
        await connection.execute(insert(tables.track).values(id=row["id"]))
    refused = await ada.ask("deleteAccount", password=PASSWORD)
    assert (refused["code"], "@ada" in refused["message"]) == ("CONFLICT", True)
    assert (await town.person().ask("signIn", name="ada", password=PASSWORD))["__typename"] == "SignInSuccess"
    bo = town.person()
    second = parse_ref((await bo.join("bob"))["account"]["id"]).id
    async with town.database.write() as connection:
        row = {"id": uuid7(), "account_id": second, "artist_id": artist, "role": "EDITOR"}
        await connection.execute(insert(tables.membership).values(row))
    assert (await ada.ask("deleteAccount", password=PASSWORD))["code"] == "CONFLICT", "an editor owns nothing"
    async with town.database.write() as connection:
        await connection.execute(
            update(tables.membership).where(tables.membership.c.id == row["id"]).values(role="OWNER")
        )
    assert (await ada.ask("deleteAccount", password=PASSWORD))["__typename"] == "DeleteAccountSuccess"
    shown = await town.person().read('{ artist(handle: "ada") { name } }')
    assert shown["data"]["artist"] == {"name": "ada"}, "the artist is Bo's now"


async def test_a_forgotten_password_is_replaced_by_letter(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    known = await town.person().ask("requestPasswordReset", email="ada@example.com")
    code = await town.code("Your Casset password")
    common = await town.person().ask("resetPassword", code=code, newPassword="password123")
    assert common["path"] == ["newPassword"]
    assert (await town.person().ask("resetPassword", code=code, newPassword=OTHER))["handle"] == "ada"
    assert (await town.person().ask("resetPassword", code=code, newPassword=PASSWORD))["path"] == ["code"]
    assert await town.count(tables.session, tables.session.c.revoked_at.is_(None)) == 0
    assert (await town.person().ask("signIn", name="ada", password=OTHER))["account"]["handle"] == "ada"
    letters = len(await town.letters())
    unknown = await town.person().ask("requestPasswordReset", email="nobody@example.com")
    assert known | {"email": ""} == unknown | {"email": ""}
    assert len(await town.letters()) == letters


async def test_another_address_waits_until_it_is_shown_and_the_old_one_hears_of_it(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    await ada.ask("verifyEmail", code=await town.code("Your address on Casset"))
    told = await ada.ask("requestEmailVerification", email="new@example.com")
    assert told["account"] == {"email": "new@example.com", "emailVerified": False}
    letters = {(letter["Subject"], letter["To"]) for letter in await town.letters()}
    assert ("Your address on Casset was changed", "ada@example.com") in letters
    assert ("Your address on Casset", "new@example.com") in letters
    await ada.ask("verifyEmail", code=await town.code("Your address on Casset"))
    assert (await ada.read("{ viewer { account { emailVerified } } }"))["data"]["viewer"]["account"]["emailVerified"]


# -- limits -------------------------------------------------------------------------------------------------------


async def test_attempts_are_counted_by_name_and_network_however_they_come(town: Town) -> None:
    await town.person().join("ada")
    town.house.attempts = MemoryBuckets(10, 1e-6)
    many = " ".join(
        f'a{n}: signIn(input: {{ name: "{name}", password: "wrong-wrong" }}) {{ __typename }}'
        for n, name in enumerate(["ada", "ADA", " ada ", "@ada"] * 3)
    )
    caller = Caller(town.house, "address:192.0.2.9")
    with pytest.raises(TooMany):
        await town.reader.answer(f"mutation {{ {many} }}", None, None, ANONYMOUS, caller)
    with pytest.raises(TooMany):
        await town.person("address:192.0.2.9").ask("signIn", name="ada", password=PASSWORD)
    assert (await town.person("address:192.0.2.8").ask("signIn", name="ada", password=PASSWORD))["account"]


async def test_one_network_does_not_try_many_names(town: Town) -> None:
    town.house.crowd = MemoryBuckets(5, 1e-6)
    for n in range(5):
        await town.person().ask("signIn", name=f"somebody-{n}", password=PASSWORD)
    with pytest.raises(TooMany):
        await town.person().ask("signIn", name="somebody-else", password=PASSWORD)


async def test_a_letter_box_is_not_flooded_and_the_answer_does_not_tell(town: Town) -> None:
    await town.person().join("ada")
    await town.letters()
    town.house.letters = MemoryBuckets(2, 1e-6)
    told = [await town.person().ask("requestPasswordReset", email="ada@example.com") for _ in range(5)]
    assert all(one == told[0] for one in told)
    assert [letter["Subject"] for letter in await town.letters()].count("Your Casset password") == 2


async def test_two_are_hashed_at_a_time_and_who_waits_too_long_is_sent_away(town: Town) -> None:
    hasher = Passwords(patience=0)
    told = await asyncio.gather(*[hasher.hashed(PASSWORD) for _ in range(8)], return_exceptions=True)
    hasher.close()
    assert sum(isinstance(one, str) for one in told) <= 2
    assert {getattr(one, "code", "hash") for one in told} <= {"RATE_LIMIT", "hash"}


async def test_nobody_signs_in_where_no_cookie_can_be_set(town: Town) -> None:
    document = 'mutation { signIn(input: { name: "ada", password: "x" }) { __typename } }'
    answer = json.loads((await town.reader.answer(document, None, None, ANONYMOUS)).body)
    assert answer["data"]["signIn"] == {"__typename": "ForbiddenError"}


# -- handles and artists ------------------------------------------------------------------------------------------


async def test_a_handle_that_was_let_go_stays_with_who_had_it(town: Town) -> None:
    ada, eve = town.person(), town.person()
    artist = (await ada.join("ada"))["artist"]
    await eve.join("eve")
    assert (await ada.ask("updateAccount", handle="ada-writes"))["account"] == {"handle": "ada-writes"}
    moved = await ada.ask("updateArtist", id=artist["id"], expectedVersion=1, handle="ada-plays")
    assert (moved["artist"]["handle"], moved["artist"]["version"]) == ("ada-plays", 2)
    for handle in ("ada", "a-da", "ada-writes", "ada-plays"):
        assert (await eve.ask("updateAccount", handle=handle))["path"] == ["handle"]
        assert (await eve.ask("createArtist", handle=handle, name="Eve"))["path"] == ["handle"]
    assert (await ada.ask("updateAccount", handle="ada"))["account"] == {"handle": "ada"}
    assert (await ada.ask("createArtist", handle="ada-plays", name="Twice"))["path"] == ["handle"]
    assert (await ada.ask("createArtist", handle="ada-2", name="Second"))["artist"]["handle"] == "ada-2"


async def test_an_artist_is_made_and_changed_with_provenance(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    wanted = {"handle": "low-tide", "name": "Low Tide", "kind": "DUO", "tagline": "Two of us", "bio": "One\nTwo"}
    made = await ada.ask("createArtist", **wanted, idempotencyKey="k")
    assert await ada.ask("createArtist", **wanted, idempotencyKey="k") == made
    assert made["artist"] | {"id": ""} == {
        "id": "",
        "handle": "low-tide",
        "name": "Low Tide",
        "kind": "DUO",
        "world": {"tagline": "Two of us", "bio": "One\nTwo"},
        "claimed": True,
        "version": 1,
        "provenance": {"nodes": [{"kind": "ARTIST_CREATED"}]},
    }
    id_ = made["artist"]["id"]
    changed = await ada.ask("updateArtist", id=id_, expectedVersion=1, name="Lower Tide", tagline=None)
    assert (changed["artist"]["name"], changed["artist"]["world"]["tagline"], changed["artist"]["version"]) == (
        "Lower Tide",
        None,
        2,
    )
    same = await ada.ask("updateArtist", id=id_, expectedVersion=2, name="Lower Tide")
    assert same["artist"]["version"] == 2, "what changes nothing writes nothing"
    stale = await ada.ask("updateArtist", id=id_, expectedVersion=1, name="x")
    assert (stale["code"], stale["path"]) == ("CONFLICT", ["expectedVersion"])
    async with town.database.read() as connection:
        table = tables.provenance_event
        events = (
            await connection.execute(
                select(table).where(table.c.subject_id == parse_ref(id_).id).order_by(table.c.sequence)
            )
        ).all()
    assert [event.kind for event in events] == ["ARTIST_CREATED", "ARTIST_UPDATED"]
    assert [digest(event.body.encode()) for event in events] == [event.hash for event in events]
    assert "Tide" not in "".join(event.body for event in events), "payloads hold digests, never names"
    found = await ada.read('{ search(query: "lower") { nodes { ... on Artist { handle } } } }')
    assert found["data"]["search"]["nodes"] == [{"handle": "low-tide"}]


async def test_an_artist_of_somebody_else_and_none_answer_alike(town: Town) -> None:
    ada, eve = town.person(), town.person()
    await ada.join("ada")
    theirs = (await eve.join("eve"))["artist"]["id"]
    none = str(Ref(Kind.ARTIST, UUID(int=99)))
    for name, given in (
        ("updateArtist", {"expectedVersion": 1, "name": "Mine"}),
        ("updateArtist", {"expectedVersion": 1, "handle": "mine-now"}),
        ("updateArtist", {"expectedVersion": 9}),
    ):
        refused = [await ada.ask(name, id=id_, **given) for id_ in (theirs, none, str(Ref(Kind.ARTIST, UNCLAIMED)))]
        assert refused[0] == refused[1] == refused[2]
        assert refused[0]["code"] == "NOT_FOUND"


async def test_an_editor_changes_words_and_only_an_owner_the_address(town: Town) -> None:
    ada, eve = town.person(), town.person()
    artist = (await ada.join("ada"))["artist"]["id"]
    await eve.join("eve")
    assert eve.viewer.account is not None
    key = parse_ref(artist).id
    async with town.database.write() as connection:
        row = {"id": uuid7(), "account_id": eve.viewer.account, "artist_id": key, "role": "EDITOR"}
        await connection.execute(insert(tables.membership).values(row))
    await eve.ask("signIn", name="eve", password=PASSWORD)
    assert (await eve.ask("updateArtist", id=artist, expectedVersion=1, tagline="We"))["artist"]["world"][
        "tagline"
    ] == "We"
    assert (await eve.ask("updateArtist", id=artist, expectedVersion=2, handle="ours-now"))["code"] == "NOT_FOUND"
    assert (await eve.ask("issueKey", name="x", scopes=["ASSETS_WRITE"], artist=artist))["code"] == "NOT_FOUND"


async def test_accounts_and_artists_need_somebody(town: Town) -> None:
    nobody = town.person()
    some = str(Ref(Kind.ARTIST, UNCLAIMED))
    for name, given in (
        ("createArtist", {"handle": "no", "name": ""}),
        ("updateArtist", {"id": some, "expectedVersion": 1}),
        ("updateAccount", {"handle": "no"}),
        ("claimArtist", {"artist": some, "proofAddress": "x"}),
        ("changePassword", {"newPassword": OTHER}),
        ("deleteAccount", {"password": OTHER}),
        ("requestEmailVerification", {}),
        ("issueKey", {"name": "", "scopes": []}),
        ("revokeKey", {"id": str(Ref(Kind.KEY, UNCLAIMED))}),
        ("rotateKey", {"id": str(Ref(Kind.KEY, UNCLAIMED)), "overlapSeconds": -1}),
    ):
        assert (await nobody.ask(name, **given)).get("code") == "UNAUTHENTICATED", name


# -- claims -------------------------------------------------------------------------------------------------------


async def test_a_claim_is_shown_looked_at_and_decided_once(town: Town) -> None:
    nina, eve = town.person(), town.person()
    await nina.join("nina-herself")
    await eve.join("eve")
    some = str(Ref(Kind.ARTIST, UNCLAIMED))
    claim = (await nina.ask("claimArtist", artist=some, proofAddress="https://nina.example/about"))["claim"]
    assert claim["state"] == "OPEN"
    assert claim["proofText"] == f"casset {claim['id']}"
    moved = (await nina.ask("claimArtist", artist=some, proofAddress="https://nina.example/news"))["claim"]
    assert moved == claim | {"proofAddress": "https://nina.example/news"}
    other = (await eve.ask("claimArtist", artist=some, proofAddress="https://eve.example/"))["claim"]
    assert await eve.read(f'{{ node(id: "{claim["id"]}") {{ id }} }}') == {"data": {"node": None}}
    acting = Acting(town.database, ANONYMOUS, now, uuid7)
    await decide_claim(acting, parse_ref(claim["id"]), ClaimState.APPROVED)
    with pytest.raises(NotFound):
        await decide_claim(acting, parse_ref(other["id"]), ClaimState.APPROVED)
    await nina.ask("signIn", name="nina-herself", password=PASSWORD)
    read = await nina.read(
        "{ viewer { artists { nodes { handle claimed provenance { nodes { kind } } } } claims { nodes { state } } } }"
    )
    assert {"handle": "nina.s", "claimed": True, "provenance": {"nodes": [{"kind": "ARTIST_CLAIMED"}]}} in read["data"][
        "viewer"
    ]["artists"]["nodes"]
    assert read["data"]["viewer"]["claims"]["nodes"] == [{"state": "APPROVED"}]
    assert (await eve.read("{ viewer { claims { nodes { state } } } }"))["data"]["viewer"]["claims"]["nodes"] == [
        {"state": "REFUSED"}
    ]
    late = await eve.ask("claimArtist", artist=some, proofAddress="https://eve.example/")
    assert late["code"] == "CONFLICT"
    assert (await nina.ask("updateArtist", id=some, expectedVersion=2, name="Nina"))["artist"]["name"] == "Nina"


async def test_a_refused_claim_leaves_the_artist_as_it_was(town: Town) -> None:
    eve = town.person()
    await eve.join("eve")
    claim = (
        await eve.ask("claimArtist", artist=str(Ref(Kind.ARTIST, UNCLAIMED)), proofAddress="https://eve.example/")
    )["claim"]
    acting = Acting(town.database, ANONYMOUS, now, uuid7)
    await decide_claim(acting, parse_ref(claim["id"]), ClaimState.REFUSED)
    assert await town.count(tables.artist, tables.artist.c.id == UNCLAIMED, tables.artist.c.claimed) == 0
    async with town.database.write() as connection:
        await connection.execute(update(tables.artist).where(tables.artist.c.id == UNCLAIMED).values(claimed=True))
        await connection.execute(update(tables.artist_claim).values(state="OPEN"))
    with pytest.raises(Moved):
        await decide_claim(acting, parse_ref(claim["id"]), ClaimState.APPROVED)
    assert await town.count(tables.artist_claim, tables.artist_claim.c.state == "OPEN") == 1


async def test_a_proof_stands_on_a_public_page(town: Town) -> None:
    eve = town.person()
    await eve.join("eve")
    for address in (
        "http://nina.example/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://user:pass@nina.example/",
        "https://nina.example:8443/",
        "javascript:alert(1)",
        "https://nina.example/a b",
        "https://nina.example/" + "x" * 500,
        "https://[",
        "",
    ):
        told = await eve.ask("claimArtist", artist=str(Ref(Kind.ARTIST, UNCLAIMED)), proofAddress=address)
        assert (told["code"], told["path"]) == ("VALIDATION", ["proofAddress"]), address


async def test_a_person_of_the_house_sees_what_waits_and_decides(town: Town) -> None:
    nina = town.person()
    await nina.join("nina-herself")
    some = str(Ref(Kind.ARTIST, UNCLAIMED))
    claim = (await nina.ask("claimArtist", artist=some, proofAddress="https://nina.example/[red]about"))["claim"]
    console = Console(record=True, width=200)
    await show_claims(town.database, console)
    await settle_claim(town.database, claim["id"], ClaimState.APPROVED, console)
    await show_claims(town.database, console)
    shown = console.export_text()
    assert f"{claim['id']}  @nina-herself claims to be Nina S (@nina.s)" in shown
    assert f'look at https://nina.example/[red]about for "{claim["proofText"]}"' in shown
    assert shown.splitlines()[-3:] == ["1 open.", "Approved.", "0 open."]


# -- keys ---------------------------------------------------------------------------------------------------------


async def test_a_key_is_told_once_and_stands_for_what_it_allows(town: Town) -> None:
    ada = town.person()
    artist = (await ada.join("ada"))["artist"]["id"]
    wanted = {"name": "a player", "scopes": ["READ", "CHECK"], "idempotencyKey": "k"}
    issued = await ada.ask("issueKey", **wanted)
    secret = issued["secret"]
    assert is_key(secret)
    assert secret.startswith("cas_live_")
    assert (await ada.ask("issueKey", **wanted)) == issued | {"secret": None}
    holder = await viewer_of_key(town.database, secret_hash(secret))
    assert holder is not None
    assert (holder.viewer.holds, holder.viewer.edits, holder.viewer.is_agent) == ((), (), True)
    assert set(holder.viewer.scopes) == {"READ", "CHECK"}
    writing = await ada.ask("issueKey", name="a tool", scopes=["ASSETS_WRITE"], artist=artist)
    assert writing["key"]["artist"] == {"handle": "ada"}
    holder = await viewer_of_key(town.database, secret_hash(writing["secret"]))
    assert holder is not None
    assert holder.viewer.edits == (parse_ref(artist).id,)
    read = await ada.read("{ viewer { keys { nodes { name lastUsedAt } } } }")
    nodes = read["data"]["viewer"]["keys"]["nodes"]
    assert [node["name"] for node in nodes] == ["a tool", "a player"]
    assert all(node["lastUsedAt"] for node in nodes)


async def test_a_test_key_only_tries_whatever_its_scopes(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    for mode in ("LIVE", "TEST"):
        issued = await ada.ask("issueKey", name="x", scopes=["CHECK", "LICENSE", "DERIVE"], mode=mode)
        assert issued["secret"].startswith(f"cas_{mode.lower()}_")
        holder = await viewer_of_key(town.database, secret_hash(issued["secret"]))
        assert holder is not None
        assert holder.viewer.only_tries is (mode == "TEST")


async def test_a_key_that_could_do_more_than_it_should_is_not_issued(town: Town) -> None:
    ada = town.person()
    artist = (await ada.join("ada"))["artist"]["id"]
    refused: list[tuple[dict[str, Any], str]] = [
        ({"scopes": []}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": ["ASSETS_WRITE"]}, "artist"),
        ({"scopes": ["LINEAGE_WRITE"], "artist": artist, "mode": "TEST"}, "mode"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, "expiresAt"),
    ]
    for given, path in refused:
        told = await ada.ask("issueKey", **{"name": "x", "scopes": ["READ"], **given})
        assert (told["code"], told["path"]) == ("VALIDATION", [path]), given
    assert await town.count(tables.agent_key) == 0


async def test_keys_need_a_fresh_sign_in(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    key = (await ada.ask("issueKey", name="x", scopes=["READ"]))["key"]["id"]
    assert ada.viewer.signed_in_at is not None
    ada.viewer = Viewer(ada.viewer.account, signed_in_at=ada.viewer.signed_in_at - timedelta(hours=12, seconds=1))
    for name, given in (
        ("issueKey", {"name": "x", "scopes": ["READ"]}),
        ("rotateKey", {"id": key, "overlapSeconds": 0}),
    ):
        told = await ada.ask(name, **given)
        assert (told["code"], "Sign in again" in told["message"]) == ("UNAUTHENTICATED", True)
    assert (await ada.ask("revokeKey", id=key))["key"]["revokedAt"], "who is afraid for a key is not kept"


async def test_a_replaced_key_goes_on_for_the_overlap_and_not_longer(town: Town) -> None:
    ada = town.person()
    artist = (await ada.join("ada"))["artist"]["id"]
    old = await ada.ask("issueKey", name="a tool", scopes=["READ", "ASSETS_WRITE"], artist=artist)
    for overlap in (-1, 7 * 24 * 3600 + 1):
        assert (await ada.ask("rotateKey", id=old["key"]["id"], overlapSeconds=overlap))["path"] == ["overlapSeconds"]
    told = await asyncio.gather(*[ada.ask("rotateKey", id=old["key"]["id"], overlapSeconds=3600) for _ in range(4)])
    assert sorted(one["__typename"] for one in told) == ["ConflictError"] * 3 + ["KeySuccess"]
    new = next(one for one in told if one["__typename"] == "KeySuccess")
    assert {name: new["key"][name] for name in ("name", "scopes", "artist")} == {
        "name": "a tool",
        "scopes": ["ASSETS_WRITE", "READ"],
        "artist": {"handle": "ada"},
    }
    assert all([await viewer_of_key(town.database, secret_hash(one["secret"])) for one in (old, new)])
    await town.age(tables.agent_key, "expires_at", timedelta(seconds=3601))
    assert await viewer_of_key(town.database, secret_hash(old["secret"])) is None
    assert await viewer_of_key(town.database, secret_hash(new["secret"]))


async def test_a_revoked_key_and_that_of_a_former_owner_stand_for_nobody(town: Town) -> None:
    ada = town.person()
    artist = (await ada.join("ada"))["artist"]["id"]
    one = await ada.ask("issueKey", name="one", scopes=["READ"])
    two = await ada.ask("issueKey", name="two", scopes=["LINEAGE_WRITE"], artist=artist)
    await ada.ask("revokeKey", id=one["key"]["id"])
    assert await viewer_of_key(town.database, secret_hash(one["secret"])) is None
    assert (await ada.ask("rotateKey", id=one["key"]["id"], overlapSeconds=0))["code"] == "CONFLICT"
    assert await viewer_of_key(town.database, secret_hash(two["secret"]))
    async with town.database.write() as connection:
        await connection.execute(update(tables.membership).values(ended_at=func.now()))
    assert await viewer_of_key(town.database, secret_hash(two["secret"])) is None


async def test_keys_of_others_and_none_answer_alike(town: Town) -> None:
    ada, eve = town.person(), town.person()
    await ada.join("ada")
    await eve.join("eve")
    theirs = (await ada.ask("issueKey", name="x", scopes=["READ"]))["key"]["id"]
    none = str(Ref(Kind.KEY, UUID(int=99)))
    for name, given in (("revokeKey", {}), ("rotateKey", {"overlapSeconds": 0})):
        assert await eve.ask(name, id=theirs, **given) == await eve.ask(name, id=none, **given)
    assert await eve.read(f'{{ node(id: "{theirs}") {{ id }} }}') == {"data": {"node": None}}
    assert (await eve.read("{ viewer { keys { totalCount } } }"))["data"]["viewer"]["keys"] == {"totalCount": 0}


BY_PEOPLE_ONLY = re.compile(
    r"sign|password|email|account|artist|claim|key|invite|role|publish|schedule|policy|preset|grant|badge|withdraw",
    re.IGNORECASE,
)


def test_no_mutation_that_only_people_do_names_a_scope() -> None:
    open_to_keys = {name for name, deed in _DEEDS.items() if deed.scope is not None}
    assert {"updateAsset", "declareEdge"} <= open_to_keys
    assert {name for name in open_to_keys if BY_PEOPLE_ONLY.search(name)} == set()


async def test_a_key_does_what_its_scopes_say_and_nothing_a_person_does(town: Town) -> None:
    ada = town.person()
    artist = (await ada.join("ada"))["artist"]["id"]
    secret = (await ada.ask("issueKey", name="x", scopes=["LINEAGE_WRITE", "READ"], artist=artist))["secret"]
    holder = await viewer_of_key(town.database, secret_hash(secret))
    assert holder is not None
    agent = Person(town.reader, town.house, viewer=holder.viewer)
    for name, given in (
        ("createArtist", {"handle": "robots", "name": "Robots"}),
        ("updateArtist", {"id": artist, "expectedVersion": 1, "name": "Robot"}),
        ("updateAccount", {"handle": "robots"}),
        ("claimArtist", {"artist": artist, "proofAddress": "https://robots.example/"}),
        ("issueKey", {"name": "another", "scopes": ["READ"]}),
        ("rotateKey", {"id": artist.replace("artist", "key"), "overlapSeconds": 0}),
        ("signOut", {"everywhere": True}),
        ("changePassword", {"newPassword": OTHER}),
        ("deleteAccount", {"password": OTHER}),
    ):
        assert (await agent.ask(name, **given)).get("code") == "FORBIDDEN", name
    update_asset = (
        'mutation { updateAsset(input: { id: "track_00000000000000000000000000", expectedVersion: 1 }) '
        "{ __typename ... on UserError { message } } }"
    )
    told = await agent.read(update_asset)
    assert told["data"]["updateAsset"] == {
        "__typename": "ForbiddenError",
        "message": "This key lacks the scope ASSETS_WRITE.",
    }
    assert (await agent.read("{ viewer { account { email } } }"))["data"] == {"viewer": None}, "nothing of its account"


# -- one transaction ----------------------------------------------------------------------------------------------


async def test_what_fails_half_way_leaves_nothing_and_nobody_signed_in(town: Town) -> None:
    async with town.database.write() as connection:
        await connection.execute(text("SET LOCAL ROLE casset_owner"))
        await connection.execute(text("ALTER TABLE outbox ADD CONSTRAINT closed CHECK (false) NOT VALID"))
    ada = town.person()
    with pytest.raises(IntegrityError) as failed:
        await ada.join("ada")
    assert "artist.created" not in str(failed.value).partition("DETAIL")[0], "an error is logged without its values"
    left = (tables.account, tables.password, tables.session, tables.membership, tables.change, tables.search_entry)
    assert [await town.count(table) for table in left] == [0] * len(left)
    assert (ada.viewer, ada.cookies, await town.letters()) == (ANONYMOUS, [], [])


# -- secrets ------------------------------------------------------------------------------------------------------


async def test_no_secret_is_in_the_database_in_clear(town: Town) -> None:
    ada = town.person()
    await ada.join("ada")
    key = (await ada.ask("issueKey", name="x", scopes=["READ"], idempotencyKey="k"))["secret"]
    code = await town.code("Your address on Casset")
    kept = await town.everything()
    assert "ada@example.com" in kept, "or nothing was looked at"
    for secret in (PASSWORD, key, code, *ada.cookies):
        assert secret not in kept
        assert secret.encode().hex() not in kept
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in kept


async def test_no_secret_is_in_an_error_or_a_log(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    ada = town.person()
    await ada.join("ada")
    told = [
        await ada.ask("changePassword", currentPassword=OTHER, newPassword=PASSWORD),
        await town.person().ask("signIn", name="ada", password=OTHER),
        await town.person().ask("signIn", name=OTHER, password=PASSWORD),
        await town.person().ask("resetPassword", code=OTHER, newPassword=PASSWORD),
    ]
    await town.house.settled()
    said = json.dumps(told) + "".join(capsys.readouterr())
    assert PASSWORD not in said
    assert OTHER not in said
