import time

from domain.accounts import ANONYMOUS
from graph.reading import Execution


async def test_x(scene, readers, scene_statements):
    for q in [
        "{assets(first:3){nodes{id title owner{handle}} totalCount}}",
        '{search(query:"track"){nodes{... on Asset{title}}}}',
    ]:
        for e in Execution:
            n = len(scene_statements)
            t = time.time()
            a = await readers[e].answer(q, None, None, ANONYMOUS)
            print(e, time.time() - t, len(scene_statements) - n, a.body[:300])
