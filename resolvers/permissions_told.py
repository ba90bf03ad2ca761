"""What is told of a work to everybody, for other standards to repeat."""

from __future__ import annotations

from typing import NamedTuple

from domain.clearances import attribution
from domain.errors import NotFound
from domain.ids import Kind, Ref
from domain.outcomes import outcomes
from domain.permissions_told import Permissions
from domain.rights import Layer, Use, strictest
from resolvers.context import Acting
from resolvers.verdicts import Terms, facts_for, question_of


class ToldOf(NamedTuple):
    """A work as it goes by now, whose it is, and what is decided of it."""

    asset: Ref
    owner: Ref
    permissions: Permissions


async def told_of(acting: Acting, asset: Ref) -> ToldOf:
    """What is decided of a work wherever, whenever and for whatever purpose: the strictest of it all.

    Raises:
        NotFound: there is no such asset for whoever asks.
    """
    terms = Terms(frozenset(Use))
    read = await facts_for(acting, [asset.id], terms)
    current = asset._replace(id=read.current(asset.id))
    part = read.facts.parts.get(current.id)
    if current.id not in read.named or part is None:
        raise NotFound("There is no such asset.")
    question = question_of(acting, current.id, terms)
    (decided,) = outcomes(read.facts, [question])
    said = {use: strictest(decided[use, layer] for layer in Layer) for use in Use}
    attributed = bool(attribution(read.facts, question))
    return ToldOf(current, Ref(Kind.ARTIST, part.owner), Permissions(said, attributed))
