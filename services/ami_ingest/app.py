"""Puts ami_ingest together: the fleet, the group that shares it, a share for each partition."""

import uuid

from ami_ingest.settings import Settings
from ami_ingest.share import GROUP, Share
from legbook.contracts.topics import OWNERS, RAW, STATUS
from legbook.runtime import fleet, http, kafka, logs, stop
from legbook.runtime.fleetfile import FleetFile
from legbook.runtime.membership import Membership
from legbook.runtime.settings import FleetSettings, KafkaSettings, load


class Ingest:
    """The PBXs of our share of the fleet."""

    def __init__(self, settings: Settings, kafka_settings: KafkaSettings, pbxs: FleetFile) -> None:
        self._settings, self._kafka, self._fleet = settings, kafka_settings, pbxs
        self._process = uuid.uuid4().hex
        self._membership: Membership[Share] = Membership(
            kafka_settings, GROUP, OWNERS.name, self._share, settings.instance
        )
        self.health = http.Health(ready={"pbxs": self._waiting})

    def _waiting(self) -> str | None:
        if self._membership.waiting:
            return self._membership.waiting
        shares = self._membership.holders.values()
        wanted = sum(len(share.wanted()) for share in shares)
        up = sum(reading.connection.up for share in shares for reading in share.readings.values())
        return None if up == wanted else f"{up} of {wanted} PBXs connected"

    def _share(self, partition: int) -> Share:
        where = (partition, self._partitions)
        confirmed = self._membership.confirmed
        return Share(
            self._kafka, self._settings, self._fleet, self._producer, where, self._process, confirmed
        )

    def _fleet_changed(self) -> None:
        for share in self._membership.holders.values():
            share.fleet_changed()

    async def run(self) -> None:
        self._fleet.on_change(self._fleet_changed)
        self._fleet.watch()
        self._partitions = await kafka.partitions(
            self._kafka, OWNERS.name, RAW.name, STATUS.name, group=GROUP
        )
        self._producer = kafka.producer(self._kafka, max_request_size=4 << 20)
        await self._producer.start()
        try:
            await self._membership.run()
        finally:
            await kafka.stop(self._producer)


async def _run() -> None:
    settings, kafka_settings = load(Settings), load(KafkaSettings)
    logs.configure(settings.log_level)
    ingest = Ingest(settings, kafka_settings, FleetFile(load(FleetSettings).fleet, fleet.ingest_login))
    async with http.serve(ingest.health, settings):
        await ingest.run()


def main() -> None:
    logs.configure()
    stop.run(_run())
