"""The right to read: an owner record with a new epoch, committed before the first connect.

One worker owns all partitions of its PBXs; sharing them over a group comes with several workers.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence

import structlog
from aiokafka.errors import KafkaError

from legbook.contracts import codec
from legbook.contracts.status import Owner
from legbook.contracts.topics import OWNERS, partition_of
from legbook.runtime.kafka import WAIT
from legbook.runtime.ownership import LostError, PartitionOwner, Record
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("ami_ingest")


class Owners:
    """The owner records of one partition."""

    def __init__(self, kafka: KafkaSettings, worker: str, partition: int) -> None:
        self._owner = PartitionOwner(kafka, "ami_ingest", OWNERS.name, partition)
        self._worker, self._process = worker, uuid.uuid4().hex
        self._records: dict[str, Owner] = {}

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

    async def boot_known(self, pbx: str, boot: int) -> None:
        """When Kafka allows: the log never waits for this."""
        owner = self._records[pbx]
        if owner.boot == boot:
            return
        self._records[pbx] = Owner(
            pbx=pbx, epoch=owner.epoch, worker=owner.worker, process=owner.process, boot=boot
        )
        try:
            await self._owner.write([_record(self._records[pbx])])
        except LostError as error:
            _log.warning("boot not recorded", pbx=pbx, why=str(error))

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
