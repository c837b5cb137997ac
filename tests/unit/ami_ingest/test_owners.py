"""Owner records: a boot is recorded when Kafka allows, and never against a newer owner."""

import asyncio
from typing import Any

import pytest

from ami_ingest import owners
from ami_ingest.owners import Owners
from legbook.contracts import codec
from legbook.contracts.status import Owner
from legbook.runtime import kafka
from legbook.runtime.ownership import LostError
from legbook.runtime.settings import KafkaSettings
from legbook.runtime.stop import FatalError

RECORD = Owner(pbx="hq", epoch=5, worker="w", process="p")


class Lease:
    """Stands for the partition's owner; away at first."""

    partition = 0

    def __init__(self) -> None:
        self.away, self.acquired = True, 0
        self.written: list[Any] = []

    async def acquire(self) -> None:
        self.acquired += 1
        self.away = False

    async def write(self, records: list[Any], patience: float = 5.0) -> None:
        if self.away:
            raise LostError("Kafka is away")
        self.written += records


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, bytes]:
    """What the owners topic holds."""
    found: dict[bytes, bytes] = {}

    async def newest_values(*_: object) -> dict[bytes, bytes]:
        return found

    monkeypatch.setattr(kafka, "newest_values", newest_values)
    monkeypatch.setattr(owners, "WAIT", 0.0)
    return found


def _owning() -> tuple[Owners, Lease]:
    found, lease = Owners(KafkaSettings(), "w", 0), Lease()
    found._owner = lease  # type: ignore[assignment]
    found._records = {"hq": RECORD}
    return found, lease


async def test_a_boot_is_recorded_when_kafka_is_back(there: dict[bytes, bytes]) -> None:
    owning, lease = _owning()
    task = asyncio.create_task(owning.run())
    owning.boot_known("hq", 7)
    async with asyncio.timeout(5):
        while not lease.written:
            await asyncio.sleep(0)
    task.cancel()

    assert codec.decode_owner(lease.written[0].value).boot == 7
    assert lease.acquired == 1


async def test_a_successor_is_not_fenced(there: dict[bytes, bytes]) -> None:
    owning, lease = _owning()
    there[b"hq"] = codec.encode(Owner(pbx="hq", epoch=6, worker="other", process="q"))
    owning.boot_known("hq", 7)

    with pytest.raises(FatalError, match="hq is read by worker other now, epoch 6"):
        await owning.run()
    assert (lease.acquired, lease.written) == (0, [])


async def test_a_known_boot_is_no_news(there: dict[bytes, bytes]) -> None:
    owning, lease = _owning()
    lease.away = False
    owning._records = {"hq": Owner(pbx="hq", epoch=5, worker="w", process="p", boot=7)}
    owning.boot_known("hq", 7)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await owning.run()
    assert lease.written == []
