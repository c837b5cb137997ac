"""cdr_archiver: finished legs of the topic to rows of mycdr, beside the same rows inserted by hand."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from typing import Any, Final

from msgspec import structs

from cdr_archiver.columns import NAMES, row
from cdr_archiver.table import COLUMN_TYPES, INSERT_SETTINGS
from curcdr_projector.outputs import Outputs
from legbook.calls import LegChange
from legbook.contracts.legs import Leg
from legbook.contracts.topics import CDR, partition_of
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.runtime import kafka
from tests.benchmarks import meters, workload
from tests.benchmarks.figures import Figure, at_least
from tests.e2e import topics
from tests.recorded import new_state

SERVICE: Final = "cdr_archiver"
TABLE: Final = "bench"


@dataclass(frozen=True, slots=True)
class Amount:
    """`batch`: legs in one insert, of ours and of the baseline. The first batch warms up and does not count."""

    batch: int = 10_000
    batches: int = 6
    events: int = 20_000


SMOKE: Final = Amount(batch=200, batches=2, events=2_000)


async def figures(world: World, amount: Amount) -> AsyncGenerator[Figure, None]:
    legs = list(islice(_legs(amount.events), amount.batch * (amount.batches + 1)))
    await _publish(world, legs)
    ours = await _ours(world, amount)
    by_hand = await asyncio.to_thread(_by_hand, world, amount, [row(leg) for leg in legs])
    yield Figure(
        "archive, topic to ClickHouse",
        ours,
        by_hand,
        "rows/s",
        "the same rows inserted by hand",
        at_least(0.5),
    )


def _legs(events: int) -> Iterator[Leg]:
    """For ever: the finished legs of so many events, again and again under new ids."""
    state, found = new_state(), list[Leg]()
    for entry in workload.entries(events):
        changes = state.apply(entry, epoch=workload.EPOCH, boot=workload.EPOCH)
        legs = [change.leg for change in changes if isinstance(change, LegChange)]
        found += [leg for leg in legs if leg.state == "ended" and leg.end_reason != "dialled"]
    ids = count(found[0].leg_id)
    yield from (structs.replace(leg, leg_id=next(ids)) for leg in cycle(found))


async def _publish(world: World, legs: Sequence[Leg]) -> None:
    """As curcdr_projector says them, without the transaction."""
    settings = topics.settings(world)
    producer = kafka.producer(settings)
    await producer.start()
    try:
        partition = partition_of(legs[0].pbx, await kafka.partitions(settings, CDR.name))
        outputs = Outputs()
        for leg in legs:
            outputs.leg(leg)
        told = [record for record in outputs.drain() if record.topic == CDR.name]
        sent = [await kafka.accepted(producer, record, partition) for record in told]
        await asyncio.gather(*sent)
    finally:
        await kafka.stop(producer)


async def _ours(world: World, amount: Amount) -> float:
    world.start(SERVICE, CDR_ARCHIVER_BATCH_LEGS=str(amount.batch))
    rate = await meters.pace("legs", lambda: _archived(world), amount.batch * (amount.batches + 1))
    await asyncio.to_thread(world.terminate, SERVICE)
    return rate


def _archived(world: World) -> float:
    return meters.total(world, SERVICE, "cdr_archiver_legs_total", result="archived")


def _by_hand(world: World, amount: Amount, rows: Sequence[tuple[Any, ...]]) -> float:
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    client = watch._clickhouse
    try:
        client.command(f"CREATE TABLE {TABLE} AS mycdr")
        kinds = {found["name"]: found["type"] for found in watch.query(COLUMN_TYPES, table=TABLE)}
        types = [kinds[name] for name in NAMES]
        began = 0.0
        for start in range(0, len(rows), amount.batch):
            began = time.monotonic() if start == amount.batch else began
            part = rows[start : start + amount.batch]
            client.insert(TABLE, part, column_names=NAMES, column_type_names=types, settings=INSERT_SETTINGS)
        seconds = time.monotonic() - began
        client.command(f"DROP TABLE {TABLE}")
        return (len(rows) - amount.batch) / seconds
    finally:
        watch.close()
