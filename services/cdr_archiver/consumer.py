"""Finished legs from Kafka into the table, at least once: insert, dead letters, and only then the commit.

A process may be killed at any point: what was not committed is read again, and inserted again changes nothing.
"""

import time
from collections.abc import Sequence
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

# aiokafka leaves the group when nothing is fetched for this long; ClickHouse may well be away for longer.
_PATIENCE_MS: Final = 7 * 24 * 3_600_000


def consumer_of(
    settings: KafkaSettings, group: str, topic: str, instance: str | None = None
) -> AIOKafkaConsumer:
    return kafka.consumer(
        settings, topic, group_id=group, group_instance_id=instance, max_poll_interval_ms=_PATIENCE_MS
    )


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
            batch = await self._collect()
            metrics.WAITING.set(len(batch))
            await self._commit(await self._archive(batch))
            if self._braked is not None:
                raise self._braked  # now that its dead letters are out and committed: the next process goes on behind
            metrics.WAITING.set(0)

    async def _collect(self) -> list[Record]:
        """Waits for a first record, then for others: until the batch is full or its time is over."""
        batch: list[Record] = []
        until = time.monotonic() + self._settings.batch_seconds
        while (room := self._settings.batch_legs - len(batch)) > 0:
            left = until - time.monotonic()
            if batch and left <= 0:
                break
            found = await self._consumer.getmany(timeout_ms=max(1, int(left * 1000)), max_records=room)
            if not batch:
                until = time.monotonic() + self._settings.batch_seconds
            batch.extend(record for records in found.values() for record in records)
        return batch

    async def _archive(self, batch: Sequence[Record]) -> list[Record]:
        """Gives what is done with: all of it, or up to where the brake was pulled."""
        sources: list[Record] = []
        rows: list[tuple[Any, ...]] = []
        done: list[Record] = []
        for record in batch:
            if self._braked is not None:
                break
            done.append(record)
            if record.value is None:
                metrics.LEGS.labels("tombstone").inc()
                continue
            try:
                rows.append(row(decode_leg(record.value)))
                sources.append(record)
            except BadMessageError as error:
                await self._give_up(record, "unreadable", str(error))
            except OutOfRangeError as error:
                await self._give_up(record, "refused", f"refused: {error}")
        async for part in self._table.insert(rows):
            if part.refused is None:
                metrics.LEGS.labels("archived").inc(part.end - part.begin)
                self._brake.good(part.end - part.begin)
            else:
                await self._give_up(sources[part.begin], "refused", f"refused: {part.refused}")
        return done

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
