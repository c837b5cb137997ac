"""Every service, every way in which a worker goes away, under load: the other one goes on, and nobody sees it."""

import pytest

from legbook.demo.world import SERVICES, World
from tests.faults.conftest import Judge
from tests.faults.deeds import Deed, freeze, kill, terminate
from tests.faults.scene import Scene
from tests.waiting import until


@pytest.mark.faults
@pytest.mark.timeout(240)
@pytest.mark.parametrize("deed", [kill, terminate, freeze], ids=lambda deed: deed.__name__)
@pytest.mark.parametrize("service", SERVICES)
async def test_one_of_two(
    service: str, deed: Deed, world: World, ports: dict[str, int], judge: Judge
) -> None:
    async with Scene(world, ports) as scene:
        await deed(scene, await scene.workers.busy(service))
        is_reader = service == "ami_ingest"
        judge(await scene.verdict(blind=is_reader, stuck_rows=is_reader))


@pytest.mark.faults
@pytest.mark.timeout(240)
async def test_nothing_at_all(world: World, ports: dict[str, int], judge: Judge) -> None:
    """What the verifier says when there is nothing to find."""
    async with Scene(world, ports) as scene:
        await until(lambda: len(scene.commander.asked), lambda asked: asked >= 100, patience=60)
        judge(await scene.verdict())
