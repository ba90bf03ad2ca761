"""Who may see and who may change what: one predicate per (table, action), and no second copy anywhere.

The read engine injects them at every access, root or nested; mutations load their target through them.
What a viewer may not see answers exactly as what does not exist.

READ: named by an id or another reference. LIST: found in a list, a search or a reverse relation. REACH: met through
the row it belongs to, which was itself seen. CITE: named by an answer, as it stood at the time the answer speaks of.
WRITE: about to be changed. OWN: about to be decided for, as its owner.

    asset state  LIST               REACH              READ
    PRIVATE      members            members            members
    UNLISTED     members            members            everyone
    PUBLIC       everyone           everyone           everyone
    ARCHIVED     members            everyone           everyone
    WITHDRAWN    members            everyone, a stub   everyone, a stub

A scheduled release is PRIVATE and *teased*: people may list, reach and read its teaser; agents may not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    exists,
    func,
    or_,
    select,
    true,
)

from db import tables
from db.history import has_begun, holds_now
from db.viewers import ASKER, IS_AGENT, VIEWER_ACCOUNT, edited, held, owned

Row = Any  # an alias or a subquery over a table: anything whose `.c` holds the table's columns
Predicate = Callable[[Row], ColumnElement[bool]]


class Action(Enum):
    """The ways a row is met; see the module's table."""

    READ = auto()
    LIST = auto()
    REACH = auto()
    CITE = auto()
    WRITE = auto()
    OWN = auto()


class Exposure(Enum):
    """How much of a row that may be seen is shown."""

    STUB = auto()
    """Shown whenever the row is: also of a withdrawn asset."""
    TEASER = auto()
    """Hidden in a withdrawn asset, shown of a scheduled release."""
    FULL = auto()
    """Everything else."""


def _teased(asset: Row) -> ColumnElement[bool]:
    return and_(asset.c.teased, ~IS_AGENT)


def _asset_listed(asset: Row) -> ColumnElement[bool]:
    return or_(asset.c.state == "PUBLIC", held(asset.c.owner_id), _teased(asset))


def _asset_reached(asset: Row) -> ColumnElement[bool]:
    return or_(asset.c.state.in_(("PUBLIC", "ARCHIVED", "WITHDRAWN")), held(asset.c.owner_id), _teased(asset))


def _asset_read(asset: Row) -> ColumnElement[bool]:
    return or_(asset.c.state != "PRIVATE", held(asset.c.owner_id), _teased(asset))


def asset_shown(asset: Row, exposure: Exposure) -> ColumnElement[bool]:
    """Whether a field of that exposure is shown of an asset that may be seen."""
    if exposure is Exposure.STUB:
        return true()
    hidden = ("WITHDRAWN",) if exposure is Exposure.TEASER else ("WITHDRAWN", "PRIVATE")
    return or_(asset.c.state.not_in(hidden), held(asset.c.owner_id))


@dataclass(frozen=True, slots=True)
class Met:
    """A row met through its asset, whose id it keeps in a column: the asset's own row need not be looked up again."""

    row: Row
    column: str
    asset: Row

    @property
    def c(self) -> Any:
        """The columns of the row."""
        return self.row.c


def _asset(row: Row, column: str, *wanted: Predicate) -> ColumnElement[bool]:
    """The asset whose id the row keeps in that column is one for which all the predicates hold."""
    if isinstance(row, Met) and row.column == column:
        return and_(*[predicate(row.asset) for predicate in wanted])
    asset = tables.asset.alias()
    found = exists().where(asset.c.id == row.c[column], *[predicate(asset) for predicate in wanted])
    return found.correlate_except(asset)


def _fully(asset: Row) -> ColumnElement[bool]:
    return asset_shown(asset, Exposure.FULL)


def _held_asset(asset: Row) -> ColumnElement[bool]:
    return held(asset.c.owner_id)


def _everyone(_: Row) -> ColumnElement[bool]:
    return true()


def _oneself(contributor: Row) -> ColumnElement[bool]:
    """The contributor is the person who asks, or an artist they edit."""
    return or_(contributor.c.account_id == VIEWER_ACCOUNT, edited(contributor.c.artist_id))


def _of_oneself(row: Row) -> ColumnElement[bool]:
    """A credit or split is answered by the person it names, who reads it whatever they may read of the asset."""
    contributor = tables.contributor.alias()
    named = exists().where(contributor.c.id == row.c.contributor_id, _oneself(contributor))
    return named.correlate_except(contributor)


def _agreed(row: Row, *also: ColumnElement[bool]) -> ColumnElement[bool]:
    """A credit or split its person declined is between them and the owner."""
    return or_(row.c.acceptance != "DECLINED", _asset(row, "asset_id", _held_asset), _of_oneself(row), *also)


