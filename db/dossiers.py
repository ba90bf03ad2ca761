"""Where dossiers, DNA and rolodexes live: in the rows of a release, or of an artist, and of everything around it.

A dossier is a release as far as the asker may see it; its DNA is the same as its own people see it, and programs read
as much of that as anybody may read. A rolodex is an artist as their own people see them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from db import tables
from db.access import Action, Exposure, allowed, asset_shown
from db.arguments import Bound, ById, ByText, Filter, Paging
from db.assets import in_any, owned_by
from db.facts import term_of
from db.history import holds_now
from db.orders import DATED, NEWEST, NUMBERED, OLDEST, POSITION, SEQUENCE
from db.places import Computed, Inline, OfAsset, Page, Place, Stored, ToOne, Type, belong
from db.resolution import by_id
from db.verdicts import ByQuestion, ByWalk
from domain.assets import MediaRole
from domain.entitlements import EntitlementState
from domain.facts import Statement
from domain.ids import Kind
from domain.releases import VersionState
from domain.rights import Level, LicenseFamily, Term

_EDGE_FILTERS = {"kinds": in_any("kind"), "statuses": in_any("status")}
_EDGES = Paging({"OLDEST": OLDEST}, "OLDEST", _EDGE_FILTERS)
_CREDITS = Paging({"POSITION": POSITION}, "POSITION")
_SPLITS = Paging({"POSITION": POSITION}, "POSITION", {"pool": Filter(lambda split, pool: split.c.pool == pool, Text())})


def _current(row: Any) -> ColumnElement[Any]:
    """The version of a release that is out."""
    release = tables.release.alias()
    out = select(release.c.current_version_id).where(release.c.id == row.c.id)
    return out.correlate_except(release).scalar_subquery()


def _works(row: Any) -> Any:
    """A release, and of what its version that is out holds, whatever the viewer may see whole."""
    release, item, asset = tables.release.alias(), tables.release_item.alias(), tables.asset.alias()
    itself = select(release.c.id).where(release.c.id == row.c.id).correlate_except(release)
    held = (
        select(asset.c.id)
        .join_from(item, asset, asset.c.id == item.c.asset_id)
        .where(
            item.c.version_id == _current(row),
            allowed(tables.asset, Action.REACH, asset),
            asset_shown(asset, Exposure.FULL),
        )
        .correlate_except(item, asset)
    )
    return union_all(itself, held)


def _of_works(column: str) -> Any:
    """The targets that keep the id of one of the works in a column."""
    return lambda row, target, _: target.c[column].in_(_works(row))


def _itself(row: Any, release: Any, _: Bound) -> ColumnElement[bool]:
    return release.c.id == row.c.id


def _out(row: Any, version: Any, _: Bound) -> ColumnElement[bool]:
    return version.c.id == _current(row)


def _drafted(row: Any, version: Any, _: Bound) -> ColumnElement[bool]:
    """The newest version, where it is not out yet."""
    known = tables.release_version.alias()
    newest = select(func.max(known.c.number)).where(known.c.release_id == row.c.id).correlate_except(known)
    is_draft = version.c.state == VersionState.DRAFT.value
    return and_(version.c.release_id == row.c.id, is_draft, version.c.number == newest.scalar_subquery())


def _stated(row: Any, policy: Any, _: Bound) -> ColumnElement[bool]:
    return and_(policy.c.subject_id == row.c.id, policy.c.level == Level.ASSET.value)


def _sources(row: Any, media: Any, bound: Bound) -> ColumnElement[bool]:
    return and_(_of_works("asset_id")(row, media, bound), media.c.role == MediaRole.SOURCE.value)


def _done_for(row: Any, job: Any, _: Bound) -> ColumnElement[bool]:
    """The jobs about a release and its versions."""
    version = tables.release_version.alias()
    versions = select(version.c.id).where(version.c.release_id == row.c.id).correlate_except(version)
    about = (job.c.subject_id == row.c.id) | job.c.subject_id.in_(versions)
    return and_(job.c.owner_id == row.c.owner_id, about)


def _open_to(row: Any) -> ColumnElement[Any]:
    """To how many accounts all of a release is open."""
    entitlement = tables.entitlement.alias()
    subject = func.coalesce(entitlement.c.artist_id, entitlement.c.asset_id)
    people = select(func.count(entitlement.c.account_id.distinct())).where(
        subject.in_((row.c.id, row.c.owner_id)), entitlement.c.state == EntitlementState.ACTIVE.value
    )
    return people.correlate_except(entitlement).scalar_subquery()


_TOLD: Mapping[str, Place] = {
    "release": ToOne("Release", _itself, action=Action.READ, always=True, exposure=Exposure.STUB),
    "version": ToOne("ReleaseVersion", _out),
    "manifest": ToOne("ReleaseManifest", _out),
    "policy": ToOne("PermissionPolicy", _stated),
    "credits": Page("Credit", _of_works("asset_id"), _CREDITS),
    "splits": Page("Split", _of_works("asset_id"), _SPLITS),
    "parents": Page("LineageEdge", _of_works("child_id"), _EDGES),
    "children": Page("LineageEdge", _of_works("parent_id"), _EDGES),
    "provenance": Page("ProvenanceEvent", OfAsset("subject_id"), Paging({"SEQUENCE": SEQUENCE}, "SEQUENCE")),
    "verdicts": Computed(ByQuestion(), exposure=Exposure.STUB),
    "ancestors": Computed(ByWalk()),
    "integrity": Computed(exposure=Exposure.WITHIN),
}
"""What a dossier and a DNA both tell."""

DOSSIER = Type(
    "Dossier",
    tables.asset,
    {
        **_TOLD,
        "versions": Page("ReleaseVersion", belong("release_id"), Paging({"NUMBER": NUMBERED}, "NUMBER")),
        "descendants": Computed(ByWalk()),
        "participation": Inline("DossierParticipation", {"openTo": Stored(_open_to)}, exposure=Exposure.WITHIN),
    },
    shown=asset_shown,
)

RELEASE_DNA = Type(
    "ReleaseDna",
    tables.asset,
    {
        **_TOLD,
        "items": Page(
            "ReleaseItem",
            lambda row, item, _: item.c.version_id == _current(row),
            Paging({"POSITION": POSITION}, "POSITION"),
        ),
        "draft": ToOne("ReleaseVersion", _drafted, exposure=Exposure.WITHIN),
        "sources": Page("Media", _sources, Paging({"OLDEST": OLDEST}, "OLDEST"), exposure=Exposure.WITHIN),
        "grants": Page(
            "PermissionGrant", _of_works("asset_id"), Paging({"OLDEST": OLDEST}, "OLDEST"), exposure=Exposure.WITHIN
        ),
        "jobs": Page("Job", _done_for, Paging({"NEWEST": NEWEST}, "NEWEST"), exposure=Exposure.WITHIN),
    },
    shown=asset_shown,
)


def _release_by_id(row: Any, release: Any, bound: Bound) -> ColumnElement[bool]:
    return and_(by_id(row, release, bound), release.c.kind == Kind.RELEASE.value.upper())


_BY_RELEASE = ById(frozenset({Kind.RELEASE}), "releaseId")
DOSSIER_OF = ToOne("Dossier", _release_by_id, action=Action.READ, arguments=_BY_RELEASE)
DNA_OF = ToOne("ReleaseDna", _release_by_id, action=Action.INSPECT, arguments=_BY_RELEASE)


def _posture(row: Any) -> ColumnElement[Any]:
    theme = tables.theme.alias()
    worn = select(theme.c.release_posture).where(theme.c.id == row.c.theme_id)
    return worn.correlate_except(theme).scalar_subquery()


def _own_sources(row: Any, media: Any, _: Bound) -> ColumnElement[bool]:
    return and_(media.c.asset_id.in_(owned_by(row.c.id)), media.c.role == MediaRole.SOURCE.value)


def _contributed(row: Any, credit: Any, _: Bound) -> ColumnElement[bool]:
    contributor = tables.contributor.alias()
    selves = select(contributor.c.id).where(contributor.c.artist_id == row.c.id).correlate_except(contributor)
    return credit.c.contributor_id.in_(selves)


ROLODEX = Type(
    "Rolodex",
    tables.artist,
    {
        "artist": ToOne("Artist", _itself, always=True),
        "sources": Page("Media", _own_sources, Paging({"NEWEST": NEWEST}, "NEWEST")),
        "chronology": Page("Asset", belong("owner_id"), Paging({"DATED": DATED}, "DATED", {"kinds": in_any("kind")})),
        "contributions": Page("Credit", _contributed, Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.READ),
        "releasePosture": Stored(_posture, nullable=True),
        "policyInWords": Computed(),
        "parents": Page("LineageEdge", lambda row, edge, _: edge.c.child_id.in_(owned_by(row.c.id)), _EDGES),
        "children": Page("LineageEdge", lambda row, edge, _: edge.c.parent_id.in_(owned_by(row.c.id)), _EDGES),
    },
)

ROLODEX_OF = ToOne(
    "Rolodex",
    lambda _, artist, bound: artist.c.handle == bound["handle"],
    action=Action.INSPECT,
    arguments=ByText("handle", str.casefold),
)


async def statements_of(connection: AsyncConnection, artists: Sequence[UUID]) -> list[Statement]:
    """What some artists state for all of their assets now."""
    policy, term = tables.policy, tables.term
    said = (
        await connection.execute(
            select(policy).where(
                policy.c.subject_id.in_(artists), policy.c.level == Level.ARTIST.value, holds_now(policy)
            )
        )
    ).all()
    terms = defaultdict[UUID, list[Term]](list)
    for row in await connection.execute(
        select(term).where(term.c.term_set_id.in_({row.term_set_id for row in said})).order_by(term.c.position)
    ):
        terms[row.term_set_id].append(term_of(row))
    return [
        Statement(
            row.id,
            row.subject_id,
            Level.ARTIST,
            tuple(terms[row.term_set_id]),
            LicenseFamily(row.license_family),
            row.license,
        )
        for row in said
    ]
