"""What can be done with themes: how a world or a hook looks."""

from __future__ import annotations

from typing import Any

from db.themes import wear_theme, worn_theme
from db.wearers import Wearer, wear
from domain.artists import SeedSource
from domain.canonical import canonical, digest
from domain.colours import Hsl
from domain.errors import Invalid, Moved
from domain.ids import Kind, Ref, parse_ref
from domain.themes import Look, SeedWish, ThemeWish, checked_look, grown
from resolvers.context import Acting
from resolvers.wearers import changed_wearer, held_picture, held_wearer, rewritten
from resolvers.writing import Outcome, done_once, follow


async def set_theme(acting: Acting, wish: ThemeWish, idempotency_key: str | None) -> tuple[Ref | None, Ref]:
    """Say how a world or a hook looks, all of it, or take its theme off; the theme, and whose it is.

    A theme that changes gets a new id, and the old one goes on to tell how it was.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or it is not the viewer's to change; or there is no such cover.
        Moved: another theme is worn than the one that was read, or the cover is still being read.
        Invalid: a value breaks a rule, or there is no colour in the cover.
        KeyReused: the idempotency key belongs to another request.
    """
    look = wish.look
    checked = None if look is None else checked_look(look)

    async def work(connection: Any) -> Outcome:
        theme, artist = await write_theme(connection, acting, wish)
        return {"theme": theme and str(theme), "artist": str(artist)}

    request = {
        "subject": str(wish.subject),
        "expected": wish.expected and str(wish.expected),
        "look": None if look is None or checked is None else [*_said(look.seed), _exactly(checked)],
    }
    done = await done_once(acting, "setTheme", request, idempotency_key, work)
    return None if done["theme"] is None else parse_ref(done["theme"]), parse_ref(done["artist"])


async def write_theme(
    connection: Any, acting: Acting, wish: ThemeWish, suggestion: Ref | None = None
) -> tuple[Ref | None, Ref]:
    """Do it, in the transaction of the connection; `suggestion` is what was applied.

    Raises:
        NotFound: there is no such thing, or it is not the viewer's to change; or there is no such cover.
        Moved: another theme is worn than the one that was read, or the cover is still being read.
        Invalid: a value breaks a rule, or there is no colour in the cover.
    """
    wearer = await held_wearer(connection, acting, wish.subject)
    worn = await worn_theme(connection, wearer)
    if (worn and worn.id) != (wish.expected and wish.expected.id):
        raise Moved("Another theme is worn now. Read it again.", path=("expectedTheme",))
    look, artist = wish.look, Ref(Kind.ARTIST, wearer.owner)
    if look is None:
        if worn is not None:
            version = await wear(connection, wearer, "theme_id", None)
            said = {"retired": str(Ref(Kind.THEME, worn.id))}
            await follow(connection, [rewritten(acting, wearer, said)], [changed_wearer(wearer, version)])
        return None, artist
    values = await _values(connection, wearer, look, checked_look(look))
    if worn is not None and values == worn.values:
        return Ref(Kind.THEME, worn.id), artist
    theme = Ref(Kind.THEME, acting.new_id())
    version = await wear_theme(connection, wearer, theme.id, values)
    said = {"theme": str(theme), "digest": digest(canonical(_exactly(values)))}
    said |= _cover(look) | ({} if worn is None else {"retired": str(Ref(Kind.THEME, worn.id))})
    said |= {} if suggestion is None else {"suggestion": str(suggestion)}
    event = rewritten(acting, wearer, said)
    await follow(connection, [event], [changed_wearer(wearer, version)], touched=[theme.id])
    return theme, artist


async def _values(connection: Any, wearer: Wearer, look: Look, checked: dict[str, Any]) -> dict[str, Any]:
    """All that a theme says, by column: its colours grow from the seed, but for those of one's own."""
    origin = look.seed.origin
    seed = origin if isinstance(origin, Hsl) else await _read_off(connection, wearer, origin)
    return {
        "seed_source": look.seed.source.value,
        **{f"seed_{name}": value for name, value in seed._asdict().items()},
        "is_extracted": look.seed.source is SeedSource.COVER and not look.tokens,
        **grown(seed),
        **checked,
    }


async def _read_off(connection: Any, wearer: Wearer, cover: Ref) -> Hsl:
    path = ("theme", "seed", "cover")
    picture = await held_picture(connection, wearer, cover, path)
    if picture.seed is None:
        raise Invalid("There is no colour in it: it is black, grey and white, or a loop.", path=path)
    return picture.seed


def _cover(look: Look) -> dict[str, str]:
    return {} if isinstance(look.seed.origin, Hsl) else {"cover": str(look.seed.origin)}


def _said(seed: SeedWish) -> list[Any]:
    return [seed.source.value, list(seed.origin) if isinstance(seed.origin, Hsl) else str(seed.origin)]


def _exactly(values: dict[str, Any]) -> dict[str, Any]:
    """Values as they are digested, where no number is a float."""
    return {name: repr(value) if isinstance(value, float) else value for name, value in values.items()}
