"""A record that aiokafka cannot read costs itself: every other one is given, on every partition."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from legbook.cli.topics import _apply
from legbook.contracts.topics import COMMANDS
from legbook.devstack import Stack
from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from legbook.runtime.membership import Membership
from legbook.runtime.settings import KafkaSettings

PARTITIONS = 4
BAD = 2  # the partition with the unreadable record
# aiokafka's compiled writer takes text only: its Python one takes what encodes itself
_PRODUCE_BAD = """
import asyncio, sys
from aiokafka import AIOKafkaProducer
class Name(str):
    def encode(self, *_):
        return b"\\xff\\xfe"
async def main():
    async with AIOKafkaProducer(bootstrap_servers=sys.argv[1]) as producer:
        await producer.send_and_wait(sys.argv[2], b"bad", partition=int(sys.argv[3]), headers=[(Name("n"), b"1")])
asyncio.run(main())
"""


class Holder:
    full = False

    def __init__(self, given: list[tuple[int, bytes]]) -> None:
        self._given = given

    async def run(self) -> None:
        await asyncio.Event().wait()

    def kept(self) -> None:
        """Nobody else is there."""

    def take(self, records: Sequence[Any]) -> None:
        self._given += [(each.partition, each.value) for each in records]


async def _produce(settings: KafkaSettings, values: list[bytes]) -> None:
    """Each in a batch of its own, on every partition."""
    async with kafka.producer(settings) as producer:
        for value in values:
            for partition in range(PARTITIONS):
                await kafka.deliver(producer, Record(COMMANDS.name, b"k", value), partition)


@pytest.fixture
def settings(stack: Stack) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"])


async def test_an_unreadable_record_costs_itself(settings: KafkaSettings) -> None:
    await _apply(settings, PARTITIONS, 1)
    before, after = [b"before%d" % n for n in range(5)], [b"after%d" % n for n in range(5)]
    await _produce(settings, before)
    command = [sys.executable, "-c", _PRODUCE_BAD, settings.bootstrap_servers, COMMANDS.name, str(BAD)]
    env = {**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}
    await asyncio.to_thread(subprocess.run, command, env=env, check=True)
    await _produce(settings, after)
    given: list[tuple[int, bytes]] = []
    membership: Membership[Holder] = Membership(settings, "odd", COMMANDS.name, lambda _: Holder(given))

    running = asyncio.create_task(membership.run())
    wanted = [(p, value) for p in range(PARTITIONS) for value in [*before, *after]]
    async with asyncio.timeout(30):
        while len(given) < len(wanted):
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait([running])

    for partition in range(PARTITIONS):
        mine = [value for p, value in given if p == partition]
        assert list(dict.fromkeys(mine)) == [*before, *after], partition
