"""PBXs connected to a world whose services run, and a look at its databases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.fakepbx import FakePbx


@asynccontextmanager
async def playing(world: World, pbxs: Sequence[FakePbx]) -> AsyncIterator[Watch]:
    """All services are ready when the block begins; ingest has logged in to every PBX."""
    async with AsyncExitStack() as running:
        for pbx in pbxs:
            await running.enter_async_context(pbx)
        world.fleet({pbx.name: pbx.port for pbx in pbxs})
        world.start()
        await asyncio.to_thread(world.wait_ready)
        watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
        running.callback(watch.close)
        yield watch