def _of_asset(row: Row, listed: Predicate) -> ColumnElement[bool]:
    return _asset(row, "asset_id", listed, _fully)


def credit_stands(credit: Row) -> ColumnElement[bool]:
    """Nobody took the credit back or declined it."""
    return and_(credit.c.ended_at.is_(None), credit.c.acceptance != "DECLINED")


def _on_visual(credit: Row, predicate: Predicate) -> ColumnElement[bool]:
    """The credit is on a visual world for which that holds."""
    visual = tables.visual_world.alias()
    return exists().where(visual.c.id == credit.c.visual_id, predicate(visual)).correlate_except(visual)


def _credit_reached(credit: Row) -> ColumnElement[bool]:
    on_own = _on_visual(credit, lambda visual: held(visual.c.owner_id))
    return and_(credit.c.ended_at.is_(None), _agreed(credit, on_own))


def _credit_answered(credit: Row) -> ColumnElement[bool]:
    return and_(credit.c.ended_at.is_(None), _of_oneself(credit))


def _credit_read(credit: Row) -> ColumnElement[bool]:
    seen = or_(_of_asset(credit, _asset_read), _on_visual(credit, _visual_read))
    return or_(and_(_credit_reached(credit), seen), _credit_answered(credit))


def _credit_listed(credit: Row) -> ColumnElement[bool]:
    return and_(_credit_reached(credit), or_(_of_asset(credit, _asset_listed), _on_visual(credit, _visual_read)))


def _split_reached(split: Row) -> ColumnElement[bool]:
    return and_(holds_now(split), _agreed(split))


def _split_read(split: Row) -> ColumnElement[bool]:
    return or_(and_(_split_reached(split), _of_asset(split, _asset_read)), and_(holds_now(split), _of_oneself(split)))


def _contributor_listed(contributor: Row) -> ColumnElement[bool]:
    credit = tables.credit.alias()
    credited = exists().where(credit.c.contributor_id == contributor.c.id, _credit_listed(credit))
    return or_(credited.correlate_except(credit), contributor.c.account_id == VIEWER_ACCOUNT)


def _media_reached(media: Row) -> ColumnElement[bool]:
    return or_(media.c.role != "SOURCE", _asset(media, "asset_id", _held_asset))


def _media_read(media: Row) -> ColumnElement[bool]:
    """Through its asset, as a member of its artist, or in a visual world that shows it."""
    visual = tables.visual_world.alias()
    shown = exists().where(visual.c.source_id == media.c.id, _visual_read(visual)).correlate_except(visual)
    return and_(_media_reached(media), or_(_of_asset(media, _asset_read), held(media.c.artist_id), shown))


def _leads_teased_release(hook: Row) -> ColumnElement[bool]:
    """The hook of a scheduled release is shown before its track is, where both are of one artist."""
    release, asset, track = tables.release.alias(), tables.asset.alias(), tables.asset.alias()
    theirs = select(track.c.owner_id).where(track.c.id == hook.c.track_id).correlate_except(track).scalar_subquery()
    return (
        select(release.c.id)
        .join_from(release, asset, asset.c.id == release.c.id)
        .where(release.c.lead_hook_id == hook.c.id, _teased(asset), asset.c.owner_id == theirs)
        .correlate_except(release, asset)
        .exists()
    )


def _hook_read(hook: Row) -> ColumnElement[bool]:
    return or_(_asset(hook, "track_id", _asset_read, _fully), _leads_teased_release(hook))


def _hook_listed(hook: Row) -> ColumnElement[bool]:
    return _asset(hook, "track_id", _asset_listed, _fully)


def _visual_reached(visual: Row) -> ColumnElement[bool]:
    return or_(visual.c.state == "ACTIVE", held(visual.c.owner_id))


def _visual_read(visual: Row) -> ColumnElement[bool]:
    hook, artist, release, asset = (t.alias() for t in (tables.hook, tables.artist, tables.release, tables.asset))
    worn_by_hook = exists().where(hook.c.id == visual.c.hook_id, _hook_read(hook)).correlate_except(hook)
    worn_by_world = exists().where(artist.c.visual_id == visual.c.id).correlate_except(artist)
    covers = (
        select(release.c.id)
        .join_from(release, asset, asset.c.id == release.c.id)
        .where(release.c.cover_id == visual.c.id, _asset_read(asset), asset_shown(asset, Exposure.TEASER))
        .correlate_except(release, asset)
        .exists()
    )
    return or_(held(visual.c.owner_id), and_(visual.c.state == "ACTIVE", or_(worn_by_hook, worn_by_world, covers)))


