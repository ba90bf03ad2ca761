"""Who may do what to what, and in which state: tables written by hand from domain.md, sections 3, 4, 9 and 10.

Nothing here was learned from running code. Every mutation, every field of the roots of reading and of listening, and
every kind of node has a row, or a test fails. A sign of a row is what one viewer hears, in this order:

    anonymous | owner stale editor contributor member past | stranger counterpart fan
              | idle reads assets lineage all foreign

`stale` is an owner who signed in yesterday, `past` one who was an owner. The counterpart owns what Nova's things are
made from, and credits her; the stranger owns something else; the fan was let into Nova's world. The rest are keys:
without a scope of use here, with READ and CHECK, one that writes assets, one that writes lineage, one with every
scope, and one with every scope of the stranger's.

    +  it is done, or shown          ?  sign in first           x  it is not for you (a key, or the other side)
    -  there is no such thing        !  the key's scopes do not reach to the field
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import get_named_type, is_composite_type, is_non_null_type
from sqlalchemy import insert

from db import tables
from db.engine import Database
from db.feeds import NEWS
from db.keys import viewer_of_key
from domain.accounts import Viewer
from domain.errors import BadInput, CassetError
from domain.ids import Kind
from domain.keys import KeyScope
from graph.mutation import _DEEDS
from graph.reading import Reader
from graph.schema import executable
from graph.server.actors import Actor
from graph.server.requests import RequestRefused
from resolvers.callers import secret_hash
from resolvers.context import now, uuid7
from resolvers.outbox import Relay
from subscriptions.memory import MemoryBroker
from subscriptions.presence import MemoryPresence
from tests.graph.authority import PASSWORD, SCOPES, STATES, VIEWERS, Town, nothing_like

OTHER = "nine slow tambourines"
SIGNS = {"UNAUTHENTICATED": "?", "FORBIDDEN": "x", "NOT_FOUND": "-"}
Line = str | Mapping[str, str]
"""The signs of all viewers: in every state, or by state."""

#                     ?   members           others    keys
EDITED = "            ?   + + + - - -       - - -     x x + x + -"
"""Owners and editors change things, and so does a key for assets that is the artist's."""
BY_PERSON = "         ?   + + + - - -       - - -     x x x x x x"
"""What only a person does: who may see a thing, what may be done with it, badges, splits, hooks, answers to others."""
LINEAGE = "           ?   + + + - - -       - - -     x x x + + -"
OWNED = "             ?   + + - - - -       - - -     x x x x x x"
EDITED_FRESH = "      ?   + ? + - - -       - - -     x x x x x x"
"""Owners and editors publish, who signed in within 12 hours."""
OWNED_FRESH = "       ?   + ? - - - -       - - -     x x x x x x"
"""Keys are issued by owners who signed in within 12 hours."""
SIGNED_IN = "         ?   + + + + + +       + + +     x x x x x x"
FRESH = "             ?   + ? + + + +       + + +     x x x x x x"
ANYBODY = "           +   + + + + + +       + + +     x x x x x x"
HELD = "              ?   + + + + + -       - - -     x x x x x x"
BY_AUTHOR = "         ?   + + + - - -       - - +     x x x x x x"
"""What is said in a room is taken back by who said it, and by hosts."""
ISSUER = "            ?   + - - - - -       - - -     x x x x x x"
ISSUER_FRESH = "      ?   + ? - - - -       - - -     x x x x x x"

BUYS = "              ?   - - - - - -       + - -     - x x x - +"
"""Licenses are taken by the account that asked, for an artist of its own, in person or by a key for it."""
UNSEEN = "            ?   - - - - - -       - - -     - x x x - -"

WAITS = "             ?   x x x + + +       + + +     x x x x x x"
UNSEEN_WAITS = "      ?   x x x + + -       - - -     x x x x x x"
"""Others are there first: the hosts of a ritual do not wait for it."""

BY_COUNTERPART = "    ?   - - - - - -       - + -     x x x x x x"

SHOWN, HIDDEN = ("UNLISTED", "PUBLIC", "ARCHIVED"), ("PRIVATE", "WITHDRAWN")


def by_state(hidden: str, shown: str, withdrawn: str | None = None) -> Line:
    """Signs that are others where outsiders see the whole thing."""
    return {"PRIVATE": hidden, "WITHDRAWN": withdrawn or hidden, **dict.fromkeys(SHOWN, shown)}


def of_counterpart(line: str, shown: str) -> Line:
    """As the line says, but what the counterpart hears where they see Nova's end."""
    signs = line.split()
    signs[VIEWERS.index("counterpart")] = shown
    return by_state(line, " ".join(signs))


@dataclass(frozen=True)
class Row:
    """What somebody asks to be done, and what everybody hears.

    Attributes:
        deed: the mutation; what follows a comma tells rows of one mutation apart.
        who: the signs.
        given: its input, with `$names` of a household.
        subject: the name in it that the answer is about; None where nothing is named.
    """

    deed: str
    who: Line
    given: Mapping[str, Any]
    subject: str | None = None

    @property
    def mutation(self) -> str:
        return self.deed.partition(",")[0]

    @property
    def states(self) -> tuple[str, ...]:
        """The states that matter: an artist, a key and an account have none."""
        return STATES if self.subject in OF_ASSETS else ("PUBLIC",)

    def expected(self, state: str) -> dict[str, str]:
        signs = self.who if isinstance(self.who, str) else self.who[state]
        return dict(zip(VIEWERS, signs.split(), strict=True))


