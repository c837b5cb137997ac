"""The connections to the PBXs of one partition: as many as the fleet file says, each as it says."""

import asyncio
from collections.abc import Iterator, Mapping

from command_gateway import metrics
from command_gateway.connection import Connection
from command_gateway.settings import Settings
from legbook.contracts.topics import partition_of
from legbook.runtime.fleetfile import FleetFile


class Connections(Mapping[str, Connection]):
    """By name of the PBX. `where`: (partition, number of partitions)."""

    def __init__(self, settings: Settings, fleet: FleetFile, where: tuple[int, int]) -> None:
        self._settings, self._fleet = settings, fleet
        self._partition, self._partitions = where
        self._known: dict[str, Connection] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def __getitem__(self, name: str) -> Connection:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def follow_fleet(self, tasks: asyncio.TaskGroup) -> None:
        """Connects what is new or somewhere else, leaves what is gone."""
        wanted = {
            name: (pbx, self._fleet.logins[name])
            for name, pbx in self._fleet.pbxs.items()
            if partition_of(name, self._partitions) == self._partition
        }
        for name, connection in list(self._known.items()):
            if wanted.get(name) != connection.place:
                ending = self._running.pop(name)
                ending.cancel()
                del self._known[name]
                if name not in wanted:  # it is not down: it is somebody else's, or nobody's
                    ending.add_done_callback(lambda _, name=name: metrics.CONNECTED.remove(name))  # type: ignore[misc]
        for name in wanted.keys() - self._known.keys():
            self._known[name] = Connection(name, *wanted[name], self._settings)
            self._running[name] = tasks.create_task(self._known[name].run())
