"""Who may enter rooms, and who says there how it goes."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, or_

from db import tables
from db.access.actions import Action, Exposure, Predicate, Predicates, Row, everyone, seen
from db.access.assets import asset_read, asset_shown, its_asset
from db.access.hooks import hook_read
from db.viewers import ASKER, VIEWER_ACCOUNT, edited, held


def _supported(room: Row) -> ColumnElement[bool]:
    """Something is open to the viewer: the world, or the release it gathers around."""
    entitlement = tables.entitlement.alias()
    opened = func.coalesce(entitlement.c.artist_id, entitlement.c.asset_id).in_((room.c.artist_id, room.c.release_id))
    mine = exists().where(entitlement.c.account_id == VIEWER_ACCOUNT, entitlement.c.state == "ACTIVE", opened)
    return and_(room.c.visibility == "SUPPORTERS", mine.correlate_except(entitlement))


def _banned(room: Row) -> ColumnElement[bool]:
    """The viewer was sent out; a key goes where the account goes that issued it. Hosts are not."""
    person = tables.room_person.alias()
    sent_out = exists().where(
        person.c.account_id == ASKER, person.c.room_id == room.c.id, person.c.banned_at.is_not(None)
    )
    return and_(sent_out.correlate_except(person), ~edited(room.c.artist_id))


def _room_reached(room: Row) -> ColumnElement[bool]:
    enters = or_(room.c.visibility == "PUBLIC", held(room.c.artist_id), _supported(room))
    return and_(enters, ~_banned(room))


def _room_read(room: Row) -> ColumnElement[bool]:
    hook = tables.hook.alias()
    of_hook = exists().where(hook.c.id == room.c.hook_id, hook_read(hook)).correlate_except(hook)
    teaser = its_asset(room, "release_id", asset_read, lambda asset: asset_shown(asset, Exposure.TEASER))
    subject_seen = and_(or_(room.c.hook_id.is_(None), of_hook), or_(room.c.release_id.is_(None), teaser))
    return and_(_room_reached(room), subject_seen)


def _hosted(room: Row) -> ColumnElement[bool]:
    """Hosts are who may change what is the artist's whose room it is."""
    return edited(room.c.artist_id)


def _in_room(row: Row, *wanted: Predicate) -> ColumnElement[bool]:
    room = tables.room.alias()
    found = exists().where(room.c.id == row.c.room_id, *[predicate(room) for predicate in wanted])
    return found.correlate_except(room)


def _in_read_room(row: Row) -> ColumnElement[bool]:
    return _in_room(row, _room_read)


def _message_taken_back(message: Row) -> ColumnElement[bool]:
    """By whoever said it, and by hosts."""
    said = and_(message.c.account_id == VIEWER_ACCOUNT, _in_room(message, _room_read))
    return and_(message.c.deleted_at.is_(None), or_(said, _in_room(message, _hosted)))


def _queued_taken_out(queued: Row) -> ColumnElement[bool]:
    return and_(queued.c.state == "QUEUED", _in_room(queued, _hosted))


def _oneself(person: Row) -> ColumnElement[bool]:
    return person.c.account_id == VIEWER_ACCOUNT


def _member(person: Row) -> ColumnElement[bool]:
    return and_(person.c.joined_at.is_not(None), person.c.banned_at.is_(None))


def _held_back(person: Row) -> ColumnElement[bool]:
    """Who is muted or was sent out is known to hosts."""
    held_back = or_(person.c.banned_at.is_not(None), person.c.muted_until > func.now())
    return and_(held_back, _in_room(person, _hosted))


def _guest_read(person: Row) -> ColumnElement[bool]:
    return or_(and_(_member(person), _in_read_room(person)), _held_back(person))


PREDICATES: Predicates = {
    tables.room: {Action.READ: _room_read, Action.REACH: _room_reached, Action.WRITE: _hosted},
    tables.room_message: {**seen(_in_read_room), Action.REACH: everyone, Action.WRITE: _message_taken_back},
    tables.room_person: {
        Action.READ: _guest_read,
        Action.REACH: _member,
        Action.LIST: _held_back,
        Action.INSPECT: _oneself,
    },
    tables.room_queue: {**seen(_in_read_room), Action.REACH: everyone, Action.WRITE: _queued_taken_out},
}
