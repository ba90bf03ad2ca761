"""Cursors: short, bound to their order, the same whoever writes them, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
import random
import re
from base64 import urlsafe_b64encode
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import Uuid, column, select, values

from db.engine import Database
from db.map import TYPES
from db.orders import DAY, JOINED, MOMENT, NUMBER, POSTGRES_EPOCH, WORDS, KeyForm, Order
from db.places import Page
from domain.errors import BadInput

PAGES = {
    f"{type_.name}.{name}": place
    for type_ in TYPES.values()
    for name, place in type_.places.items()
    if isinstance(place, Page)
}
ORDERS = sorted(
    {order for page in PAGES.values() for order in page.arguments.orders.values()}, key=lambda order: order.tag
)
KEYS: dict[KeyForm, st.SearchStrategy[Any]] = {
    MOMENT: st.datetimes(timezones=st.just(UTC)),
    DAY: st.dates(),
    NUMBER: st.integers(-(2**31), 2**31 - 1),
    WORDS: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=250),
}
ids = st.uuids() | st.sampled_from([UUID(int=0), UUID(int=2**128 - 1)])
orders = st.sampled_from(ORDERS)


@st.composite
def cursors(draw: st.DrawFn) -> tuple[Order, Any, UUID, str]:
    """An order, a place in it and the cursor of that place."""
    order = draw(orders)
    key, id_ = draw(KEYS[order.form]), draw(ids)
    return order, key, id_, order.write(key, id_)


@given(cursors())
def test_a_cursor_leads_back_to_the_place_it_names(cursor: tuple[Order, Any, UUID, str]) -> None:
    order, key, id_, text = cursor
    assert order.read(text) == (key, id_)
    assert re.fullmatch("[A-Za-z0-9_-]+", text)


def test_a_cursor_of_time_is_short() -> None:
    assert {len(order.write(POSTGRES_EPOCH, UUID(int=0))) for order in ORDERS if order.form is MOMENT} == {35}


def test_every_order_has_a_tag_of_its_own() -> None:
    tags = [order.tag for order in ORDERS]
    assert len(set(tags)) == len(tags)
    assert all(re.fullmatch("[a-z]{2}", tag) for tag in tags)


@given(cursors(), orders)
def test_a_cursor_is_refused_by_every_other_order(cursor: tuple[Order, Any, UUID, str], other: Order) -> None:
    order, _, _, text = cursor
    assume(order != other)
    with pytest.raises(BadInput):
        other.read(text)


def _read_or_refused(order: Order, text: str) -> None:
    """The only other thing a text may be is a cursor, as it would have been written."""
    with contextlib.suppress(BadInput):
        assert order.write(*order.read(text)) == text


@given(orders, st.text() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/", max_size=60))
def test_any_text_is_a_cursor_or_refused(order: Order, text: str) -> None:
    _read_or_refused(order, text)


@given(orders, st.binary(max_size=40))
def test_any_bytes_behind_a_tag_are_a_place_or_refused(order: Order, data: bytes) -> None:
    _read_or_refused(order, urlsafe_b64encode(order.tag.encode() + data).rstrip(b"=").decode())


@given(cursors(), st.data())
def test_a_cursor_that_was_changed_is_refused_or_names_another_place(
    cursor: tuple[Order, Any, UUID, str], data: st.DataObject
) -> None:
    order, key, id_, text = cursor
    position = data.draw(st.integers(0, len(text)))
    changed = (
        text[:position] + data.draw(st.sampled_from("Aa0-_=+/ \n\0é")) + text[position + data.draw(st.integers(0, 1)) :]
    )
    assume(changed != text)
    with contextlib.suppress(BadInput):
        assert order.read(changed) != (key, id_)


@pytest.mark.parametrize("text", ["", "=", "\ud800", "é", "\0", "ne", "=" * 35, "A" * 100_001])
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.tag)
def test_these_are_no_cursors(order: Order, text: str) -> None:
    with pytest.raises(BadInput):
        order.read(text)


def _some(form: KeyForm, chance: random.Random) -> Any:
    if form is NUMBER:
        return chance.choice((0, -1, 2**31 - 1, -(2**31), chance.randint(-1000, 1000)))
    if form is MOMENT:
        days = timedelta(
            days=chance.choice((-700_000, -36_525, 0, 9_500, 2_900_000)), microseconds=chance.randint(0, 10**12)
        )
        return POSTGRES_EPOCH + days
    if form is DAY:
        return (POSTGRES_EPOCH + timedelta(days=chance.choice((-700_000, 0, 1, 9_500, 2_900_000)))).date()
    letters = "aZ09 \"\\'é\u0001\u007f\u2028ß🥁مxyz\U0010ffff"
    return "".join(chance.choices(letters, k=chance.choice((0, 1, 5, 60, 200))))


def table_of(order: Order, places: list[tuple[Any, UUID]]) -> Any:
    """A table of places. What an order makes its key of, where that is empty, is there too: when a row was written."""
    columns = column(order.key, order.form.type), column("id", Uuid), column("created_at", MOMENT.type)
    if order.of is None:
        return values(*columns[:2], name="place").data(places).alias("place")
    return values(*columns, name="place").data([(*place, POSTGRES_EPOCH) for place in places]).alias("place")


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.tag)
async def test_postgresql_writes_the_same_cursors(database: Database, order: Order) -> None:
    chance = random.Random(order.tag)
    places = [(_some(order.form, chance), UUID(int=chance.getrandbits(128))) for _ in range(300)]
    rows = table_of(order, places)
    async with database.read() as connection:
        written = await connection.execute(select(rows.c[order.key], rows.c.id, order.cursor(rows)))
    found = written.all()
    assert len(found) == len(places)
    assert [cursor for _, _, cursor in found] == [order.write(key, id_) for key, id_, _ in found]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.tag)
async def test_what_stands_past_a_cursor_is_what_the_order_lists_behind_it(database: Database, order: Order) -> None:
    """Forward and backward, with equal keys told apart by their ids."""
    chance = random.Random(order.tag)
    some = [_some(order.form, chance) for _ in range(4)]
    places = [(chance.choice(some), UUID(int=chance.getrandbits(128))) for _ in range(24)]
    rows = table_of(order, places)

    async with database.read() as connection:

        async def listed(*, backward: bool, **past: Any) -> list[UUID]:
            query = select(rows.c.id).order_by(*order.columns(rows, backward=backward))
            if past:
                key, id_ = order.read(past["cursor"])
                there = (
                    values(column("key", order.form.type), column("id", Uuid), name="there")
                    .data([(key, id_)])
                    .alias("there")
                )
                query = query.where(order.past(rows, there.c.key, there.c.id, after=past["after"]))
            return list((await connection.execute(query)).scalars())

        whole = await listed(backward=False)
        assert len(whole) == len(places)
        assert await listed(backward=True) == whole[::-1]
        keys = {id_: key for key, id_ in places}
        for number, id_ in enumerate(whole):
            cursor = order.write(keys[id_], id_)
            assert await listed(backward=False, cursor=cursor, after=True) == whole[number + 1 :]
            assert await listed(backward=True, cursor=cursor, after=False) == whole[:number][::-1]


LEFT_OUT = {JOINED}
"""Of these, the rows without a key are none of the list: who joined no room is no member of it."""


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_list_is_in_an_order_over_a_key_that_is_always_there(page: Page) -> None:
    target = TYPES[page.type]
    table = (TYPES[target.base] if target.base else target).table
    assert page.arguments.default in page.arguments.orders
    if page.source is not None:
        return
    assert table is not None
    for order in page.arguments.orders.values():
        assert not table.c[order.key].nullable or order.of is not None or order in LEFT_OUT
        assert not table.c.id.nullable
        assert isinstance(table.c[order.key].type, type(order.form.type))
