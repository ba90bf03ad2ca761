"""What wears an atmosphere, a theme or a hook that leads, and what is told of it when it wears another."""

from __future__ import annotations

from typing import Any

from db.visuals import Picture, picture_of
from db.wearers import Wearer, hold_wearer
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref
from domain.media import ContentState
from domain.provenance import Event, EventKind
from resolvers.context import Acting
from resolvers.writing import happened
from subscriptions.events import Announcement, artist_updated, asset_updated, hook_changed

_KINDS = {
    Kind.HOOK: EventKind.HOOK_CHANGED,
    Kind.ARTIST: EventKind.ARTIST_UPDATED,
    Kind.RELEASE: EventKind.ASSET_UPDATED,
}


async def held_wearer(connection: Any, acting: Acting, subject: Ref) -> Wearer:
    """What wears something, under the writer's lock.

    Raises:
        NotFound: there is no such thing, or it is not the viewer's to change.
    """
    wearer = await hold_wearer(connection, acting.viewer, subject)
    if wearer is None:
        raise NotFound("There is no such thing.", path=("subject",))
    return wearer


async def held_picture(connection: Any, wearer: Wearer, media: Ref, path: tuple[str, ...]) -> Picture:
    """An image or a loop of a held wearer's artist, read to its end.

    Raises:
        NotFound: there is none.
        Moved: it is still being read.
        Invalid: it could not be read.
    """
    picture = await picture_of(connection, wearer.owner, media.id)
    if picture is None:
        raise NotFound("There is no such picture of this artist.", path=path)
    if picture.state is ContentState.REFUSED:
        raise Invalid(picture.fault or "It could not be read.", path=path)
    if picture.state is not ContentState.READY:
        raise Moved("It is still being read. Try again in a moment.", path=path)
    return picture


def rewritten(acting: Acting, wearer: Wearer, said: dict[str, Any]) -> Event:
    """What happened to a wearer, on the chain that tells of it."""
    named = {"hook": str(wearer.ref)} if wearer.ref.kind is Kind.HOOK else {}
    return happened(acting, wearer.teller, _KINDS[wearer.ref.kind], {**named, **said})


def changed_wearer(wearer: Wearer, version: int) -> Announcement:
    """Whoever shows it may read it again; `version` is that of the artist, or of the asset a release is."""
    if wearer.ref.kind is Kind.HOOK:
        return hook_changed(wearer.ref, wearer.teller)
    return (artist_updated if wearer.ref.kind is Kind.ARTIST else asset_updated)(wearer.ref, version)
