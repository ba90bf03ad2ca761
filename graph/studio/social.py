"""The mutations of what people do around a song: follow, like, save, comment, share, read the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from db.arguments import clean_text
from domain.errors import TooSoon
from domain.ids import Kind, Ref, parse_ref_of
from domain.links import SHARED
from domain.messages import LONGEST_MESSAGE
from domain.social import TieKind
from graph.artists import Artist
from graph.fields import optional, stored
from graph.hooks import Hook
from graph.rituals import Ritual
from graph.social import Comment, ShareLink
from graph.studio.deeds import Act, Deed, key_field, key_of, via_field
from resolvers.comments import comment_on, delete_comment
from resolvers.context import Acting
from resolvers.inbox import mark_activity_read
from resolvers.links import create_share_link
from resolvers.social import record_play, tie, untie

_ARTISTS, _HOOKS = frozenset({Kind.ARTIST}), frozenset({Kind.HOOK})
_SENT = 10 * LONGEST_MESSAGE
"""Characters of a text that is looked at; what is longer is no comment, whatever folds away."""


@strawberry.type(description="The artist, as they are followed now.")
class FollowSuccess:
    """The payload of what follows somebody, or stops it."""

    artist: Artist = stored("The artist.")


@strawberry.type(description="The hook, as it is liked, kept and played now.")
class HookSuccess:
    """The payload of what is done with a hook by those who hear it."""

    hook: Hook = stored("The hook.")


@strawberry.type(description="What was said.")
class CommentSuccess:
    """The payload of what is said."""

    comment: Comment = stored("The comment.")


@strawberry.type(description="A comment was taken back.")
class DeleteCommentSuccess:
    """The payload."""

    deleted_id: strawberry.ID = stored("The comment that is gone.")
    hook: Hook | None = stored("The hook it was about; null where it was about something else, or is not for you.")
    artist: Artist | None = stored("The artist whose world it was about; null where it was about something in it.")
    ritual: Ritual | None = stored("The ritual it was about; null where you may not see it.")


@strawberry.type(description="The link to share something by.")
class CreateShareLinkSuccess:
    """The payload."""

    link: ShareLink = stored("The link.")


@strawberry.type(description="What is left to read.")
class MarkActivityReadSuccess:
    """The payload."""

    unread_count: int = stored("How many lines of your inbox you have not read yet.")


@strawberry.input(description="Whom it is about.")
class FollowInput:
    """The input of `followArtist` and `unfollowArtist`, which nobody comes for by a link."""

    artist: strawberry.ID = strawberry.field(description="The artist.")
    via: str | None = via_field()
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which hook it is about.")
class HookInput:
    """The input of `likeHook`, `unlikeHook`, `saveHook` and `unsaveHook`."""

    hook: strawberry.ID = strawberry.field(description="The hook.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What you heard.")
class RecordPlayInput:
    """The input of `recordPlay`."""

    hook: strawberry.ID = strawberry.field(description="The hook.")
    heard_ms: int = strawberry.field(description="How much of it you heard, in milliseconds: at least 10,000.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What you say about a hook.")
class CommentOnHookInput:
    """The input of `commentOnHook`."""

    hook: strawberry.ID = strawberry.field(description="The hook.")
    text: str = strawberry.field(description="1 to 1,000 characters.")
    position_ms: int | None = optional(
        "Where in the hook, in milliseconds of its track: from its `startMs` up to its `endMs`."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="What you say about a world.")
class CommentOnWorldInput:
    """The input of `commentOnWorld`."""

    artist: strawberry.ID = strawberry.field(description="The artist whose world it is.")
    text: str = strawberry.field(description="1 to 1,000 characters.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What you say about a ritual.")
class CommentOnRitualInput:
    """The input of `commentOnRitual`."""

    ritual: strawberry.ID = strawberry.field(description="The ritual.")
    text: str = strawberry.field(description="1 to 1,000 characters.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="Which comment to take back.")
class DeleteCommentInput:
    """The input of `deleteComment`."""

    id: strawberry.ID = strawberry.field(description="The comment.")
    idempotency_key: str | None = key_field()


@strawberry.input(description="What to share.")
class CreateShareLinkInput:
    """The input of `createShareLink`."""

    subject: strawberry.ID = strawberry.field(
        description="An artist for their world, a hook, a release, a room or a ritual."
    )
    idempotency_key: str | None = key_field()


@strawberry.input(description="How far you have read.")
class MarkActivityReadInput:
    """The input of `markActivityRead`."""

    until: strawberry.ID | None = optional("The latest line you have read; all of them where none is named.")
    idempotency_key: str | None = key_field()


def _tie(kind: TieKind, name: str, *, begins: bool) -> Any:
    """Reads the input of what ties somebody to an artist or a hook, or unties them."""
    named, kinds = ("artist", _ARTISTS) if kind is TieKind.FOLLOW else ("hook", _HOOKS)
    mutation = to_camel_case(name)

    def read(asked: Mapping[str, Any]) -> Act:
        subject, key, via = parse_ref_of(asked[named], kinds), key_of(asked), asked.get("via")
        does = partial(tie, via=via) if begins else untie

        async def act(acting: Acting) -> Mapping[str, Any]:
            return {named: await does(acting, kind, subject, mutation, key)}

        return act

    return read


def _record_play(asked: Mapping[str, Any]) -> Act:
    hook, heard_ms, key = parse_ref_of(asked["hook"], _HOOKS), asked["heardMs"], key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"hook": await record_play(acting, hook, heard_ms, key)}

    return act


_COMMENTED = {
    "hook": (Kind.HOOK, "commentOnHook"),
    "artist": (Kind.ARTIST, "commentOnWorld"),
    "ritual": (Kind.RITUAL, "commentOnRitual"),
}


def _comment(named: str, asked: Mapping[str, Any]) -> Act:
    subject = parse_ref_of(asked[named], frozenset({_COMMENTED[named][0]}))
    text, position_ms, key = clean_text("text", asked["text"], longest=_SENT), asked.get("positionMs"), key_of(asked)
    name = _COMMENTED[named][1]

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"comment": await comment_on(acting, subject, text, position_ms, name, key)}

    return act


def _delete_comment(asked: Mapping[str, Any]) -> Act:
    comment, key = parse_ref_of(asked["id"], frozenset({Kind.COMMENT})), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        subject: Ref = await delete_comment(acting, comment, key)
        about = dict.fromkeys(_COMMENTED) | {subject.kind.value: subject}
        return {"deletedId": str(comment), **about}

    return act


def _create_share_link(asked: Mapping[str, Any]) -> Act:
    subject, key = parse_ref_of(asked["subject"], frozenset(SHARED)), key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"link": await create_share_link(acting, subject, key)}

    return act


def _mark_activity_read(asked: Mapping[str, Any]) -> Act:
    until = asked.get("until")
    line = None if until is None else parse_ref_of(until, frozenset({Kind.ACTIVITY}))
    key = key_of(asked)

    async def act(acting: Acting) -> Mapping[str, Any]:
        return {"unreadCount": await mark_activity_read(acting, line, key)}

    return act


_TIES = (
    (TieKind.FOLLOW, "follow_artist", True, "Follows an artist: you are told of what they publish."),
    (TieKind.FOLLOW, "unfollow_artist", False, "Follows an artist no more."),
    (TieKind.LIKE, "like_hook", True, "Likes a hook."),
    (TieKind.LIKE, "unlike_hook", False, "Likes a hook no more."),
    (TieKind.SAVE, "save_hook", True, "Keeps a hook: you find it in `viewer { savedHooks }`."),
    (TieKind.SAVE, "unsave_hook", False, "Keeps a hook no more."),
)
DEEDS = (
    *[
        Deed(
            name,
            said,
            FollowInput if kind is TieKind.FOLLOW else HookInput,
            FollowSuccess if kind is TieKind.FOLLOW else HookSuccess,
            _tie(kind, name, begins=begins),
        )
        for kind, name, begins, said in _TIES
    ],
    Deed(
        "record_play",
        "Notes that you heard a hook, once you heard ten seconds of it, or all of a shorter one.",
        RecordPlayInput,
        HookSuccess,
        _record_play,
    ),
    Deed(
        "comment_on_hook",
        "Says something about a hook, at a place of it or about all of it; 20 comments a minute.",
        CommentOnHookInput,
        CommentSuccess,
        partial(_comment, "hook"),
        (TooSoon,),
    ),
    Deed(
        "comment_on_world",
        "Says something about a world; 20 comments a minute.",
        CommentOnWorldInput,
        CommentSuccess,
        partial(_comment, "artist"),
        (TooSoon,),
    ),
    Deed(
        "comment_on_ritual",
        "Says something about a ritual; 20 comments a minute.",
        CommentOnRitualInput,
        CommentSuccess,
        partial(_comment, "ritual"),
        (TooSoon,),
    ),
    Deed(
        "delete_comment",
        "Takes a comment back: who wrote it may, and the editors of the artist it is said to. Its words are gone.",
        DeleteCommentInput,
        DeleteCommentSuccess,
        _delete_comment,
    ),
    Deed(
        "create_share_link",
        "Makes a link to something, or finds the one you made.",
        CreateShareLinkInput,
        CreateShareLinkSuccess,
        _create_share_link,
    ),
    Deed(
        "mark_activity_read",
        "Notes that you have read your inbox, all of it or as far as a line.",
        MarkActivityReadInput,
        MarkActivityReadSuccess,
        _mark_activity_read,
    ),
)
