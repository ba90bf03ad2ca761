"""Declaring how something is made: edges of lineage, what the other side answers, and what follows from it.

Every write holds the lock of lineage from its cycle check to its commit, and leaves provenance on the child's chain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from db.custody import writable
from db.registration import (
    End,
    HeldEdge,
    add_edge,
    change_edge,
    edge_between,
    end_edge,
    hold_edge,
    hold_ends,
    hold_lineage,
    sides_of,
    way_up,
)
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.lineage import EdgeKind, EdgeStatus, EvidenceSource, Registration
from domain.outcomes import outcomes
from domain.provenance import EventKind
from domain.registration import (
    EdgeDraft,
    Side,
    Standing,
    confirmed,
    declared,
    disputed,
    rejected,
    retractable,
)
from domain.rights import Layer, Outcome, Use
from domain.windows import Window, checked_window
from resolvers.context import Acting
from resolvers.cycles import cycle_closed
from resolvers.verdicts import Terms, facts_for, question_of
from resolvers.writing import Outcome as Done
from resolvers.writing import done_once, follow, happened
from subscriptions.events import lineage_changed


async def declare_edge(acting: Acting, draft: EdgeDraft, idempotency_key: str | None) -> Ref:
    """Say that something is made from something else.

    The child's side binds itself at once; the parent's permission decides whether the derivative is registered. What
    the parent's side says waits for the child's.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: an end is not there for the viewer, or neither is theirs to edit.
        Invalid: both ends are one, a window lies outside of the media, or the text is none.
        CycleClosed: the parent is made from the child.
        Moved: the same edge stands already.
        KeyReused: the key belongs to another request.
    """
    permission = await _permission(acting, draft)

    async def work(connection: Any) -> Done:
        return {"edge": str(Ref(Kind.EDGE, (await write_edge(connection, acting, draft, permission)).id))}

    done = await done_once(acting, "declareEdge", _request(draft), idempotency_key, work)
    return parse_ref(done["edge"])


async def write_edge(
    connection: Any, acting: Acting, draft: EdgeDraft, permission: Mapping[Layer, Outcome]
) -> HeldEdge:
    """Do it, in a transaction that goes on; the edge as it stands now.

    Raises:
        NotFound: an end is not there for the viewer, or neither is theirs to edit.
        Invalid: both ends are one, or a window lies outside of the media.
        CycleClosed: the parent is made from the child.
        Moved: the same edge stands already.
    """
    at = await hold_lineage(connection)
    ends = await hold_ends(connection, acting.viewer, [draft.child.id, draft.parent.id])
    child, parent = (_found(ends.get(ref.id), side) for ref, side in ((draft.child, "child"), (draft.parent, "parent")))
    sides = sides_of(child, parent)
    if not sides:
        raise NotFound("There is no such asset.", path=("child",))
    await _refuse_cycle(connection, acting, child.ref, parent.ref)
    child_window = _within(draft.child_window, child, "childWindow")
    parent_window = _within(draft.parent_window, parent, "parentWindow")
    if await edge_between(connection, child.ref.id, parent.ref.id, draft.kind, child_window) is not None:
        raise Moved("The same edge stands already.", path=("parent",))
    standing = declared(sides, draft.kind, permission)
    held = HeldEdge(acting.new_id(), draft.kind, at, child, parent, standing)
    values = {
        "note": draft.note,
        "child_is_older": child.made_on is not None and parent.made_on is not None and child.made_on < parent.made_on,
        "evidence_method": draft.method,
        "asserted_by_id": child.owner if standing.declared_by is EvidenceSource.CHILD_OWNER else parent.owner,
        **_columns("child", child_window),
        **_columns("parent", parent_window),
    }
    await add_edge(connection, held, values)
    await _follow(connection, acting, held, Ref(Kind.EDGE, held.id), standing, before=None)
    return held


async def agree_to_edge(connection: Any, acting: Acting, child: Ref, parent: Ref, kind: EdgeKind) -> None:
    """The parent's side agrees to an edge of the whole child, in a transaction that goes on.

    Where it has agreed, or there is no such edge any more, nothing is written.

    Raises:
        CycleClosed: the edge binds again, and the parent is made from the child by now.
    """
    known = await edge_between(connection, child.id, parent.id, kind, None)
    if known is not None:
        held = await _held(connection, acting, Ref(Kind.EDGE, known))
        if held.standing.status is not EdgeStatus.CONFIRMED:
            await _change(connection, acting, held, confirmed(held.standing, held.sides))


async def confirm_edge(acting: Acting, edge: Ref, idempotency_key: str | None) -> Ref:
    """The side that did not declare an edge agrees; the derivative is registered.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: the edge is not there for the viewer, or neither end is theirs to edit.
        Forbidden: it is for the other side.
        Moved: the edge has changed, or is confirmed already.
        KeyReused: the key belongs to another request.
    """
    return await _answer(acting, "confirmEdge", edge, confirmed, idempotency_key)


async def reject_edge(acting: Acting, edge: Ref, idempotency_key: str | None) -> Ref:
    """The side that did not declare an edge says: not so. It binds no longer.

    Raises:
        As `confirm_edge` does.
    """
    return await _answer(acting, "rejectEdge", edge, rejected, idempotency_key)


async def dispute_edge(acting: Acting, edge: Ref, idempotency_key: str | None) -> Ref:
    """Either side disagrees with how an edge stands; it binds until they agree.

    Raises:
        As `confirm_edge` does, but Forbidden.
    """
    return await _answer(acting, "disputeEdge", edge, lambda standing, _: disputed(standing), idempotency_key)


async def retract_edge(acting: Acting, edge: Ref, idempotency_key: str | None) -> Ref:
    """Who declared an edge takes it back, before the other side has answered; the child it was about.

    Raises:
        As `confirm_edge` does.
    """

    async def work(connection: Any) -> Done:
        held = await _held(connection, acting, edge)
        retractable(held.standing, held.sides)
        await end_edge(connection, held, acting.new_id)
        await _follow(connection, acting, held, edge, None, before=held.standing)
        return {"child": str(held.child.ref)}

    done = await done_once(acting, "retractEdge", {"edge": str(edge)}, idempotency_key, work)
    return parse_ref(done["child"])


async def _answer(
    acting: Acting,
    name: str,
    edge: Ref,
    rule: Callable[[Standing, frozenset[Side]], Standing],
    idempotency_key: str | None,
) -> Ref:
    async def work(connection: Any) -> Done:
        held = await _held(connection, acting, edge)
        return {"edge": str(await _change(connection, acting, held, rule(held.standing, held.sides)))}

    done = await done_once(acting, name, {"edge": str(edge)}, idempotency_key, work)
    return parse_ref(done["edge"])


async def _change(connection: Any, acting: Acting, held: HeldEdge, standing: Standing) -> Ref:
    """Let a held edge stand otherwise, with what follows; by which it goes from now on."""
    if standing.binding and not held.standing.binding:
        await _refuse_cycle(connection, acting, held.child.ref, held.parent.ref)
    changed = Ref(Kind.EDGE, await change_edge(connection, held, standing, acting.new_id))
    await _follow(connection, acting, held, changed, standing, before=held.standing)
    return changed


async def _held(connection: Any, acting: Acting, edge: Ref) -> HeldEdge:
    at = await hold_lineage(connection)
    held = await hold_edge(connection, acting.viewer, edge.id, at)
    if held is None:
        raise NotFound("There is no such edge.", path=("id",))
    return held


async def _permission(acting: Acting, draft: EdgeDraft) -> dict[Layer, Outcome]:
    """What the parent answers the child's owner about registering a derivative; nobody else need ask."""
    if await writable(acting.database, acting.viewer, draft.child) is None:
        return dict.fromkeys(Layer, Outcome.UNKNOWN)
    return await permission_to_register(acting, draft.parent, draft.parent_window)


