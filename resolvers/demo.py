"""Loading the demo scene: a dozen artists of our own making, written as if they had worked here for a year.

The scene itself stands in `scene/*.toml`, read by `demo_scene`; `demo_worlds` and `demo_works` tell it into a
`demo_ledger`, which is then written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from db.changes import record_changes
from db.demo import add_rows, has_artists, hold_handles, term_sets_held
from db.engine import Database
from db.jobs import enqueue
from db.provenance import append_events
from db.search import index_names
from domain.jobs import JobKind
from resolvers.context import Acting
from resolvers.demo_ledger import Ledger
from resolvers.demo_scene import Scene, read_scene
from resolvers.demo_works import tell_work
from resolvers.demo_worlds import tell_person, tell_world

APART = timedelta(seconds=2)
"""Between the sound of one work and that of the next."""


async def is_empty(database: Database) -> bool:
    """Whether no artist has come yet."""
    async with database.read() as connection:
        return not await has_artists(connection)


async def load_demo(acting: Acting, progress: Callable[[int, int], None]) -> None:
    """Write the demo scene in one transaction; do nothing where one of its handles is taken, as after the first time.

    Args:
        acting: gives the database, the time and the ids; the scene's own people are the actors of its history.
        progress: told how much is written, of how much.
    """
    scene = read_scene()
    async with acting.database.write() as connection:
        if not await hold_handles(connection, scene.handles):
            return
        ledger = told(scene, Ledger(scene, acting, await term_sets_held(connection)))
        done, total = 0, sum(map(len, ledger.rows.values())) + len(ledger.events) + len(ledger.names)

        def written(count: int) -> None:
            nonlocal done
            done += count
            progress(done, total)

        await add_rows(connection, ledger.rows, written)
        await append_events(connection, ledger.events)
        await record_changes(connection, ledger.changes)
        written(len(ledger.events))
        await index_names(connection, ledger.names)
        # What leads a world is heard first; one after the other, so that each is read before the next is composed. What
        # is published waits until all of it is heard, or until its time.
        leads = {world.lead for world in scene.worlds}
        ordered = sorted(
            ledger.jobs, key=lambda job: (job.kind is not JobKind.COMPOSE_DEMO, job.payload.get("name") not in leads)
        )
        due = [job.run_after or ledger.now + number * APART for number, job in enumerate(ordered)]
        await enqueue(connection, [replace(job, run_after=at) for job, at in zip(ordered, due, strict=True)])
        written(len(ledger.names))


def told(scene: Scene, ledger: Ledger) -> Ledger:
    """The ledger, with everybody and everything in it."""
    for person in scene.people:
        tell_person(ledger, person)
    for world in scene.worlds:
        tell_world(ledger, world)
        for work in world.works:
            tell_work(ledger, work, ledger.owner_account(world))
    return ledger
