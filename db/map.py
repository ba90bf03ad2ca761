"""The map of the graph: where every type lives, and the roots from which reading starts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, true

from db import (
    accounts,
    anchors,
    artists,
    assets,
    circulation,
    claims,
    clips,
    comments,
    contributors,
    discovery,
    dossiers,
    drift,
    entitlements,
    feeds,
    hooks,
    identities,
    inbox,
    jobs,
    keys,
    ledger,
    licensing,
    lineage,
    links,
    log,
    manifests,
    memberships,
    messages,
    participation,
    presaves,
    provenance,
    queues,
    receipts,
    releases,
    resolution,
    rights,
    rituals,
    rooms,
    search,
    simulations,
    suggestions,
    themes,
    verdicts,
    visuals,
)
from db.access import Action
from db.arguments import ById, ByText, Paging
from db.orders import NAME, NEWEST, OLDEST
from db.places import Computed, Each, Page, Switch, ToOne, Type
from db.viewers import VIEWER_ACCOUNT
from domain import ids


def _everything(*_: object) -> ColumnElement[bool]:
    return true()


_HANDLE = ByText("handle", str.casefold)

QUERY = Type(
    "Query",
    None,
    {
        "viewer": ToOne("Viewer", lambda _, account, __: account.c.id == VIEWER_ACCOUNT, action=Action.READ),
        "node": Switch(resolution.node_of, ById(frozenset(resolution.NODES))),
        "nodes": Each(resolution.node_of),
        "resolve": resolution.RESOLVE,
        "asset": Switch(resolution.node_of, ById(verdicts.ASSET_REF_KINDS)),
        "assets": Page("Asset", _everything, assets.ASSET_PAGING, action=Action.LIST),
        "release": ToOne(
            "Release", resolution.by_id, action=Action.READ, arguments=ById(frozenset({ids.Kind.RELEASE}))
        ),
        "artist": ToOne(
            "Artist",
            lambda _, artist, bound: artist.c.handle == bound["handle"],
            Action.READ,
            arguments=_HANDLE,
        ),
        "artists": Page("Artist", _everything, Paging({"NAME": NAME, "NEWEST": NEWEST}, "NAME"), action=Action.LIST),
        "world": ToOne(
            "World", lambda _, world, bound: world.c.handle == bound["handle"], Action.READ, arguments=_HANDLE
        ),
        "room": ToOne("Room", resolution.by_id, action=Action.READ, arguments=ById(frozenset({ids.Kind.ROOM}))),
        "ritual": ToOne("Ritual", resolution.by_id, action=Action.READ, arguments=ById(frozenset({ids.Kind.RITUAL}))),
        "rituals": Page("Ritual", _everything, rituals.RITUAL_PAGING, action=Action.LIST),
        "clips": Page("Clip", _everything, clips.CLIP_PAGING, action=Action.LIST),
        "hooks": Page("Hook", _everything, Paging({"NEWEST": NEWEST, "OLDEST": OLDEST}, "NEWEST"), action=Action.LIST),
        "feed": discovery.FEED_PAGE,
        "jobs": Page("Job", _everything, Paging({"NEWEST": NEWEST}, "NEWEST"), action=Action.LIST),
        "contributor": ToOne(
            "Contributor",
            resolution.by_id,
            action=Action.READ,
            arguments=ById(frozenset({ids.Kind.CONTRIBUTOR})),
        ),
        "search": search.SEARCH,
        "dossier": dossiers.DOSSIER_OF,
        "dna": dossiers.DNA_OF,
        "rolodex": dossiers.ROLODEX_OF,
        "permissionCheck": Computed(verdicts.ByAssets()),
        "hypotheticalRights": Computed(verdicts.ByParents()),
        "licenseDrift": Computed(drift.ByDrift()),
        "previewManifest": Computed(manifests.ByVersion()),
        "previewSplits": Computed(contributors.ByShares()),
        "simulatePolicy": Computed(simulations.ByPolicy()),
        "simulateEdge": Computed(simulations.ByEdge()),
        "simulateTakedown": Computed(simulations.ByTakedown()),
        "rightsChanges": Computed(simulations.BySince()),
        "changes": Computed(feeds.ByChanges()),
        "replay": Computed(receipts.ByReceipt()),
        "lineagePath": Computed(verdicts.ByEnds()),
        "commonAncestors": Computed(verdicts.ByKin()),
        "lineageRoots": Computed(verdicts.ByRoot()),
        "logInclusion": Computed(log.ByHash()),
        "logConsistency": Computed(log.BySizes()),
    },
)

THINGS = Type("Things", None, {"nodes": Each(resolution.met)})
"""What computed values lead to. It is no type of the SDL: the read engine asks it by itself."""

TYPES = {
    type_.name: type_
    for type_ in (
        QUERY,
        THINGS,
        accounts.ACCOUNT,
        accounts.VIEWER,
        anchors.RELEASE_ANCHOR,
        artists.ARTIST,
        artists.WORLD,
        assets.ASSET,
        assets.TRACK,
        assets.SAMPLE,
        assets.INSTRUMENT,
        assets.MEDIA,
        claims.ARTIST_CLAIM,
        clips.CLIP,
        comments.COMMENT,
        contributors.CONTRIBUTOR,
        contributors.CREDIT,
        contributors.SPLIT,
        circulation.CIRCULATION_SUMMARY,
        discovery.DISCOVERY_SUMMARY,
        discovery.FEED_ITEM,
        dossiers.DOSSIER,
        dossiers.RELEASE_DNA,
        dossiers.ROLODEX,
        entitlements.ENTITLEMENT,
        hooks.HOOK,
        identities.IDENTITY,
        inbox.ACTIVITY,
        jobs.JOB,
        keys.AGENT_KEY,
        licensing.LICENSE_QUOTE,
        licensing.LICENSE,
        licensing.AGENT_USE,
        ledger.PAYMENT_SHARE,
        lineage.LINEAGE_EDGE,
        links.SHARE_LINK,
        manifests.RELEASE_MANIFEST,
        memberships.MEMBERSHIP,
        memberships.INVITE,
        participation.PARTICIPATION_SNAPSHOT,
        provenance.PROVENANCE_EVENT,
        releases.RELEASE,
        releases.RELEASE_VERSION,
        releases.RELEASE_ITEM,
        rights.PERMISSION_GRANT,
        receipts.PERMISSION_RECEIPT,
        rights.PERMISSION_POLICY,
        rights.PERMISSION_TERM,
        messages.ROOM_MESSAGE,
        queues.QUEUE_ITEM,
        rituals.RITUAL,
        rituals.RITUAL_MEMORY,
        presaves.RITUAL_PARTICIPATION,
        presaves.PRESAVE,
        rooms.ROOM,
        rooms.ROOM_GUEST,
        rooms.ROOM_NOW,
        rooms.ROOM_STANDING,
        search.SEARCH_RESULT,
        suggestions.SUGGESTION,
        themes.THEME,
        visuals.VISUAL_WORLD,
    )
}
"""Every stored type by its SDL name."""
