import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from ami_ingest.publisher import Publisher
from legbook.contracts.raw import Heartbeat, RawRecord
from legbook.contracts.topics import RAW, partition_of
from legbook.runtime.stop import FatalError

LIMIT = 1000
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Sent:
    value: bytes
    key: bytes
    partition: int
    headers: Sequence[tuple[str, bytes]]
    done: "asyncio.Future[Any]"


@dataclass
class Kafka:
    """Accepts what is sent, unless an error is planned; the test acknowledges. Closed: `send` waits."""

    sent: list[Sent] = field(default_factory=list)
    errors: deque[Exception] = field(default_factory=deque)
    tries: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(
        self, topic: str, value: bytes, *, key: bytes, partition: int, headers: Sequence[tuple[str, bytes]]
    ) -> "asyncio.Future[Any]":
        assert topic == RAW.name
        await self.open.wait()
        await asyncio.sleep(0)
        self.tries += 1
        if self.errors:
            raise self.errors.popleft()
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.sent.append(Sent(value, key, partition, headers, done))
        return done

    @property
    def values(self) -> list[bytes]:
        return [sent.value for sent in self.sent]

    def acknowledge(self) -> None:
        for sent in self.sent:
            if not sent.done.done():
                sent.done.set_result(None)


@pytest.fixture
async def kafka() -> Kafka:
    made = Kafka()
    made.open.set()
    return made


@pytest.fixture
def publisher(kafka: Kafka) -> Publisher:
    return Publisher(cast("AIOKafkaProducer", kafka), "hq", 12, LIMIT)


def record(first: int, count: int = 1) -> RawRecord:
    beats = [Heartbeat(seq=first + i, at=None, received_at=NOW, state="up") for i in range(count)]
    return RawRecord(pbx="hq", boot=None, epoch=77, entries=[*beats])


def values(count: int, size: int = 3) -> list[bytes]:
    return [b"%03d" % number + b"x" * (size - 3) for number in range(count)]


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def handed_on(publisher: Publisher, kafka: Kafka, count: int) -> None:
    running = asyncio.create_task(publisher.run())
    await until(lambda: len(kafka.sent) == count or running.done())
    running.cancel()
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()


async def test_a_record_with_its_key_partition_and_headers(publisher: Publisher, kafka: Kafka) -> None:
    assert publisher.put(record(4711, 3), b"value")
    await handed_on(publisher, kafka, 1)
    (sent,) = kafka.sent
    assert (sent.value, sent.key, sent.partition) == (b"value", b"hq", partition_of("hq", 12))
    assert sent.headers == [
        ("schema", b"RawRecord/1"),
        ("pbx", b"hq"),
        ("epoch", b"77"),
        ("first_seq", b"4711"),
        ("last_seq", b"4713"),
        ("n", b"3"),
    ]


async def test_records_go_on_without_waiting_for_earlier_ones(publisher: Publisher, kafka: Kafka) -> None:
    for number, value in enumerate(values(100)):
        assert publisher.put(record(number + 1), value)
    await handed_on(publisher, kafka, 100)
    assert kafka.values == values(100)
    assert publisher.held == 300


@pytest.mark.parametrize("error", [KafkaTimeoutError, UnknownTopicOrPartitionError])
async def test_what_kafka_cannot_take_yet_is_tried_again_in_order(
    publisher: Publisher, kafka: Kafka, error: type[Exception]
) -> None:
    kafka.errors.extend(error() for _ in range(5))
    for number, value in enumerate(values(10)):
        assert publisher.put(record(number + 1), value)
    await handed_on(publisher, kafka, 10)
    assert kafka.values == values(10)
    assert kafka.tries == 15


async def test_a_full_buffer_takes_nothing_and_loses_nothing(publisher: Publisher, kafka: Kafka) -> None:
    kafka.open.clear()
    taken = [publisher.put(record(number + 1), value) for number, value in enumerate(values(5, 300))]
    assert taken == [True, True, True, False, False]
    assert publisher.put(record(9), b"x" * 100), "exactly full"
    assert not publisher.put(record(10), b"x")
    assert publisher.held == LIMIT
    kafka.open.set()
    await handed_on(publisher, kafka, 4)
    assert not publisher.put(record(10), b"x"), "sent is not acknowledged"
    kafka.acknowledge()
    await until(lambda: publisher.held == 0)
    assert publisher.put(record(10), b"y" * LIMIT)
    assert kafka.values == [*values(3, 300), b"x" * 100]


async def test_a_refusal_is_fatal(publisher: Publisher, kafka: Kafka) -> None:
    publisher.put(record(1), b"a")
    running = asyncio.create_task(publisher.run())
    await until(lambda: kafka.sent)
    kafka.sent[0].done.set_exception(MessageSizeTooLargeError("too large"))
    with pytest.raises(FatalError, match=rf"^Kafka refused a record of {RAW.name}: MessageSizeTooLargeError"):
        await asyncio.wait_for(running, 5)
    assert publisher.held == 0


async def test_a_record_that_the_client_itself_refuses_is_fatal(publisher: Publisher, kafka: Kafka) -> None:
    kafka.errors.append(MessageSizeTooLargeError("too large"))
    publisher.put(record(1), b"a")
    with pytest.raises(FatalError, match=r"Kafka refused a record of .*MessageSizeTooLargeError"):
        await asyncio.wait_for(publisher.run(), 5)


async def test_a_cancelled_future_is_a_refusal(publisher: Publisher, kafka: Kafka) -> None:
    publisher.put(record(1), b"a")
    running = asyncio.create_task(publisher.run())
    await until(lambda: kafka.sent)
    kafka.sent[0].done.cancel()
    with pytest.raises(FatalError, match="Kafka refused"):
        await asyncio.wait_for(running, 5)


@pytest.mark.parametrize("after", range(8))
async def test_the_end_hands_on_the_rest_wherever_the_run_was_cut(
    publisher: Publisher, kafka: Kafka, after: int
) -> None:
    for number, value in enumerate(values(20)):
        publisher.put(record(number + 1), value)
    running = asyncio.create_task(publisher.run())
    for _ in range(after):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    finishing = asyncio.create_task(publisher.finish())
    await until(lambda: len(kafka.sent) == 20)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not finishing.done(), "Kafka has not acknowledged anything"
    kafka.acknowledge()
    await asyncio.wait_for(finishing, 5)
    assert kafka.values == values(20)
    assert publisher.held == 0


async def test_the_end_of_an_idle_publisher(publisher: Publisher) -> None:
    await asyncio.wait_for(publisher.finish(), 5)


async def test_records_put_while_it_runs(publisher: Publisher, kafka: Kafka) -> None:
    running = asyncio.create_task(publisher.run())
    for number, value in enumerate(values(50)):
        publisher.put(record(number + 1), value)
        if number % 7 == 0:
            await until(lambda number=number: len(kafka.sent) == number + 1)
            kafka.acknowledge()
    await until(lambda: len(kafka.sent) == 50)
    running.cancel()
    assert kafka.values == values(50)
