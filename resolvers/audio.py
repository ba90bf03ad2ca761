"""What can be done to hear something: ask for a token, come with one, and see the shape of a sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.accounts import viewer_of_account
from db.media import (
    Cut,
    Playable,
    peaks_of,
    playable_clips,
    playable_hooks,
    playable_track,
    playback_secrets,
    preview_of,
)
from domain.accounts import ANONYMOUS, Viewer
from domain.audio import AudioToken, Mode, heard, opened, sealed, token_end
from domain.errors import Forbidden, NotFound, SignInNeeded
from domain.ids import Ref
from domain.windows import Window
from resolvers.context import Acting, Told

_NOTHING = "There is nothing to hear."


class Ticket(NamedTuple):
    """A token, and what is heard with it."""

    token: str
    track: Ref
    mode: Mode
    expires_at: datetime
    window: Window

    @property
    def url(self) -> str:
        """Where it is heard, on this host."""
        return f"/api/audio/{self.track}?token={self.token}"


class Heard(NamedTuple):
    """What a token opens: all of a master, or its window, whose preview is None where it was not cut yet."""

    playable: Playable
    mode: Mode
    window: Window
    preview: Cut | None


def _listener(viewer: Viewer) -> Viewer:
    """A key hears what anybody hears: all of a work is for people."""
    return ANONYMOUS if viewer.is_agent else viewer


def _ticket(acting: Acting, playable: Playable, mode: Mode, viewer: Viewer) -> Ticket:
    expires_at = token_end(acting.now())
    token = AudioToken(playable.track.id, mode, viewer.account, expires_at)
    window = Window(0, playable.duration_ms) if mode is Mode.FULL else heard(playable.hook, playable.duration_ms)
    return Ticket(sealed(token, playable.secrets[0]), playable.track, mode, expires_at, window)


async def ask_to_hear(acting: Acting, track: Ref, mode: Mode | None) -> tuple[Ticket, Playable]:
    """A token for a track; for as much of it as the viewer is entitled to, where no mode is named.

    Raises:
        NotFound: there is nothing to hear, or not for the viewer.
        SignInNeeded: nobody is signed in, and all of it is asked for.
        Forbidden: the viewer is not entitled to all of it.
    """
    viewer = _listener(acting.viewer)
    async with acting.database.read() as connection:
        playable = await playable_track(connection, viewer, track.id)
    if playable is None:
        raise NotFound(_NOTHING)
    if mode is None:
        mode = Mode.FULL if playable.entitled else Mode.PREVIEW
    if mode is Mode.FULL and not playable.entitled:
        if acting.viewer.account is None:
            raise SignInNeeded("Sign in to hear all of it.")
        raise Forbidden("Its preview is for you, all of it is not.")
    return _ticket(acting, playable, mode, viewer), playable


async def hear_by_access(acting: Acting, account: UUID, track: Ref) -> Ticket:
    """A token for all of a track that a license opened to an account, whose program asks.

    Raises:
        NotFound: there is nothing to hear, or it is not open to them.
    """
    async with acting.database.read() as connection:
        viewer, playable = await check_heard(connection, account, track.id)
    return _ticket(acting, playable, Mode.FULL, viewer)


async def check_heard(connection: Any, account: UUID, track: UUID) -> tuple[Viewer, Playable]:
    """Who an account stands for, and the track, all of which is open to them.

    Raises:
        NotFound: there is nothing to hear, or it is not open to them.
    """
    viewer = await viewer_of_account(connection, account)
    playable = await playable_track(connection, viewer, track)
    if playable is None or not playable.entitled:
        raise NotFound(_NOTHING)
    return viewer, playable


async def come_to_hear(acting: Acting, track: Ref, text: str) -> Heard:
    """What a token opens now: who it was given to must still be entitled to it.

    Raises:
        SignInNeeded: it is no token for this track.
        TokenExpired: it was one.
        Forbidden: whom it was given to is no longer entitled to all of it.
        NotFound: there is nothing to hear, or not for them.
    """
    async with acting.database.read() as connection:
        token = opened(text, await playback_secrets(connection), acting.now())
        if token.track != track.id:
            raise SignInNeeded("This token is for another track. Ask for one.")
        viewer = ANONYMOUS if token.subject is None else await viewer_of_account(connection, token.subject)
        playable = await playable_track(connection, viewer, token.track)
        if playable is None:
            raise NotFound(_NOTHING)
        if token.mode is Mode.FULL:
            if not playable.entitled:
                raise Forbidden("All of it is for you no longer.")
            return Heard(playable, token.mode, Window(0, playable.duration_ms), None)
        window = heard(playable.hook, playable.duration_ms)
        return Heard(playable, token.mode, window, await preview_of(connection, playable.media, window))


async def waveform_of(acting: Acting, track: Ref) -> list[int]:
    """The 500 peaks of a track, in ten thousandths of full scale.

    Raises:
        NotFound: there is none, or not for the viewer.
    """
    async with acting.database.read() as connection:
        peaks = await peaks_of(connection, acting.viewer, track.id)
    if peaks is None:
        raise NotFound("There is no waveform.")
    return peaks


async def playback_of(acting: Acting, hooks: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Where some hooks are heard; those without sound are left out."""
    viewer = _listener(acting.viewer)
    found = await playable_hooks(acting.database, viewer, hooks)
    return {hook: _playback(_ticket(acting, playable, Mode.PREVIEW, viewer)) for hook, playable in found.items()}


async def playback_of_clips(acting: Acting, clips: Sequence[UUID]) -> Mapping[UUID, Told]:
    """Where all of some clips is heard; those whose sound is not there, or not for the viewer, are left out."""
    viewer = _listener(acting.viewer)
    found = await playable_clips(acting.database, viewer, clips)
    return {clip: _playback(_ticket(acting, playable, Mode.FULL, viewer)) for clip, playable in found.items()}


def _playback(ticket: Ticket) -> Told:
    start_ms, end_ms = ticket.window
    return {
        "__typename": "Playback",
        "url": ticket.url,
        "expiresAt": ticket.expires_at,
        "startMs": start_ms,
        "durationMs": (end_ms or start_ms) - start_ms,
    }
