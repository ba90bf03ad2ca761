"""Schemathesis draws documents from the schema: none meets an error of the server's, and every root field answers data.

`pytest tests/conformance/test_fuzzing.py -n0 -s --examples 300`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conformance.conftest import ROOT, Served

EXAMPLES = 10
"""Documents for each root field where --examples does not say; 300 were tried once for the note."""
SEED = 1
SECONDS_AN_EXAMPLE = 10
"""Far more than the documents of one example, one for each root field, take."""

THINGS = """
{
  artists(first: 5) { nodes { id handle world { room { id } } } }
  tracks: assets(first: 5, filter: { kinds: [TRACK] }) { nodes { id } }
  releases: assets(first: 5, filter: { kinds: [RELEASE] }) { nodes { id } }
  contributors: search(query: "a", kinds: [CONTRIBUTOR], first: 5) { nodes { ... on Contributor { id } } }
}
"""
# Which things an argument names; text drawn at random names nothing.
NAMES = {
    "Query.node.id": "things",
    "Query.nodes.ids": "things",
    "Query.asset.id": "assets",
    "Query.release.id": "releases",
    "Query.dossier.releaseId": "releases",
    "Query.dna.releaseId": "releases",
    "Query.rolodex.handle": "handles",
    "Query.contributor.id": "contributors",
    "Query.artist.handle": "handles",
    "Query.world.handle": "handles",
    "Query.resolve.ref": "handles",
    "Query.permissionCheck.ids": "assets",
    "Query.hypotheticalRights.parents": "assets",
    "Query.commonAncestors.ids": "assets",
    "Query.lineageRoots.id": "assets",
    "Query.logInclusion.hash": "hashes",
    "Query.licenseDrift.owner": "artists",
    "Query.lineagePath.from": "assets",
    "Query.lineagePath.to": "assets",
    "Mutation.answerCredit.input.id": "credits",
    "Mutation.answerSplit.input.id": "splits",
    "Mutation.createAsset.input.owner": "artists",
    "Mutation.setAssetState.input.id": "assets",
    "Mutation.setCredits.input.asset": "assets",
    "Mutation.setHook.input.track": "tracks",
    "Mutation.stageUpload.input.of": "assets",
    "Mutation.finishUpload.input.id": "uploads",
    "Mutation.setLeadHook.input.subject": "releases",
    "Mutation.setLeadHook.input.hook": "hooks",
    "Mutation.setTheme.input.subject": "artists",
    "Mutation.setTheme.input.expectedTheme": "themes",
    "Mutation.setTheme.input.theme.seed.cover": "media",
    "Mutation.setVisualWorld.input.subject": "artists",
    "Mutation.setVisualWorld.input.source": "media",
    "Mutation.setLyrics.input.track": "tracks",
    "Mutation.suggest.input.track": "tracks",
    "Mutation.applySuggestion.input.id": "suggestions",
    "Mutation.dismissSuggestion.input.id": "suggestions",
    "Mutation.setReleaseItems.input.release": "releases",
    "Mutation.setReleaseItems.input.items": "assets",
    "Mutation.createVersion.input.release": "releases",
    "Mutation.publishVersion.input.version": "versions",
    "Mutation.anchorRelease.input.version": "versions",
    "Mutation.scheduleRelease.input.release": "releases",
    "Mutation.archiveRelease.input.release": "releases",
    "Mutation.withdrawRelease.input.release": "releases",
    "Query.previewManifest.versionId": "versions",
    "Mutation.setSplits.input.asset": "assets",
    "Mutation.setSplits.input.shares.contributor": "contributors",
    "Query.search.query": "handles",
    "Query.simulatePolicy.subject": "assets",
    "Query.simulateEdge.child": "assets",
    "Query.simulateEdge.parent": "assets",
    "Query.simulateTakedown.id": "assets",
    "Query.replay.receiptId": "receipts",
    "Mutation.recordPermissionCheck.input.id": "assets",
    "Mutation.declareEdge.input.child": "assets",
    "Mutation.declareEdge.input.parent": "assets",
    "Mutation.confirmEdge.input.id": "edges",
    "Mutation.rejectEdge.input.id": "edges",
    "Mutation.disputeEdge.input.id": "edges",
    "Mutation.retractEdge.input.id": "edges",
    "Mutation.setPolicy.input.subject": "assets",
    "Mutation.setPolicy.input.expectedPolicy": "policies",
    "Mutation.withdrawPolicy.input.subject": "assets",
    "Mutation.withdrawPolicy.input.expectedPolicy": "policies",
    "Mutation.grantUse.input.asset": "assets",
    "Mutation.quoteLicense.input.asset": "releases",
    "Mutation.quoteLicense.input.grantee": "artists",
    "Mutation.openAccess.input.license": "licenses",
    "Mutation.openAccess.input.track": "tracks",
    "Mutation.registerDerivative.input.parent": "assets",
    "Mutation.registerDerivative.input.child": "assets",
    "Mutation.registerDerivative.input.new.owner": "artists",
    "Mutation.grantUse.input.grantee": "artists",
    "Mutation.endGrant.input.id": "grants",
    "Mutation.mergeAssets.input.keep": "assets",
    "Mutation.mergeAssets.input.retire": "assets",
    "Mutation.inviteMember.input.artist": "artists",
    "Mutation.withdrawInvite.input.id": "invites",
    "Mutation.unlinkIdentity.input.id": "identities",
    "Mutation.setMemberRole.input.id": "members",
    "Mutation.removeMember.input.id": "members",
    "Mutation.leaveArtist.input.artist": "artists",
    "Mutation.joinWorld.input.artist": "artists",
    "Mutation.leaveWorld.input.artist": "artists",
    "Mutation.grantEntitlement.input.subject": "assets",
    "Mutation.grantEntitlement.input.handle": "handles",
    "Mutation.revokeEntitlement.input.id": "entitlements",
    "Mutation.updateAsset.input.id": "assets",
    "Mutation.updateArtist.input.id": "artists",
    "Mutation.claimArtist.input.artist": "artists",
    "Mutation.issueKey.input.artist": "artists",
    "Mutation.rotateKey.input.id": "keys",
    "Mutation.revokeKey.input.id": "keys",
    "Query.room.id": "rooms",
    "Mutation.openRoom.input.subject": "artists",
    **{f"Mutation.{name}.input.room": "rooms" for name in ("setRoom", "joinRoom", "leaveRoom", "sendMessage", "react")},
    **{f"Mutation.{name}.input.room": "rooms" for name in ("muteInRoom", "banFromRoom", "unbanFromRoom")},
    **{f"Mutation.{name}.input.handle": "handles" for name in ("muteInRoom", "banFromRoom", "unbanFromRoom")},
    **{f"Mutation.{name}.input.room": "rooms" for name in ("heartbeat", "stepOut")},
    **{f"Mutation.{name}.input.connection": "connections" for name in ("heartbeat", "stepOut")},
    "Mutation.deleteMessage.input.message": "messages",
    "Mutation.queueInRoom.input.room": "rooms",
    "Query.ritual.id": "rituals",
    "Mutation.announceRitual.input.subject": "hooks",
    "Mutation.announceRitual.input.unlocks": "artists",
    "Mutation.submitClip.input.asset": "samples",
    "Mutation.submitClip.input.hook": "hooks",
    "Mutation.submitClip.input.ritual": "rituals",
    **{f"Mutation.{name}Clip.input.clip": "clips" for name in ("approve", "reject", "remove", "withdraw")},
    "*.clips.filter.artist": "artists",
    "*.clips.filter.sender": "artists",
    "*.clips.filter.hook": "hooks",
    **{
        f"Mutation.{name}.input.ritual": "rituals"
        for name in ("openRitual", "cancelRitual", "presave", "commentOnRitual")
    },
    "Mutation.queueInRoom.input.piece": "tracks",
    "Mutation.removeFromQueue.input.item": "queued",
    "Mutation.playNow.input.room": "rooms",
    **{f"Mutation.{name}.input.artist": "artists" for name in ("followArtist", "unfollowArtist", "commentOnWorld")},
    **{f"Mutation.{name}.input.hook": "hooks" for name in ("likeHook", "unlikeHook", "saveHook", "unsaveHook")},
    **{f"Mutation.{name}.input.hook": "hooks" for name in ("recordPlay", "commentOnHook")},
    "Mutation.deleteComment.input.id": "comments",
    "Mutation.createShareLink.input.subject": "artists",
    "Mutation.markActivityRead.input.until": "activities",
    "Mutation.playNow.input.piece": "tracks",
    "*.assets.filter.owner": "artists",
    "*.assets.filter.contributor": "contributors",
    "*.assets.filter.madeFrom": "assets",
}
NOBODYS = {
    "hashes": "0" * 64,
    "licenses": "license_01jd0000000000000000000000",
    "receipts": "receipt_01jd0000000000000000000000",
    "edges": "edge_01jd0000000000000000000000",
    "entitlements": "entitlement_01jd0000000000000000000000",
    "members": "member_01jd0000000000000000000000",
    "invites": "invite_01jd0000000000000000000000",
    "identities": "identity_01jd0000000000000000000000",
    "policies": "policy_01jd0000000000000000000000",
    "grants": "grant_01jd0000000000000000000000",
    "keys": "key_01jd0000000000000000000000",
    "uploads": "media_01jd0000000000000000000000",
    "credits": "credit_01jd0000000000000000000000",
    "splits": "split_01jd0000000000000000000000",
    "hooks": "hook_01jd0000000000000000000000",
    "themes": "theme_01jd0000000000000000000000",
    "media": "media_01jd0000000000000000000000",
    "suggestions": "suggestion_01jd0000000000000000000000",
    "versions": "version_01jd0000000000000000000000",
    "messages": "message_01jd0000000000000000000000",
    "clips": "clip_01jd0000000000000000000000",
    "samples": "sample_01jd0000000000000000000000",
    "comments": "comment_01jd0000000000000000000000",
    "activities": "activity_01jd0000000000000000000000",
    "rituals": "ritual_01jd0000000000000000000000",
    "queued": "queued_01jd0000000000000000000000",
    "connections": "a-tab",
}
SIGNING = (
    *("changePassword", "deleteAccount", "signIn", "signOut", "signUp"),
    *("requestEmailVerification", "requestPasswordReset", "resetPassword", "verifyEmail"),
)
"""The former end the session all others are asked with, the latter are answered ten times a minute:
tests/graph/test_identity.py asks them."""
PARTICULAR = (
    "Mutation.declareEdge",
    "Mutation.openAccess",
    "Mutation.quoteLicense",
    "Mutation.registerDerivative",
    "Query.commonAncestors",
    "Query.hypotheticalRights",
    "Query.licenseDrift",
    "Query.lineagePath",
    "Query.permissionCheck",
    "Query.rightsChanges",
    "Query.simulatePolicy",
    "Query.previewSplits",
    "Query.simulateEdge",
)


def test_no_drawn_document_meets_an_error_of_the_servers(
    served: Served, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    examples = pytestconfig.getoption("examples", None) or EXAMPLES
    (tmp_path / "schemathesis.toml").write_text(configuration(served))
    options = [
        "--phases=fuzzing",
        f"--max-examples={examples}",
        f"--seed={SEED}",
        "--continue-on-failure",
        "--no-color",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", served.url, *options],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.conformance.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60 + SECONDS_AN_EXAMPLE * examples,
        check=False,
    )
    print(done.stdout)  # noqa: T201  # for the note
    assert done.returncode == 0, done.stdout + done.stderr


def configuration(served: Served) -> str:
    """Schemathesis, told who asks, what there is, and what it shall take amiss."""
    # The lists of a TOML file are those of JSON.
    dictionaries = [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in things(served).items()]
    parameters = [f'"{argument}" = {{ dictionary = "{name}", probability = 0.7 }}' for argument, name in NAMES.items()]
    return "\n".join(
        [
            # A root field that never answered data was not tried.
            'warnings = { fail-on = ["missing_test_data"] }',
            f'headers = {{ Authorization = "Bearer {served.session()}" }}',
            # Rules that GraphQL's types cannot say (ids of a kind, pages of 1 to 100) are refused with BAD_USER_INPUT.
            "checks.positive_data_acceptance.enabled = false",
            *dictionaries,
            "[parameters]",
            *parameters,
            # Every id and every condition at once has to be good for these: tests/graph asks them well.
            *[f'[[operations]]\ninclude-name = "{name}"\nwarnings = false' for name in PARTICULAR],
            *[f'[[operations]]\ninclude-name = "Mutation.{name}"\nenabled = false' for name in SIGNING],
        ]
    )


def things(served: Served) -> dict[str, list[str]]:
    """The ids and handles of some things of the demo scene, by what they name."""
    answer = httpx.post(served.url, json={"query": THINGS}).json()["data"]
    ids = {name: [node["id"] for node in page["nodes"]] for name, page in answer.items()}
    assets = ids["tracks"] + ids["releases"]
    handles = [artist["handle"] for artist in answer["artists"]["nodes"]]
    rooms = [artist["world"]["room"]["id"] for artist in answer["artists"]["nodes"] if artist["world"]["room"]]
    return ids | {
        **{name: [id_] for name, id_ in NOBODYS.items()},
        "assets": assets,
        "handles": handles,
        "rooms": rooms,
        "things": assets + ids["artists"] + ids["contributors"],
    }
