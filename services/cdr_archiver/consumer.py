"""Finished legs from Kafka into the table, at least once: insert, dead letters, and only then the commit.

A process may be killed at any point: what was not committed is read again, and inserted again changes nothing.
"""

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from cdr_archiver import metrics
from cdr_archiver.columns import OutOfRangeError, row
from cdr_archiver.settings import Settings
from cdr_archiver.table import Table
from legbook.contracts.codec import BadMessageError, decode_leg
from legbook.runtime import kafka
from legbook.runtime.dlq import Brake, BrakeError, dead_letter
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("cdr_archiver.consumer")
Record = ConsumerRecord[bytes, bytes]
Row = tuple[Any, ...]

# aiokafka leaves the group when nothing is fetched for this long; ClickHouse may well be away for longer.
_PATIENCE_MS: Final = 7 * 24 * 3_600_000
_LOOK_AGAIN_MS: Final = 60_000  # for a first record


def consumer_of(
    settings: KafkaSettings, group: str, topic: str, instance: str | None = None
) -> AIOKafkaConsumer:
    return kafka.consumer(
        settings, topic, group_id=group, group_instance_id=instance, max_poll_interval_ms=_PATIENCE_MS
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """A batch is a million objects, none of them garbage; the collector took a quarter of the time to find that out.

    It does not look at them until `gc.unfreeze`; at what is new it looks as soon as the batch is made.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _all(found: Mapping[TopicPartition, list[Record]]) -> list[Record]:
    return [record for records in found.values() for record in records]


class Archiver:
    """Batches of one consumer, one after the other."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        table: Table,
        settings: Settings,
        brake: Brake | None = None,
    ) -> None:
        self._consumer, self._producer, self._table, self._settings = consumer, producer, table, settings
        self._brake = brake or Brake()
        self._braked: BrakeError | None = None

    async def run(self) -> None:
        while True:
            first = await self._first()
            with _uncollected():
                batch = await self._fill(first)
                done, made = await self._rows(batch)
            await self._insert(made)
            await self._commit(done)
            if self._braked is not None:
                raise self._braked  # now that its dead letters are out and committed: the next process goes on behind
            metrics.WAITING.set(0)
            gc.unfreeze()

    async def _first(self) -> list[Record]:
        """However long it takes."""
        while not (found := await self._consumer.getmany(timeout_ms=_LOOK_AGAIN_MS, max_records=1)):
            pass
        return _all(found)

    async def _fill(self, batch: list[Record]) -> list[Record]:
        """Waits for others: until the batch is full or its time is over."""
        until = time.monotonic() + self._settings.batch_seconds
        while (room := self._settings.batch_legs - len(batch)) > 0 and (left := until - time.monotonic()) > 0:
            batch += _all(await self._consumer.getmany(timeout_ms=max(1, int(left * 1000)), max_records=room))
        metrics.WAITING.set(len(batch))
        return batch

    async def _rows(self, batch: Sequence[Record]) -> tuple[list[Record], list[tuple[Record, Row]]]:
        """What is done with, all of it or up to where the brake was pulled; and the rows that it makes."""
        done: list[Record] = []
        made: list[tuple[Record, Row]] = []
        for record in batch:
            if self._braked is not None:
                break
            done.append(record)
            if record.value is None:
                metrics.LEGS.labels("tombstone").inc()
                continue
            try:
                made.append((record, row(decode_leg(record.value))))
            except BadMessageError as error:
                await self._give_up(record, "unreadable", str(error))
            except OutOfRangeError as error:
                await self._give_up(record, "refused", f"refused: {error}")
        return done, made

    async def _insert(self, made: Sequence[tuple[Record, Row]]) -> None:
        async for part in self._table.insert([values for _, values in made]):
            if part.refused is None:
                metrics.LEGS.labels("archived").inc(part.end - part.begin)
                self._brake.good(part.end - part.begin)
            else:
                await self._give_up(made[part.begin][0], "refused", f"refused: {part.refused}")

    async def _give_up(self, record: Record, result: str, reason: str) -> None:
        """To the dead letters, as it came; pulls the brake when there are too many."""
        metrics.LEGS.labels(result).inc()
        _log.warning(result, partition=record.partition, offset=record.offset, reason=reason)
        letter = dead_letter(record, reason)
        await self._producer.send_and_wait(
            letter.topic,
            letter.value,
            key=letter.key,
            partition=record.partition,
            headers=list(letter.headers),
        )
        try:
            self._brake.bad(record.topic)
        except BrakeError as error:
            self._braked = error

    async def _commit(self, batch: Sequence[Record]) -> None:
        offsets = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in batch}
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:  # moved to another worker meanwhile
            metrics.LATE_COMMITS.inc()
            _log.warning("commit refused, these legs will be read again", why=str(error))
            return
        metrics.LAST_COMMIT.set_to_current_time()
        metrics.DELAY.observe(max(0.0, time.time() - min(record.timestamp for record in batch) / 1000))