CROWDED = frozenset({"key", "own_key", "duo", "guest", "invite", "identity"})
OF_ASSETS = frozenset(
    {
        "track",
        "hooked",
        "theirs",
        "room",
        "ritual",
        "clip",
        "message",
        "given",
        "release",
        "credit",
        "split",
        "claim",
        "mine",
        "grant",
        "suggestion",
        "hook",
        "staged",
    }
)
V1 = {"expectedVersion": 1}
TIMES = {"opensAt": "$opensAt", "releasesAt": "$releasesAt", "endsAt": "$endsAt"}
SEED = {"source": "CUSTOM", "hue": 1, "saturation": 2, "lightness": 3}
TWO = {**V1, "expectedRetiredVersion": 1}
HALF = [{"contributor": "$self", "basisPoints": 10_000}]
PLAYED = [{"party": {"artist": "$nova"}, "role": "PRODUCER"}]
OPINION = {"provider": "y", "version": "1", "confidence": 0.5}
SYNC = [{"use": "SYNC", "decision": "ALLOWED", "territories": ["DE"]}]

ROWS = (
    # accounts
    Row("signUp", ANYBODY, {"handle": "$handle", "email": "$email", "password": PASSWORD}),
    Row("signIn", ANYBODY, {"name": "the-gate", "password": PASSWORD}),
    Row("signOut", SIGNED_IN, {}),
    Row("signOut, everywhere", SIGNED_IN, {"everywhere": True}),
    Row("changePassword", FRESH, {"newPassword": OTHER}),
    Row("requestPasswordReset", ANYBODY, {"email": "sieve@example.com"}),
    Row("resetPassword", ANYBODY, {"code": "$reset", "newPassword": OTHER}),
    Row("requestEmailVerification", SIGNED_IN, {}),
    Row("requestEmailVerification, another", FRESH, {"email": "$email"}),
    Row("verifyEmail", ANYBODY, {"code": "$verify"}),
    Row("updateAccount", SIGNED_IN, {"handle": "$handle"}),
    Row("unlinkIdentity", ISSUER, {"id": "$identity"}, "identity"),
    # artists
    Row("createArtist", SIGNED_IN, {"handle": "$handle", "name": "One more"}),
    Row("updateArtist", BY_PERSON, {"id": "$nova", "expectedVersion": "$novaVersion", "bio": "$handle"}, "nova"),
    Row("updateArtist, handle", OWNED, {"id": "$nova", "expectedVersion": "$novaVersion", "handle": "$handle"}, "nova"),
    Row("claimArtist", SIGNED_IN, {"artist": "$nina", "proofAddress": "https://example.com/nina"}, "nina"),
    Row("inviteMember", OWNED, {"artist": "$duo", "role": "MEMBER"}, "duo"),
    Row("withdrawInvite", OWNED, {"id": "$invite"}, "invite"),
    Row("acceptInvite", SIGNED_IN, {"code": "$code"}),
    Row("setMemberRole", OWNED, {"id": "$guest", "role": "EDITOR"}, "guest"),
    Row("removeMember", OWNED, {"id": "$guest"}, "guest"),
    Row("leaveArtist", HELD, {"artist": "$duo"}, "duo"),
    # what is open to whom
    Row("joinWorld", SIGNED_IN, {"artist": "$far"}, "far"),
    Row("leaveWorld", SIGNED_IN, {"artist": "$far"}, "far"),
    Row("grantEntitlement", OWNED, {"subject": "$track", "handle": "the-sieve"}, "track"),
    Row("grantEntitlement, a world", OWNED, {"subject": "$nova", "handle": "the-sieve"}, "nova"),
    Row("revokeEntitlement", OWNED, {"id": "$given"}, "given"),
    # keys
    Row("issueKey", FRESH, {"name": "x", "scopes": ["READ"]}),
    Row("issueKey, for an artist", OWNED_FRESH, {"name": "x", "scopes": ["ASSETS_WRITE"], "artist": "$nova"}, "nova"),
    Row("rotateKey", OWNED_FRESH, {"id": "$key", "overlapSeconds": 0}, "key"),
    Row("rotateKey, one's own", ISSUER_FRESH, {"id": "$own_key", "overlapSeconds": 0}, "own_key"),
    Row("revokeKey", OWNED, {"id": "$key"}, "key"),
    Row("revokeKey, one's own", ISSUER, {"id": "$own_key"}, "own_key"),
    # assets
    Row("createAsset", EDITED, {"owner": "$nova", "title": "x", "details": {"track": {}}}, "nova"),
    Row(
        "createAsset, badges",
        BY_PERSON,
        {"owner": "$nova", "title": "x", "details": {"sample": {}}, "badges": ["REMIX"]},
        "nova",
    ),
    Row("updateAsset", EDITED, {"id": "$track", **V1, "title": "$handle"}, "track"),
    Row("updateAsset, badges", BY_PERSON, {"id": "$track", **V1, "badges": ["REMIX"]}, "track"),
    Row("updateAsset, no badges", BY_PERSON, {"id": "$track", **V1, "badges": []}, "track"),
    Row("setAssetState", BY_PERSON, {"id": "$track", **V1, "state": "WITHDRAWN"}, "track"),
    Row("setAssetState, public", BY_PERSON, {"id": "$track", **V1, "state": "PUBLIC"}, "track"),
    Row("setReleaseItems", EDITED, {"release": "$release", "items": ["$root"], **V1}, "release"),
    Row("createVersion", BY_PERSON, {"release": "$release", **V1}, "release"),
    Row("publishVersion", EDITED_FRESH, {"version": "$sounding", **V1}, "sounding"),
    Row("anchorRelease", EDITED_FRESH, {"version": "$shown"}, "shown"),
    Row("scheduleRelease", EDITED_FRESH, {"release": "$coming", "at": "2030-01-31T00:00:00Z", **V1}, "coming"),
    Row("archiveRelease", BY_PERSON, {"release": "$out", **V1}, "out"),
    Row("withdrawRelease", BY_PERSON, {"release": "$out", **V1}, "out"),
    Row("mergeAssets", BY_PERSON, {"keep": "$track", "retire": "$hooked", **TWO}, "track"),
    Row("mergeAssets, the other one", BY_PERSON, {"keep": "$track", "retire": "$hooked", **TWO}, "hooked"),
    Row("setHook", BY_PERSON, {"track": "$track", "startMs": 0}, "track"),
    Row("setLeadHook", BY_PERSON, {"subject": "$release", "hook": None, **V1}, "release"),
    Row(
        "setLeadHook, of a world",
        BY_PERSON,
        {"subject": "$nova", "hook": "$hook", "expectedVersion": "$novaVersion"},
        "nova",
    ),
    # how it looks
    Row("setVisualWorld", BY_PERSON, {"subject": "$hook", "title": "x"}, "hook"),
    Row(
        "setVisualWorld, of a world",
        BY_PERSON,
        {"subject": "$nova", "title": "$handle", "expectedVersion": "$novaWorn"},
        "nova",
    ),
    Row("setVisualWorld, a cover", BY_PERSON, {"subject": "$release", "title": "x"}, "release"),
    Row("setTheme", BY_PERSON, {"subject": "$hook", "theme": {"seed": SEED}}, "hook"),
    Row(
        "setTheme, of a world",
        BY_PERSON,
        {"subject": "$nova", "theme": {"seed": SEED, "releasePosture": "$handle"}, "expectedTheme": "$novaTheme"},
        "nova",
    ),
    Row("setLyrics", EDITED, {"track": "$track", "lyrics": {"lrc": "[00:01]Oh"}}, "track"),
    Row("suggest", EDITED, {"track": "$track", "content": {"caption": "Ah"}, **OPINION}, "track"),
    Row("applySuggestion", BY_PERSON, {"id": "$suggestion"}, "suggestion"),
    Row("dismissSuggestion", BY_PERSON, {"id": "$suggestion"}, "suggestion"),
    # uploads that go to the store by themselves
    Row("stageUpload", EDITED, {"of": "$track", "role": "MASTER", "sha256": "a" * 64, "byteSize": 1}, "track"),
    Row("stageUpload, for a world", EDITED, {"of": "$nova", "role": "LOOP", "sha256": "a" * 64, "byteSize": 1}, "nova"),
    Row("finishUpload", EDITED, {"id": "$staged"}, "staged"),
    # credits and splits
    Row("setCredits", EDITED, {"asset": "$track", "credits": PLAYED, **V1}, "track"),
    Row("setSplits", BY_PERSON, {"asset": "$track", "pool": "MASTER", "shares": HALF, **V1}, "track"),
    Row("answerCredit", BY_PERSON, {"id": "$credit", "accept": True}, "credit"),
    Row("answerCredit, no", BY_PERSON, {"id": "$credit", "accept": False}, "credit"),
    Row("answerSplit", BY_PERSON, {"id": "$split", "accept": True}, "split"),
    # lineage: the counterpart declared `claim`, Nova `mine`; nothing is said of what one does not see
    Row(
        "declareEdge",
        of_counterpart(LINEAGE, "+"),
        {"child": "$track", "parent": "$root", "kind": "SAMPLES"},
        "track",
    ),
    Row("confirmEdge", of_counterpart(BY_PERSON, "x"), {"id": "$claim"}, "claim"),
    Row("rejectEdge", of_counterpart(BY_PERSON, "x"), {"id": "$claim"}, "claim"),
    Row("disputeEdge", of_counterpart(BY_PERSON, "+"), {"id": "$claim"}, "claim"),
    Row("retractEdge", of_counterpart(LINEAGE, "x"), {"id": "$mine"}, "mine"),
    # rights
    Row("setPolicy", BY_PERSON, {"subject": "$track", "license": "CC0-1.0"}, "track"),
    Row("setPolicy, of an artist", BY_PERSON, {"subject": "$nova", "license": "CC0-1.0"}, "nova"),
    Row("setPolicy, of a visual world", BY_PERSON, {"subject": "$visual", "license": "CC0-1.0"}, "visual"),
    Row("setPolicy, of a version", BY_PERSON, {"subject": "$version", "license": "CC0-1.0"}, "version"),
    Row("setPolicy, to an agent", BY_PERSON, {"subject": "$version", "agent": "$far", "license": "CC0-1.0"}, "version"),
    Row("withdrawPolicy", BY_PERSON, {"subject": "$track"}, "track"),
    Row("withdrawPolicy, to an agent", BY_PERSON, {"subject": "$shown", "agent": "$bo"}, "shown"),
    Row("grantUse", BY_PERSON, {"asset": "$track", "grantee": "$far", "terms": SYNC}, "track"),
    Row("endGrant", BY_PERSON, {"id": "$grant"}, "grant"),
    Row(
        "recordPermissionCheck",
        {
            "PRIVATE": "? + + + + + - - - - x - x x + -",
            **dict.fromkeys((*SHOWN, "WITHDRAWN"), "? + + + + + + + + + x + x x + +"),
        },
        {"id": "$track", "uses": ["SYNC"]},
        "track",
    ),
    # licenses: the stranger's account asks for its artist; a key does as its scope says
    Row("quoteLicense", by_state(UNSEEN, BUYS), {"asset": "$track", "uses": ["SYNC"], "grantee": "$far"}, "track"),
    Row("openAccess", BUYS, {"license": "$license", "track": "$played"}, "license"),
    Row(
        "registerDerivative",
        by_state(UNSEEN, BUYS),
        {
            "parent": "$track",
            "kind": "REMIX_OF",
            "new": {"kind": "TRACK", "title": "x", "sha256": "a" * 64, "owner": "$far"},
        },
        "track",
    ),
    # rooms: the room is of a hook; what is said there is said by the fan
    Row("openRoom", BY_PERSON, {"subject": "$out"}, "out"),
    Row("setRoom", BY_PERSON, {"room": "$hosted", "slowModeSeconds": 1}, "hosted"),
    Row("joinRoom", SIGNED_IN, {"room": "$hosted"}, "hosted"),
    Row("leaveRoom", SIGNED_IN, {"room": "$hosted"}, "hosted"),
    Row("muteInRoom", BY_PERSON, {"room": "$hosted", "handle": "the-sieve", "minutes": 1}, "hosted"),
    Row("banFromRoom", BY_PERSON, {"room": "$hosted", "handle": "the-sieve"}, "hosted"),
    Row("unbanFromRoom", BY_PERSON, {"room": "$hosted", "handle": "the-sieve"}, "hosted"),
    Row("heartbeat", ANYBODY, {"room": "$hosted", "connection": "tab"}, "hosted"),
    Row("stepOut", ANYBODY, {"room": "$hosted", "connection": "tab"}),
    Row("sendMessage", by_state(HELD, SIGNED_IN), {"room": "$room", "text": "Oh"}, "room"),
    Row("deleteMessage", by_state(BY_PERSON, BY_AUTHOR), {"message": "$message"}, "message"),
    Row("react", SIGNED_IN, {"room": "$hosted", "reaction": "HEART"}, "hosted"),
    Row("queueInRoom", BY_PERSON, {"room": "$hosted", "piece": "$root"}, "hosted"),
    Row("announceRitual", EDITED_FRESH, {"subject": "$hook", "title": "x", **TIMES}, "hook"),
    Row("openRitual", BY_PERSON, {"ritual": "$ritual"}, "ritual"),
    Row("cancelRitual", BY_PERSON, {"ritual": "$ritual"}, "ritual"),
    Row(
        "announceRitual, unlocks", OWNED_FRESH, {"subject": "$hook", "title": "x", "unlocks": "$nova", **TIMES}, "nova"
    ),
    Row("commentOnRitual", by_state(HELD, SIGNED_IN), {"ritual": "$ritual", "text": "Oh"}, "ritual"),
    # clips: the counterpart sent one in to the hook, and Nova's people decide
    Row("submitClip", BY_PERSON, {"asset": "$sound", "hook": "$hook"}, "sound"),
    Row("approveClip", BY_PERSON, {"clip": "$clip"}, "clip"),
    Row("rejectClip", BY_PERSON, {"clip": "$clip"}, "clip"),
    Row("removeClip", BY_PERSON, {"clip": "$heard"}, "heard"),
    Row("withdrawClip", BY_COUNTERPART, {"clip": "$clip"}, "clip"),
    Row("presave", by_state(UNSEEN_WAITS, WAITS), {"ritual": "$ritual"}, "ritual"),
    # what people do around a song: what the fan said is about a hook
    Row("followArtist", SIGNED_IN, {"artist": "$far"}, "far"),
    Row("unfollowArtist", SIGNED_IN, {"artist": "$far"}, "far"),
    *[
        Row(f"{does}Hook", by_state(HELD, SIGNED_IN), {"hook": "$hook"}, "hook")
        for does in ("like", "unlike", "save", "unsave")
    ],
    Row("recordPlay", by_state(HELD, SIGNED_IN), {"hook": "$hook", "heardMs": 10_000}, "hook"),
    Row("commentOnHook", by_state(HELD, SIGNED_IN), {"hook": "$hook", "text": "Oh"}, "hook"),
    Row("commentOnWorld", SIGNED_IN, {"artist": "$far", "text": "Oh"}, "far"),
    Row("deleteComment", BY_AUTHOR, {"id": "$said"}, "said"),
    Row("createShareLink", by_state(HELD, SIGNED_IN), {"subject": "$hook"}, "hook"),
    Row("markActivityRead", SIGNED_IN, {}),
    Row("markActivityRead, a line", ISSUER, {"until": "$told"}, "told"),
    Row("removeFromQueue", BY_PERSON, {"item": "$queued"}, "queued"),
    Row("playNow", BY_PERSON, {"room": "$hosted", "piece": "$root"}, "hosted"),
)

