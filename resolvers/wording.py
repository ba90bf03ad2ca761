"""What may be done with some releases, or with the hooks of some tracks, in one plain sentence each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from db.hooks import windows_of
from domain.rights import Use
from domain.wording import terms_in_words
from resolvers.context import Acting, unhurried
from resolvers.telling import Telling
from resolvers.verdicts import Terms, facts_for, question_of

_ALL, _REMIX = Terms(frozenset(Use)), Terms(frozenset({Use.REMIX}))


async def release_terms(acting: Acting, releases: Sequence[UUID]) -> Mapping[UUID, str]:
    """What may be done now and everywhere with some releases, over everything they hold."""
    read = await facts_for(acting, releases, _ALL)
    telling = Telling(read)
    return {
        id_: terms_in_words(read.facts, question_of(acting, id_, _ALL), telling.shown(id_))
        async for id_ in unhurried(releases)
        if id_ in read.named
    }


async def remix_terms(acting: Acting, hooks: Sequence[UUID]) -> Mapping[UUID, str]:
    """Whether some hooks may be remixed; those whose tracks the viewer may not read are left out."""
    windows = await windows_of(acting.database, hooks)
    read = await facts_for(acting, [track for track, _ in windows.values()], _REMIX)
    telling = Telling(read)
    return {
        id_: terms_in_words(
            read.facts, question_of(acting, track, replace(_REMIX, window=window)), telling.shown(track)
        )
        async for id_, (track, window) in unhurried(windows.items())
        if track in read.named
    }
