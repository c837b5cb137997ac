"""`make bench`: how fast each stage is, as a ratio to a baseline measured in the same run on the same events.

Machines are noisy: compare ratios, not rates. One line a stage; nothing here is a test.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from legbook.calls import PbxState
from legbook.contracts.codec import decode_raw
from legbook.contracts.topics import RAW
from legbook.demo.world import SECRET, USERNAME, World
from legbook.fakepbx import FakePbx
from tests.benchmarks.commands import command
from tests.benchmarks.live import live
from tests.e2e import topics
from tests.recorded import PLAYED

ROUNDS, SPACING = 1500, 0.3


def say(stage: str, events: int, seconds: float, baseline: float, what: str) -> None:
    rate, ratio = events / seconds, seconds / baseline
    sys.stdout.write(f"bench: {stage:9} {rate:>9,.0f} events/s, {ratio:4.1f} times the time of {what}\n")
    sys.stdout.flush()


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def pbx(port: int = 0) -> FakePbx:
    return FakePbx(
        "hq", PLAYED, username=USERNAME, secret=SECRET, port=port, speed="flat", rounds=ROUNDS,
        spacing=SPACING, begin_on_login=True,
    )  # fmt: skip


async def only_reading() -> float:
    """Baseline of ingest: a client that logs in and throws away what it reads."""
    async with pbx() as played:
        reader, writer = await asyncio.open_connection("127.0.0.1", played.port)
        writer.write(f"Action: Login\r\nUsername: {USERNAME}\r\nSecret: {SECRET}\r\n\r\n".encode())
        began = time.perf_counter()
        over = asyncio.create_task(played.finished_playing())
        while not over.done():
            reading = asyncio.create_task(reader.read(1 << 16))
            await asyncio.wait({over, reading}, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
        writer.close()
        return time.perf_counter() - began


def counted(world: World, service: str, metric: str) -> int:
    return sum(
        int(float(n))
        for n in re.findall(rf'^{metric}{{pbx="hq"}} (\S+)$', world.metrics(service), re.MULTILINE)
    )


async def ingest(world: World) -> tuple[int, float]:
    """Socket to Kafka, until Kafka has all of it."""
    async with pbx() as played:
        world.fleet({"hq": played.port})
        world.start("ami_ingest")
        await asyncio.to_thread(world.wait_ready, "ami_ingest")
        began = time.perf_counter()
        await played.finished_playing()
        last = -1
        while (now := counted(world, "ami_ingest", "ami_ingest_events_total")) != last or buffered(world):
            last = now
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
    await asyncio.to_thread(world.terminate, "ami_ingest")
    return now, seconds


def buffered(world: World) -> int:
    return counted(world, "ami_ingest", "ami_ingest_buffered_bytes")


def fold(values: list[bytes]) -> tuple[int, float, float]:
    decoding = timed(lambda: [decode_raw(value) for value in values])
    records = [decode_raw(value) for value in values]
    state = PbxState("hq", 1, ("from-trunk",))
    entries = [(record, entry) for record in records for entry in record.entries]
    folding = timed(lambda: [state.apply(e, epoch=r.epoch, boot=r.boot) for r, e in entries])
    return len(entries), folding, decoding


async def project(world: World, entries: int) -> tuple[int, float]:
    """From the first look that finds something folded until all is: start-up does not count."""
    world.start("curcdr_projector")
    began, first, done = 0.0, 0, 0
    while done < entries:
        await asyncio.sleep(0.02)
        try:
            done = counted(world, "curcdr_projector", "curcdr_projector_entries_total")
        except OSError:  # not serving yet
            continue
        if done and not began:
            began, first = time.perf_counter(), done
    return entries - first, time.perf_counter() - began


async def measure(world: World) -> None:
    bare = await only_reading()
    events, seconds = await ingest(world)
    say("ingest", events, seconds, bare, "a client that only reads")
    began = time.perf_counter()
    values = [record.value or b"" for record in await topics.records(world, RAW.name)]
    consuming = time.perf_counter() - began
    entries, folding, decoding = fold(values)
    say("fold", entries, folding, decoding, "decoding the same records")
    live()
    folded, seconds = await project(world, entries)
    say(
        "projector", folded, seconds, (consuming + decoding) * folded / entries, "consuming and decoding them"
    )
    await asyncio.to_thread(world.terminate, "curcdr_projector")
    await command(world)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="legbook-bench-") as folder, World(Path(folder)) as world:
        asyncio.run(measure(world))


if __name__ == "__main__":
    main()