async def permission_to_register(acting: Acting, parent: Ref, window: Window | None) -> dict[Layer, Outcome]:
    """What a parent answers whoever acts about registering a derivative of it."""
    terms = Terms(frozenset({Use.DERIVATIVE_REGISTRATION}), window=window)
    read = await facts_for(acting, [parent.id], terms)
    (decided,) = outcomes(read.facts, [question_of(acting, read.current(parent.id), terms)])
    return {layer: decided[Use.DERIVATIVE_REGISTRATION, layer] for layer in Layer}


async def _refuse_cycle(connection: Any, acting: Acting, child: Ref, parent: Ref) -> None:
    """Nothing is made from itself, however long the way round; the way is named as far as the viewer may see it."""
    if child.id == parent.id:
        raise Invalid("Nothing is made from itself.", path=("parent",))
    way = await way_up(connection, [parent.id], child.id)
    if way:
        raise await cycle_closed(connection, acting, "The parent is made from the child", child, way, ("parent",))


def _found(end: End | None, side: str) -> End:
    if end is None:
        raise NotFound("There is no such asset.", path=(side,))
    return end


def _within(window: Window | None, end: End, name: str) -> Window | None:
    """A window cut at the end of its media."""
    try:
        return window and checked_window(window.start_ms, window.end_ms, end.duration_ms)
    except Invalid as error:
        raise Invalid(error.message, path=(name, *error.path[1:])) from None


def _columns(end: str, window: Window | None) -> dict[str, int | None]:
    start_ms, end_ms = (None, None) if window is None else window
    return {f"{end}_start_ms": start_ms, f"{end}_end_ms": end_ms}


def _request(draft: EdgeDraft) -> dict[str, Any]:
    return {
        "child": str(draft.child),
        "parent": str(draft.parent),
        "kind": draft.kind.value,
        "childWindow": draft.child_window and list(draft.child_window),
        "parentWindow": draft.parent_window and list(draft.parent_window),
        "note": draft.note,
        "method": draft.method,
    }


async def _follow(
    connection: Any, acting: Acting, held: HeldEdge, edge: Ref, standing: Standing | None, *, before: Standing | None
) -> None:
    """What a word on an edge leaves behind: provenance of the child, the change log and an announcement."""
    child, parent = held.child.ref, held.parent.ref
    payload = {"edge": str(edge), "parent": str(parent), "kind": held.kind.value}
    if standing is None:
        payload["status"] = "RETRACTED"
    else:
        payload |= {"status": standing.status.value, "registration": standing.registration.value}
    kinds = [EventKind.LINEAGE_CHANGED]
    is_registered = standing is not None and standing.registration is Registration.REGISTERED
    was_registered = before is not None and before.registration is Registration.REGISTERED
    if is_registered and not was_registered and held.child.owner != held.parent.owner:
        kinds.append(EventKind.DERIVATIVE_REGISTERED)
    events = [happened(acting, child, kind, payload) for kind in kinds]
    told = [lineage_changed(edge, child, parent, payload["status"])]
    await follow(connection, events, told, touched=[edge.id, parent.id])
