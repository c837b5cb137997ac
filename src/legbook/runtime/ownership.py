"""Who owns a partition: one transactional producer per partition, so that the broker itself refuses an old owner.

1 fence: start the producer `<group>-<partition>`; what an old owner has open is aborted and it is locked out.
2 read: the partition of a compacted topic to its end.  3 serve.
What only an owner may say is one transaction of that producer: committed means nobody had fenced us; any error
means not written, and not the owner any more.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("legbook.ownership")

# AssertionError: aiokafka's "Invalid state transition" after a fatal error
FAILURES: Final = (KafkaError, TimeoutError, AssertionError)
STOP: Final = 3.0


class LostError(Exception):
    """Fenced, or nobody can say: do nothing more in the name of this owner."""


@dataclass(slots=True)
class PartitionOwner:
    """`topic`: compacted, holds what owners state; `state`: its newest values, as read when acquiring."""

    settings: KafkaSettings
    group: str
    topic: str
    partition: int
    state: dict[bytes, bytes] = field(default_factory=dict)
    _producer: AIOKafkaProducer | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def acquire(self, patience: float = 30.0) -> None:
        """Fences and reads. KafkaError or TimeoutError: try again later."""
        await self.close()
        self._producer = kafka.producer(
            self.settings,
            transactional_id=f"{self.group}-{self.partition}",
            transaction_timeout_ms=15_000,  # an open transaction hides everything behind it
            request_timeout_ms=20_000,
        )
        async with asyncio.timeout(patience):
            await self._producer.start()
            self.state = await kafka.newest_values(self.settings, self.topic, self.partition)

    async def write(self, records: Sequence[Record], patience: float = 5.0) -> None:
        """One transaction. LostError: count it as not written, and act as not the owner."""
        if not records or self._producer is None:
            raise LostError(
                "nothing to write" if self._producer else "not acquired"
            )  # empty: never asks the broker
        try:
            async with self._one, asyncio.timeout(patience):
                await self._transaction(self._producer, records)
        except FAILURES as error:
            raise LostError(repr(error)) from error

    async def _transaction(self, producer: AIOKafkaProducer, records: Sequence[Record]) -> None:
        """By hand: `async with producer.transaction()` waits for its abort, for ever when the broker is away."""
        await producer.begin_transaction()
        sent: list[asyncio.Future[Any]] = []
        try:
            for r in records:
                sent.append(  # noqa: PERF401  # what was sent before an error must be known
                    await producer.send(
                        r.topic, r.value, key=r.key, partition=self.partition, headers=list(r.headers)
                    )
                )
            await asyncio.gather(*sent)  # commit_transaction() alone succeeds after a failed send
        except BaseException:
            for each in sent:
                each.add_done_callback(_seen)
            raise
        await producer.commit_transaction()

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(STOP):  # not wait_for: it can swallow a cancellation
                await producer.stop()
        except FAILURES as error:
            _log.debug("producer did not stop cleanly", partition=self.partition, why=repr(error))


def _seen(sent: "asyncio.Future[Any]") -> None:
    """The transaction has failed as a whole: asyncio need not complain of each part."""
    if not sent.cancelled():
        sent.exception()
