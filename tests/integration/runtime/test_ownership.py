"""The broker itself refuses an old owner: what it says after that is nowhere."""

import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewTopic

from legbook.devstack import Stack
from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from legbook.runtime.ownership import LostError, PartitionOwner
from legbook.runtime.settings import KafkaSettings


@pytest.fixture
def settings(stack: Stack) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"])


@pytest.fixture
async def topic(settings: KafkaSettings) -> str:
    name = f"owned-{uuid.uuid4().hex[:8]}"
    async with kafka.admin(settings) as admin:
        await admin.create_topics([NewTopic(name, 2, 1, topic_configs={"cleanup.policy": "compact"})])
    return name


@pytest.fixture
async def owners(settings: KafkaSettings, topic: str) -> AsyncIterator[list[PartitionOwner]]:
    """Two processes' idea of the same partition."""
    found = [PartitionOwner(settings, topic, topic, 1) for _ in range(2)]
    yield found
    for owner in found:
        await owner.close()


async def test_a_successor_reads_what_was_written_and_locks_the_old_owner_out(
    owners: list[PartitionOwner], settings: KafkaSettings, topic: str
) -> None:
    old, new = owners
    await old.acquire()
    await old.write([Record(topic, b"a", b"1"), Record(topic, b"b", b"1"), Record(topic, b"b", None)])

    await new.acquire()
    with pytest.raises(LostError):
        await old.write([Record(topic, b"a", b"zombie")])
    await new.write([Record(topic, b"c", b"2")])

    assert new.state == {b"a": b"1"}
    assert await kafka.newest_values(settings, topic, 1) == {b"a": b"1", b"c": b"2"}


async def test_a_transaction_is_all_or_nothing(
    owners: list[PartitionOwner], settings: KafkaSettings, topic: str
) -> None:
    """A failed send does not fail aiokafka's commit: we look at every one of them."""
    owner, _ = owners
    await owner.acquire()

    with pytest.raises(LostError):
        await owner.write([Record(topic, b"small", b"1"), Record(topic, b"large", b"x" * (20 << 20))])

    await owner.acquire()
    assert owner.state == {}


async def test_nothing_to_write_is_no_proof(owners: list[PartitionOwner]) -> None:
    owner, _ = owners
    await owner.acquire()

    with pytest.raises(LostError, match="nothing to write"):
        await owner.write([])


async def test_who_has_not_acquired_may_not_write(owners: list[PartitionOwner], topic: str) -> None:
    with pytest.raises(LostError, match="not acquired"):
        await owners[0].write([Record(topic, b"a", b"1")])
