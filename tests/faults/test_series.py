"""Twenty faults in a row, of random kinds to random workers; `FAULTS_SEED` repeats a series."""

import os
import time

import pytest

from legbook.demo.world import SERVICES, World
from tests.faults.conftest import Judge
from tests.faults.deeds import DEEDS
from tests.faults.scene import Scene
from tests.faults.workers import both

FAULTS = 20


@pytest.mark.faults
@pytest.mark.timeout(1800)
async def test_twenty_in_a_row(
    world: World, ports: dict[str, int], judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("FAULTS_SEED") or time.time())
    async with Scene(world, ports, seed=seed) as scene:
        done = []
        for _ in range(FAULTS):
            service, deed = scene.dice.choice(SERVICES), scene.dice.choice(DEEDS)
            victim = scene.dice.choice(both(service))
            await scene.workers.ready(*both(service))
            await deed(scene, victim)
            done.append(f"{deed.__name__} {victim}")
        with capsys.disabled():
            print(f"\nFAULTS_SEED={seed}: {', '.join(done)}")  # noqa: T201
        judge(await scene.verdict(blind=True))
