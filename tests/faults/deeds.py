"""What is done to a worker, and how long it takes until another one does its work."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.faults.scene import Scene, Victim
from tests.faults.takeovers import TABLE, first_effect, went_on
from tests.waiting import until

FROZEN: Final = 20.0  # seconds
TAKEOVER: Final = 20.0
Deed = Callable[[Scene, str], Awaitable[None]]


async def kill(scene: Scene, worker: str) -> None:
    """SIGKILL; it is started again once another one has taken over."""
    victim = await scene.mark(worker)
    scene.workers.kill(worker)
    await taken_over(scene, victim, "kill -9")
    scene.workers.start(worker)


async def terminate(scene: Scene, worker: str) -> None:
    """SIGTERM; the same."""
    victim = await scene.mark(worker)
    await scene.workers.terminate(worker)
    await taken_over(scene, victim, "SIGTERM")
    scene.workers.start(worker)


async def freeze(scene: Scene, worker: str) -> None:
    """SIGSTOP for 20 s; it wakes up to find its work done by another."""
    victim = await scene.mark(worker)
    scene.workers.freeze(worker)
    try:
        await taken_over(scene, victim, "SIGSTOP")
        await until(time.time, lambda now: now >= victim.at + FROZEN, patience=FROZEN + 1, every=0.1)
    finally:
        scene.workers.thaw(worker)


async def kill_for_a_moment(scene: Scene, worker: str) -> None:
    """SIGKILL; it is started again before anybody can have noticed, as systemd does."""
    await scene.mark(worker)
    scene.workers.kill(worker)
    await asyncio.sleep(scene.dice.uniform(0.0, 2.0))  # how long it is away
    scene.workers.start(worker)


async def freeze_for_a_moment(scene: Scene, worker: str) -> None:
    """SIGSTOP for a time that may be long enough to lose everything, or not."""
    await scene.mark(worker)
    scene.workers.freeze(worker)
    try:
        await asyncio.sleep(scene.dice.uniform(1.0, 15.0))  # how long it is away
    finally:
        scene.workers.thaw(worker)


DEEDS: Final = (kill, terminate, freeze, kill_for_a_moment, freeze_for_a_moment)


async def taken_over(scene: Scene, victim: Victim, fault: str) -> None:
    """Returns when another worker did for every PBX what the victim did before."""
    deadline = time.monotonic() + TAKEOVER
    for pbx in scene.pbxs:
        while pbx.name in victim.holds:
            first = first_effect(scene, victim, pbx)
            if first is not None:
                TABLE.add(victim.service, fault, first - victim.at)
            if first is not None or went_on(scene, victim, pbx):
                break
            assert time.monotonic() < deadline, f"{fault} of {victim.worker}: nobody took over {pbx.name}"
            await asyncio.sleep(0.05)
