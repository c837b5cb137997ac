"""The examples in JavaScript, with kafkajs, in the same world."""

from pathlib import Path

import pytest

from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.docs.conftest import PBX, example
from tests.docs.hanging_up import hung_up
from tests.waiting import until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="package")]


async def test_live_legs_says_every_change(world: World, calls: Watch, node_folder: Path) -> None:
    async with example(world, "live_legs.mjs", folder=node_folder) as reader:
        born = await reader.says(rf"^{PBX}[|](\d+) ringing 2002 -> 1000 on 202 \(\d+ live\)$")
        await reader.says(rf"^{PBX}[|]{born[1]} talking 2002 -> 1000 on 202 ")
        await reader.says(rf"^{PBX}[|]{born[1]} over ")


async def test_finished_legs_says_each_leg_once(world: World, calls: Watch, node_folder: Path) -> None:
    async with example(world, "finished_legs.mjs", folder=node_folder) as reader:
        for _ in range(5):
            await reader.says(rf"^{PBX} \d+ ANSWERED [\d.]+$")
        ids = [line.split()[1] for line in reader.lines]
    assert len(ids) == len(set(ids))


async def test_hangup_hangs_up_and_says_what_it_cannot(world: World, calls: Watch, node_folder: Path) -> None:
    leg_id = await hung_up(world, calls, "hangup.mjs", node_folder)
    await until(lambda: leg_id in {row["id"] for row in calls.live()}, lambda there: not there)

    async with example(world, "hangup.mjs", PBX, "4097", folder=node_folder) as asked:
        code, said = await asked.ends()
    assert (code, said.split()[:2]) == (1, ["rejected", "unknown_leg"])
