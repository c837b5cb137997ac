"""curcdr_projector: records of the raw topic to live rows and legs, beside faust that does nothing with them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from ami_ingest.publisher import Publisher
from legbook.contracts.topics import RAW
from legbook.demo.world import World
from legbook.runtime import kafka
from tests.benchmarks import meters, workload
from tests.benchmarks.figures import Figure, Goal, at_least
from tests.benchmarks.meters import Child
from tests.e2e import topics

SERVICE: Final = "curcdr_projector"
_LIMIT: Final = 8 << 20  # bytes made and not yet in Kafka


@dataclass(frozen=True, slots=True)
class Size:
    """Entries a record, and how many; what is wanted beside idle faust, and beside it with a record an entry."""

    entries: int
    events: int
    beside: Goal | None = None
    gain: Goal | None = None

    def pbxs(self, partitions: int) -> list[str]:
        """Of their own: entries of another size are not counted.

        In every partition: while a quiet one is waited for, faust does not fetch the others.
        """
        return workload.names(f"by{self.entries}-", partitions)


@dataclass(frozen=True, slots=True)
class Amount:
    """The first one is what the others are compared with."""

    sizes: tuple[Size, ...] = (
        Size(1, 40_000, at_least(0.6)),
        Size(8, 150_000, at_least(0.35), at_least(3)),
        Size(32, 200_000, None, at_least(5)),
    )


SMOKE: Final = Amount((Size(8, 4_000),))


async def figures(world: World, amount: Amount) -> AsyncGenerator[Figure, None]:
    partitions = await kafka.partitions(topics.settings(world), RAW.name)
    world.fleet({pbx: 1 for size in amount.sizes for pbx in size.pbxs(partitions)})
    single = 0.0  # of idle faust, with one entry a record
    for size in amount.sizes:
        meters.say(f"{size.events:,} entries, {size.entries} a record …")
        pbxs = size.pbxs(partitions)
        records = sum([await _publish(world, pbx, size, size.events // partitions) for pbx in pbxs])
        ours = await _ours(world, size, pbxs)
        idle = await Child(world, "idle", str(partitions), str(records), *pbxs).said()
        nothing = idle["records"] * size.entries / idle["seconds"]
        single = single or nothing
        plural = "entry" if size.entries == 1 else "entries"
        name = f"projector, {size.entries} {plural} a record"
        yield Figure(name, ours, nothing, "events/s", "faust doing nothing with them", size.beside)
        if size.entries > 1:
            against = "faust doing nothing, an entry a record"
            yield Figure(name, ours, single, "events/s", against, size.gain)


async def _publish(world: World, pbx: str, size: Size, events: int) -> int:
    """As ami_ingest does; the number of records."""
    settings, made = topics.settings(world), 0
    producer = kafka.producer(settings)
    await producer.start()
    try:
        partitions = await kafka.partitions(settings, RAW.name)
        publisher = Publisher(producer, pbx, partitions, _LIMIT)
        for record, value in workload.records(pbx, workload.entries(events), size.entries):
            while not publisher.put(record, value):
                await publisher.finish()
            made += 1
        await publisher.finish()
    finally:
        await kafka.stop(producer)
    return made


async def _ours(world: World, size: Size, pbxs: list[str]) -> float:
    world.start(SERVICE)
    rate = await meters.pace("entries", lambda: _folded(world, pbxs), size.events, every=0.05)
    await meters.until("a checkpoint of all", lambda: _unacked(world), lambda n: n == 0)
    await asyncio.to_thread(world.terminate, SERVICE)
    return rate


def _folded(world: World, pbxs: list[str]) -> float:
    return meters.total(world, SERVICE, "curcdr_projector_entries_total", pbx=pbxs)


def _unacked(world: World) -> float:
    return meters.total(world, SERVICE, "curcdr_projector_unacked_bytes")
