"""Telling those who follow an artist that a release is out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.changes import announce_all
from db.engine import Database
from db.inbox import followers_after, news_of, tell_followers
from domain.jobs import JobKind
from resolvers.context import uuid7
from resolvers.jobs import Doing, Effect, Running
from subscriptions.events import activity_added

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Herald:
    """Tells followers: all of them with the effect of one job, so that nobody hears of it twice."""

    database: Database

    def doings(self) -> Mapping[JobKind, Doing]:
        """How its job is done."""
        return {JobKind.TELL_FOLLOWERS: self._tell}

    async def _tell(self, running: Running) -> Effect:
        async def effect(connection: Any) -> None:
            news = await news_of(connection, running.job.subject)
            last = None
            while news is not None:
                followers = await followers_after(connection, news, last, AT_ONCE)
                if not followers:
                    break
                last = followers[-1].tie
                told = await tell_followers(connection, news, followers, uuid7)
                told_of = [activity_added(account, activity) for account, activity in told]
                await announce_all(connection, [(each.topic, each.payload) for each in told_of])

        return effect
