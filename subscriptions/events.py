"""The events that writes announce: a topic and a payload of ids, told to subscribers after commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.anchors import AnchorState
from domain.clips import ClipState
from domain.contributors import Acceptance
from domain.entitlements import EntitlementState
from domain.ids import Kind, Ref
from domain.memberships import Step
from domain.outcomes import Flipped
from domain.rituals import RitualState
from domain.suggestions import SuggestionState


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is put into the outbox."""

    topic: str
    payload: dict[str, Any]


def anchor_changed(release: Ref, version: Ref, state: AnchorState) -> Announcement:
    """The anchored proof of a version stands elsewhere; whoever shows it may read it again."""
    return Announcement("anchor.changed", {"release": str(release), "version": str(version), "state": state.value})


def activity_added(account: Ref, activity: Ref) -> Announcement:
    """Somebody is told something in their inbox."""
    return Announcement("activity.added", {"account": str(account), "activity": str(activity)})


def artist_created(artist: Ref) -> Announcement:
    """Somebody new has a world."""
    return Announcement("artist.created", {"artist": str(artist)})


def artist_updated(artist: Ref, version: int) -> Announcement:
    """An artist changed, or is signed in for now; whoever shows their world may read it again."""
    return Announcement("artist.updated", {"artist": str(artist), "version": version})


def asset_created(asset: Ref) -> Announcement:
    """Something new was made; its owner is told."""
    return Announcement("asset.created", {"asset": str(asset)})


def asset_updated(asset: Ref, version: int) -> Announcement:
    """An asset changed; whoever shows it may read it again."""
    return Announcement("asset.updated", {"asset": str(asset), "version": version})


def clip_changed(clip: Ref, hook: Ref, state: ClipState) -> Announcement:
    """A clip was sent in to a hook, or stands somewhere else; whoever shows the hook may read it again."""
    return Announcement("clip.changed", {"clip": str(clip), "hook": str(hook), "state": state.value})


def entitlement_changed(entitlement: Ref, state: EntitlementState) -> Announcement:
    """Something was opened to somebody, or is open no longer; they are told."""
    return Announcement("entitlement.changed", {"entitlement": str(entitlement), "state": state.value})


def grant_changed(grant: Ref, asset: Ref, grantee: Ref, status: str) -> Announcement:
    """A use was granted, or a grant ended; the owner of the asset and the grantee are told."""
    return Announcement(
        "grant.changed", {"grant": str(grant), "asset": str(asset), "grantee": str(grantee), "status": status}
    )


def hook_changed(hook: Ref, track: Ref) -> Announcement:
    """A track has a hook, or another one; whoever shows it may read it again."""
    return Announcement("hook.changed", {"hook": str(hook), "track": str(track)})


def job_changed(job: Ref, owner: Ref) -> Announcement:
    """What is done for somebody goes on, or has ended; its owner is told."""
    return Announcement("job.changed", {"job": str(job), "owner": str(owner)})


def lineage_changed(edge: Ref, child: Ref, parent: Ref, status: str) -> Announcement:
    """An edge was declared, answered or taken back; the owners of both ends are told."""
    return Announcement(
        "lineage.changed", {"edge": str(edge), "child": str(child), "parent": str(parent), "status": status}
    )


def lyrics_changed(track: Ref, version: int) -> Announcement:
    """A track has lyrics, or others; whoever shows them may read them again."""
    return Announcement("lyrics.changed", {"track": str(track), "version": version})


def members_changed(artist: Ref, member: Ref, step: Step) -> Announcement:
    """Somebody was invited to hold an artist, or no longer, came, went, or is something else now; members are told."""
    return Announcement("members.changed", {"artist": str(artist), "member": str(member), "step": step.value})


def policy_changed(subject: Ref) -> Announcement:
    """What an owner states has changed."""
    return Announcement("policy.changed", {"subject": str(subject)})


def proposal_changed(proposal: Ref, of: Ref, acceptance: Acceptance) -> Announcement:
    """A credit or a split was proposed to the person it names, or they answered; they and the owner are told."""
    named = "visual" if of.kind is Kind.VISUAL else "asset"
    payload = {proposal.kind.value: str(proposal), named: str(of), "acceptance": acceptance.value}
    return Announcement("proposal.changed", payload)


def release_published(release: Ref, version: Ref, manifest: str) -> Announcement:
    """A version of a release is out; whoever follows its artist is told."""
    payload = {"release": str(release), "version": str(version), "manifest": manifest}
    return Announcement("release.published", payload)


def rights_changed(cause: Ref, flipped: Iterable[Flipped]) -> list[Announcement]:
    """Something upstream changed verdicts: one event for each owner, with how many of theirs."""
    theirs: Counter[UUID] = Counter()
    for it in flipped:
        if it.owner is not None:
            theirs[it.owner] += len(it.flips)
    return [
        Announcement("rights.changed", {"owner": str(Ref(Kind.ARTIST, owner)), "cause": str(cause), "count": count})
        for owner, count in theirs.items()
    ]


def ritual_changed(ritual: Ref, state: RitualState) -> Announcement:
    """A ritual was announced, or stands somewhere else; whoever shows it may read it again."""
    return Announcement("ritual.changed", {"ritual": str(ritual), "state": state.value})


def suggestion_changed(suggestion: Ref, track: Ref, state: SuggestionState) -> Announcement:
    """Something was suggested for a track, or answered; its people are told."""
    return Announcement(
        "suggestion.changed", {"suggestion": str(suggestion), "track": str(track), "state": state.value}
    )
