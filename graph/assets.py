"""The SDL of assets: one contract, four kinds, and their media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.assets import AssetKind, AssetOrder, AssetState, Badge, MediaRole, SampleSubkind
from domain.contributors import Pool
from domain.rights import Decision, LicenseFamily, Use
from domain.suggestions import SuggestionState
from graph.analyses import MusicAnalysis
from graph.contributors import Credit, Split
from graph.fields import PAGE, Connection, Date, DateTime, Node, argument, described, optional, stored
from graph.lineage import EDGE_FILTERS, TimeWindow
from graph.lyrics import Lyrics
from graph.provenance import ProvenanceEvent
from graph.rights import PermissionGrant, PermissionPolicy
from graph.verdicts import QUESTION, AttributionCredit, Verdict
from graph.walks import WALK, LineageWalk

if TYPE_CHECKING:
    from graph.artists import Artist
    from graph.hooks import Hook
    from graph.lineage import LineageEdge
    from graph.releases import Release
    from graph.suggestions import Suggestion

described(
    AssetKind,
    TRACK="A piece of music.",
    SAMPLE="A voice memo, loop, jam, one-shot or stem.",
    INSTRUMENT="Something to play: a kit, a patch, a sampler program.",
    RELEASE="The canonical published artefact, projected out of the assets it holds.",
)
described(
    AssetState,
    PRIVATE="Its artist's members only.",
    UNLISTED="Everyone who has its id or link; in no list.",
    PUBLIC="Everyone, in lists and in search.",
    ARCHIVED="Everyone who has its id; no longer in lists.",
    WITHDRAWN="Taken back: title, owner and state remain, nothing else.",
)
described(
    Badge,
    HUMAN_MADE="Made by people.",
    NO_AI_USED="No AI took part.",
    AI_ASSISTED="AI helped a person.",
    GENERATED="Generated.",
    GENERATED_VISUAL_WORLD="Its visual world is generated.",
    REMIX="A remix.",
    CO_CREATED="Made together.",
    DERIVATIVE="Made from other works.",
)
described(
    SampleSubkind,
    LOOP="A loop.",
    ONE_SHOT="A single hit or note.",
    VOICE_MEMO="A voice memo.",
    JAM="A jam.",
    STEM="A stem of a track.",
)
described(
    MediaRole,
    MASTER="The sound itself, in full.",
    PREVIEW="The part that anybody may hear.",
    COVER="A cover image.",
    LOOP="A moving image of at most 30 seconds.",
    SOURCE="A private source file, seen by its owner only.",
)


described(
    AssetOrder,
    NEWEST="The row's own time, newest first.",
    TITLE="Title, letter case aside.",
    MOST_DERIVED="How many assets are made from it, most first.",
)


@strawberry.interface(
    description="The one contract of all four kinds: identity, people, lineage, policy and provenance, without asking "
    "which kind it is. Of a withdrawn asset others see id, title, owner and state; everything else is null or empty."
)
class Asset(Node):
    """What tracks, samples, instruments and releases share."""

    title: str = stored("The title; may be empty.")
    owner: Annotated["Artist", strawberry.lazy("graph.artists")] = stored("The artist who owns it.")
    state: AssetState = stored("Who may see it.")
    created_at: DateTime | None = stored("When the row was written.")
    made_on: Date | None = stored("The work's own date, where it is known.")
    version: int | None = stored("Grows with every write; send it back as `expectedVersion`.")
    derived_count: int | None = stored("How many assets are directly made from it.")
    badges: list[Badge] = stored("How it was made. Information, never a ranking.")
    policy: PermissionPolicy | None = stored("What its owner has stated for it; null where nothing is stated.")
    grants: Connection[PermissionGrant] = stored(
        "What its owner allows single artists; the others' grants are seen by its owner only.", *PAGE
    )
    rights: list[Verdict] | None = stored(
        "May it be used for X? One verdict for each use and layer, over everything it is made of; what is withdrawn is "
        "denied; null for a release that is not out yet. `rights(uses: [REMIX]) { layer decision blockers { clause "
        "owner { handle } } askAtLeast { owner { handle } } }` says whether it may be remixed, what is in the way, and "
        "whom to ask.",
        *QUESTION,
    )
    clear_windows: list[TimeWindow] | None = stored(
        "The stretches in which every window of a length is allowed, for all uses asked: where a hook is clear though "
        "the track is not. Empty where the length of the recording is not known.",
        argument("lengthMs", int | None, "How long the windows are, in milliseconds; a hook's 30,000 by default."),
        *QUESTION,
    )
    attribution: list[AttributionCredit] | None = stored(
        "Whom the licenses of everything it is made of ask to name: once each, the nearest first.", *QUESTION
    )
    ancestors: LineageWalk | None = stored("Everything it is made of, nearest first.", *WALK)
    descendants: LineageWalk | None = stored("Everything made of it, nearest first.", *WALK)
    credits: Connection[Credit] = stored("Who did what, in the owner's order.", *PAGE)
    splits: Connection[Split] = stored(
        "Who holds which share. A pool without splits belongs to the owner.",
        *PAGE,
        argument("pool", Pool | None, "Only this pool."),
    )
    media: Connection[Annotated["Media", strawberry.lazy("graph.assets")]] = stored(
        "Its files, by hash.", *PAGE, argument("roles", list[MediaRole] | None, "Only files of these roles.")
    )
    parents: Connection[Annotated["LineageEdge", strawberry.lazy("graph.lineage")]] = stored(
        "What it is made from: one edge for each use.", *PAGE, *EDGE_FILTERS
    )
    children: Connection[Annotated["LineageEdge", strawberry.lazy("graph.lineage")]] = stored(
        "What is made from it: one edge for each use.", *PAGE, *EDGE_FILTERS
    )
    provenance: Connection[ProvenanceEvent] = stored("What was done to it, oldest first, chained by hash.", *PAGE)
    releases: Connection[Annotated["Release", strawberry.lazy("graph.releases")]] = stored(
        "The releases whose current version holds it.", *PAGE
    )


@strawberry.type(description="A piece of music.")
class Track(Asset):
    """A track."""

    duration_ms: int | None = stored("Its length in milliseconds.")
    bpm: float | None = stored("Its tempo in beats per minute.")
    musical_key: str | None = stored("Its key, as its artist writes it.")
    isrc: str | None = stored("Its ISRC (ISO 3901), without hyphens.")
    hook: Annotated["Hook", strawberry.lazy("graph.hooks")] | None = stored("The window people remember.")
    lyrics: Lyrics | None = stored("What is sung in it, and when; null where nobody wrote it down.")
    waveform: list[float] | None = stored(
        "The shape of its sound: 500 peaks from 0 to 1, to four decimals; null where there is no sound."
    )
    analysis: MusicAnalysis | None = stored(
        "What is heard in its sound; `bpm` and `musicalKey` are its artist's own word. Null before anybody listened."
    )
    suggestions: Connection[Annotated["Suggestion", strawberry.lazy("graph.suggestions")]] = stored(
        "What programs suggest for it, newest first; its own people read it.",
        *PAGE,
        argument("states", list[SuggestionState] | None, "Only suggestions in these states."),
    )


@strawberry.type(description="A loop, a hit, a jam, a voice memo or a stem.")
class Sample(Asset):
    """A sample."""

    subkind: SampleSubkind | None = stored("What sort of sample it is.")
    duration_ms: int | None = stored("Its length in milliseconds.")
    bpm: float | None = stored("Its tempo in beats per minute.")
    musical_key: str | None = stored("Its key, as its artist writes it.")


@strawberry.type(description="Something to play: a kit, a patch, a sampler program.")
class Instrument(Asset):
    """An instrument."""

    family: str | None = stored("What family it belongs to: drums, strings, synthesizer.")
    format: str | None = stored("The format it is kept in.")


@strawberry.type(description="A colour read off an image, from which a theme may grow.")
class MediaSeed:
    """HSL."""

    hue: int | None = stored("Hue in degrees, 0 to 359.")
    saturation: int | None = stored("Saturation in percent.")
    lightness: int | None = stored("Lightness in percent.")


@strawberry.type(description="A file of an asset, or of an artist's world, known by the hash of its bytes.")
class Media(Node):
    """A media row."""

    role: MediaRole = stored("What it is to its asset.")
    sha256: str = stored("SHA-256 of the bytes, 64 hexadecimal digits.")
    mime_type: str | None = stored("Its media type, decided by content.")
    duration_ms: int | None = stored("Its length in milliseconds.")
    created_at: DateTime = stored("When the row was written.")
    shown_sha256: str | None = stored(
        "SHA-256 of what is handed out in its place: an image or a loop, drawn again with nothing else in it."
    )
    seed: MediaSeed | None = stored("The colour a theme may grow from; null where an image has none.")
    asset: Asset | None = stored("The asset it belongs to; null where it is of an artist's world.")


@strawberry.input(description="A use, and what the asset's own policy says of it.")
class PolicyDecisionFilter:
    """A pair of words."""

    use: Use = strawberry.field(description="The use.")
    decision: Decision = strawberry.field(description="What is stated for it, in either layer.")


@strawberry.input(description="Conditions on a list of assets; all that are given must hold.")
class AssetFilter:
    """The filters of `assets`."""

    kinds: list[AssetKind] | None = optional("One of these kinds.")
    owner: strawberry.ID | None = optional("Owned by this artist (`artist_…`).")
    badge: Badge | None = optional("Wears this badge.")
    license_family: LicenseFamily | None = optional("Its stated license is of this family.")
    policy_decision: PolicyDecisionFilter | None = optional("Its own policy decides so of a use.")
    has_policy: bool | None = optional("Its owner has stated a policy, for it or for all of theirs; or has not.")
    has_hook: bool | None = optional("Has a hook, or has none.")
    created_from: DateTime | None = optional("Written at this moment or later.")
    created_before: DateTime | None = optional("Written before this moment.")
    contributor: strawberry.ID | None = optional("Credits this contributor (`contributor_…`).")
    made_from: strawberry.ID | None = optional("Is made directly from this asset.")
