"""Ties work to the partitions of a consumer group: who is a member, what moved, what to do after a loss.

1. A holder works for each assigned partition; a rebalance (aiokafka's are eager: it revokes everything) disturbs
   only the partitions that move.
2. One holder per partition: the next one starts when the old one has ended, or a process fences itself.
3. Never fence a successor: who lost a partition acquires it again only after a commit that the coordinator has
   accepted, outside a rebalance (`confirmed`).
4. Nothing is committed between revoked and assigned.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError

from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("legbook.membership")
SESSION: Final = 6_000  # ms; a third of it would be the shortest takeover
POLL: Final = 200  # ms; without polls aiokafka leaves the group
MOST: Final = 500  # records at once
COMMIT: Final = 1.0  # seconds
STOP: Final = 3.0


class Holder(Protocol):
    """What works for one partition while it is ours."""

    async def run(self) -> None:
        """Until cancelled; what it raises ends the process."""

    def kept(self) -> None:
        """A rebalance left us the partition: others may have had it in between."""

    def take(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """From the group's topic, in order. Never waits."""

    @property
    def full(self) -> bool:
        """It has enough for now."""


_H = TypeVar("_H", bound=Holder)


class Membership(ConsumerRebalanceListener, Generic[_H]):
    """`group` consumes `topic`; `hold` makes the holder of a partition."""

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        topic: str,
        hold: Callable[[int], _H],
        instance: str | None = None,
    ) -> None:
        self._settings, self._group, self._topic, self._hold = settings, group, topic, hold
        self._instance = instance
        self.holders: dict[int, _H] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._done: dict[int, int] = {}  # partition -> the offset from which its next owner must read
        self._given: dict[TopicPartition, int] = {}  # the offset behind what the holder has
        self._rebalancing = True
        self._group_of_tasks: asyncio.TaskGroup

    @property
    def waiting(self) -> str | None:
        """For /readyz."""
        return "no assignment yet" if self._rebalancing else None

    async def run(self) -> None:
        """Until cancelled. The holders end before the membership does."""
        self._consumer = await self._join()
        try:
            async with asyncio.TaskGroup() as self._group_of_tasks:
                await self._poll()
        finally:
            await self._leave()

    async def _join(self) -> AIOKafkaConsumer:
        while True:
            consumer = kafka.consumer(
                self._settings,
                group_id=self._group,
                group_instance_id=self._instance,
                session_timeout_ms=SESSION,
                heartbeat_interval_ms=SESSION // 4,
                rebalance_timeout_ms=SESSION,
                partition_assignment_strategy=[StickyPartitionAssignor],
            )
            try:
                await consumer.start()
            except KafkaError as error:
                _log.warning("waiting for Kafka", servers=self._settings.bootstrap_servers, why=repr(error))
                await consumer.stop()
                await asyncio.sleep(kafka.WAIT)
            else:
                consumer.subscribe([self._topic], listener=self)
                return consumer

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(STOP):
                await self._consumer.stop()
        except (TimeoutError, KafkaError) as error:
            _log.debug("did not leave the group cleanly", why=repr(error))

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        committed = loop.time()
        while True:
            try:
                try:
                    fetched = await self._consumer.getmany(timeout_ms=POLL, max_records=MOST)
                except UnicodeDecodeError:
                    await self._step_over()
                    continue
                for tp, records in fetched.items():
                    self._got(tp, records)
                self._hold_back()
                if loop.time() - committed >= COMMIT:
                    committed = loop.time()
                    await self._commit()
            except KafkaError as error:
                _log.warning("poll", group=self._group, why=repr(error))
                await asyncio.sleep(POLL / 1000)

    async def _step_over(self) -> None:
        """A header name that is no UTF-8: aiokafka raises in the middle of a fetch, and what it had is gone.

        So every partition goes back to what was given, and is read alone, record by record, until it raises.
        """
        for target in sorted(self._consumer.assignment()):
            if target in self._given:
                self._consumer.seek(target, self._given[target])
            elif (committed := await self._consumer.committed(target)) is not None:
                self._consumer.seek(target, committed)
            else:
                self._consumer.seek(target, (await self._consumer.beginning_offsets([target]))[target])
        for target in sorted(self._consumer.assignment()):
            await self._read_alone(target)

    async def _read_alone(self, target: TopicPartition) -> None:
        """Up to the record that cannot be read, and past it; or until nothing more is there."""
        while True:
            offset = await self._consumer.position(target)
            try:
                fetched = await self._consumer.getmany(target, timeout_ms=POLL, max_records=1)
            except UnicodeDecodeError as error:
                place = {"topic": target.topic, "partition": target.partition, "offset": offset}
                _log.error("unreadable record, stepped over", **place, why=str(error))  # no traceback
                self._consumer.seek(target, offset + 1)
                self._given[target] = offset + 1
                continue  # what is compressed with it raises too
            if not fetched:
                return
            for records in fetched.values():
                self._got(target, records)

    def _got(self, target: TopicPartition, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        self._given[target] = records[-1].offset + 1
        holder = self.holders.get(target.partition)
        if holder is not None:
            self._done.setdefault(target.partition, records[0].offset)
            holder.take(records)

    def _hold_back(self) -> None:
        """Who is full gets no more; polling goes on, or we would leave the group."""
        for partition, holder in self.holders.items():
            target = TopicPartition(self._topic, partition)
            if target not in self._consumer.assignment():
                continue  # a rebalance is under way
            if holder.full:
                self._consumer.pause(target)
            else:
                self._consumer.resume(target)

    def done(self, partition: int, offset: int) -> None:
        """Everything below this offset needs no further reading."""
        if partition in self.holders:
            self._done[partition] = offset

    async def _commit(self) -> None:
        if not self._rebalancing and self._done:
            await self._consumer.commit({TopicPartition(self._topic, p): o for p, o in self._done.items()})

    async def confirmed(self) -> None:
        """Returns when the coordinator has just said that we are a member, with the assignment that we know."""
        while True:
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311  # not all partitions at once
            if self._rebalancing:
                continue
            try:
                await self._consumer.commit(await self._positions())
            except (KafkaError, IllegalStateError) as error:
                _log.debug("not confirmed", group=self._group, why=repr(error))
            else:
                return

    async def _positions(self) -> dict[TopicPartition, int]:
        found = {}
        for partition in list(self.holders):
            target = TopicPartition(self._topic, partition)
            known = self._done.get(partition)
            found[target] = await self._consumer.position(target) if known is None else known
        return found

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # noqa: ARG002  # aiokafka's names
        """Everything is kept until the new assignment is known."""
        self._rebalancing = True

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        # aiokafka never tells its own assignor
        StickyPartitionAssignor.on_generation_assignment(self._consumer._coordinator.generation)  # noqa: SLF001
        partitions = {tp.partition for tp in assigned}
        for partition in self.holders.keys() - partitions:
            del self.holders[partition]
            self._done.pop(partition, None)
            self._tasks[partition].cancel()
        for partition in sorted(partitions):
            if partition in self.holders:
                self.holders[partition].kept()
            else:
                self._start(partition)
        self._given.clear()  # reading begins again at what was committed
        self._rebalancing = False
        _log.info("assigned", group=self._group, partitions=sorted(partitions))

    def _start(self, partition: int) -> None:
        holder, old = self._hold(partition), self._tasks.get(partition)
        self.holders[partition] = holder
        # in a task of its own: heartbeats are off in the callback
        self._tasks[partition] = self._group_of_tasks.create_task(_after(old, holder.run()))


async def _after(old: "asyncio.Task[None] | None", work: Coroutine[Any, Any, None]) -> None:
    try:
        if old is not None:
            await asyncio.wait([old])
        await work
    finally:
        work.close()
