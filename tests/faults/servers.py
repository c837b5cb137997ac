"""Servers killed and started again while a fake PBX lives in the same event loop."""

import asyncio

from legbook.demo.world import World
from legbook.devstack.launch import wait_until_ready

PATIENCE = 60.0


async def start(world: World, name: str) -> None:
    """As `Stack.start_server`, which would stop the loop. The child is made in the main thread, as it must be.

    It is waited for in another one.
    """
    stack = world.stack
    launch = stack._prepared(stack._servers[name])
    assert len(launch.steps) == 1, "its data is there: nothing has to be prepared"
    launch.child = launch.spawn(name, launch.steps.pop()())
    await asyncio.to_thread(wait_until_ready, [launch], PATIENCE, lambda _launch: None)
