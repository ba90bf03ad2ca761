"""What an artist's stated policy comes to, in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from db.dossiers import statements_of
from domain.assets import AssetKind
from domain.facts import Facts, Part, Question
from domain.rights import Use
from domain.wording import terms_in_words
from resolvers.context import Acting


async def stances_of(acting: Acting, artists: Sequence[UUID]) -> Mapping[UUID, str]:
    """What may be done, by what some artists state, with a work of theirs that is made of nothing else."""
    async with acting.database.read() as connection:
        said = await statements_of(connection, artists)
    # A work by the artist's own id: of itself it states nothing.
    facts = Facts({artist: Part(artist, artist, AssetKind.TRACK) for artist in artists}, (), said)
    today = acting.now().date()
    return {artist: terms_in_words(facts, Question(artist, frozenset(Use), today), {artist}) for artist in artists}
