"""ami_ingest: bytes in its socket to records that Kafka has acknowledged, beside readers that have no Kafka."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from legbook.demo.world import SECRET, USERNAME, World
from legbook.devstack import StackError
from legbook.fakepbx import FakePbx
from tests.benchmarks import meters, workload
from tests.benchmarks.figures import Figure, at_least
from tests.benchmarks.meters import Child
from tests.recorded import PLAYED

SERVICE: Final = "ami_ingest"
PBX: Final = "blast"
_WRITE: Final = 256 << 10  # bytes at once


@dataclass(frozen=True, slots=True)
class Amount:
    """`events` are made before and written `times` times; the median of `rounds` counts."""

    events: int = 40_000
    times: int = 2
    rounds: int = 3


SMOKE: Final = Amount(events=1_000, times=1, rounds=1)


class Blast:
    """A PBX that writes what was made before, as fast as its one reader takes it."""

    def __init__(self, amount: Amount) -> None:
        made = list(workload.frames(amount.events))
        self.events = len(made) * amount.times
        self._parts = list(_parts(made)) * amount.times
        self.pbx = FakePbx(PBX, PLAYED[:1], username=USERNAME, secret=SECRET, speed="flat")

    async def reader_there(self) -> None:
        """Logged in, and it has read what came with that."""
        sessions = self.pbx._switch.sessions
        await meters.until("a login", lambda: sum(s.user is not None for s in sessions), lambda n: n == 1)

    async def write(self) -> float:
        """When the first byte went out."""
        began = time.monotonic()
        for part in self._parts:
            self.pbx.inject(part)
            await self.pbx._drain()
        return began


def _parts(made: list[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for data in made:
        part += data
        if len(part) >= _WRITE:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


async def figures(world: World, amount: Amount) -> AsyncGenerator[Figure, None]:
    blast = Blast(amount)
    async with blast.pbx:
        world.fleet({PBX: blast.pbx.port})
        took: dict[str, list[float]] = {"ours": [], "panoramisk": [], "framing": []}
        for _ in range(amount.rounds):
            took["ours"].append(await _ours(world, blast))
            for name in ("panoramisk", "framing"):
                took[name].append(await _theirs(world, blast, name))
    rate = {name: blast.events / median(seconds) for name, seconds in took.items()}
    against = "stock panoramisk, one callback, no Kafka"
    yield Figure(
        "ingest, socket to Kafka", rate["ours"], rate["panoramisk"], "events/s", against, at_least(2.5)
    )
    against = "socket to frames, no Kafka"
    yield Figure("ingest, socket to Kafka", rate["ours"], rate["framing"], "events/s", against)


async def _theirs(world: World, blast: Blast, reader: str) -> float:
    child = Child(world, "readers", reader, str(blast.pbx.port), str(blast.events))
    await blast.reader_there()
    began = await blast.write()
    at: float = (await child.said())["at"]
    await _gone(blast)
    return at - began


async def _ours(world: World, blast: Blast) -> float:
    """Until all is read and nothing is left that Kafka has not acknowledged."""
    world.start(SERVICE)
    await asyncio.to_thread(world.wait_ready, SERVICE)
    await blast.reader_there()
    await meters.until("the first list of channels", lambda: _snapshots(world), lambda n: n >= 1)
    began = await blast.write()
    await meters.until("all events read", lambda: _events(world), lambda n: n >= blast.events)
    await meters.until("Kafka to have them", lambda: _buffered(world), lambda n: n == 0)
    seconds = time.monotonic() - began
    if shed := meters.total(world, SERVICE, "ami_ingest_shed_entries_total"):
        raise StackError(f"{shed:g} entries shed: Kafka is slower than what is measured")
    await asyncio.to_thread(world.terminate, SERVICE)
    await _gone(blast)
    return seconds


def _events(world: World) -> float:
    """FullyBooted, which the login wrote, is not ours."""
    return meters.total(world, SERVICE, "ami_ingest_events_total") - 1


def _snapshots(world: World) -> float:
    return meters.total(world, SERVICE, "ami_ingest_snapshots_total")


def _buffered(world: World) -> float:
    return meters.total(world, SERVICE, "ami_ingest_buffered_bytes")


async def _gone(blast: Blast) -> None:
    sessions = blast.pbx._switch.sessions
    await meters.until("the reader to go", lambda: len(sessions), lambda n: n == 0)