# What else a mutation names, which the owner of Nova may not see: it answers as what is not there.
NAMED = (
    Row("declareEdge, parent", "", {"child": "$track", "parent": "$theirs", "kind": "SAMPLES"}, "theirs"),
    Row("declareEdge, child", "", {"child": "$theirs", "parent": "$track", "kind": "SAMPLES"}, "theirs"),
    Row("setReleaseItems", "", {"release": "$release", "items": ["$theirs"], **V1}, "theirs"),
    Row("mergeAssets", "", {"keep": "$track", "retire": "$theirs", **TWO}, "theirs"),
    Row("updateAsset", "", {"id": "$theirs", **V1, "title": "x"}, "theirs"),
    Row("submitClip, hook", "", {"asset": "$sound", "hook": "$their_hook"}, "their_hook"),
    Row("quoteLicense", "", {"asset": "$theirs", "uses": ["SYNC"], "grantee": "$nova"}, "theirs"),
    Row("registerDerivative, parent", "", {"parent": "$theirs", "child": "$track", "kind": "REMIX_OF"}, "theirs"),
    Row("registerDerivative, child", "", {"parent": "$track", "child": "$theirs", "kind": "REMIX_OF"}, "theirs"),
)


RECORD = """mutation ($input: RecordPermissionCheckInput!) { recordPermissionCheck(input: $input) {
  ... on RecordPermissionCheckSuccess { receipt { id } } } }"""


