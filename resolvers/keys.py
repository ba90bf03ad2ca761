"""What can be done with the keys of programs: issue, replace, revoke. A secret is told once, and not kept."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from db import keys
from db.access import Action
from db.artists import hold_artist
from domain.accounts import freshly_signed_in, person_of
from domain.errors import Invalid, Moved, NotFound
from domain.ids import Kind, Ref, parse_ref
from domain.keys import (
    ALPHABET,
    DRAWN,
    MOST_KEYS,
    KeyDraft,
    KeyMode,
    checked_draft,
    checked_overlap,
    spelled,
)
from resolvers.callers import secret_hash
from resolvers.context import Acting
from resolvers.writing import Outcome, done_once

Issued = tuple[Ref, str | None]
"""A key and its secret; None where it was told before."""


async def issue_key(acting: Acting, draft: KeyDraft, idempotency_key: str | None) -> Issued:
    """Issue a key: the person's own, or one that writes for an artist they own.

    Raises:
        SignInNeeded: nobody is signed in, or longer than 12 hours ago.
        NotFound: there is no such artist, or the viewer is not its owner.
        Invalid: the key could do more than it should, lasts too long, or these are keys enough.
        KeyReused: the idempotency key belongs to another request.
    """
    now = acting.now()
    account = freshly_signed_in(acting.viewer, now)
    expires_at = checked_draft(draft, now)
    told: dict[str, str] = {}

    async def work(connection: Any) -> Outcome:
        if draft.artist is not None:
            held = await hold_artist(connection, acting.viewer, draft.artist.id, Action.OWN)
            if held is None:
                raise NotFound("There is no such artist.", path=("artist",))
        if await keys.count_keys(connection, account) >= MOST_KEYS:
            raise Invalid(f"One account has at most {MOST_KEYS} keys at once.", path=())
        values = {
            "account_id": account,
            "artist_id": draft.artist and draft.artist.id,
            "name": draft.name,
            "mode": draft.mode.value,
            "scopes": sorted(scope.value for scope in draft.scopes),
        }
        key, told["secret"] = await _add(connection, acting, values, expires_at)
        return {"key": str(key)}

    request = {
        "name": draft.name,
        "mode": draft.mode.value,
        "scopes": sorted(draft.scopes),
        "artist": draft.artist and str(draft.artist),
        "expiresAt": draft.expires_at,
    }
    outcome = await done_once(acting, "issueKey", request, idempotency_key, work)
    return parse_ref(outcome["key"]), told.get("secret")


async def rotate_key(acting: Acting, key: Ref, overlap_seconds: int, idempotency_key: str | None) -> Issued:
    """Put another key in a key's place, which allows the same for as long again; the old one goes on for the overlap.

    Raises:
        SignInNeeded: nobody is signed in, or longer than 12 hours ago.
        NotFound: there is no such key, or it is not the viewer's.
        Moved: the key is over, or was replaced before.
        Invalid: the overlap is longer than 7 days, or too many keys overlap.
        KeyReused: the idempotency key belongs to another request.
    """
    now = acting.now()
    account = freshly_signed_in(acting.viewer, now)
    overlap = checked_overlap(overlap_seconds)
    told: dict[str, str] = {}

    async def work(connection: Any) -> Outcome:
        old = await _held(connection, acting, key)
        if old.revoked_at is not None or old.expires_at <= now or old.replaced_by_id is not None:
            raise Moved("This key is over, or another is in its place. Issue a new one.", path=("id",))
        # Twice as many as may be issued: somebody with all of them can still replace each.
        if await keys.count_keys(connection, account) >= 2 * MOST_KEYS:
            raise Invalid("Too many keys overlap. Wait until some are over, or revoke them.", path=())
        values = {name: getattr(old, name) for name in ("artist_id", "name", "mode", "scopes")}
        lasts = old.expires_at - old.created_at
        new, told["secret"] = await _add(connection, acting, {**values, "account_id": account}, now + lasts)
        await keys.replace_key(connection, old.id, new.id, now + overlap)
        return {"key": str(new)}

    request = {"key": str(key), "overlapSeconds": overlap_seconds}
    outcome = await done_once(acting, "rotateKey", request, idempotency_key, work)
    return parse_ref(outcome["key"]), told.get("secret")


async def revoke_key(acting: Acting, key: Ref, idempotency_key: str | None) -> Ref:
    """End a key at once. This needs no fresh sign-in: who is afraid for a key shall not be kept.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: there is no such key, or it is not the viewer's.
        KeyReused: the idempotency key belongs to another request.
    """
    person_of(acting.viewer)

    async def work(connection: Any) -> Outcome:
        await keys.revoke_key(connection, (await _held(connection, acting, key)).id)
        return {"key": str(key)}

    await done_once(acting, "revokeKey", {"key": str(key)}, idempotency_key, work)
    return key


async def _held(connection: Any, acting: Acting, key: Ref) -> Any:
    held = await keys.hold_key(connection, acting.viewer, key.id)
    if held is None:
        raise NotFound("There is no such key.", path=("id",))
    return held


async def _add(connection: Any, acting: Acting, values: dict[str, Any], expires_at: datetime) -> tuple[Ref, str]:
    secret = spelled(KeyMode(values["mode"]), [secrets.choice(ALPHABET) for _ in range(DRAWN)])
    key = Ref(Kind.KEY, acting.new_id())
    row = {**values, "id": key.id, "secret_hash": secret_hash(secret), "expires_at": expires_at}
    await keys.add_key(connection, row)
    return key, secret
