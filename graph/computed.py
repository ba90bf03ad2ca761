"""The computed fields: for each, the function that makes its values for many rows at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from db.orders import WALKED
from resolvers.analyses import analyses_of_tracks
from resolvers.audio import playback_of, playback_of_clips
from resolvers.changes import changes
from resolvers.context import Acting
from resolvers.contributors import preview_splits
from resolvers.dossiers import stances_of
from resolvers.drift import license_drift
from resolvers.integrity import integrity_of, integrity_of_releases
from resolvers.kinship import common_ancestors, lineage_paths, lineage_roots
from resolvers.licensing import clears_of, payment_of_license, still_needed_of
from resolvers.lineage import Walk, walked
from resolvers.log import inclusions_of, log_consistency, log_inclusion
from resolvers.lyrics import lyrics_of_tracks, suggested_lines, timed_texts_of
from resolvers.manifests import preview_manifest
from resolvers.presence import present_in
from resolvers.queues import decisions_of, first_blocked_of, playing_rights_of
from resolvers.receipts import replay
from resolvers.simulations import rights_changes, simulate_edge, simulate_policy, simulate_takedown
from resolvers.standings import histories_of
from resolvers.verdicts import (
    Terms,
    attributions_of,
    clear_windows_of,
    hypothetical_rights,
    permissions_of,
    rights_of,
    rights_of_hooks,
)
from resolvers.visuals import reuse_of
from resolvers.waveforms import waveforms_of_hooks, waveforms_of_tracks
from resolvers.wording import release_terms, remix_terms

Batch = Callable[[Acting, Sequence[UUID], Mapping[str, Any]], Awaitable[Mapping[UUID, Any]]]
"""(who asks, keys of rows, arguments as they were read) -> values by key; a root has one row, whose key is zero."""


def _terms(given: Mapping[str, Any]) -> Terms:
    """What is asked of every asset alike, out of a field's arguments."""
    return Terms(**{each.name: given[each.name] for each in fields(Terms)})


def _walk(*, upwards: bool) -> Batch:
    async def walk(acting: Acting, assets: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
        return await walked(acting, assets, Walk(upwards=upwards, **given), WALKED.write)

    return walk


async def _rights(acting: Acting, assets: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
    return await rights_of(acting, assets, _terms(given))


async def _integrity(acting: Acting, releases: Sequence[UUID], _: Mapping[str, Any]) -> Mapping[UUID, Any]:
    return await integrity_of_releases(acting, releases)


def _at_root(answer: Callable[..., Awaitable[Any]]) -> Batch:
    async def once(acting: Acting, roots: Sequence[UUID], given: Mapping[str, Any]) -> Mapping[UUID, Any]:
        return dict.fromkeys(roots, await answer(acting, **given))

    return once


async def _permissions(acting: Acting, **given: Any) -> Any:
    return await permissions_of(acting, given["assets"], _terms(given))


async def _hypothetical(acting: Acting, **given: Any) -> Any:
    return await hypothetical_rights(acting, given["parents"], given["kind"], _terms(given))


async def _drift(acting: Acting, **given: Any) -> Any:
    return await license_drift(acting, _terms(given), given["owner"], given["most"], given["after"])


COMPUTED: Mapping[tuple[str, str], Batch] = {
    ("Asset", "rights"): _rights,
    ("Asset", "clearWindows"): lambda acting, assets, given: clear_windows_of(
        acting, assets, given["length_ms"], _terms(given)
    ),
    ("Asset", "attribution"): lambda acting, assets, given: attributions_of(acting, assets, _terms(given)),
    ("Asset", "ancestors"): _walk(upwards=True),
    ("Asset", "descendants"): _walk(upwards=False),
    ("Hook", "rights"): lambda acting, hooks, given: rights_of_hooks(acting, hooks, _terms(given)),
    ("Hook", "remixTerms"): lambda acting, hooks, _: remix_terms(acting, hooks),
    ("Clip", "playback"): lambda acting, clips, _: playback_of_clips(acting, clips),
    ("Hook", "playback"): lambda acting, hooks, _: playback_of(acting, hooks),
    ("Hook", "timedText"): lambda acting, hooks, _: timed_texts_of(acting, hooks),
    ("Hook", "waveform"): lambda acting, hooks, _: waveforms_of_hooks(acting, hooks),
    ("VisualWorld", "reuse"): lambda acting, visuals, _: reuse_of(acting, visuals),
    ("Track", "lyrics"): lambda acting, tracks, _: lyrics_of_tracks(acting, tracks),
    ("Track", "analysis"): lambda acting, tracks, _: analyses_of_tracks(acting, tracks),
    ("Track", "waveform"): lambda acting, tracks, _: waveforms_of_tracks(acting, tracks),
    ("Suggestion", "lines"): lambda acting, suggestions, _: suggested_lines(acting, suggestions),
    ("QueueItem", "decision"): lambda acting, items, given: decisions_of(acting, items, **given),
    ("QueueItem", "rights"): lambda acting, items, given: playing_rights_of(acting, items, **given),
    ("Room", "firstBlocked"): lambda acting, rooms, given: first_blocked_of(acting, rooms, **given),
    ("Room", "present"): lambda acting, rooms, _: present_in(acting, rooms),
    ("Release", "termsInWords"): lambda acting, releases, _: release_terms(acting, releases),
    ("ReleaseVersion", "integrity"): lambda acting, versions, _: integrity_of(acting, versions),
    **{(type_, "verdicts"): _rights for type_ in ("Dossier", "ReleaseDna")},
    **{(type_, "ancestors"): _walk(upwards=True) for type_ in ("Dossier", "ReleaseDna")},
    **{(type_, "integrity"): _integrity for type_ in ("Release", "Dossier", "ReleaseDna")},
    ("Dossier", "descendants"): _walk(upwards=False),
    ("Rolodex", "policyInWords"): lambda acting, artists, _: stances_of(acting, artists),
    ("LineageEdge", "history"): lambda acting, edges, _: histories_of(acting, edges),
    ("ProvenanceEvent", "inclusion"): lambda acting, events, _: inclusions_of(acting, events),
    ("LicenseQuote", "clears"): lambda acting, quotes, _: clears_of(acting, quotes),
    ("LicenseQuote", "stillNeeded"): lambda acting, quotes, _: still_needed_of(acting, quotes),
    ("License", "payment"): lambda acting, licenses, _: payment_of_license(acting, licenses),
    ("Query", "permissionCheck"): _at_root(_permissions),
    ("Query", "hypotheticalRights"): _at_root(_hypothetical),
    ("Query", "licenseDrift"): _at_root(_drift),
    ("Query", "simulatePolicy"): _at_root(simulate_policy),
    ("Query", "simulateEdge"): _at_root(simulate_edge),
    ("Query", "simulateTakedown"): _at_root(simulate_takedown),
    ("Query", "previewManifest"): _at_root(preview_manifest),
    ("Query", "previewSplits"): _at_root(preview_splits),
    ("Query", "rightsChanges"): _at_root(rights_changes),
    ("Query", "changes"): _at_root(changes),
    ("Query", "replay"): _at_root(replay),
    ("Query", "lineagePath"): _at_root(lineage_paths),
    ("Query", "commonAncestors"): _at_root(common_ancestors),
    ("Query", "lineageRoots"): _at_root(lineage_roots),
    ("Query", "logInclusion"): _at_root(log_inclusion),
    ("Query", "logConsistency"): _at_root(log_consistency),
}
"""By the type that declares a field, and its name."""