@cache
def document(mutation: str) -> str:
    """The mutation with all that its success surely tells: `told0`, `told1` …"""
    root = executable().mutation_type
    assert root is not None
    field = root.fields[mutation]
    success = next(type_ for type_ in get_named_type(field.type).types if type_.name.endswith("Success"))
    told = [
        f"told{number}: {name} {'{ __typename }' if is_composite_type(get_named_type(told.type)) else ''}"
        for number, (name, told) in enumerate(success.fields.items())
        if is_non_null_type(told.type)
    ]
    fields = f"__typename ... on UserError {{ code message path }} ... on {success.name} {{ {' '.join(told)} }}"
    return f"mutation ($input: {field.args['input'].type}) {{ {mutation}(input: $input) {{ {fields} }} }}"


async def done(town: Town, viewer: str, row: Row, given: Any) -> tuple[str, bytes]:
    """What somebody hears, as a sign and as bytes; who does something is shown what they did."""
    body = await town.ask(viewer, document(row.mutation), {"input": given})
    told = json.loads(body)
    if "errors" in told:
        return told["errors"][0]["message"], body
    answer = told["data"][row.mutation]
    if "code" in answer:
        return SIGNS.get(answer["code"], str(answer)), body
    return "+" if None not in answer.values() else f"done, and not shown: {answer}", body


