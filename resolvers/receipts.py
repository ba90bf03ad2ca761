"""Receipts: a question and its answer, kept so that anybody who asked can show what they were told, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from db.changes import record_changes
from db.facts import Read
from db.receipts import Stored, add_receipt, hold_chain, noted, present, read_again, receipt_of
from domain.canonical import digest
from domain.errors import NotFound, SignInNeeded
from domain.facts import Question
from domain.ids import Kind, Ref, parse_ref
from domain.receipts import Place, asked_of, place_of, question_asked, receipt
from domain.rights import Outcome, strictest
from domain.verdicts import decide
from resolvers.context import Acting, Told
from resolvers.licensing import note_check
from resolvers.telling import Later, Telling
from resolvers.verdicts import Terms, facts_for, question_of
from resolvers.writing import Outcome as Done
from resolvers.writing import done_once


async def record_permission_check(acting: Acting, asset: Ref, terms: Terms, idempotency_key: str | None) -> Ref:
    """Ask what may be done with an asset and keep a receipt of the answer, at the end of the asker's chain.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such asset for the asker.
        KeyReused: the key belongs to another request.
    """
    account = acting.viewer.account
    if account is None:
        raise SignInNeeded("Sign in first.")
    at = await present(acting.database)
    moment = terms.moment(at) or (at, at)
    timed = replace(terms, valid_at=moment[0], known_at=moment[1])
    read = await facts_for(acting, [asset.id], timed)
    current = asset._replace(id=read.current(asset.id))
    if current.id not in read.named:
        raise NotFound("There is no such asset.", path=("id",))
    question = question_of(acting, current.id, timed)
    asked = asked_of(current, question, moment)
    facts, answer = noted(read), _answer(read, question)

    async def work(connection: Any) -> Done:
        sequence, prev = await hold_chain(connection, account)
        place = Place(Ref(Kind.RECEIPT, acting.new_id()), Ref(Kind.ACCOUNT, account), sequence + 1, prev, at)
        written = receipt(place, asked, facts, answer)
        stored = Stored(current.id, place.sequence, prev, written.body, facts)
        await add_receipt(connection, place.id.id, account, stored, written, at)
        await record_changes(connection, [(account, "PERMISSION_CHECKED", [place.id.id, current.id])])
        await note_check(connection, acting, current, question.uses, Outcome(answer["decision"]))
        return {"receipt": str(place.id)}

    request = {key: value for key, value in asked.items() if key not in {"on", "validAt", "knownAt"}}
    request |= {"asset": str(asset), "asOf": terms.valid_at, "knownAt": terms.known_at}
    done = await done_once(acting, "recordPermissionCheck", request, idempotency_key, work)
    return parse_ref(done["receipt"])


async def replay(acting: Acting, receipt_id: Ref) -> Told | None:
    """Answer the question of a receipt again, from the rows it was decided from; None where it is not the asker's."""
    stored = await receipt_of(acting.database, acting.viewer, receipt_id.id)
    if stored is None:
        return None
    body = await _again(acting, stored)
    return {
        "__typename": "Replay",
        "receipt": receipt_id,
        "reproduced": body == stored.body,
        "body": body,
        "hash": digest(body.encode()),
    }


async def _again(acting: Acting, stored: Stored) -> str:
    told = orjson.loads(stored.body)
    read = await read_again(acting.database, stored.facts)
    answer = _answer(read, question_asked(told["question"]))
    return receipt(place_of(told), told["question"], noted(read), answer).body


def _answer(read: Read, question: Question) -> dict[str, Any]:
    verdicts = decide(read.facts, question)
    told = Telling(read).verdicts(question.asset, verdicts)
    return {"decision": strictest(verdict.outcome for verdict in verdicts).value, "verdicts": _plain(told)}


def _plain(told: Any) -> Any:
    """What was told as JSON: references in full, no type names."""
    if isinstance(told, Ref):
        return str(told)
    if isinstance(told, Later):
        return _plain(told.whole())
    if isinstance(told, Mapping):
        return {name: _plain(value) for name, value in told.items() if name != "__typename"}
    return [_plain(value) for value in told] if isinstance(told, list) else told
