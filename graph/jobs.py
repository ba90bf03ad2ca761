"""The SDL of jobs."""

from __future__ import annotations

import strawberry

from domain.jobs import JobKind, JobState
from graph.fields import DateTime, Node, described, stored

described(
    JobKind,
    HASH_MEDIA="Reading an upload to its end; from then on it may be heard.",
    COMPUTE_WAVEFORM="Drawing the waveform of an upload.",
    ANALYZE_MUSIC="Listening to an upload: its tempo, its key, and where its hook may be.",
    PUBLISH_RELEASE="Publishing a release at the time somebody chose, in their name.",
    REGENERATE_MANIFEST="Making a manifest again from what was frozen, and comparing.",
    VERIFY_SNAPSHOT="Comparing what was frozen with the works as they are now.",
    VERIFY_SIGNATURE="Checking the signature of a manifest.",
    VERIFY_LINEAGE="Checking what a manifest says of lineage against the edges that were frozen.",
    SIGN_MANIFEST="Signing a manifest that was published while this house had no key.",
    CHECK_MANIFESTS="Looking for manifests that were not checked for a week, or are not signed yet.",
    ANCHOR_MANIFEST="Bringing the roots over manifests to the chain where they are anchored.",
    VERIFY_ANCHOR="Looking up on the chain whether anchored proofs are still there.",
    MOVE_RITUAL="Moving a ritual on at one of its times.",
    UNLOCK_RITUAL="Giving those who waited what a ritual unlocks.",
    PROVE_RITUAL="Signing what the participants of a ritual can show.",
    PLAY_NEXT="Playing what waits in a room when what is heard there is over.",
    FORGET_EVENTS="Forgetting what happened in rooms more than a week ago; what was said there stays.",
    TELL_FOLLOWERS="Telling those who follow an artist that a release is out.",
    TAKE_MEASURES="Measuring how people gather around releases, hooks and worlds.",
    TAKE_UPLOAD="Taking what was sent to the store; from then on it is media of its asset.",
    SWEEP_BLOBS="Looking for stored bytes that nothing names, and taking away what was found a week ago.",
    COMPOSE_DEMO="Composing the sound of a work of the demo scene.",
    PUBLISH_DEMO="Publishing a release of the demo scene once all of it is heard.",
)
described(
    JobState,
    READY="It waits, for its turn or for another try.",
    RUNNING="It is under way.",
    DONE="It is done.",
    DEAD="It failed, and is not tried again.",
)


@strawberry.type(description="What is done after an upload or another write. Members of the artist watch it.")
class Job(Node):
    """A job."""

    kind: JobKind = stored("What is done.")
    state: JobState = stored("Where it stands.")
    progress: int | None = stored("How many percent are done; null while that is not known.")
    attempts: int = stored("How often it was begun.")
    error: str | None = stored("What went wrong so far, a line for each time.")
    created_at: DateTime = stored("When it was asked for.")
    finished_at: DateTime | None = stored("When it was done, or given up.")
