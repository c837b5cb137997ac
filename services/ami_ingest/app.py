"""Puts ami_ingest together: owner records, then one connection, sequence and publisher for each PBX."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaProducer

from ami_ingest import metrics
from ami_ingest.connection import Connection
from ami_ingest.owners import Owners, by_partition
from ami_ingest.publisher import Publisher
from ami_ingest.sequence import Sequence as Entries
from ami_ingest.settings import Settings
from legbook.contracts.status import Owner
from legbook.contracts.topics import OWNERS, RAW
from legbook.runtime import fleet, http, kafka, logs, stop
from legbook.runtime.fleet import Pbx
from legbook.runtime.settings import FleetSettings, KafkaSettings, load

_log = structlog.get_logger("ami_ingest")
DRAIN = 5.0  # seconds that Kafka has for the last records


class Ingest:
    """All PBXs of the fleet, read by this worker."""

    def __init__(self, settings: Settings, kafka_settings: KafkaSettings, pbxs: Mapping[str, Pbx]) -> None:
        self._settings, self._kafka, self._pbxs = settings, kafka_settings, pbxs
        self._logins = {name: fleet.ingest_login(name, pbx) for name, pbx in pbxs.items()}
        self._connections: list[Connection] = []
        self._publishers: list[Publisher] = []
        self.health = http.Health(ready={"pbxs": self._waiting})

    def _waiting(self) -> str | None:
        up = sum(connection.up for connection in self._connections)
        return None if up == len(self._pbxs) else f"{up} of {len(self._pbxs)} PBXs connected"

    async def run(self) -> None:
        count = await kafka.partitions(self._kafka, RAW.name, OWNERS.name)
        producer = kafka.producer(self._kafka, max_request_size=4 << 20)
        await producer.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for partition, names in by_partition(list(self._pbxs), count).items():
                    owners = Owners(self._kafka, self._settings.worker, partition)
                    tasks.create_task(self._own(owners, names, count, producer))
        finally:
            await self._last_words(producer)

    async def _own(
        self, owners: Owners, names: Sequence[str], count: int, producer: AIOKafkaProducer
    ) -> None:
        try:
            taken = await owners.take(names)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(owners.run())
                for name, owner in taken.items():
                    publisher = Publisher(producer, name, count, self._settings.buffer_bytes)
                    connection = self._connection(name, owner, owners, publisher)
                    self._publishers.append(publisher)
                    self._connections.append(connection)
                    tasks.create_task(publisher.run())
                    tasks.create_task(connection.run())
        finally:
            await owners.close()

    def _connection(self, name: str, owner: Owner, owners: Owners, publisher: Publisher) -> Connection:
        metrics.EPOCH.labels(name).set(owner.epoch)
        entries = Entries(name, owner.epoch, publisher.put)
        entries.start_boot(owner.boot)

        def boot_known(boot: int) -> None:
            owners.boot_known(name, boot)

        return Connection(self._pbxs[name], self._logins[name], entries, self._settings, boot_known)

    async def _last_words(self, producer: AIOKafkaProducer) -> None:
        """What was read goes out, if Kafka takes it in time."""
        for connection in self._connections:
            await connection.stop()
        try:
            async with asyncio.timeout(DRAIN), asyncio.TaskGroup() as tasks:
                for publisher in self._publishers:
                    tasks.create_task(publisher.finish())
        except TimeoutError:
            _log.warning("stopped before Kafka took everything", bytes=sum(p.held for p in self._publishers))
        finally:
            await self._stop(producer)

    async def _stop(self, producer: AIOKafkaProducer) -> None:
        """Waits for what it has accepted, for ever when Kafka is away: not for so long."""
        try:
            async with asyncio.timeout(DRAIN):
                await producer.stop()
        except TimeoutError:
            _log.debug("producer did not stop cleanly")


async def _run() -> None:
    settings, kafka_settings = load(Settings), load(KafkaSettings)
    logs.configure(settings.log_level)
    ingest = Ingest(settings, kafka_settings, fleet.load(load(FleetSettings).fleet))
    async with http.serve(ingest.health, settings):
        await ingest.run()


def main() -> None:
    logs.configure()
    stop.run(_run())
