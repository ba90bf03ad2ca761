"""Who holds an artist: codes are good once, an owner remains, and what a membership allowed ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from db import tables
from db.engine import Database
from db.keys import viewer_of_key
from domain.artists import MOST_ARTISTS
from domain.memberships import MOST_MEMBERS
from graph.execution import Execution
from resolvers.callers import secret_hash
from resolvers.context import now, uuid7
from tests.graph.company import Company, company

CODE = "q" * 43
LOCKED = "SELECT FROM artist WHERE handle = 'nova' FOR UPDATE"


@pytest.fixture(params=Execution, ids=lambda execution: execution.name)
async def here(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database, tmp_path, request.param) as each:
        yield each


async def everything(here: Company) -> dict[str, Any]:
    """How much stands in every table, and what."""
    async with here.database.read() as connection:
        return {
            table.name: (
                await connection.execute(
                    text(f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM "{table.name}" AS t')
                )
            ).one()
            for table in tables.metadata.sorted_tables
        }


# -- invites -------------------------------------------------------------------------------------------------------


async def test_who_is_invited_holds_the_artist_and_sees_who_else_does(here: Company) -> None:
    nova = here.ids["nova"]
    told = await here.do("ada", "inviteMember", "artist { id } role expiresAt inviteCode", artist=nova, role="EDITOR")
    assert (told["artist"], told["role"], len(told["inviteCode"])) == ({"id": nova}, "EDITOR", 43)
    assert told["expiresAt"][:10] == (now() + timedelta(days=7)).isoformat()[:10]
    asked = "artist { id members { nodes { handle role } } }"
    joined = await here.do("bo", "acceptInvite", asked, code=told["inviteCode"])
    everybody = [{"handle": "ada", "role": "OWNER"}, {"handle": "bo", "role": "EDITOR"}]
    assert joined["artist"] == {"id": nova, "members": {"nodes": everybody}}
    changed = await here.do("bo", "updateArtist", "artist { version }", id=nova, expectedVersion=1, bio="Two now.")
    assert changed["artist"] == {"version": 2}


async def test_members_are_known_to_members_only(here: Company) -> None:
    member = await here.joined("bo", "MEMBER")
    assert set(await here.members("ada")) == set(await here.members("bo")) == {"ada", "bo"}
    assert await here.members("cy") == await here.members(None) == {}
    document = "query ($id: ID!) { node(id: $id) { id } }"
    nobodys = "member_01jd0000000000000000000000"
    for who in ("cy", None):
        assert (await here.ask(who, document, id=member))[1] == (await here.ask(who, document, id=nobodys))[1]
    assert (await here.ask("bo", document, id=member))[0] == {"id": member}
    held, _ = await here.ask("bo", "{ viewer { memberships { nodes { role artist { handle } } } } }")
    assert held["memberships"]["nodes"] == [
        {"role": "MEMBER", "artist": {"handle": "nova"}},
        {"role": "OWNER", "artist": {"handle": "far"}},
    ]


async def test_a_code_is_kept_nowhere_and_told_once(here: Company) -> None:
    asked = {"artist": here.ids["nova"], "role": "MEMBER", "idempotencyKey": "one"}
    first = await here.do("ada", "inviteMember", "expiresAt inviteCode", **asked)
    again = await here.do("ada", "inviteMember", "expiresAt inviteCode", **asked)
    assert again == {**first, "inviteCode": None}
    assert await here.count(tables.membership_invite) == 1
    async with here.database.read() as connection:
        for table in tables.metadata.sorted_tables:
            rows = await connection.execute(text(f'SELECT t::text FROM "{table.name}" AS t'))
            assert not [row for row in rows.scalars() if first["inviteCode"] in row], table.name


async def test_whatever_is_wrong_with_a_code_it_answers_alike_and_nothing_is_written(here: Company) -> None:
    used, over, orphaned = [await here.invited("MEMBER") for _ in range(2)] + [""]
    await here.do("cy", "acceptInvite", code=used)
    invite = tables.membership_invite
    passed = {"expires_at": now() - timedelta(seconds=1)}
    await here.alter(invite, passed, invite.c.secret_hash == secret_hash(over))
    await here.joined("dee", "OWNER")
    orphaned = await here.invited("OWNER", "dee")
    await here.do("ada", "removeMember", id=(await here.members("ada"))["dee"][1])
    before = await everything(here)
    told = [await here.do("bo", "acceptInvite", code=code) for code in (CODE, used, over, orphaned, "", "\U0001f300")]
    assert {each["code"] for each in told} == {"NOT_FOUND"}
    assert all(each == told[0] for each in told)
    assert await everything(here) == before


async def test_a_code_is_good_once_however_many_come_with_it_at_once(here: Company) -> None:
    for _ in range(3):
        code = await here.invited("MEMBER")
        told = await here.at_once(
            LOCKED, *[here.do(who, "acceptInvite", code=code) for who in ("bo", "cy", "dee", "bo")]
        )
        assert sorted(each["__typename"] for each in told) == ["MembersSuccess"] + ["NotFoundError"] * 3
        (guest,) = set(await here.members("ada")) - {"ada"}
        await here.do(guest, "leaveArtist", artist=here.ids["nova"])
    assert await here.count(tables.membership, tables.membership.c.ended_at.is_not(None)) == 3


async def invites(here: Company, who: str | None) -> list[Any]:
    """The open invites to Nova, as somebody sees them."""
    asked = "id role sender expiresAt artist { handle }"
    told, _ = await here.ask(who, f'{{ artist(handle: "nova") {{ invites {{ nodes {{ {asked} }} totalCount }} }} }}')
    assert told["invites"]["totalCount"] == len(told["invites"]["nodes"])
    return list(told["invites"]["nodes"])


async def test_open_invites_are_known_to_owners_only(here: Company) -> None:
    await here.joined("bo", "EDITOR")
    await here.joined("dee", "OWNER")
    await here.invited("MEMBER")
    over = await here.invited("OWNER")
    invite = tables.membership_invite
    passed = {"expires_at": now() - timedelta(seconds=1)}
    await here.alter(invite, passed, invite.c.secret_hash == secret_hash(over))
    (open_,) = await invites(here, "dee")
    assert (open_["role"], open_["sender"], open_["artist"]) == ("MEMBER", "ada", {"handle": "nova"})
    document = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await here.ask("ada", document, id=open_["id"]))[0] == {"id": open_["id"]}
    for who in ("bo", "cy", None):
        assert await invites(here, who) == []
        nobodys = "invite_01jd0000000000000000000000"
        assert (await here.ask(who, document, id=open_["id"]))[1] == (await here.ask(who, document, id=nobodys))[1]


async def test_a_withdrawn_invite_lets_nobody_in(here: Company) -> None:
    await here.joined("dee", "OWNER")
    code = await here.invited("EDITOR")
    (open_,) = await invites(here, "dee")
    told = await here.do("dee", "withdrawInvite", id=open_["id"], idempotencyKey="one")
    assert told["artist"] == {"id": here.ids["nova"]}
    before = await everything(here)
    assert await here.do("dee", "withdrawInvite", id=open_["id"], idempotencyKey="one") == told
    assert await here.do("bo", "acceptInvite", code=code) == await here.do("bo", "acceptInvite", code=CODE)
    assert (await here.do("ada", "withdrawInvite", id=open_["id"]))["code"] == "NOT_FOUND", "it is over"
    assert await everything(here) == before
    assert await invites(here, "ada") == []
    async with here.database.read() as connection:
        event = tables.provenance_event.c
        last = await connection.execute(select(event.body).order_by(event.sequence.desc()).limit(1))
        assert '"WITHDRAWN"' in last.scalar_one()


async def test_an_invite_is_withdrawn_by_owners_only_and_is_else_not_there(here: Company) -> None:
    await here.joined("bo", "EDITOR")
    code = await here.invited("MEMBER")
    (open_,) = await invites(here, "ada")
    before = await everything(here)
    for who in ("bo", "cy"):
        told = await here.do(who, "withdrawInvite", id=open_["id"])
        assert told["code"] == "NOT_FOUND"
        assert told == await here.do(who, "withdrawInvite", id="invite_01jd0000000000000000000000")
    assert await everything(here) == before
    assert (await here.do("cy", "acceptInvite", code=code))["__typename"] == "MembersSuccess"


async def test_an_invite_is_followed_or_withdrawn_and_never_both(here: Company) -> None:
    for _ in range(3):
        code = await here.invited("MEMBER")
        (open_,) = await invites(here, "ada")
        deeds = here.do("bo", "acceptInvite", code=code), here.do("ada", "withdrawInvite", id=open_["id"])
        told = await here.at_once(LOCKED, *deeds)
        assert sorted(each["__typename"] for each in told) == ["MembersSuccess", "NotFoundError"]
        if "bo" in await here.members("ada"):
            await here.do("bo", "leaveArtist", artist=here.ids["nova"])


async def test_who_is_a_member_already_does_not_use_a_code_up(here: Company) -> None:
    code = await here.invited("MEMBER")
    assert (await here.do("ada", "acceptInvite", code=code))["code"] == "CONFLICT"
    assert (await here.members("ada"))["ada"][0] == "OWNER"
    assert (await here.do("bo", "acceptInvite", code=code))["__typename"] == "MembersSuccess"


async def test_accepting_again_under_the_same_key_answers_the_same_and_brings_nobody_back(here: Company) -> None:
    code = await here.invited("MEMBER")
    first = await here.do("bo", "acceptInvite", code=code, idempotencyKey="one")
    await here.do("bo", "leaveArtist", artist=here.ids["nova"])
    assert await here.do("bo", "acceptInvite", code=code, idempotencyKey="one") == first
    assert set(await here.members("ada")) == {"ada"}
    assert (await here.do("bo", "acceptInvite", code=CODE, idempotencyKey="one"))["code"] == "IDEMPOTENCY_MISMATCH"


async def test_an_artist_has_room_for_so_many(here: Company) -> None:
    row = {"artist_id": here.keys["nova"], "invited_by_id": here.keys["ada"], "role": "MEMBER"}
    many = [{"id": uuid7(), **row, "secret_hash": uuid7().bytes} for _ in range(MOST_MEMBERS - 1)]
    async with here.database.write() as connection:
        invite = insert(tables.membership_invite)
        await connection.execute(invite, [{**each, "expires_at": now() + timedelta(days=1)} for each in many])
    refused = await here.do("ada", "inviteMember", artist=here.ids["nova"], role="MEMBER")
    assert refused["code"] == "VALIDATION"


async def test_nobody_owns_more_artists_than_may_be_by_invites(here: Company) -> None:
    member, code = await here.joined("bo", "EDITOR"), await here.invited("OWNER")
    for name, extra in (("bo", 1), ("cy", 0)):
        many = [uuid7() for _ in range(MOST_ARTISTS - extra)]
        async with here.database.write() as connection:
            rows = [{"id": id_, "handle": str(id_), "name": "x", "kind": "CREATOR", "claimed": True} for id_ in many]
            await connection.execute(insert(tables.artist), rows)
            owns = {"account_id": here.keys[name], "role": "OWNER"}
            await connection.execute(insert(tables.membership), [{"id": id_, "artist_id": id_, **owns} for id_ in many])
    before = await everything(here)
    assert (await here.do("ada", "setMemberRole", id=member, role="OWNER"))["code"] == "VALIDATION"
    assert (await here.do("cy", "acceptInvite", code=code))["code"] == "VALIDATION"
    assert await everything(here) == before
    assert (await here.do("dee", "acceptInvite", code=code))["__typename"] == "MembersSuccess"


# -- deciding ------------------------------------------------------------------------------------------------------


async def test_what_is_not_theirs_to_decide_answers_as_what_is_not_there(here: Company) -> None:
    member = await here.joined("bo", "EDITOR")
    nobodys, no_member = "artist_01jd0000000000000000000000", "member_01jd0000000000000000000000"
    before = await everything(here)
    for who in ("bo", "cy"):
        for mutation, given, unknown in (
            ("inviteMember", {"artist": here.ids["nova"], "role": "OWNER"}, {"artist": nobodys}),
            ("setMemberRole", {"id": member, "role": "OWNER"}, {"id": no_member}),
            ("removeMember", {"id": member}, {"id": no_member}),
        ):
            told = await here.do(who, mutation, **given)
            assert told["code"] == "NOT_FOUND", (who, mutation)
            assert told == await here.do(who, mutation, **{**given, **unknown})
    told = await here.do("cy", "leaveArtist", artist=here.ids["nova"])
    assert told == await here.do("cy", "leaveArtist", artist=nobodys)
    assert await everything(here) == before


async def test_the_last_owner_stays_one(here: Company) -> None:
    member, own = await here.joined("bo", "EDITOR"), here.ids["nova's"]
    before = await everything(here)
    for mutation, given in (
        ("leaveArtist", {"artist": here.ids["nova"]}),
        ("removeMember", {"id": own}),
        ("setMemberRole", {"id": own, "role": "EDITOR"}),
    ):
        assert (await here.do("ada", mutation, **given))["code"] == "CONFLICT", mutation
    assert await everything(here) == before
    await here.do("ada", "setMemberRole", id=member, role="OWNER")
    told = await here.do("ada", "leaveArtist", "artist { id members { nodes { handle } } }", artist=here.ids["nova"])
    assert told["artist"] == {"id": here.ids["nova"], "members": {"nodes": []}}
    assert {name: role for name, (role, _) in (await here.members("bo")).items()} == {"bo": "OWNER"}


async def test_owners_who_turn_on_each_other_at_once_leave_one(here: Company) -> None:
    member, own = await here.joined("bo", "OWNER"), here.ids["nova's"]
    membership = tables.membership
    of_nova = membership.c.artist_id == here.keys["nova"]
    for first in range(3):
        deeds = [
            here.do("ada", "setMemberRole", id=member, role="MEMBER"),
            here.do("bo", "removeMember", id=own),
            here.do("bo", "leaveArtist", artist=here.ids["nova"]),
        ]
        told = await here.at_once(LOCKED, *deeds[first:], *deeds[:first])
        owners = of_nova, membership.c.role == "OWNER", membership.c.ended_at.is_(None)
        assert await here.count(membership, *owners) == 1, told
        await here.alter(membership, {"role": "OWNER", "ended_at": None}, of_nova)


async def test_who_is_removed_while_they_wait_removes_nobody(here: Company) -> None:
    member, own = await here.joined("bo", "OWNER"), here.ids["nova's"]
    await here.joined("cy", "OWNER")
    told = await here.at_once(LOCKED, here.do("ada", "removeMember", id=member), here.do("bo", "removeMember", id=own))
    assert sorted(each["__typename"] for each in told) == ["MembersSuccess", "NotFoundError"]
    assert len(await here.members("cy")) == 2


async def test_setting_a_role_twice_writes_once(here: Company) -> None:
    member = await here.joined("bo", "MEMBER")
    await here.do("ada", "setMemberRole", id=member, role="EDITOR")
    before = await everything(here)
    told = await here.do("ada", "setMemberRole", id=member, role="EDITOR")
    assert told["artist"] == {"id": here.ids["nova"]}
    assert await everything(here) == before


async def test_everything_stands_in_the_chain_of_the_artist_the_log_and_the_outbox(here: Company) -> None:
    member = await here.joined("bo", "MEMBER")
    await here.do("ada", "setMemberRole", id=member, role="EDITOR")
    await here.do("ada", "removeMember", id=member)
    document = '{ artist(handle: "nova") { version provenance { nodes { sequence kind } } } }'
    told, _ = await here.ask(None, document)
    assert told["version"] == 1
    events = [{"sequence": number, "kind": "ARTIST_UPDATED"} for number in (1, 2, 3, 4)]
    assert told["provenance"]["nodes"] == events
    async with here.database.read() as connection:
        bodies = (await connection.execute(select(tables.provenance_event.c.body))).scalars()
        topics = list((await connection.execute(select(tables.outbox.c.topic, tables.outbox.c.payload))).all())
        changed = list((await connection.execute(select(tables.change.c.subject_id))).scalars())
    steps = ["INVITED", "JOINED", "CHANGED", "REMOVED"]
    assert [step for body, step in zip(bodies, steps, strict=True) if f'"{step}"' in body] == steps
    said = [("members.changed", {"artist": here.ids["nova"], "member": member, "step": step}) for step in steps]
    assert [tuple(topic) for topic in topics] == said
    assert changed == [here.keys["nova"]] * 4


# -- what ends with it ---------------------------------------------------------------------------------------------


async def test_an_ex_member_sees_and_changes_nothing_that_membership_showed(here: Company) -> None:
    member = await here.joined("bo", "EDITOR")
    await here.alter(tables.asset, {"state": "PRIVATE"}, tables.asset.c.id == here.keys["track"])
    document = "query ($id: ID!) { asset(id: $id) { title } }"
    assert (await here.ask("bo", document, id=here.ids["track"]))[0] == {"title": "track"}
    await here.do("ada", "removeMember", id=member)
    assert (await here.ask("bo", document, id=here.ids["track"]))[0] is None
    told = await here.do("bo", "updateArtist", "artist { id }", id=here.ids["nova"], expectedVersion=1, bio="Mine!")
    assert told["code"] == "NOT_FOUND"
    assert await here.members("bo") == {}


async def test_who_repeats_what_they_did_as_a_member_is_told_nothing_of_it_any_more(here: Company) -> None:
    member = await here.joined("bo", "EDITOR")
    made = {"owner": here.ids["nova"], "title": "Ours", "details": {"track": {}}, "idempotencyKey": "one"}
    first = await here.do("bo", "createAsset", "asset { id title }", **made)
    assert await here.do("bo", "createAsset", "asset { id title }", **made) == first, "to a member, the same"
    await here.do("ada", "removeMember", id=member)
    before = await everything(here)
    told = await here.do("bo", "createAsset", "asset { id title }", **made)
    assert (told["__typename"], told["code"], told["path"]) == ("NotFoundError", "NOT_FOUND", [])
    other = await here.do("bo", "createAsset", "asset { id }", **{**made, "title": "Mine"})
    assert other["code"] == "IDEMPOTENCY_MISMATCH"
    assert await everything(here) == before


async def test_who_leaves_is_outside_in_the_same_request(here: Company) -> None:
    await here.joined("bo", "EDITOR")
    await here.alter(tables.asset, {"state": "PRIVATE"}, tables.asset.c.id == here.keys["track"])
    document = (
        "mutation ($leave: LeaveArtistInput!, $write: UpdateArtistInput!) { "
        "leaveArtist(input: $leave) { ... on MembersSuccess { artist { assets { nodes { title } } } } } "
        "updateArtist(input: $write) { ... on UserError { code } } }"
    )
    write = {"id": here.ids["nova"], "expectedVersion": 1, "bio": "Mine!"}
    told, body = await here.ask("bo", document, leave={"artist": here.ids["nova"]}, write=write)
    assert told == {"artist": {"assets": {"nodes": [{"title": "release"}]}}}
    assert '"NOT_FOUND"' in body


@pytest.mark.parametrize("deed", ["removed", "made a member"])
async def test_keys_and_codes_of_an_owner_end_with_the_ownership_and_do_not_come_back(here: Company, deed: str) -> None:
    member = await here.joined("bo", "OWNER")
    given = {"name": "x", "scopes": ["ASSETS_WRITE"], "artist": here.ids["nova"]}
    key = secret_hash((await here.do("bo", "issueKey", "secret", **given))["secret"])
    code = await here.invited("MEMBER", "bo")
    assert await viewer_of_key(here.database, key) is not None
    if deed == "removed":
        await here.do("ada", "removeMember", id=member)
        await here.joined("bo", "OWNER")
    else:
        await here.do("ada", "setMemberRole", id=member, role="MEMBER")
        await here.do("ada", "setMemberRole", id=member, role="OWNER")
    assert (await here.members("bo"))["bo"][0] == "OWNER"
    assert await viewer_of_key(here.database, key) is None
    assert (await here.do("cy", "acceptInvite", code=code))["code"] == "NOT_FOUND"
