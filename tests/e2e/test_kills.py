"""kill -9 of one worker of each service under load: the other one takes over, nothing is lost, doubled or stuck.

The short sample of tests/faults, which `make faults` runs: there are all services, all signals, and the servers.
"""

import asyncio

import pytest

from legbook.contracts.topics import partition_of
from legbook.demo.world import SERVICES, World
from tests.e2e.conftest import QUICK
from tests.faults.deeds import taken_over
from tests.faults.scene import Scene
from tests.faults.takeovers import TABLE
from tests.faults.workers import Workers

PLAYED = ("load", "west", "east")  # three of four partitions: whoever has two of them has one of these
SECOND = [f"{service}.2" for service in SERVICES]


@pytest.mark.timeout(120)
async def test_the_second_worker_of_each_service_is_killed_under_120_overlapping_calls(
    world: World, ports: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len({partition_of(name, 4) for name in PLAYED}) == len(PLAYED)
    world.start(*SECOND, **QUICK)
    played = {name: ports[name] for name in PLAYED}
    async with Scene(world, played, Workers(world, played, strict=False, more=QUICK)) as scene:
        victims = [await scene.mark(worker) for worker in SECOND]
        for victim in victims:
            scene.workers.kill(victim.worker)
        for victim in victims:
            assert victim.holds, f"{victim.worker} has nothing to lose"
            await taken_over(scene, victim, "kill -9")
        verdict = await scene.verdict(blind=True)

    with capsys.disabled():
        print("", *TABLE.lines(), f"{verdict} compared={verdict.compared}", sep="\n")  # noqa: T201
    assert verdict.clean, str(verdict)
    assert verdict.compared > 200


@pytest.mark.parametrize("service", SERVICES)
async def test_sigterm_is_clean(service: str, world: World) -> None:
    code = await asyncio.to_thread(world.terminate, service)

    assert code == 0, world.log(service)[-2000:]
    world.start(service, **QUICK)
