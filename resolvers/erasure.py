"""Leaving Casset: an account is erased, with the artists that nobody else holds, and what was counted stays counted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db.access import Action
from db.accounts import rename_account, revoke_sessions
from db.artists import HeldArtist, hold_artist
from db.changes import record_changes
from db.erasure import erase_account, is_met
from db.memberships import artists_held, hold_members
from domain.accounts import ANONYMOUS
from domain.errors import Moved
from domain.handles import handle_left
from domain.ids import Kind, Ref
from domain.letters import erased_letter
from resolvers.accounts import caller_of, proven, send_word
from resolvers.artists import write_artist
from resolvers.context import Acting
from resolvers.memberships import leave

NOBODY = "Somebody who left"


async def delete_account(acting: Acting, password: str | None) -> Ref:
    """Erase the account of whoever asks; its id, which nobody goes by any more.

    An account without a password is erased within 12 hours of a sign-in.

    Raises:
        SignInNeeded: nobody is signed in, or too long ago.
        Invalid: the password is wrong.
        Moved: others hold an artist that nobody else owns, or meet what only this account holds.
        TooMany: too many attempts.
        Forbidden: the request did not come over HTTP.
    """
    caller = caller_of(acting)
    known = await proven(acting, caller, password, "password")
    async with acting.database.write() as connection:
        artists = await artists_held(connection, acting.viewer)
        ended = [artist for artist in artists if await _left(connection, acting, artist)]
        await rename_account(connection, known.id, handle_left(known.id))
        await revoke_sessions(connection, known.id)
        await erase_account(connection, known.id, ended)
        await record_changes(connection, [(known.id, "ACCOUNT_ERASED", ended)])
    caller.enter(ANONYMOUS, "")
    caller.house.later(send_word(caller, known, erased_letter))
    return Ref(Kind.ACCOUNT, known.id)


async def _left(connection: Any, acting: Acting, artist_id: UUID) -> bool:
    """Hold an artist no longer; whether it ended with that, since nobody else did."""
    held = await hold_members(connection, acting.viewer, Action.WRITE, artist=artist_id)
    if held is None:
        return False
    artist = await hold_artist(connection, acting.viewer, artist_id, Action.OWN) if len(held.members) == 1 else None
    if artist is not None:
        await _end(connection, acting, artist)
    await leave(connection, acting, held, ends_it=artist is not None)
    return artist is not None


async def _end(connection: Any, acting: Acting, artist: HeldArtist) -> None:
    """Let an artist be nobody: without a name, an address and words."""
    if await is_met(connection, artist.id):
        raise Moved(
            f"Others meet what only you hold as @{artist.values['handle']}. Make somebody else an owner, or withdraw "
            "its works and cancel its rituals first."
        )
    values = {"handle": handle_left(artist.id), "name": NOBODY, "tagline": None, "bio": None}
    await write_artist(connection, acting, Ref(Kind.ARTIST, artist.id), artist, values)
