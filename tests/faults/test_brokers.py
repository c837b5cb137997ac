"""Brokers of three killed and started again: with one away another one leads, and nobody sees it."""

import asyncio
import time
from collections.abc import Iterator, Sequence

import pytest

from legbook.cli.doctor import kafka
from tests.faults import servers
from tests.faults.brokers import NAMES, ThreeBrokers
from tests.faults.conftest import Judge, manned
from tests.faults.scene import Scene

AWAY = 8.0


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[ThreeBrokers]:
    with manned(ThreeBrokers(tmp_path_factory.mktemp("three")), ports) as world:
        yield world


@pytest.mark.faults
async def test_the_doctor_finds_three_copies(three: ThreeBrokers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", three.env["KAFKA_BOOTSTRAP_SERVERS"])

    assert [each.seen async for each in kafka.check()] == [
        "reached, 3 brokers",
        "11 topics of 4 partitions, as `legbook topics apply` makes them",
    ]


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize("killed", [*([name] for name in NAMES), NAMES[1:]], ids="+".join)
async def test_brokers_killed_and_started_again(
    killed: Sequence[str], three: ThreeBrokers, ports: dict[str, int], judge: Judge
) -> None:
    """Without two of them nothing is written, and all waits."""
    async with Scene(three, ports) as scene:
        for broker in killed:
            await asyncio.to_thread(three.stack.kill, broker)
        await asyncio.sleep(AWAY)  # how long they are away
        for broker in killed:
            await servers.start(three, broker)
        if len(killed) > 1:
            scene.commander.kafka_back = time.time()
        judge(await scene.verdict())
        assert scene.new_logins() == 0, "an AMI link was cut"
