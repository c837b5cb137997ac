"""Who looks at the outputs all the time, each in a process of its own, and remembers when it first saw which leg.

A leg is named by PBX and uniqueid of the called channel. All processes of a machine share one monotonic clock.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import TopicPartition

from legbook.contracts.codec import decode_leg
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack import StackError
from legbook.runtime import kafka, logs
from legbook.runtime.settings import KafkaSettings

ROWS_EVERY: Final = 0.004
ARCHIVE_EVERY: Final = 0.1
PATIENCE: Final = 30.0
Key = tuple[str, str]
Seen = dict[Key, float]
Look = Callable[[Mapping[str, str], str, Connection], Seen]


class Observer:
    """A context manager; `name`: the table, view or topic to look at. It looks when the block begins."""

    def __init__(self, look: Look, world: World, name: str) -> None:
        context = multiprocessing.get_context("spawn")  # no copy of our loop and connections
        self._ours, theirs = context.Pipe()
        arguments = look, dict(world.env), name, theirs
        self._process = context.Process(target=_observe, args=arguments, daemon=True)
        self._look = look.__name__

    def __enter__(self) -> Self:
        self._process.start()
        self._receive()
        return self

    def seen(self) -> Seen:
        """It stops to look."""
        self._ours.send("stop")
        found: Seen = self._receive()
        return found

    def _receive(self) -> Any:
        if not self._ours.poll(PATIENCE):
            raise StackError(f"who looks at {self._look} does not answer")
        try:
            return self._ours.recv()
        except EOFError:
            raise StackError(f"who looks at {self._look} has ended") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        self._process.join(PATIENCE)
        self._process.kill()


def _observe(look: Look, env: Mapping[str, str], name: str, pipe: Connection) -> None:
    logs.configure("error")
    pipe.send(look(env, name, pipe))


def rows(env: Mapping[str, str], table: str, pipe: Connection) -> Seen:
    """A connection that polls the live table; what it knows already is left out by the server."""

    def look(watch: Watch, newest: Mapping[str, int]) -> Iterable[Mapping[str, Any]]:
        known = "".join(f" AND NOT (pbx = '{pbx}' AND ver <= {ver})" for pbx, ver in newest.items())
        with watch._mysql.cursor() as cursor:
            cursor.execute(f"SELECT pbx, ver, dstuid FROM {table} WHERE dstuid <> ''{known}")
            return cursor.fetchall()

    return _polling(env, pipe, ROWS_EVERY, look)


def archive(env: Mapping[str, str], view: str, pipe: Connection) -> Seen:
    """The same for the archive; `view` may also be a table and FINAL."""

    def look(watch: Watch, newest: Mapping[str, int]) -> Iterable[Mapping[str, Any]]:
        known = "".join(f" AND NOT (pbx = '{pbx}' AND ver <= {ver})" for pbx, ver in newest.items())
        return watch.query(f"SELECT pbx, ver, dstuid FROM {view} WHERE dstuid <> ''{known}")

    return _polling(env, pipe, ARCHIVE_EVERY, look)


def _polling(
    env: Mapping[str, str],
    pipe: Connection,
    every: float,
    look: Callable[[Watch, Mapping[str, int]], Iterable[Mapping[str, Any]]],
) -> Seen:
    """Changes of a PBX are written in the order of their versions, so what is new has a higher one."""
    seen, newest, stop = Seen(), dict[str, int](), False
    with closing(Watch(env["MYSQL_URL"], env["CLICKHOUSE_URL"])) as watch:
        pipe.send("looking")
        while not stop:
            stop = pipe.poll(every)  # and one last look
            found = look(watch, newest)
            now = time.monotonic()
            for row in found:
                seen.setdefault((row["pbx"], row["dstuid"]), now)
                newest[row["pbx"]] = max(newest.get(row["pbx"], 0), row["ver"])
    return seen


def records(env: Mapping[str, str], topic: str, pipe: Connection) -> Seen:
    """A read_committed consumer of the live legs."""
    return asyncio.run(_records(KafkaSettings(bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"]), topic, pipe))


async def _records(settings: KafkaSettings, topic: str, pipe: Connection) -> Seen:
    seen, stop = Seen(), False
    consumer = kafka.consumer(settings)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, p) for p in range(await kafka.partitions(settings, topic))]
        consumer.assign(parts)
        for part, end in (await consumer.end_offsets(parts)).items():
            consumer.seek(part, end)
        pipe.send("looking")
        while not stop:
            stop = pipe.poll()
            found = await consumer.getmany(timeout_ms=100)
            now = time.monotonic()
            values = [record.value for part in found.values() for record in part]
            for leg in (decode_leg(value) for value in values if value):
                if leg.dstuid:
                    seen.setdefault((leg.pbx, leg.dstuid), now)
    finally:
        await consumer.stop()
    return seen
