"""Finished legs to archive, and where they come from and go to when there is no Kafka."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from legbook.contracts.legs import Leg

MORNING = datetime(2026, 11, 23, 5, 49, 1, 426113, tzinfo=UTC)
EPOCH = 1795396166


def at(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def leg(leg_id: int, **more: Any) -> Leg:
    """A phone that rang for ten seconds and was not answered."""
    fields: dict[str, Any] = {
        "pbx": "hq",
        "leg_id": leg_id,
        "epoch": EPOCH,
        "seq": leg_id,
        "boot": 1795390000,
        "rule": "channels.hangup",
        "kind": "dial",
        "state": "ended",
        "born": at(0),
        "start": at(0),
        "ring": at(0.1),
        "end": at(10),
        "end_reason": "hangup",
        "disposition": "NO ANSWER",
        "src": "2002",
        "dst": "1000",
        "dstdevice": "201",
        "dialstring": "201",
        "linkedid": "1795390000.1",
    }
    return Leg(**fields | more)


def answered(leg_id: int, **more: Any) -> Leg:
    """Answered after two seconds, talked for four."""
    talked = {"answer": at(2), "end": at(6), "answered": True, "billsec": 4.0, "disposition": "ANSWERED"}
    return leg(leg_id, **talked | more)


def record(value: bytes | None, *, offset: int = 0, partition: int = 0) -> ConsumerRecord[bytes, bytes]:
    made: ConsumerRecord[bytes, bytes] = ConsumerRecord.__new__(ConsumerRecord)
    facts: Mapping[str, Any] = {
        "topic": "cdr",
        "partition": partition,
        "offset": offset,
        "timestamp": 1795396166000,
        "key": b"hq|1",
        "value": value,
        "headers": (),
    }
    for name, fact in facts.items():
        object.__setattr__(made, name, fact)
    return made


class Reader:
    """A consumer that has these batches, and then waits for ever."""

    def __init__(self, batches: Sequence[Sequence[ConsumerRecord[bytes, bytes]]]) -> None:
        self.batches = list(batches)
        self.committed: list[dict[TopicPartition, int]] = []
        self.refuse: Exception | None = None

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        if not self.batches:
            raise EndOfTest
        return {TopicPartition("cdr", 0): list(self.batches.pop(0))}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.committed.append(offsets)


class Writer:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None, dict[str, str]]] = []

    async def send_and_wait(self, topic: str, value: bytes | None, **more: Any) -> None:
        headers = {name: text.decode() for name, text in more["headers"]}
        self.sent.append((topic, value, headers))


class EndOfTest(Exception):  # noqa: N818
    """No batch is left."""
