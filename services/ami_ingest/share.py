"""The PBXs of one partition while it is ours: claims them, reads them, and claims again what was lost.

A loss (Kafka was away, somebody fenced us) takes no link: a link ends when the assignment takes the PBX away, or when
a newer owner record is read.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from ami_ingest import metrics, owners
from ami_ingest.reading import Place, Reading
from ami_ingest.settings import Settings
from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.status import Owner, ProjectorStatus
from legbook.contracts.topics import OWNERS, STATUS, partition_of
from legbook.runtime.fleetfile import FleetFile
from legbook.runtime.follow import Follower
from legbook.runtime.ownership import LostError, PartitionOwner
from legbook.runtime.settings import KafkaSettings
from legbook.runtime.stop import CannotStartError

_log = structlog.get_logger("ami_ingest")
GROUP: Final = "ami_ingest"
_T = TypeVar("_T")


class Share:
    """A `membership.Holder`. `confirmed` waits until we are a member for sure."""

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: Settings,
        fleet: FleetFile,
        producer: AIOKafkaProducer,
        where: tuple[int, int],
        process: str,
        confirmed: Callable[[], Awaitable[None]],
    ) -> None:
        self._kafka, self._settings, self._fleet, self._producer = kafka, settings, fleet, producer
        self._partition, self._partitions = where
        self._process, self._confirmed = process, confirmed
        self._owner = PartitionOwner(kafka, GROUP, OWNERS.name, self._partition)
        self._claims: dict[str, Owner] = {}  # as committed
        self._boots: dict[str, int] = {}
        self.readings: dict[str, Reading] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._restate = False
        self._overtaken: Owner | None = None
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Until cancelled."""
        follower = Follower(self._kafka, self._hear)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(follower.run([STATUS.name], [self._partition]))
                while True:
                    await self._own()
                    await self._confirmed()
        finally:
            await self._owner.close()

    def wanted(self) -> dict[str, Place]:
        """The PBXs of the fleet file that belong to this partition."""
        return {
            name: Place(pbx, self._fleet.logins[name])
            for name, pbx in self._fleet.pbxs.items()
            if partition_of(name, self._partitions) == self._partition
        }

    def fleet_changed(self) -> None:
        self._news.set()

    def kept(self) -> None:
        self._restate = True
        self._news.set()

    @property
    def full(self) -> bool:
        """Owner records are few."""
        return False

    def take(self, records: Sequence["ConsumerRecord[bytes, bytes]"]) -> None:
        """Owner records. CannotStartError: a newer process has our name."""
        for each in records:
            owner = _read(codec.decode_owner, each)
            ours = self._claims.get(owner.pbx) if owner else None
            if owner and ours and owner.process != self._process and owner.epoch > ours.epoch:
                self._yield_to(owner)

    def _yield_to(self, owner: Owner) -> None:
        if self._settings.instance is not None and owner.worker == self._settings.instance:
            raise CannotStartError(
                f"AMI_INGEST_INSTANCE {owner.worker!r} is used twice: another process claimed {owner.pbx} after us"
            )
        self._overtaken = owner
        if owner.pbx in self._running:
            self._running[owner.pbx].cancel()
        self._news.set()

    def _hear(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """The projector doubts its state: it gets a snapshot."""
        status = _read(codec.decode_status, record)
        if isinstance(status, ProjectorStatus) and status.suspect_since and status.pbx in self.readings:
            self.readings[status.pbx].connection.snapshots.ask(status.suspect_since)

    async def _own(self) -> None:
        """Until we are not the owner any more, as far as we know."""
        try:
            await self._owner.acquire()
            self._restate, self._overtaken = True, None
            while True:
                self._news.clear()
                wanted = self.wanted()  # of this turn: a change in the middle of it is the next one's
                await self._claim(wanted)
                await self._settle(wanted)
                await self._news.wait()
                self._check_overtaken()
        except (KafkaError, TimeoutError, LostError) as error:
            _log.warning("not the owner", partition=self._partition, why=repr(error))

    def _check_overtaken(self) -> None:
        if self._overtaken is not None:
            raise LostError(f"{self._overtaken.worker} has claimed {self._overtaken.pbx}")

    async def _claim(self, wanted: Mapping[str, Place]) -> None:
        """States what is new, and everything after a rebalance: committed, it proves that nobody came between."""
        known = owners.newest(owners.known(self._owner.state), self._claims)
        stamp = (int(time.time()), self._settings.worker, self._process)
        claimed = owners.claims(wanted, known, self._standing(wanted), stamp)
        told = {} if self._restate else self._claims
        if new := [owner for name, owner in claimed.items() if told.get(name) != owner]:
            stated = [owners.record(owner) for owner in new]
            await self._owner.write(stated)
            # also of a PBX that leaves the fleet and comes back within the second
            self._owner.state.update((each.key, each.value) for each in stated if each.value is not None)
        self._claims, self._restate = claimed, False

    def _standing(self, wanted: Mapping[str, Place]) -> dict[str, Owner]:
        """Our claims, with the boots seen since; not those of a PBX that is somewhere else now."""
        return {
            name: replace(owner, boot=self._boots.get(name, owner.boot))
            for name, owner in self._claims.items()
            if name not in self.readings or self.readings[name].place == wanted.get(name)
        }

    async def _settle(self, wanted: Mapping[str, Place]) -> None:
        """Reads what is claimed, and nothing else."""
        for name, reading in list(self.readings.items()):
            claim = self._claims.get(name)
            if claim is None or claim.epoch != reading.owner.epoch:
                reading.last_word = "stopped" if name in wanted else "removed"
                self._running[name].cancel()
                await asyncio.wait([self._running.pop(name)])
                metrics.CONNECTED.remove(name)  # a PBX that is somebody else's, or nobody's, is not down
                del self.readings[name]
        for name in self._claims.keys() - self.readings.keys():
            self._start(name, wanted[name])

    def _start(self, name: str, place: Place) -> None:
        def boot_known(boot: int) -> None:
            """Goes into the owner record when Kafka allows: the log never waits for this."""
            claim = self._claims.get(name)
            if claim is not None and claim.boot != boot:
                self._boots[name] = boot
                self._news.set()

        self._boots.pop(name, None)
        reading = Reading(
            self._producer, self._partitions, place, self._claims[name], self._settings, boot_known
        )
        self.readings[name] = reading
        self._running[name] = self._tasks.create_task(reading.run())


def _read(decode: Callable[[bytes], _T], record: "ConsumerRecord[bytes, bytes]") -> _T | None:
    """None for a tombstone, and for what nobody of ours has written."""
    try:
        return None if record.value is None else decode(record.value)
    except BadMessageError as error:
        _log.warning("unreadable", topic=record.topic, offset=record.offset, why=str(error))
        return None
