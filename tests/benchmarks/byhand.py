"""Baselines of what is seen live: the same outputs written by hand, one after the other, and looked at alike."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Final

from aiokafka.admin import NewTopic

from cdr_archiver.columns import NAMES, row
from curcdr_projector.session import MODE
from legbook.contracts import codec
from legbook.contracts.legs import Leg
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.runtime import kafka
from tests.benchmarks.observers import Look, Observer, archive, records, rows
from tests.e2e import topics

SCRATCH: Final = "bench"  # table and topic
PBX: Final = "byhand"
PAUSE: Final = 0.01  # seconds; what is looked at more seldom waits for longer anyway
Write = Callable[[Leg], Awaitable[object]]


async def _written(world: World, look: Look, where: str, count: int, write: Write) -> list[float]:
    """Seconds until each was seen."""
    began: dict[str, float] = {}
    with Observer(look, world, where) as observer:
        for number in range(1, count + 1):
            leg = _leg(number)
            began[leg.dstuid] = time.monotonic()
            await write(leg)
            await asyncio.sleep(PAUSE)
        seen = await asyncio.to_thread(observer.seen)
    return [seen[PBX, uid] - at for uid, at in began.items()]


def _leg(number: int) -> Leg:
    return Leg(
        pbx=PBX, leg_id=number << 12, epoch=1, seq=number, boot=1, rule="byhand", kind="dial", state="dialing",
        born=None, start=None, dstuid=f"1795396000.{number}",
    )  # fmt: skip


async def row_seen(world: World, count: int) -> list[float]:
    """INSERT to SELECT."""
    with closing(Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])) as watch:

        def execute(sql: str, *values: object) -> None:
            with watch._mysql.cursor() as cursor:
                cursor.execute(sql, values)

        async def write(leg: Leg) -> None:
            sql = f"INSERT INTO {SCRATCH} (id, pbx, dstuid, ver) VALUES (%s, %s, %s, %s)"
            await asyncio.to_thread(execute, sql, leg.leg_id, leg.pbx, leg.dstuid, leg.ver)

        execute("SET SESSION sql_mode = %s", MODE)
        execute(f"CREATE TABLE {SCRATCH} LIKE curcdr")
        try:
            return await _written(world, rows, SCRATCH, count, write)
        finally:
            execute(f"DROP TABLE {SCRATCH}")


async def record_seen(world: World, count: int) -> list[float]:
    """Acknowledged by the broker, without a transaction."""
    settings = topics.settings(world)
    producer = kafka.producer(settings)
    await producer.start()
    try:
        async with kafka.admin(settings) as admin:
            await admin.create_topics([NewTopic(SCRATCH, 1, 1)])
            try:

                async def write(leg: Leg) -> None:
                    await producer.send_and_wait(SCRATCH, codec.encode(leg))

                return await _written(world, records, SCRATCH, count, write)
            finally:
                await admin.delete_topics([SCRATCH])  # type: ignore[attr-defined]  # our stub knows what we use
    finally:
        await kafka.stop(producer)


async def archived_seen(world: World, count: int) -> list[float]:
    """INSERT of one row to SELECT … FINAL."""
    with closing(Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])) as watch:
        client = watch._clickhouse

        async def write(leg: Leg) -> None:
            await asyncio.to_thread(client.insert, SCRATCH, [row(leg)], column_names=NAMES)

        client.command(f"CREATE TABLE {SCRATCH} AS mycdr")
        try:
            return await _written(world, archive, f"{SCRATCH} FINAL", count, write)
        finally:
            client.command(f"DROP TABLE {SCRATCH}")
