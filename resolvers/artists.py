"""What can be done with artists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from db import artists
from db.access import Action
from db.accounts import add_membership, viewer_of_account
from db.artists import HeldArtist, artists_owned, hold_artist
from db.handles import hold_handle, release_handle
from db.search import index_names
from domain.accounts import Role, person_of
from domain.artists import (
    MOST_ARTISTS,
    ArtistDraft,
    ArtistUpdate,
    checked_bio,
    checked_name,
    checked_tagline,
)
from domain.canonical import canonical, digest
from domain.errors import Invalid, Moved, NotFound
from domain.handles import checked_handle, handle_taken
from domain.ids import Kind, Ref, parse_ref
from domain.provenance import Event, EventKind
from domain.search import FoundKind
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import Announcement, artist_created, artist_updated

_TAKEN = "This handle is taken, or too easily taken for one that is."  # a sentence
_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "handle": checked_handle,
    "name": checked_name,
    "kind": str,
    "tagline": checked_tagline,
    "bio": checked_bio,
}


async def create_artist(acting: Acting, draft: ArtistDraft, idempotency_key: str | None) -> Ref:
    """Be one more artist: its world has an address, and nothing in it yet.

    Raises:
        SignInNeeded: nobody is signed in.
        Invalid: a value breaks a rule, the handle is taken, or these are artists enough.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)
    wanted = ArtistDraft(
        checked_handle(draft.handle),
        checked_name(draft.name),
        draft.kind,
        checked_tagline(draft.tagline),
        checked_bio(draft.bio),
    )

    async def work(connection: Any) -> Outcome:
        artist = Ref(Kind.ARTIST, acting.new_id())
        if await artists_owned(connection, account) >= MOST_ARTISTS:
            raise Invalid(f"One account owns at most {MOST_ARTISTS} artists.", path=())
        if not await hold_handle(connection, wanted.handle, account, artist):
            raise handle_taken()
        await make_artist(connection, acting, account, artist, wanted)
        return {"artist": str(artist)}

    request = {
        "handle": wanted.handle,
        "name": wanted.name,
        "kind": wanted.kind.value,
        "tagline": wanted.tagline,
        "bio": wanted.bio,
    }
    outcome = await done_once(acting, "createArtist", request, idempotency_key, work)
    if acting.caller is not None:
        async with acting.database.read() as connection:
            acting.caller.became = await viewer_of_account(connection, account, acting.viewer.signed_in_at)
    return parse_ref(outcome["artist"])


async def make_artist(connection: Any, acting: Acting, account: UUID, artist: Ref, draft: ArtistDraft) -> None:
    """Write an artist that an account owns, with everything that follows from it; its handle is held."""
    await artists.add_artist(connection, artist.id, draft)
    await add_membership(connection, acting.new_id(), account, artist.id, Role.OWNER)
    said = {"handle": draft.handle, "name": draft.name, "kind": draft.kind.value}
    payload = {"digest": digest(canonical(said)), "version": 1}
    event = Event(acting.new_id(), artist, EventKind.ARTIST_CREATED, acting.now(), account, payload)
    await follow_artist(connection, event, [draft.name, draft.handle], artist_created(artist), begins=True)


async def update_artist(acting: Acting, change: ArtistUpdate, idempotency_key: str | None) -> Ref:
    """Change what an artist tells of themselves; an owner may give them another address, too.

    The handle let go stays reserved for the artist.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such artist, or it is not the viewer's to change.
        Moved: `expected_version` is no longer the current one.
        Invalid: a value breaks a rule, or the handle is taken.
        KeyReused: the idempotency key belongs to another request.
    """
    account = person_of(acting.viewer)
    wanted = {name: _CHECKS[name](value) for name, value in change.values.items()}
    action = Action.OWN if "handle" in wanted else Action.WRITE

    async def work(connection: Any) -> Outcome:
        held = await hold_artist(connection, acting.viewer, change.artist.id, action)
        if held is None:
            raise NotFound("There is no such artist.", path=("id",))
        if held.version != change.expected_version:
            said = f"The artist is at version {held.version}, not {change.expected_version}. Read it again."
            raise Moved(said, path=("expectedVersion",))
        values = {name: value for name, value in wanted.items() if value != held.values[name]}
        handle = values.get("handle")
        if handle is not None:
            if not await hold_handle(connection, handle, account, change.artist):
                raise handle_taken()
            await release_handle(connection, held.values["handle"], change.artist)
        if values:
            await write_artist(connection, acting, change.artist, held, values)
        return {"artist": str(change.artist)}

    request = {"artist": str(change.artist), "expectedVersion": change.expected_version, **wanted}
    outcome = await done_once(acting, "updateArtist", request, idempotency_key, work)
    return parse_ref(outcome["artist"])


async def write_artist(
    connection: Any, acting: Acting, artist: Ref, held: HeldArtist, values: Mapping[str, Any]
) -> None:
    """Write what a held artist is from now on, with everything that follows from it."""
    await artists.update_artist(connection, held, values)
    version = held.version + 1
    now_so = {**held.values, **values}
    names = [now_so["name"], now_so["handle"]] if values.keys() & {"name", "handle"} else []
    payload = {"changed": sorted(values), "digest": digest(canonical(values)), "version": version}
    event = happened(acting, artist, EventKind.ARTIST_UPDATED, payload)
    await follow_artist(connection, event, names, artist_updated(artist, version))


async def follow_artist(
    connection: Any, event: Event, names: list[str], announcement: Announcement, *, begins: bool = False
) -> None:
    """What a write to an artist leaves behind: what every write does, and new names in the index."""
    if names:
        await index_names(connection, [(event.subject.id, FoundKind.ARTIST, names)])
    await follow(connection, [event], [announcement], begins=begins)
