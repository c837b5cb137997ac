"""Records of one PBX to Kafka, in order, without ever making the AMI socket wait.

The idempotent producer keeps order and never gives up what it has accepted; what it cannot take yet waits here,
up to a limit in bytes.
"""

import asyncio
from collections import deque
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ami_ingest import metrics
from legbook.contracts.raw import RawRecord
from legbook.contracts.topics import RAW, partition_of
from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from legbook.runtime.stop import FatalError


class _Waiting(NamedTuple):
    value: bytes
    headers: list[tuple[str, bytes]]
    entries: int


class Publisher:
    """Of one PBX. `put` is called from the socket's callback and never waits."""

    def __init__(self, producer: AIOKafkaProducer, pbx: str, partitions: int, limit: int) -> None:
        self._producer, self._pbx, self._limit = producer, pbx, limit
        self._key: Final = pbx.encode()
        self._partition: Final = partition_of(pbx, partitions)
        self._queue: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.held = 0  # bytes that Kafka has not acknowledged
        self._failed: BaseException | None = None

    def put(self, record: RawRecord, value: bytes) -> bool:
        """False when the buffer is full: the record is not taken."""
        if self.held + len(value) > self._limit:
            return False
        first, last = record.entries[0].seq, record.entries[-1].seq
        facts = {"epoch": record.epoch, "first_seq": first, "last_seq": last, "n": len(record.entries)}
        headers = [("schema", b"RawRecord/1"), ("pbx", self._key)]
        headers += [(name, str(number).encode()) for name, number in facts.items()]
        self._queue.append(_Waiting(value, headers, len(record.entries)))
        self._account(len(value))
        self._news.set()
        return True

    async def run(self) -> None:
        """Hands records on, one after the other; FatalError for what no retry cures."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._hand_all_on()
            if self._failed is not None:
                raise _refused(self._failed)

    async def _hand_all_on(self) -> None:
        while self._queue:
            await self._hand_on(self._queue[0])
            self._queue.popleft()

    async def _hand_on(self, waiting: _Waiting) -> None:
        record = Record(RAW.name, self._key, waiting.value, waiting.headers)
        try:
            sent = await kafka.accepted(self._producer, record, self._partition)
        except KafkaError as error:
            raise _refused(error) from error
        sent.add_done_callback(lambda done: self._sent(waiting, done))

    def _sent(self, waiting: _Waiting, done: "asyncio.Future[Any]") -> None:
        self._account(-len(waiting.value))
        if done.cancelled() or (error := done.exception()) is not None:
            self._failed = asyncio.CancelledError() if done.cancelled() else error
            self._news.set()
        else:
            metrics.PUBLISHED.labels(self._pbx).inc(waiting.entries)

    def _account(self, size: int) -> None:
        self.held += size
        metrics.BUFFERED.labels(self._pbx).set(self.held)
        if self.held:
            self._idle.clear()
        else:
            self._idle.set()

    async def finish(self) -> None:
        """After `run` was cancelled: waits until Kafka has everything."""
        await self._hand_all_on()
        await self._idle.wait()


def _refused(error: BaseException) -> FatalError:
    return FatalError(f"Kafka refused a record of {RAW.name}: {error!r}")
