"""`pbx|ingest` of the status topic: at each change, at most once a second, and every ten seconds anyhow."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaProducer

from ami_ingest.connection import Connection
from ami_ingest.sequence import Sequence
from legbook.contracts import codec
from legbook.contracts.status import IngestStatus
from legbook.contracts.topics import STATUS, partition_of
from legbook.runtime import kafka
from legbook.runtime.kafka import Record

LEAST: Final = 1.0
MOST: Final = 10.0


class Status:
    """Of one PBX."""

    def __init__(
        self, producer: AIOKafkaProducer, partitions: int, sequence: Sequence, connection: Connection
    ) -> None:
        self._producer, self._sequence, self._connection = producer, sequence, connection
        self._partition = partition_of(sequence.pbx, partitions)

    async def run(self) -> None:
        """Until cancelled. While Kafka is away one record waits, no more."""
        loop = asyncio.get_running_loop()
        told, at = None, 0.0
        while True:
            state = (self._connection.state, self._sequence.boot)
            if state != told or loop.time() - at >= MOST:
                told, at = state, loop.time()
                await self.send()
            await asyncio.sleep(LEAST)

    async def send(self, *, removed: bool = False) -> None:
        """`removed`: the PBX has left the fleet, nobody need look for its status."""
        pbx, state = self._sequence.pbx, self._connection.state
        status = IngestStatus(
            pbx=pbx,
            epoch=self._sequence.epoch,
            at=datetime.now(UTC),
            state="up" if state.up else "down",
            reason=state.reason,
            since=state.since,
            ami=state.ami,
            asterisk=state.asterisk,
            boot=self._sequence.boot,
            last_gap=state.last_gap,
        )
        headers = [("schema", b"IngestStatus/1"), ("pbx", pbx.encode())]
        value = None if removed else codec.encode(status)
        record = Record(STATUS.name, f"{pbx}|ingest".encode(), value, headers)
        await kafka.deliver(self._producer, record, self._partition)
