"""The right to read: an owner record with a new epoch, committed before the first connect.

One worker owns all partitions of its PBXs; sharing them over a group comes with several workers.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.status import Owner
from legbook.contracts.topics import OWNERS, partition_of
from legbook.runtime import kafka
from legbook.runtime.kafka import WAIT
from legbook.runtime.ownership import LostError, PartitionOwner, Record
from legbook.runtime.settings import KafkaSettings
from legbook.runtime.stop import FatalError

PATIENCE: Final = 20.0  # seconds
_log = structlog.get_logger("ami_ingest")


class Owners:
    """The owner records of one partition."""

    def __init__(self, settings: KafkaSettings, worker: str, partition: int) -> None:
        self._settings = settings
        self._owner = PartitionOwner(settings, "ami_ingest", OWNERS.name, partition)
        self._worker, self._process = worker, uuid.uuid4().hex
        self._records: dict[str, Owner] = {}
        self._news = asyncio.Event()

    async def take(self, pbxs: Sequence[str]) -> dict[str, Owner]:
        """New epochs for these PBXs, with the boot that was last known. Waits for Kafka, and says so."""
        while True:
            try:
                await self._owner.acquire()
                self._records = {pbx: self._next(pbx) for pbx in pbxs}
                await self._owner.write([_record(owner) for owner in self._records.values()])
            except (KafkaError, TimeoutError, LostError) as error:
                _log.warning("waiting to own", pbxs=list(pbxs), why=repr(error))
                await asyncio.sleep(WAIT)
            else:
                return dict(self._records)

    def _next(self, pbx: str) -> Owner:
        found = self._owner.state.get(pbx.encode())
        before = codec.decode_owner(found) if found is not None else None
        epoch = max(int(time.time()), before.epoch + 1 if before else 0)
        boot = before.boot if before else None
        return Owner(pbx=pbx, epoch=epoch, worker=self._worker, process=self._process, boot=boot)

    def boot_known(self, pbx: str, boot: int) -> None:
        """Goes into the owner record when Kafka allows: the log never waits for this."""
        if self._records[pbx].boot != boot:
            self._records[pbx] = replace(self._records[pbx], boot=boot)
            self._news.set()

    async def run(self) -> None:
        """Records boots until cancelled. FatalError when a newer epoch says that somebody else reads our PBXs."""
        while True:
            await self._news.wait()
            self._news.clear()
            while not await self._record():  # noqa: ASYNC110  # a broker that is away rings no bell
                await asyncio.sleep(WAIT)

    async def _record(self) -> bool:
        try:
            await self._owner.write([_record(owner) for owner in self._records.values()])
        except LostError as error:
            _log.warning("boots not recorded yet", why=str(error))
            await self._acquire_again()
            return False
        return True

    async def _acquire_again(self) -> None:
        """Looks before it fences: a successor must not be disturbed."""
        try:
            async with asyncio.timeout(PATIENCE):
                there = await kafka.newest_values(self._settings, OWNERS.name, self._owner.partition)
            for owner in map(codec.decode_owner, there.values()):
                ours = self._records.get(owner.pbx)
                if ours is not None and owner.epoch > ours.epoch:
                    raise FatalError(f"{owner.pbx} is read by worker {owner.worker} now, epoch {owner.epoch}")
            await self._owner.acquire()
        except (KafkaError, TimeoutError) as error:
            _log.warning("Kafka is away", why=repr(error))

    async def close(self) -> None:
        await self._owner.close()


def _record(owner: Owner) -> Record:
    headers = [("schema", b"Owner/1"), ("pbx", owner.pbx.encode())]
    return Record(OWNERS.name, owner.pbx.encode(), codec.encode(owner), headers)


def by_partition(pbxs: Sequence[str], partitions: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for pbx in pbxs:
        found.setdefault(partition_of(pbx, partitions), []).append(pbx)
    return found
