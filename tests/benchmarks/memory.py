"""What each process has in memory: when nothing happens, and when thousands of calls are up."""

import asyncio
from collections.abc import Iterator
from typing import Final

import psutil

from legbook.demo.watch import Watch
from legbook.demo.world import SECRET, USERNAME, World
from legbook.fakepbx import FakePbx
from tests.benchmarks import held, meters
from tests.benchmarks.figures import Figure
from tests.recorded import RING_GROUP

PBX: Final = "crowd"
_TOGETHER: Final = 20  # calls between two turns of everybody else


def pbx() -> FakePbx:
    """It plays nothing: what it says is said here."""
    return FakePbx(PBX, [RING_GROUP], username=USERNAME, secret=SECRET)


def resident(world: World) -> dict[str, float]:
    """Process -> megabytes."""
    services = {name: process.pid for name, process in world._services.items()}
    return {
        name: psutil.Process(pid).memory_info().rss / 1e6
        for name, pid in {**services, **world.stack.pids()}.items()
    }


async def with_calls(world: World, watch: Watch, crowd: FakePbx, calls: int) -> dict[str, float]:
    """With so many of them up, a leg each, in a checkpoint too; they are over when it returns."""
    await _say(crowd, (held.begin(call) for call in range(calls)))
    await _legs(world, watch, calls)
    await meters.until("a checkpoint of them", lambda: _unacked(world), lambda n: n == 0)
    found = await asyncio.to_thread(resident, world)
    await _say(crowd, (held.end(call) for call in range(calls)))
    await _legs(world, watch, 0)
    return found


def figures(rest: dict[str, float], full: dict[str, float], calls: int) -> Iterator[Figure]:
    for name, megabytes in full.items():
        yield Figure(f"memory of {name}, {calls:,} live legs", megabytes, rest[name], "MB", "at rest")


async def _say(crowd: FakePbx, calls: Iterator[Iterator[held.Said]]) -> None:
    for number, events in enumerate(calls):
        for name, fields in events:
            crowd.emit(name, "call,all", list(fields.items()))
        if number % _TOGETHER == 0:
            await crowd._drain()
            await asyncio.sleep(0)


async def _legs(world: World, watch: Watch, wanted: int) -> None:
    await meters.until(f"{wanted} live legs", lambda: _live(world), lambda n: n == wanted, every=0.1)
    await meters.until(f"{wanted} rows", lambda: _rows(watch), lambda n: n == wanted, every=0.1)


def _live(world: World) -> float:
    return meters.total(world, "curcdr_projector", "curcdr_projector_live_legs", pbx=PBX)


def _rows(watch: Watch) -> float:
    with watch._mysql.cursor() as cursor:
        cursor.execute("SELECT count(*) AS n FROM curcdr")
        (found,) = cursor.fetchall()
    return float(found["n"])


def _unacked(world: World) -> float:
    return meters.total(world, "curcdr_projector", "curcdr_projector_unacked_bytes")
