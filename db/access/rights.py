"""Who may see policies, grants and receipts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, or_

from db import tables
from db.access.actions import Action, Predicates, Row, everyone, seen
from db.access.assets import asset_read, fully, held_asset, its_asset
from db.access.releases import version_read
from db.access.visuals import visual_read
from db.history import has_begun, holds_now
from db.viewers import ASKER, granted_to, held


def _policy_read(policy: Row) -> ColumnElement[bool]:
    """What is said to everybody of what may be read; a rule for an agent is between the owner and the agent."""
    spoken_for = its_asset(policy, "subject_id", asset_read, fully)
    version = tables.release_version.alias()
    theirs = or_(
        policy.c.agent_id.is_(None), granted_to(policy.c.agent_id), its_asset(version, "release_id", held_asset)
    )
    of_version = (
        exists().where(version.c.id == policy.c.subject_id, version_read(version), theirs).correlate_except(version)
    )
    visual = tables.visual_world.alias()
    of_visual = exists().where(visual.c.id == policy.c.subject_id, visual_read(visual)).correlate_except(visual)
    of_all = policy.c.level.in_(("ARTIST", "PLATFORM"))
    return and_(has_begun(policy), or_(of_all, spoken_for, of_version, of_visual))


def _grant_reached(grant: Row) -> ColumnElement[bool]:
    """A grant is between the owner of the asset and the grantee."""
    return and_(holds_now(grant), or_(held(grant.c.grantee_id), its_asset(grant, "asset_id", held_asset)))


def _own_receipt(receipt: Row) -> ColumnElement[bool]:
    """A receipt is for the account that asked, whether in person or by a key."""
    return receipt.c.account_id == ASKER


PREDICATES: Predicates = {
    tables.permission_grant: {Action.READ: _grant_reached, Action.REACH: _grant_reached},
    tables.permission_receipt: seen(_own_receipt),
    tables.policy: {Action.READ: _policy_read, Action.REACH: holds_now, Action.CITE: everyone},
    tables.term: {Action.REACH: everyone},
}
