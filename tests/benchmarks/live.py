"""All services as processes: from a byte at the PBX to what everybody sees, commands back, and memory."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from typing import Final, NamedTuple

from legbook.contracts.topics import LEGS, RAW
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack import StackError
from legbook.runtime import kafka
from tests.benchmarks import byhand, commands, memory, meters
from tests.benchmarks.figures import Figure, Goal, at_most, latencies, percentile, within
from tests.benchmarks.observers import Key, Observer, Seen, archive, records, rows
from tests.benchmarks.traffic import Traffic
from tests.e2e import topics

ENDS: Final = 30.0  # seconds after its start in which every call of the recordings is over and archived


@dataclass(frozen=True, slots=True)
class Load:
    """Events a second of all PBXs together; calls begin for so many seconds, of which the first do not count.

    `longest`: seconds that a call takes, at most.
    """

    rate: int
    seconds: float
    warm: float
    row: tuple[Goal, ...] = ()
    topic: tuple[Goal, ...] = ()
    cdr: tuple[Goal, ...] = ()
    longest: float = math.inf


@dataclass(frozen=True, slots=True)
class Amount:
    """`calls`: up at the same time; `by_hand`: rows, records and commands; `archived`: rows, more expensive."""

    loads: tuple[Load, ...] = (
        Load(
            300, 50, 10, (within(25), within(100)), (within(120), within(250)), (within(1500), within(2500))
        ),
        Load(3_000, 30, 10),
    )
    calls: int = 5_000
    by_hand: int = 300
    archived: int = 40


SMOKE: Final = Amount((Load(300, 2, 0, longest=4),), calls=50, by_hand=10, archived=5)


class ByHand(NamedTuple):
    """Seconds until each was seen."""

    row: Sequence[float]
    record: Sequence[float]
    archived: Sequence[float]


async def figures(world: World, amount: Amount) -> AsyncGenerator[Figure, None]:
    partitions = await kafka.partitions(topics.settings(world), RAW.name)
    async with AsyncExitStack() as exits:
        crowd, desk = memory.Crowd(), commands.pbx()
        loads = [(Traffic(load.rate, load.seconds, partitions, load.longest), load) for load in amount.loads]
        for traffic, _ in loads:
            await exits.enter_async_context(traffic)
        for pbx in (crowd.pbx, desk):
            await exits.enter_async_context(pbx)
        every = [crowd.pbx, desk, *(pbx for traffic, _ in loads for pbx in traffic.pbxs)]
        world.fleet({pbx.name: pbx.port for pbx in every})
        world.start()
        await asyncio.to_thread(world.wait_ready)
        watch = exits.enter_context(closing(Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])))
        rest = memory.resident(world)
        meters.say(f"{amount.calls:,} calls up, for the memory they take …")
        full = await crowd.measure(world, watch, amount.calls)
        meters.say("rows and records written by hand …")
        by_hand = await _by_hand(world, amount)
        for traffic, load in loads:
            meters.say(f"{load.rate:,} events/s for {load.seconds:.0f} s …")
            for figure in await _latencies(world, watch, traffic, load, by_hand):
                yield figure
        for figure in await commands.figures(world, watch, desk, amount.by_hand):
            yield figure
        for figure in memory.figures(rest, full, amount.calls):
            yield figure


async def _by_hand(world: World, amount: Amount) -> ByHand:
    return ByHand(
        await byhand.row_seen(world, amount.by_hand),
        await byhand.record_seen(world, amount.by_hand),
        await byhand.archived_seen(world, amount.archived),
    )


async def _latencies(
    world: World, watch: Watch, traffic: Traffic, load: Load, by_hand: ByHand
) -> list[Figure]:
    with (
        Observer(rows, world, "curcdr") as shown,
        Observer(records, world, LEGS.name) as told,
        Observer(archive, world, "cdr") as archived,
    ):
        async with asyncio.timeout(load.seconds + ENDS):
            await traffic.play()
        await meters.until(
            f"{len(traffic.dialled)} legs in the archive",
            lambda: _archived(watch, traffic),
            lambda n: n >= len(traffic.dialled),
            patience=ENDS,
        )
        seen = [await asyncio.to_thread(each.seen) for each in (shown, told, archived)]
    legs, ended, at = traffic.legs(load.warm), traffic.ended(load.warm), f"{load.rate:,} events/s"
    row = _took(legs, traffic, traffic.dialled, seen[0])
    topic = _took(legs, traffic, traffic.dialled, seen[1])
    cdr = _took(ended, traffic, traffic.hung_up, seen[2])
    return [
        *latencies(f"event to row of curcdr, {at}", row, by_hand.row, "INSERT to SELECT", load.row),
        *latencies(f"event to record of legs, {at}", topic, by_hand.record, "send to read", load.topic),
        *latencies(
            f"hang-up to row of view cdr, {at}", cdr, by_hand.archived, "INSERT to SELECT … FINAL", load.cdr
        ),
        Figure(
            f"lateness of the PBXs that say {traffic.events_a_second(load.warm):,.0f} events/s, p99",
            percentile(traffic.late(load.warm), 99),
            percentile(row, 99),
            "ms",
            "event to row, p99",
            at_most(0.5),
        ),
    ]


def _archived(watch: Watch, traffic: Traffic) -> float:
    names = [pbx.name for pbx in traffic.pbxs]
    (found,) = watch.query(
        "SELECT count() AS n FROM cdr WHERE dstuid <> '' AND pbx IN {p:Array(String)}", p=names
    )
    return float(found["n"])


def _took(keys: Sequence[Key], traffic: Traffic, began: Seen, seen: Seen) -> list[float]:
    """Seconds. A leg that was over before anybody saw it has taken as long as it lived, at least.

    StackError if that is so of more than one in a hundred: what is left out makes a figure better than it is.
    """
    missing = [key for key in keys if key not in seen]
    if len(keys) < 2 or len(missing) > max(1, len(keys) / 100):
        raise StackError(f"{len(missing)} of {len(keys)} legs were never seen, such as {missing[:3]}")
    return [seen.get(key, traffic.hung_up[key]) - began[key] for key in keys]
