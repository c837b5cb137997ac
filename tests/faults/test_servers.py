"""Kafka, MariaDB and ClickHouse killed and started again: screens come back, no link is cut, nothing is lost."""

import asyncio
import time

import pytest

from legbook.demo.world import World
from tests.faults import servers
from tests.faults.conftest import Judge
from tests.faults.scene import Scene


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("server", "away"),
    [
        ("kafka", 8.0),
        ("kafka", 75.0),  # a projector gives up a transaction after 60 s: it ends with 70
        ("mysql", 3.0),
        ("clickhouse", 5.0),
    ],
)
async def test_server_killed_and_started_again(
    server: str, away: float, world: World, ports: dict[str, int], judge: Judge
) -> None:
    async with Scene(world, ports) as scene:
        await asyncio.to_thread(world.stack.kill, server)
        await asyncio.sleep(away)
        await servers.start(world, server)
        if server == "kafka":
            scene.commander.kafka_back = time.time()
        judge(await scene.verdict())
        assert scene.new_logins() == 0, "an AMI link was cut"