async def furnished(new_target: Callable[[], dict[str, Any]], folder: Path) -> AsyncIterator[Town]:
    opened = Database(new_target())
    await opened.open()
    town = await Town(opened, folder).settle()
    yield town
    await town.house.settled()
    town.house.passwords.close()
    await opened.close()


@pytest.fixture(scope="module")
async def town(
    new_target: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """The town that is written to."""
    async for each in furnished(new_target, tmp_path_factory.mktemp("mail")):
        yield each


@pytest.fixture(autouse=True)
def _uploads_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody begins uploads here, again and again."""
    monkeypatch.setattr("resolvers.uploads.MOST_STAGED", 10_000)


@pytest.fixture(scope="module")
async def library(
    new_target: Callable[[], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """The town that is only read."""
    async for each in furnished(new_target, tmp_path_factory.mktemp("mail")):
        for household in each.still.values():
            given = {"input": {"id": household.named["track"], "uses": ["SYNC"]}}
            told = json.loads(await each.ask("owner", RECORD, given))
            household.named["receipt"] = told["data"]["recordPermissionCheck"]["receipt"]["id"]
        yield each


ENDING = {"deleteAccount"}
"""Whoever may do it is nobody afterwards: tests/graph/test_identity.py asks it as everybody else."""


def test_every_mutation_has_a_row() -> None:
    assert {row.mutation for row in ROWS} == set(_DEEDS) - ENDING


def pairs(rows: Iterable[Any]) -> list[Any]:
    """Each row with each state that matters to it."""
    return [pytest.param(row, state, id=f"{row.deed} {state}") for row in rows for state in row.states]


@pytest.mark.parametrize(("row", "state"), pairs(ROWS))
async def test_a_mutation_does_what_its_row_says_and_nothing_where_it_refuses(town: Town, row: Row, state: str) -> None:
    expected, still = row.expected(state), town.still[state]
    heard, told_apart = {}, []
    before = await town.everything()
    for viewer in (name for name in VIEWERS if expected[name] != "+"):
        heard[viewer], body = await done(town, viewer, row, still.fill(row.given))
        is_other_side = expected[viewer] == "x" and viewer not in SCOPES  # they see what is not theirs to do
        if row.subject is not None and not is_other_side:
            _, of_nothing = await done(town, viewer, row, still.fill(row.given, row.subject))
            told_apart += [] if body == of_nothing else [viewer]
    written = before.items() ^ (await town.everything()).items()
    for viewer in (name for name in VIEWERS if expected[name] == "+"):
        fresh = await town.household(state, crowded=row.subject in CROWDED)
        heard[viewer], _ = await done(town, viewer, row, fresh.fill(row.given))
    assert heard == expected
    assert told_apart == []
    assert written == set()


@pytest.mark.parametrize("state", HIDDEN)
@pytest.mark.parametrize("row", NAMED, ids=lambda row: row.deed)
async def test_what_else_a_mutation_names_and_its_writer_may_not_see_answers_as_nothing(
    town: Town, row: Row, state: str
) -> None:
    still, before = town.still[state], await town.everything()
    for viewer in ("owner", "editor") if _DEEDS[row.mutation].scope is None else ("owner", "editor", "all"):
        sign, body = await done(town, viewer, row, still.fill(row.given))
        _, of_nothing = await done(town, viewer, row, still.fill(row.given, row.subject))
        assert (viewer, sign, body) == (viewer, "-", of_nothing)
    assert await town.everything() == before


# -- the fields of the root ----------------------------------------------------------------------------------------

#                     ?   members           others    keys
MEMBERS = "           -   + + + + + -       - - -     ! - + + + -"
"""Those who hold Nova, and the keys that write for her."""
EVERYONE = "          +   + + + + + +       + + +     ! + + + + +"
EDITORS = "           -   + + + - - -       - - -     ! - + + + -"
PERSONS = "           -   + + + + + +       + + +     ! - - - - -"
HOLDERS = "           -   + + + + + -       + + -     ! - + + + +"
ASKER = "             -   + - - - - -       - - -     ! + + + + -"
"""A receipt is the account's that asked, in person or by a key of its own."""
MEMBERS_CHECK = "     -   + + + + + -       - - -     ! - ! ! + -"
EVERYONE_CHECK = "    +   + + + + + +       + + +     ! + ! ! + +"
"""Questions of rights are asked with CHECK."""

INSPECTED = by_state(MEMBERS, "- + + + + + - - - -  ! + + + + +")
"""By its people, and by keys as far as anybody may read it."""
IN_PERSON = "         -   + + + + + -       - - -     ! - - - - -"
"""By those who hold Nova, and by no key."""
READ = by_state(MEMBERS, EVERYONE, withdrawn=EVERYONE)
"""By its id: of what is withdrawn a stub."""
WHOLE = by_state(MEMBERS, EVERYONE)
"""By its id, and not of a stub."""
LIST = {**dict.fromkeys(STATES, MEMBERS), "PUBLIC": EVERYONE}
DRIFTING = LIST | {"WITHDRAWN": " ".join("!" if name == "idle" else "-" for name in VIEWERS)}
"""What is withdrawn is denied as its owner says: it claims nothing."""
CHECK = by_state(MEMBERS_CHECK, EVERYONE_CHECK, withdrawn=EVERYONE_CHECK)


SENT = "             -   + + + - - -       - + -     ! - + + + -"
"""What waits is there for those who decide, and for who sent it in."""
HEARD = by_state("   -   + + + + + -       - + -     ! - + + + -", EVERYONE)
"""What was approved is there for everybody, as its hook is."""


@dataclass(frozen=True)
class Field:
    """What is asked of a root field about `$x`, and to whom it shows anything of it.

    Attributes:
        deed: the field.
        who: the signs.
        asked: the field's text.
        subject: what `$x` stands for, a name of a household; None where nothing is asked for by name.
        found: the name of what a list shows; else its answer differs from the one about nothing, or from null.
    """

    deed: str
    who: Line
    asked: str
    subject: str | None = None
    found: str | None = None

    @property
    def states(self) -> tuple[str, ...]:
        return STATES if isinstance(self.who, Mapping) else ("PRIVATE",)

    def expected(self, state: str) -> dict[str, str]:
        signs = self.who if isinstance(self.who, str) else self.who[state]
        return dict(zip(VIEWERS, signs.split(), strict=True))


FIELDS = (
    Field("viewer", PERSONS, "viewer { account { id } }"),
    Field("node", READ, "node(id: $x) { id }", "track"),
    Field("nodes", READ, "nodes(ids: [$x]) { id }", "track"),
    Field("resolve", READ, "resolve(ref: $x) { node { id } }", "track"),
    Field("asset", READ, "asset(id: $x) { id }", "track"),
    Field("assets", LIST, "assets(filter: { owner: $x }, first: 100) { nodes { id } }", "nova", "track"),
    Field("release", READ, "release(id: $x) { id }", "release"),
    Field("artist", EVERYONE, "artist(handle: $x) { id }", "the word nova", "nova"),
    Field("artists", EVERYONE, "artists(first: 100) { nodes { id } }", None, "nova"),
    Field("world", EVERYONE, "world(handle: $x) { artist { id } }", "the word nova", "nova"),
    Field("hooks", LIST, "hooks(first: 100) { nodes { id } }", None, "hook"),
    Field("jobs", MEMBERS, "jobs(first: 100) { nodes { id } }", None, "job"),
    Field("room", WHOLE, "room(id: $x) { id }", "room"),
    Field("ritual", WHOLE, "ritual(id: $x) { id }", "ritual"),
    Field("clips", SENT, "clips(first: 100, filter: { states: [PENDING] }) { nodes { id } }", None, "clip"),
    Field("clips, heard", HEARD, "clips(first: 100, filter: { states: [APPROVED] }) { nodes { id } }", None, "heard"),
    Field("rituals", LIST, "rituals(first: 100, order: NEWEST) { nodes { id } }", None, "ritual"),
    Field("feed", LIST, "feed(kind: RITUALS, first: 100) { nodes { ... on Ritual { id } } }", None, "ritual"),
    Field("contributor", LIST, "contributor(id: $x) { id }", "person"),
    Field("search", LIST, "search(query: $x) { nodes { ... on Asset { id } } }", "title", "track"),
    Field("dossier", READ, "dossier(releaseId: $x) { release { id } }", "release"),
    Field("dna", INSPECTED, "dna(releaseId: $x) { release { id } }", "release"),
    Field("rolodex", IN_PERSON, "rolodex(handle: $x) { artist { id } }", "the word nova"),
    Field("permissionCheck", CHECK, "permissionCheck(ids: [$x], uses: [SYNC]) { decision asset { id } }", "track"),
    Field("hypotheticalRights", CHECK, "hypotheticalRights(parents: [$x], uses: [SYNC]) { decision }", "track"),
    Field(
        "licenseDrift", DRIFTING, "licenseDrift(uses: [SYNC], first: 100) { drifts { asset { id } } }", None, "hooked"
    ),
    Field("simulatePolicy", EDITORS, "simulatePolicy(subject: $x) { count }", "track"),
    Field("simulatePolicy, of a version", EDITORS, "simulatePolicy(subject: $x) { count }", "version"),
    Field(
        "simulateEdge",
        of_counterpart(EDITORS, "+"),
        "simulateEdge(child: $x, parent: $root, kind: SAMPLES) { count }",
        "track",
    ),
    Field("simulateTakedown", EDITORS, "simulateTakedown(id: $x) { count }", "track"),
    Field("previewManifest", EDITORS, "previewManifest(versionId: $x) { body }", "version"),
    Field(
        "previewSplits",
        EDITORS,
        "previewSplits(asset: $x, pool: MASTER, shares: [{contributor: $self, basisPoints: 10000}]) { basisPoints }",
        "track",
    ),
    Field("changes", EVERYONE, "changes { complete }"),
    Field("rightsChanges", HOLDERS, 'rightsChanges(since: "2026-01-31T00:00:00Z") { count }'),
    Field("replay", ASKER, "replay(receiptId: $x) { reproduced }", "receipt"),
    Field("lineagePath", WHOLE, "lineagePath(from: $x, to: $root) { length }", "hooked"),
    Field("commonAncestors", WHOLE, "commonAncestors(ids: [$x]) { asset { id } }", "hooked"),
    Field("lineageRoots", WHOLE, "lineageRoots(id: $x) { id }", "hooked"),
)


OWNERS = "- + + - - - -  - - -  ! - - - - -"
PEOPLE_OF_NOVA = "- + + + + + -  - - -  ! - - - - -"
GRANTED = "- + + + + + -  - + -  ! - + + + -"
ANSWERS = "- + + + - - -  - + -  ! - + + + -"
ONESELF = "- + - - - - -  - - -  ! - - - - -"


def node(kind: Kind, who: Line, subject: str, which: str = "") -> Field:
    return Field(f"node, {kind.value}{which}", who, "node(id: $x) { id }", subject)


NODES = (
    node(Kind.ACCOUNT, ONESELF, "owner"),
    node(Kind.MEMBER, PEOPLE_OF_NOVA, "fellow"),  # who is with her is known to people who are
    node(Kind.CLAIM, ONESELF, "claimed"),
    node(Kind.IDENTITY, ONESELF, "identity"),
    node(Kind.INVITE, OWNERS, "invite"),
    node(Kind.KEY, OWNERS, "key"),  # the owner issued it, for an artist that both own
    node(Kind.ENTITLEMENT, OWNERS, "given"),
    node(Kind.RECEIPT, ASKER, "receipt"),
    node(Kind.QUOTE, "- - - - - - -  + - -  ! - - - - +", "quote"),  # the stranger's account asked for it
    node(Kind.USE, PEOPLE_OF_NOVA, "use"),
    node(Kind.LICENSE, "- + + + + + -  + - -  ! - + + + +", "license"),  # and took it, on what is Nova's
    node(Kind.JOB, MEMBERS, "job"),
    node(Kind.SUGGESTION, MEMBERS, "suggestion"),
    node(Kind.GRANT, GRANTED, "grant"),  # between the asset's people and the grantee
    node(Kind.VERSION, MEMBERS, "version"),  # a draft, whatever its release
    node(Kind.ARTIST, EVERYONE, "duo"),
    node(Kind.RELEASE, READ, "release"),
    node(Kind.HOOK, WHOLE, "hook"),
    node(Kind.MESSAGE, WHOLE, "message"),
    node(Kind.RITUAL, WHOLE, "ritual"),
    node(Kind.PRESAVE, WHOLE, "waits"),
    node(Kind.CLIP, SENT, "clip"),  # of Nova's people those who decide, and who sent it in
    node(Kind.COMMENT, WHOLE, "said"),
    node(Kind.SHARE, ONESELF, "shared"),
    node(Kind.ACTIVITY, ONESELF, "told"),
    node(Kind.QUEUED, WHOLE, "queued"),
    node(Kind.GUEST, WHOLE, "visitor"),
    node(Kind.POLICY, WHOLE, "policy"),
    node(Kind.POLICY, GRANTED, "rule", " for an agent"),  # between the release's people and the agent
    node(Kind.CREDIT, by_state(ANSWERS, EVERYONE), "credit"),  # on the counterpart's track, of Nova
    node(Kind.SPLIT, by_state(ANSWERS, EVERYONE), "split"),
    node(Kind.CONTRIBUTOR, LIST, "person"),
    node(Kind.EDGE, EVERYONE, "made"),  # its parent is there for everybody
)
IN_TEST_VISIBILITY = frozenset(
    {Kind.TRACK, Kind.SAMPLE, Kind.INSTRUMENT, Kind.ITEM, Kind.VISUAL, Kind.THEME, Kind.MEDIA, Kind.EVENT, Kind.ROOM}
)


def test_every_kind_of_node_has_a_row() -> None:
    assert {f"node, {kind.value}" for kind in {*Kind} - IN_TEST_VISIBILITY} == {
        field.deed.partition(" for ")[0] for field in NODES
    }


ABOUT_NOTHING = {"logInclusion", "logConsistency"}
"""Proofs over hashes, which are everybody's and say nothing: `tests/graph/test_log.py`."""


def test_every_field_of_the_root_has_a_row() -> None:
    root = executable().query_type
    assert root is not None
    assert {field.deed.partition(",")[0] for field in FIELDS} | ABOUT_NOTHING == set(root.fields)


async def shown(town: Town, viewer: str, field: Field, named: Mapping[str, str]) -> str:
    """Whether a field shows somebody anything of what it is asked about, as a sign."""
    try:
        Actor(town.viewers[viewer], "").check_scopes([field.deed.partition(",")[0]])
    except RequestRefused:
        return "!"
    x = None if field.subject is None else named[field.subject]
    told = await answered(town, viewer, field, x, named)
    if field.found is not None:
        return "+" if f'"{named[field.found]}"' in told else "-"
    if x is None:
        return "-" if json.loads(told)["data"] == {field.deed: None} else "+"
    of_nothing = await answered(town, viewer, field, nothing_like(x), named)
    return "-" if told == of_nothing else "+"


async def answered(town: Town, viewer: str, field: Field, x: str | None, named: Mapping[str, str]) -> str:
    """The answer to the field about `x`, which none of them repeats."""
    text = field.asked.replace("$x", json.dumps(x))
    for name in ("root", "self"):
        text = text.replace(f"${name}", json.dumps(named[name]))
    body = (await town.ask(viewer, f"{{ {text} }}", {})).decode()
    assert "errors" not in json.loads(body), body
    return body


@pytest.mark.parametrize(("field", "state"), pairs((*FIELDS, *NODES)))
async def test_a_field_of_the_root_shows_what_its_row_says(library: Town, field: Field, state: str) -> None:
    named = {**library.still[state].named, "the word nova": "nova"}
    expected = field.expected(state)
    assert {viewer: await shown(library, viewer, field, named) for viewer in VIEWERS} == expected


# -- the fields of listening ---------------------------------------------------------------------------------------

NEVER = NEWS.write((2**62, 0))
"""A place to which nothing has come: only who may listen hears that of it."""
SIGNED_IN_LISTEN = " ?   + + + + + +       + + +     ! + + + + +"
"""To what is one's own, however little that is: what is told to whom of it, `tests/graph/test_feeds.py` says."""
PERSONS_LISTEN = "   ?   + + + + + +       + + +     ! x x x x x"
LISTENING = (
    Field("roomEvents", WHOLE, "roomEvents(roomId: $x) { kind }", "room"),
    Field("presence", WHOLE, "presence(roomId: $x) { count }", "room"),
    Field("jobUpdates", SIGNED_IN_LISTEN, f'jobUpdates(after: "{NEVER}") {{ cursor }}'),
    Field("rightsChanges", SIGNED_IN_LISTEN, f'rightsChanges(after: "{NEVER}") {{ cursor }}'),
    Field("activity", PERSONS_LISTEN, f'activity(after: "{NEVER}") {{ cursor }}'),
)


def test_every_field_of_listening_has_a_row() -> None:
    root = executable().subscription_type
    assert root is not None
    assert {field.deed for field in LISTENING} == set(root.fields)


async def begins(reader: Reader, viewer: Viewer, field: Field, x: str | None) -> CassetError | None:
    """Why somebody may not listen; None where they hear how it stands, and are waiting for more."""
    prepared = reader.prepare(f"subscription {{ {field.asked.replace('$x', json.dumps(x))} }}", None, {})
    try:
        async with aclosing(reader.events(prepared, viewer)) as answers:
            await anext(answers)
    except BadInput:
        return None
    except CassetError as refused:
        return refused
    return None


@pytest.mark.parametrize(("field", "state"), pairs(LISTENING))
async def test_who_may_listen_is_said_by_its_row(library: Town, field: Field, state: str) -> None:
    relay = Relay(library.database, MemoryBroker())
    reader = Reader(executable(), library.database, presence=MemoryPresence(), relay=relay)
    x = None if field.subject is None else library.still[state].named[field.subject]
    heard = {}
    for name, viewer in ((name, library.viewers[name]) for name in VIEWERS):
        try:
            Actor(viewer, "").check_scopes([field.deed])
        except RequestRefused:
            heard[name] = "!"
            continue
        refused = await begins(reader, viewer, field, x)
        heard[name] = "+" if refused is None else SIGNS[refused.code]
        if refused is not None and x is not None:
            of_nothing = await begins(reader, viewer, field, nothing_like(x))
            assert (type(of_nothing), str(of_nothing)) == (type(refused), str(refused))
    assert heard == field.expected(state)


# -- keys that only try, and keys that are over --------------------------------------------------------------------


async def test_a_key_that_only_tries_writes_nothing_whatever_it_reaches_to(town: Town) -> None:
    town.viewers["tries"] = replace(town.viewers["all"], only_tries=True)
    before, rows = await town.everything(), [row for row in ROWS if _DEEDS[row.mutation].scope is not None]
    for row in rows:
        sign, _ = await done(town, "tries", row, town.still["PUBLIC"].fill(row.given))
        assert sign == "x", row.deed
    assert len(rows) > 1
    assert await town.everything() == before


async def test_a_key_that_is_revoked_over_or_whose_issuer_owns_the_artist_no_more_is_nobodys(town: Town) -> None:
    async with town.database.write() as connection:
        for number, (values, issuer) in enumerate(
            (
                ({"revoked_at": now()}, "owner"),
                ({"expires_at": now() - timedelta(seconds=1)}, "owner"),
                ({}, "past"),
                ({}, "editor"),
                ({}, "stranger"),
            )
        ):
            row = {"account_id": town.ids[issuer], "artist_id": town.ids["nova"], "scopes": sorted(KeyScope)}
            lasts = {"expires_at": now() + timedelta(days=1), **values}
            held = {"id": uuid7(), "name": "x", "mode": "LIVE", "secret_hash": secret_hash(f"over {number}")}
            await connection.execute(insert(tables.agent_key).values(**row, **held, **lasts))
    assert [await viewer_of_key(town.database, secret_hash(f"over {number}")) for number in range(5)] == [None] * 5