def _theme_read(theme: Row) -> ColumnElement[bool]:
    artist, hook = tables.artist.alias(), tables.hook.alias()
    worn_by_world = exists().where(artist.c.theme_id == theme.c.id).correlate_except(artist)
    worn_by_hook = exists().where(hook.c.theme_id == theme.c.id, _hook_read(hook)).correlate_except(hook)
    return or_(held(theme.c.artist_id), worn_by_world, worn_by_hook)


def _policy_read(policy: Row) -> ColumnElement[bool]:
    spoken_for = _asset(policy, "subject_id", _asset_read, _fully)
    version = tables.release_version.alias()
    of_version = exists().where(version.c.id == policy.c.subject_id, _version_read(version)).correlate_except(version)
    visual = tables.visual_world.alias()
    of_visual = exists().where(visual.c.id == policy.c.subject_id, _visual_read(visual)).correlate_except(visual)
    of_all = policy.c.level.in_(("ARTIST", "PLATFORM"))
    return and_(has_begun(policy), or_(of_all, spoken_for, of_version, of_visual))


def _grant_reached(grant: Row) -> ColumnElement[bool]:
    """A grant is between the owner of the asset and the grantee."""
    return and_(holds_now(grant), or_(held(grant.c.grantee_id), _asset(grant, "asset_id", _held_asset)))


def edge_ends_seen(edge: Row) -> ColumnElement[bool]:
    """Both ends of the edge may be seen: only then is more told of it than its kind and status."""
    return and_(_asset(edge, "child_id", _asset_reached, _fully), _asset(edge, "parent_id", _asset_reached, _fully))


def edge_stands(edge: Row) -> ColumnElement[bool]:
    """Nobody rejected the edge, or refused to register it."""
    return and_(edge.c.status != "REJECTED", edge.c.registration != "REFUSED")


def edge_told(edge: Row) -> ColumnElement[bool]:
    """An edge that does not stand is heard of by both owners only."""
    theirs = or_(_asset(edge, "child_id", _held_asset), _asset(edge, "parent_id", _held_asset))
    return or_(edge_stands(edge), theirs)


def _edge_reached(edge: Row) -> ColumnElement[bool]:
    return and_(holds_now(edge), edge_told(edge))


def _edge_read(edge: Row) -> ColumnElement[bool]:
    either = or_(_asset(edge, "child_id", _asset_reached, _fully), _asset(edge, "parent_id", _asset_reached, _fully))
    return and_(has_begun(edge), edge_told(edge), either)


def _version_reached(version: Row) -> ColumnElement[bool]:
    return or_(version.c.state != "DRAFT", _asset(version, "release_id", _held_asset))


def _version_read(version: Row) -> ColumnElement[bool]:
    return and_(_version_reached(version), _asset(version, "release_id", _asset_read, _fully))


def _manifest_read(manifest: Row) -> ColumnElement[bool]:
    """A manifest is there for whoever may read its version."""
    version = tables.release_version.alias()
    return exists().where(version.c.id == manifest.c.id, _version_read(version)).correlate_except(version)


def _item_read(item: Row) -> ColumnElement[bool]:
    version = tables.release_version.alias()
    return exists().where(version.c.id == item.c.version_id, _version_read(version)).correlate_except(version)


def _event_read(event: Row) -> ColumnElement[bool]:
    artist = tables.artist.alias()
    of_artist = exists().where(artist.c.id == event.c.subject_id).correlate_except(artist)
    return or_(_asset(event, "subject_id", _asset_read, _fully), of_artist)


def _room_read(room: Row) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    of_hook = exists().where(hook.c.id == room.c.hook_id, _hook_read(hook)).correlate_except(hook)
    teaser = _asset(room, "release_id", _asset_read, lambda asset: asset_shown(asset, Exposure.TEASER))
    subject_seen = and_(or_(room.c.hook_id.is_(None), of_hook), or_(room.c.release_id.is_(None), teaser))
    return and_(_room_reached(room), subject_seen)


def _room_reached(room: Row) -> ColumnElement[bool]:
    return or_(room.c.visibility == "PUBLIC", held(room.c.artist_id))


def _found_listed(entry: Row) -> ColumnElement[bool]:
    contributor = tables.contributor.alias()
    credited = exists().where(contributor.c.id == entry.c.node_id, _contributor_listed(contributor))
    return or_(
        entry.c.kind == "ARTIST",
        and_(entry.c.kind == "CONTRIBUTOR", credited.correlate_except(contributor)),
        _asset(entry, "node_id", _asset_listed),
    )


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


def _suggested(suggestion: Row) -> ColumnElement[bool]:
    """What programs suggest is for the track's people, and for the programs that write for them."""
    return _asset(suggestion, "track_id", _held_asset)


