"""Stating what may be done: the policy of an asset, or of an artist for all of theirs.

A policy is a word of a person: no key may do this. Every version is kept, and every asset's verdict that
flips is known before it is written, so that those it concerns are told.
"""

from __future__ import annotations

from typing import Any

from db.custody import writable
from db.policies import HeldPolicy, end_policy, hold_policy, write_policy
from db.rights import keep_terms
from domain.accounts import person_of
from domain.errors import Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.policies import Stated
from domain.provenance import EventKind
from domain.rights import terms_digest
from resolvers.context import Acting
from resolvers.simulations import Foreseen, foreseen_policy
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import policy_changed, rights_changed


async def set_policy(
    acting: Acting, subject: Ref, stated: Stated, expected: Ref | None, idempotency_key: str | None
) -> tuple[Ref, Foreseen]:
    """State what may be done with an asset, or with all assets of an artist; the policy, and what it flips.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key asks.
        NotFound: the subject is not there, or not the viewer's to change.
        Moved: another policy than the expected one holds.
        KeyReused: the key belongs to another request.
    """
    foreseen = await foreseen_policy(acting, await _theirs(acting, subject), stated)

    async def work(connection: Any) -> Outcome:
        person, held = await _held(connection, acting, subject, expected)
        term_set = await keep_terms(connection, stated.terms, acting.new_id)
        policy = Ref(Kind.POLICY, await write_policy(connection, held, stated, term_set, person, acting.new_id))
        said = {"policy": str(policy), "license": stated.license.id, "terms": terms_digest(stated.terms)}
        await _follow(connection, acting, held, said, foreseen)
        return {"policy": str(policy)}

    request = {
        "subject": str(subject),
        "license": stated.license.id,
        "terms": terms_digest(stated.terms),
        "expected": expected and str(expected),
    }
    done = await done_once(acting, "setPolicy", request, idempotency_key, work)
    return parse_ref(done["policy"]), foreseen


async def withdraw_policy(
    acting: Acting, subject: Ref, expected: Ref | None, idempotency_key: str | None
) -> tuple[Ref, Foreseen]:
    """State nothing any more of an asset or an artist; what it was about, and what that flips.

    Raises:
        As `set_policy` does.
    """
    foreseen = await foreseen_policy(acting, await _theirs(acting, subject), None)

    async def work(connection: Any) -> Outcome:
        _, held = await _held(connection, acting, subject, expected)
        if held.policy is None:
            raise Moved("Nothing is stated.", path=("subject",))
        await end_policy(connection, held, acting.new_id)
        await _follow(connection, acting, held, {"withdrawn": str(Ref(Kind.POLICY, held.policy))}, foreseen)
        return {"subject": str(held.subject)}

    request = {"subject": str(subject), "expected": expected and str(expected)}
    done = await done_once(acting, "withdrawPolicy", request, idempotency_key, work)
    return parse_ref(done["subject"]), foreseen


async def _theirs(acting: Acting, subject: Ref) -> Ref:
    """The subject as it goes by now; nothing is looked at for whom it is not to change."""
    person_of(acting.viewer)
    found = await writable(acting.database, acting.viewer, subject)
    if found is None:
        raise NotFound("There is no such thing.", path=("subject",))
    return found


async def _held(connection: Any, acting: Acting, subject: Ref, expected: Ref | None) -> tuple[Any, HeldPolicy]:
    held = await hold_policy(connection, acting.viewer, subject)
    if held is None:
        raise NotFound("There is no such thing.", path=("subject",))
    if expected is not None and held.policy != expected.id:
        raise Moved("Another policy holds now. Read it again.", path=("expectedPolicy",))
    return acting.viewer.account, held


async def _follow(connection: Any, acting: Acting, held: HeldPolicy, said: dict[str, Any], foreseen: Foreseen) -> None:
    """What a policy leaves behind: provenance, the change log, and word to everybody whose verdict flips."""
    event = happened(acting, held.teller, EventKind.PERMISSIONS_CHANGED, said)
    told = [policy_changed(held.subject), *rights_changed(held.subject, foreseen.flips)]
    await follow(connection, [event], told)
