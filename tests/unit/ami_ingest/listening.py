"""A connection that listens, what it has published so far, and waiting for that."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from ami_ingest.connection import Connection
from ami_ingest.sequence import Sequence
from ami_ingest.settings import Settings
from legbook.contracts.raw import (
    ConnectionDown,
    ConnectionUp,
    Drop,
    Entry,
    Event,
    Gap,
    Heartbeat,
    SnapshotBegin,
    SnapshotChannel,
    SnapshotEnd,
)
from legbook.runtime.fleet import Pbx
from tests.unit.ami_ingest.samples import Taker

PATIENCE = 10.0  # seconds until a condition that never comes is a failure
USERNAME, SECRET = "legbook", "s3cret"
QUICK = Settings(ping_interval=0.05, silence=0.4, backoff_first=0.01, backoff_most=0.02)
_E = TypeVar("_E")


class Listener:
    """One PBX, listened to as ami_ingest does it, with a taker in place of Kafka."""

    def __init__(self, port: int, settings: Settings = QUICK, *, zone: str = "UTC", **login: str) -> None:
        self.taker = Taker()
        self.boots: list[int] = []
        self.sequence = Sequence("hq", 77, self.taker)
        pbx = Pbx(number=1, host="127.0.0.1", port=port, timezone=zone)
        secret = login.get("username", USERNAME), login.get("secret", SECRET)
        self.connection = Connection(pbx, secret, self.sequence, settings, self._boot_known)
        self.running: asyncio.Task[None] | None = None

    def _boot_known(self, boot: int) -> None:
        self.boots.append(boot)

    def of(self, kind: type[_E]) -> list[_E]:
        return [entry for entry in self.taker.entries if isinstance(entry, kind)]

    @property
    def events(self) -> list[Event]:
        """Without that of the login."""
        return [event for event in self.of(Event) if event.name != "FullyBooted"]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    @property
    def story(self) -> list[Entry]:
        """Everything but heartbeats and snapshots."""
        usual = (Heartbeat, SnapshotBegin, SnapshotChannel, SnapshotEnd)
        return [entry for entry in self.taker.entries if not isinstance(entry, usual)]

    @property
    def ups(self) -> list[ConnectionUp]:
        return self.of(ConnectionUp)

    @property
    def downs(self) -> list[ConnectionDown]:
        return self.of(ConnectionDown)

    @property
    def gaps(self) -> list[Gap]:
        return self.of(Gap)

    @property
    def drops(self) -> list[Drop]:
        return self.of(Drop)

    async def until(self, condition: Callable[["Listener"], Any]) -> None:
        """Ends as soon as it holds; fails when it never does, or when the connection has died."""
        assert self.running is not None
        async with asyncio.timeout(PATIENCE):
            while not condition(self):
                if self.running.done():
                    self.running.result()
                await asyncio.sleep(0.002)

    async def up_again(self, count: int) -> None:
        """The link has been made so many times, and is there."""
        await self.until(lambda it: len(it.ups) == count and it.connection.up)

    async def stop(self) -> None:
        assert self.running is not None
        self.running.cancel()
        await asyncio.wait([self.running])
        if not self.running.cancelled():
            self.running.result()
        self.connection.stop()


@asynccontextmanager
async def listening(port: int, settings: Settings = QUICK, **more: str) -> AsyncIterator[Listener]:
    """Stops it at the end, and checks that its numbers have no holes."""
    listener = Listener(port, settings, **more)
    listener.running = asyncio.create_task(listener.connection.run())
    try:
        yield listener
    finally:
        await listener.stop()
    assert listener.taker.seqs == [*range(1, len(listener.taker.seqs) + 1)]
