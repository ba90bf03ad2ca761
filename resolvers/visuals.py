"""What can be done with visual worlds: the atmosphere of a hook or a world, and the cover of a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.visuals import WornVisual, change_visual, put_on, said_of_visuals, worn_visual
from db.wearers import Wearer
from domain.canonical import canonical, digest
from domain.contributors import checked_credits
from domain.errors import Moved
from domain.ids import Kind, Ref, parse_ref
from domain.levels import said_of
from domain.rights import Use
from domain.visuals import LOOKS, VisualWish, checked_visual
from resolvers.context import Acting
from resolvers.contributors import write_credits
from resolvers.wearers import changed_wearer, held_picture, held_wearer, rewritten
from resolvers.writing import Outcome, done_once, follow


async def set_visual_world(acting: Acting, wish: VisualWish, idempotency_key: str | None) -> Ref:
    """Give something its atmosphere, or change the one it wears.

    Where another picture takes the place of one, another visual world begins: how it looks goes on, and what was said
    of the picture (title, badges, credits, policy) stays with the one that is put away.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such thing, or it is not the viewer's to change; or there is no such picture or person.
        Moved: another visual world is worn than the one that was read, or the picture is still being read.
        Invalid: a value breaks a rule, or the picture could not be read.
        KeyReused: the idempotency key belongs to another request.
    """
    checked = checked_visual(wish.values)
    wanted = None if wish.credits is None else checked_credits(wish.credits)

    async def work(connection: Any) -> Outcome:
        wearer = await held_wearer(connection, acting, wish.subject)
        worn = await worn_visual(connection, wearer)
        _refuse_moved(worn, wish.expected_version)
        values = checked | await _source(connection, wearer, worn, wish)
        kept = None if worn is None or _is_another(worn, values) else worn
        visual = Ref(Kind.VISUAL, acting.new_id() if kept is None else kept.id)
        changed, version = _changes(worn, kept, values), wearer.version
        if kept is None:
            version = await put_on(connection, wearer, visual.id, worn, changed)
        written = None if wanted is None else await write_credits(connection, acting, visual, wanted)
        if kept is not None and (changed or written):
            await change_visual(connection, kept, changed)
        if kept is None or changed or written:
            said = _said(visual, worn, changed) | ({"credits": written.digest} if written else {})
            told = [changed_wearer(wearer, version), *(written.proposals if written else ())]
            touched = [visual.id, *(written.touched if written else ())]
            await follow(connection, [rewritten(acting, wearer, said)], told, touched=touched)
        return {"visual": str(visual)}

    request: dict[str, Any] = {"subject": str(wish.subject), "expectedVersion": wish.expected_version, **checked}
    if "source_id" in wish.values:
        request["source"] = wish.values["source_id"] and str(wish.values["source_id"])
    if wanted is not None:
        request["credits"] = [[str(credit.party), credit.role.value, credit.instrument] for credit in wanted]
    outcome = await done_once(acting, "setVisualWorld", request, idempotency_key, work)
    return parse_ref(outcome["visual"])


async def reuse_of(acting: Acting, visuals: Sequence[UUID]) -> Mapping[UUID, str]:
    """Whether some visual worlds may be used elsewhere, as it stands today."""
    said = await said_of_visuals(acting.database, visuals)
    on = acting.now().date()
    return {id_: said_of(spoken, Use.VISUAL_REUSE, on).value for id_, spoken in said.items()}


def _refuse_moved(worn: WornVisual | None, expected: int | None) -> None:
    held = None if worn is None else worn.version
    if held != expected:
        stands = "Nothing is worn yet." if held is None else f"The visual world is at version {held}."
        raise Moved(f"{stands} Read it again.", path=("expectedVersion",))


async def _source(connection: Any, wearer: Wearer, worn: WornVisual | None, wish: VisualWish) -> dict[str, UUID | None]:
    """The picture that is asked for, by column; nothing is looked at where it is not another one."""
    if "source_id" not in wish.values:
        return {}
    source: Ref | None = wish.values["source_id"]
    if source is None or (worn is not None and worn.values["source_id"] == source.id):
        return {"source_id": None if source is None else source.id}
    return {"source_id": (await held_picture(connection, wearer, source, ("source",))).id}


def _is_another(worn: WornVisual, values: Mapping[str, Any]) -> bool:
    """Another picture, or none any more, takes the place of one."""
    held = worn.values["source_id"]
    return held is not None and values.get("source_id", held) != held


def _changes(worn: WornVisual | None, kept: WornVisual | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are written: those that really change, or all of another visual world."""
    if kept is not None:
        return {name: value for name, value in values.items() if value != kept.values[name]}
    return {name: worn.values[name] for name in LOOKS if worn is not None} | dict(values)


def _said(visual: Ref, worn: WornVisual | None, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What provenance keeps: ids and digests, and no words."""
    values = dict(changed)
    source = values.pop("source_id", None)
    said = {"visual": str(visual), "changed": sorted(changed), "digest": digest(canonical(values))}
    if source is not None:
        said["source"] = str(Ref(Kind.MEDIA, source))
    if worn is not None and worn.id != visual.id:
        said["retired"] = str(Ref(Kind.VISUAL, worn.id))
    return {**said, "version": worn.version + 1 if worn else 1}
