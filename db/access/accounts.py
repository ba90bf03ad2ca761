"""Who may see and change accounts, and what people have and hold."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_

from db import tables
from db.access.actions import Action, Predicates, Row, everyone, seen
from db.access.assets import its_asset
from db.viewers import IS_AGENT, VIEWER_ACCOUNT, edited, held, owned


def _own_account(account: Row) -> ColumnElement[bool]:
    return account.c.id == VIEWER_ACCOUNT


def _own_key(key: Row) -> ColumnElement[bool]:
    """A key is seen, replaced and revoked by who issued it, and by the owners of the artist it writes for."""
    return or_(key.c.account_id == VIEWER_ACCOUNT, owned(key.c.artist_id))


def _invite_decided(invite: Row) -> ColumnElement[bool]:
    """Who is invited is known to owners, for as long as somebody may come."""
    is_open = and_(invite.c.ended_at.is_(None), invite.c.expires_at > func.now())
    return and_(is_open, owned(invite.c.artist_id))


def _own_claim(claim: Row) -> ColumnElement[bool]:
    return claim.c.account_id == VIEWER_ACCOUNT


def _own_job(job: Row) -> ColumnElement[bool]:
    return held(job.c.owner_id)


def _fellow(membership: Row) -> ColumnElement[bool]:
    """Who is with an artist is known to those who are; a key is with nobody."""
    current = membership.c.ended_at.is_(None)
    return and_(current, held(membership.c.artist_id), VIEWER_ACCOUNT.is_not(None))


def _own_still(row: Row) -> ColumnElement[bool]:
    """What an account has until it ends: a membership, a sign-in with another house."""
    return and_(row.c.ended_at.is_(None), row.c.account_id == VIEWER_ACCOUNT)


def _membership_decided(membership: Row) -> ColumnElement[bool]:
    return and_(membership.c.ended_at.is_(None), owned(membership.c.artist_id))


def _given(entitlement: Row) -> ColumnElement[bool]:
    """What an owner gave, they may take back; what somebody paid for or earned, nobody."""
    of_asset = its_asset(entitlement, "asset_id", lambda asset: owned(asset.c.owner_id))
    return and_(entitlement.c.source == "GRANT", or_(owned(entitlement.c.artist_id), of_asset))


def _entitlement_read(entitlement: Row) -> ColumnElement[bool]:
    return or_(entitlement.c.account_id == VIEWER_ACCOUNT, _given(entitlement))


PREDICATES: Predicates = {
    tables.account: seen(_own_account),
    tables.agent_key: {**seen(_own_key), Action.WRITE: _own_key},
    tables.artist: {
        **seen(everyone),
        Action.INSPECT: lambda artist: and_(held(artist.c.id), ~IS_AGENT),
        Action.WRITE: lambda artist: edited(artist.c.id),
        Action.OWN: lambda artist: owned(artist.c.id),
    },
    tables.artist_claim: seen(_own_claim),
    tables.entitlement: {**seen(_entitlement_read), Action.OWN: _given},
    tables.identity: {**seen(_own_still), Action.WRITE: _own_still},
    tables.job: seen(_own_job),
    tables.membership: {**seen(_fellow), Action.WRITE: _own_still, Action.OWN: _membership_decided},
    tables.membership_invite: {**seen(_invite_decided), Action.OWN: _invite_decided},
}
