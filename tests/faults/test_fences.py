"""Who lost its right says nothing more, and comes back; a command whose answer never came is never sent again."""

import asyncio

import pytest

from curcdr_projector.agent import GROUP
from legbook.contracts.topics import CHECKPOINTS, partition_of
from legbook.demo.world import World
from legbook.fakepbx import Action, FakePbx, Session, Switch
from legbook.runtime.ownership import PartitionOwner
from tests.e2e import topics
from tests.faults.conftest import Judge
from tests.faults.deeds import taken_over
from tests.faults.scene import Scene
from tests.waiting import until

SENT = 4  # commands of one PBX: some of their offsets are not committed yet, and they are read again


@pytest.mark.faults
@pytest.mark.timeout(240)
async def test_a_fenced_projector_ends_with_70_and_comes_back_clean(
    world: World, ports: dict[str, int], judge: Judge
) -> None:
    async with Scene(world, ports) as scene:
        victim = await scene.workers.busy("curcdr_projector")
        (pbx, *_) = await scene.workers.holds(victim)
        before = len(scene.workers.restarted)
        owner = PartitionOwner(topics.settings(world), GROUP, CHECKPOINTS.name, partition_of(pbx, 4))
        await owner.acquire()
        await owner.close()
        await until(lambda: scene.workers.restarted[before:] == [victim])
        judge(await scene.verdict())


class Held:
    """Hang-ups that a PBX has read; it neither answers nor does anything until it is let go."""

    def __init__(self, pbx: FakePbx) -> None:
        self.read: list[asyncio.Task[None]] = []
        self._do, self._let_go = pbx.handlers["hangup"], asyncio.Event()
        pbx.handlers["hangup"] = self._hold

    async def _hold(self, switch: Switch, session: Session, action: Action) -> None:
        self.read.append(asyncio.create_task(self._later(switch, session, action)))

    async def _later(self, switch: Switch, session: Session, action: Action) -> None:
        await self._let_go.wait()
        await self._do(switch, session, action)

    async def let_go(self) -> None:
        self._let_go.set()
        await asyncio.gather(*self.read)


@pytest.mark.faults
@pytest.mark.timeout(240)
@pytest.mark.parametrize("effect", ["at once", "after the takeover", "after it is back"])
async def test_gateway_killed_between_sent_and_the_answer(
    effect: str, world: World, ports: dict[str, int], judge: Judge
) -> None:
    async with Scene(world, ports) as scene:
        worker = await scene.workers.busy("command_gateway")
        holds = await scene.workers.holds(worker)
        held = [Held(pbx) for pbx in scene.pbxs if pbx.name in holds]
        await until(lambda: min(len(each.read) for each in held), lambda read: read >= SENT)
        victim = await scene.mark(worker)
        scene.workers.kill(worker)
        if effect == "at once":
            await _let_go(held)
        if (
            effect == "after it is back"
        ):  # its commands are young enough to be carried out again, and their legs alive
            scene.workers.start(worker)
            await scene.workers.ready(worker)
        else:
            await taken_over(scene, victim, "kill -9")
            scene.workers.start(worker)
        await _let_go(held)
        judge(await scene.verdict())
        assert scene.commander.states["hangup unknown gateway_restarted"] >= len(held)


async def _let_go(held: list[Held]) -> None:
    await asyncio.gather(*(each.let_go() for each in held))
