"""Reads partitions from their beginning (or a moment, or now) and goes on: what a view in memory is made of.

No group: everybody who follows sees everything.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("legbook.kafka")
POLL: Final = 200  # ms
Put = Callable[["ConsumerRecord[Any, Any]"], None]
Offsets = Mapping[TopicPartition, int]


class Follower:
    """`put` gets every record, tombstones too; `caught_up` is set once all is read that was there at the start.

    `since`: from the first record that Kafka has with this timestamp or a later one.
    """

    def __init__(
        self, settings: KafkaSettings, put: Put, *, from_end: bool = False, since: datetime | None = None
    ) -> None:
        self._settings, self._put, self._from_end, self._since = settings, put, from_end, since
        self._next: dict[TopicPartition, int] = {}
        self.caught_up = asyncio.Event()

    async def run(self, topics: Collection[str], partitions: Sequence[int]) -> None:
        """Until cancelled. After trouble it goes on where it was: nothing is skipped, nothing comes twice."""
        targets = [TopicPartition(topic, p) for topic in topics for p in partitions]
        while True:
            reader = kafka.consumer(self._settings, fetch_max_wait_ms=100)
            try:
                await reader.start()
                reader.assign(targets)
                await self._read(reader, targets)
            except KafkaError as error:
                _log.warning("cannot follow", topics=list(topics), why=repr(error))
                await asyncio.sleep(kafka.WAIT)
            finally:
                await reader.stop()

    async def _read(self, reader: AIOKafkaConsumer, targets: list[TopicPartition]) -> None:
        ends = await reader.end_offsets(targets)
        starts = await reader.beginning_offsets(targets)
        wanted = await self._beginnings(reader, starts, ends)
        for target in targets:
            # compaction or retention may have passed where we were
            reader.seek(target, max(starts[target], self._next.setdefault(target, wanted[target])))
        behind = {target for target in targets if self._next[target] < ends[target]}
        while True:
            for target in list(behind):
                if await reader.position(target) >= ends[target]:  # it also passes transaction markers
                    behind.discard(target)
            if not behind:
                self.caught_up.set()
            for target, records in (await reader.getmany(timeout_ms=POLL)).items():
                for record in records:
                    self._put(record)
                self._next[target] = records[-1].offset + 1

    async def _beginnings(self, reader: AIOKafkaConsumer, starts: Offsets, ends: Offsets) -> Offsets:
        """Where to begin, for who has read nothing yet."""
        if self._since is None:
            return ends if self._from_end else starts
        since = max(0, int(self._since.timestamp() * 1000))
        asked = dict.fromkeys(ends, since)
        found = await reader.offsets_for_times(asked)
        return {target: ends[target] if at is None else at.offset for target, at in found.items()}
