"""Puts command_gateway together: the fleet, the group that shares the commands, a consumer for each partition."""

import ipaddress

from command_gateway.consumer import GROUP, Consumer
from command_gateway.settings import Settings
from legbook.contracts.topics import COMMANDS, LEGS, RESULTS, STATUS
from legbook.runtime import fleet, http, kafka, logs, stop
from legbook.runtime.fleetfile import FleetFile
from legbook.runtime.membership import Membership
from legbook.runtime.settings import FleetSettings, KafkaSettings, load
from legbook.runtime.stop import CannotStartError


class Gateway:
    """The commands of our share of the fleet."""

    def __init__(self, settings: Settings, kafka_settings: KafkaSettings, pbxs: FleetFile) -> None:
        self._settings, self._kafka, self._fleet = settings, kafka_settings, pbxs
        self._membership: Membership[Consumer] = Membership(
            kafka_settings, GROUP, COMMANDS.name, self._consumer, settings.instance
        )
        self.health = http.Health(ready={"partitions": self._waiting})

    def _waiting(self) -> str | None:
        """A PBX that is down makes nobody unready: its commands fail at once, as they should."""
        if self._membership.waiting:
            return self._membership.waiting
        waiting = sorted(p for p, consumer in self._membership.holders.items() if not consumer.ready)
        return f"partitions {waiting} are not ours yet" if waiting else None

    def _consumer(self, partition: int) -> Consumer:
        return Consumer(
            self._settings,
            self._kafka,
            self._fleet,
            self._producer,
            (partition, self._partitions),
            self._membership.done,
            self._membership.confirmed,
        )

    def _fleet_changed(self) -> None:
        for consumer in self._membership.holders.values():
            consumer.fleet_changed()

    async def run(self) -> None:
        self._fleet.on_change(self._fleet_changed)
        self._fleet.watch()
        topics = (COMMANDS.name, COMMANDS.dlq, RESULTS.name, LEGS.name, STATUS.name)
        self._partitions = await kafka.partitions(self._kafka, *topics, group=GROUP)
        self._producer = kafka.producer(self._kafka)
        await self._producer.start()
        try:
            await self._membership.run()
        finally:
            await kafka.stop(self._producer)


def check_loopback(settings: KafkaSettings) -> None:
    """CannotStartError: commands are not signed yet, so only who is on this machine may publish them."""
    hosts = [server.strip().rpartition(":")[0] for server in settings.bootstrap_servers.split(",")]
    if foreign := [host for host in hosts if not _is_loopback(host.strip("[]"))]:
        raise CannotStartError(
            f"KAFKA_BOOTSTRAP_SERVERS: {foreign[0]} is not this machine; unsigned commands are taken from a Kafka on "
            f"loopback only, and this version knows no signed ones"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _run() -> None:
    settings, kafka_settings = load(Settings), load(KafkaSettings)
    logs.configure(settings.log_level)
    check_loopback(kafka_settings)
    gateway = Gateway(settings, kafka_settings, FleetFile(load(FleetSettings).fleet, fleet.gateway_login))
    async with http.serve(gateway.health, settings):
        await gateway.run()


def main() -> None:
    logs.configure()
    stop.run(_run())
