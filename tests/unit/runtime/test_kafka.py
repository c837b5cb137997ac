import math
import time
from typing import Any

import pytest
from aiokafka import TopicPartition

from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings


class NoLeader:
    """Metadata of a partition whose brokers are all away."""

    def leader_for_partition(self, _: TopicPartition) -> int:
        return -1


async def test_a_record_waits_for_a_leader_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = kafka.producer(KafkaSettings())
    accumulator: Any = producer._message_accumulator
    accumulator._cluster = NoLeader()
    accumulator._txn_manager.set_pid_and_epoch(1, 0)
    sent = await accumulator.add_message(TopicPartition("t", 0), b"k", b"v", 40.0)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3600.0)
    nodes, unknown_leaders = accumulator.drain_by_nodes([])
    assert (dict(nodes), unknown_leaders, sent.done()) == ({}, True, False)
    monkeypatch.undo()
    assert accumulator._batch_ttl == math.inf
    producer._closed = True  # type: ignore[attr-defined]  # never started: nothing to close
