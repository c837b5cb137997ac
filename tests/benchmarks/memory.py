"""What each process has in memory: when nothing happens, and when thousands of calls are up."""

import asyncio
import time
from collections.abc import Iterator
from typing import Final

import psutil

from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY, SECRET, USERNAME, World
from legbook.fakepbx import FakePbx
from legbook.fakepbx.session import encode
from tests.benchmarks import held, meters
from tests.benchmarks.figures import Figure
from tests.recorded import RING_GROUP

_TOGETHER: Final = 20  # calls between two turns of everybody else
_PROJECTOR: Final = "curcdr_projector"


def resident(world: World) -> dict[str, float]:
    """Process -> megabytes."""
    services = {name: process.pid for name, process in world._services.items()}
    return {
        name: psutil.Process(pid).memory_info().rss / 1e6
        for name, pid in {**services, **world.stack.pids()}.items()
    }


def figures(rest: dict[str, float], full: dict[str, float], calls: int) -> Iterator[Figure]:
    for name, megabytes in full.items():
        yield Figure(f"memory of {name}, {calls:,} live legs", megabytes, rest[name], "MB", "at rest")


class Crowd:
    """A PBX with many calls up at once. It plays nothing: ingest is told, and the list of channels stays empty.

    So they must be over before ingest asks for that list again, which is minutes after its login.
    """

    def __init__(self) -> None:
        self.pbx = FakePbx(
            "crowd", [RING_GROUP], username=USERNAME, secret=SECRET, others=[GATEWAY], write_timeout=10
        )
        self._said = 0  # bytes

    async def measure(self, world: World, watch: Watch, calls: int) -> dict[str, float]:
        """With so many of them up, a leg each, in a checkpoint too; they are over when it returns."""
        await self._say(held.begin(call) for call in range(calls))
        await self._wait(world, watch, calls)
        few = self._said / 2  # heartbeats come all the time
        await meters.until("a checkpoint of them", lambda: _unacked(world), lambda n: n < few)
        found = await asyncio.to_thread(resident, world)
        await self._say(held.end(call) for call in range(calls))
        await self._wait(world, watch, 0)
        return found

    async def _say(self, calls: Iterator[Iterator[held.Said]]) -> None:
        (ingest,) = [s for s in self.pbx._switch.sessions if s.user and s.user.username == USERNAME]
        for number, events in enumerate(calls):
            for name, fields in events:
                first = {"Event": name, "Privilege": "call,all", "Timestamp": f"{time.time():.6f}"}
                data = encode({**first, **fields}.items())
                self._said += len(data)
                ingest.write(data)
            if number % _TOGETHER == 0:
                await ingest.drain()
                await asyncio.sleep(0)

    async def _wait(self, world: World, watch: Watch, legs: int) -> None:
        await meters.until(f"{legs} live legs", lambda: self._live(world), lambda n: n == legs)
        await meters.until(f"{legs} rows", lambda: _rows(watch), lambda n: n == legs)

    def _live(self, world: World) -> float:
        return meters.total(world, _PROJECTOR, "curcdr_projector_live_legs", pbx=self.pbx.name)


def _rows(watch: Watch) -> float:
    with watch._mysql.cursor() as cursor:
        cursor.execute("SELECT count(*) AS n FROM curcdr")
        (found,) = cursor.fetchall()
    return float(found["n"])


def _unacked(world: World) -> float:
    return meters.total(world, _PROJECTOR, "curcdr_projector_unacked_bytes")