def _own_receipt(receipt: Row) -> ColumnElement[bool]:
    """A receipt is for the account that asked, whether in person or by a key."""
    return receipt.c.account_id == ASKER


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
    of_asset = _asset(entitlement, "asset_id", lambda asset: owned(asset.c.owner_id))
    return and_(entitlement.c.source == "GRANT", or_(owned(entitlement.c.artist_id), of_asset))


def _entitlement_read(entitlement: Row) -> ColumnElement[bool]:
    return or_(entitlement.c.account_id == VIEWER_ACCOUNT, _given(entitlement))


def _asset_written(asset: Row) -> ColumnElement[bool]:
    return edited(asset.c.owner_id)


def _seen(by: Predicate) -> dict[Action, Predicate]:
    """Whichever way a row is met, one predicate says whether it is seen."""
    return dict.fromkeys((Action.READ, Action.LIST, Action.REACH), by)


_PREDICATES: Mapping[Table, Mapping[Action, Predicate]] = {
    tables.account: _seen(_own_account),
    tables.agent_key: {**_seen(_own_key), Action.WRITE: _own_key},
    tables.artist: {
        **_seen(_everyone),
        Action.WRITE: lambda artist: edited(artist.c.id),
        Action.OWN: lambda artist: owned(artist.c.id),
    },
    tables.artist_claim: _seen(_own_claim),
    tables.asset: {
        Action.READ: _asset_read,
        Action.LIST: _asset_listed,
        Action.REACH: _asset_reached,
        Action.WRITE: _asset_written,
        Action.OWN: lambda asset: owned(asset.c.owner_id),
    },
    tables.contributor: {
        Action.READ: _contributor_listed,
        Action.LIST: _contributor_listed,
        Action.REACH: _everyone,
        Action.WRITE: _oneself,
    },
    tables.credit: {
        Action.READ: _credit_read,
        Action.LIST: _credit_listed,
        Action.REACH: _credit_reached,
        Action.WRITE: _credit_answered,
    },
    tables.entitlement: {**_seen(_entitlement_read), Action.OWN: _given},
    tables.hook: {Action.READ: _hook_read, Action.LIST: _hook_listed, Action.REACH: _everyone},
    tables.identity: {**_seen(_own_still), Action.WRITE: _own_still},
    tables.job: _seen(_own_job),
    tables.lineage_edge: {Action.READ: _edge_read, Action.REACH: _edge_reached, Action.CITE: edge_told},
    tables.media: {Action.READ: _media_read, Action.REACH: _media_reached},
    tables.manifest: {Action.READ: _manifest_read, Action.REACH: _everyone},
    tables.membership: {**_seen(_fellow), Action.WRITE: _own_still, Action.OWN: _membership_decided},
    tables.membership_invite: {**_seen(_invite_decided), Action.OWN: _invite_decided},
    tables.permission_grant: {Action.READ: _grant_reached, Action.REACH: _grant_reached},
    tables.permission_receipt: _seen(_own_receipt),
    tables.policy: {Action.READ: _policy_read, Action.REACH: holds_now, Action.CITE: _everyone},
    tables.provenance_event: {Action.READ: _event_read, Action.REACH: _everyone},
    tables.release_item: {Action.READ: _item_read, Action.REACH: _everyone},
    tables.release_version: {Action.READ: _version_read, Action.REACH: _version_reached},
    tables.room: {Action.READ: _room_read, Action.REACH: _room_reached},
    tables.search_entry: {Action.LIST: _found_listed},
    tables.split: {Action.READ: _split_read, Action.REACH: _split_reached, Action.WRITE: _of_oneself},
    tables.suggestion: {
        **_seen(_suggested),
        Action.WRITE: lambda suggestion: _asset(suggestion, "track_id", _asset_written),
    },
    tables.term: {Action.REACH: _everyone},
    tables.theme: {Action.READ: _theme_read, Action.REACH: _everyone},
    tables.visual_world: {
        Action.READ: _visual_read,
        Action.LIST: _visual_read,
        Action.REACH: _visual_reached,
        Action.WRITE: lambda visual: edited(visual.c.owner_id),
    },
}


class PredicateMissing(Exception):
    """No predicate is declared for a table and an action: nothing may be read that way."""


def allowed(table: Table, action: Action, row: Row) -> ColumnElement[bool]:
    """The predicate of (table, action) over `row`, an alias of the table.

    Raises:
        PredicateMissing: the table has none for that action.
    """
    try:
        predicate = _PREDICATES[table][action]
    except KeyError:
        raise PredicateMissing(f"{table.name} has no predicate for {action.name}") from None
    return predicate(row)
