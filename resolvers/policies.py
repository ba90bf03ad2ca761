"""Stating what may be done: the policy of an asset, of an artist for all of theirs, or of a version of a release.

A policy is a word of a person: no key may do this. Every version is kept, and every asset's verdict that
flips is known before it is written, so that those it concerns are told.
"""

from __future__ import annotations

from typing import Any

from db.custody import writable
from db.policies import HeldPolicy, end_policy, hold_policy, write_policy
from db.rights import grantee_of, keep_terms
from domain.accounts import person_of
from domain.errors import Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.policies import Stated
from domain.provenance import EventKind
from domain.rights import terms_digest
from resolvers.context import Acting
from resolvers.simulations import NOTHING_FLIPS, Foreseen, foreseen_policy
from resolvers.writing import Outcome, done_once, follow, happened
from subscriptions.events import policy_changed, rights_changed


async def set_policy(
    acting: Acting,
    subject: Ref,
    stated: Stated,
    expected: Ref | None,
    idempotency_key: str | None,
    agent: Ref | None = None,
) -> tuple[Ref, Foreseen]:
    """State what may be done with the subject; the policy, and what it flips.

    Args:
        acting: who states it.
        subject: an asset, an artist for all of theirs, a visual world, or a version.
        stated: what is stated.
        expected: the policy that was read.
        idempotency_key: of the request.
        agent: the artist whose programs alone it speaks to, of a version.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: a key asks.
        NotFound: the subject is not there, or not the viewer's to change; or there is no such agent.
        Moved: another policy than the expected one holds, or the version is out no longer.
        KeyReused: the key belongs to another request.
    """
    foreseen = await _foreseen(acting, subject, stated, agent)

    async def work(connection: Any) -> Outcome:
        person, held = await _held(connection, acting, subject, expected, agent)
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
    request |= {} if agent is None else {"agent": str(agent)}
    done = await done_once(acting, "setPolicy", request, idempotency_key, work)
    return parse_ref(done["policy"]), foreseen


async def withdraw_policy(
    acting: Acting, subject: Ref, expected: Ref | None, idempotency_key: str | None, agent: Ref | None = None
) -> tuple[Ref, Foreseen]:
    """State nothing any more of the subject, or to an agent; what it was about, and what that flips.

    Raises:
        As `set_policy` does.
    """
    foreseen = await _foreseen(acting, subject, None, agent)

    async def work(connection: Any) -> Outcome:
        _, held = await _held(connection, acting, subject, expected, agent)
        if held.policy is None:
            raise Moved("Nothing is stated.", path=("subject",))
        await end_policy(connection, held, acting.new_id)
        await _follow(connection, acting, held, {"withdrawn": str(Ref(Kind.POLICY, held.policy))}, foreseen)
        return {"subject": str(held.subject)}

    request = {"subject": str(subject), "expected": expected and str(expected)}
    request |= {} if agent is None else {"agent": str(agent)}
    done = await done_once(acting, "withdrawPolicy", request, idempotency_key, work)
    return parse_ref(done["subject"]), foreseen


async def _foreseen(acting: Acting, subject: Ref, stated: Stated | None, agent: Ref | None) -> Foreseen:
    """What it flips for everybody; nothing is looked at for whom the subject is not to change."""
    person_of(acting.viewer)
    found = await writable(acting.database, acting.viewer, subject)
    if found is None:
        raise NotFound("There is no such thing.", path=("subject",))
    return NOTHING_FLIPS if agent is not None else await foreseen_policy(acting, found, stated)


async def _held(
    connection: Any, acting: Acting, subject: Ref, expected: Ref | None, agent: Ref | None
) -> tuple[Any, HeldPolicy]:
    spoken_to = None if agent is None else await grantee_of(connection, agent.id)
    if agent is not None and spoken_to is None:
        raise NotFound("There is no such artist.", path=("agent",))
    held = await hold_policy(connection, acting.viewer, subject, spoken_to)
    if held is None:
        raise NotFound("There is no such thing.", path=("subject",))
    if expected is not None and held.policy != expected.id:
        raise Moved("Another policy holds now. Read it again.", path=("expectedPolicy",))
    return acting.viewer.account, held


async def _follow(connection: Any, acting: Acting, held: HeldPolicy, said: dict[str, Any], foreseen: Foreseen) -> None:
    """What a policy leaves behind: provenance, the change log, and word to everybody whose verdict flips."""
    event = happened(acting, held.teller, EventKind.PERMISSIONS_CHANGED, said)
    told = [policy_changed(held.subject), *rights_changed(held.subject, foreseen.flipped)]
    await follow(connection, [event], told)
