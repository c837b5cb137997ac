"""One PBX, read under one epoch: connection, sequence and publisher, and what is told of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer

from ami_ingest import metrics
from ami_ingest.connection import Connection
from ami_ingest.publisher import Publisher
from ami_ingest.sequence import Sequence
from ami_ingest.settings import Settings
from ami_ingest.status import Status
from legbook.contracts.raw import Down
from legbook.contracts.status import Owner
from legbook.runtime.fleet import Pbx

_log = structlog.get_logger("ami_ingest")
DRAIN: Final = 5.0  # seconds that Kafka has for the last records


@dataclass(frozen=True, slots=True)
class Place:
    """Where a PBX is and how to log in there."""

    pbx: Pbx
    login: tuple[str, str]


class Reading:
    """`boot_known` is told each boot, for the owner record."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        partitions: int,
        place: Place,
        owner: Owner,
        settings: Settings,
        boot_known: Callable[[int], None],
    ) -> None:
        self.place, self.owner = place, owner
        self._publisher = Publisher(producer, owner.pbx, partitions, settings.buffer_bytes)
        sequence = Sequence(owner.pbx, owner.epoch, self._publisher.put)
        sequence.start_boot(owner.boot)
        self.connection = Connection(place.pbx, place.login, sequence, settings, boot_known)
        self._status = Status(producer, partitions, sequence, self.connection)
        self.last_word: Down = "stopped"
        metrics.EPOCH.labels(owner.pbx).set(owner.epoch)

    async def run(self) -> None:
        """Until cancelled; what was read goes out, if Kafka takes it in time."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._publisher.run())
                tasks.create_task(self.connection.run())
                tasks.create_task(self._status.run())
        finally:
            self.connection.stop(self.last_word)
            await self._drain()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                await self._publisher.finish()
                await self._status.send(removed=self.last_word == "removed")
        except TimeoutError:
            _log.warning(
                "stopped before Kafka took everything", pbx=self.owner.pbx, bytes=self._publisher.held
            )
