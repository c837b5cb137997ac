"""How long a command takes: from its publication to the action at the PBX, beside a direct write to the same PBX."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

from legbook.client import Client
from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY, SECRET, USERNAME, World
from legbook.devstack import StackError
from legbook.fakepbx import Action, FakePbx, Session, Switch
from legbook.runtime.amilink import Link
from tests.benchmarks import meters
from tests.benchmarks.figures import Figure, above, latencies
from tests.e2e import topics
from tests.recorded import RING_GROUP
from tests.waiting import until

PBX: Final = "desk"
PATIENCE: Final = 10.0


class Arrivals:
    """Refuses every hang-up, so that legs live on, and knows when it came."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.came = asyncio.Event()

    async def __call__(self, _switch: Switch, session: Session, action: Action) -> None:
        self.at.append(time.monotonic())
        self.came.set()
        session.error(action, "No such channel")


def pbx() -> FakePbx:
    """A call a second, once it is told to begin."""
    return FakePbx(
        PBX, [RING_GROUP], username=USERNAME, secret=SECRET, others=[GATEWAY], rounds=None, spacing=1.0
    )


async def figures(world: World, watch: Watch, desk: FakePbx, count: int) -> Iterator[Figure]:
    """All services run. Ours with a leg id to find, beside a channel that is named."""
    desk.handlers["hangup"] = arrivals = Arrivals()
    desk.begin()
    await meters.until("the gateway at the PBX", lambda: _connected(world), lambda n: n == 1)
    published = await _by_command(world, watch, arrivals, count)
    written = await _by_hand(desk, arrivals, count)
    against = "written to the socket directly"
    return iter(latencies("command to action", published, written, against, [above(15), above(60)]))


def _connected(world: World) -> float:
    return meters.total(world, "command_gateway", "command_gateway_connected", pbx=PBX)


async def _by_command(world: World, watch: Watch, arrivals: Arrivals, count: int) -> list[float]:
    took: list[float] = []
    async with Client(issuer="bench", settings=topics.settings(world)) as client:
        for _ in range(count):
            rows = await until(
                lambda: [r for r in watch.live() if (r["pbx"], r["disposition"]) == (PBX, "LINK")], len
            )
            arrivals.came.clear()
            began = time.monotonic()
            result = await client.hangup(PBX, rows[-1]["id"], side="dst", actor="bench")
            if not arrivals.came.is_set():
                raise StackError(f"the command did not reach the PBX: {result}")
            took.append(arrivals.at[-1] - began)
    return took


async def _by_hand(desk: FakePbx, arrivals: Arrivals, count: int) -> list[float]:
    link = await Link.open(
        "127.0.0.1", desk.port, tls=False, username=GATEWAY.username, secret=GATEWAY.secret,
        sink=lambda _frame: None, flushed=lambda: None,
    )  # fmt: skip
    took: list[float] = []
    try:
        for _ in range(count):
            arrivals.came.clear()
            began = time.monotonic()
            answer: Any = link.send((("Action", "Hangup"), ("Channel", "1.1")))[0]
            async with asyncio.timeout(PATIENCE):
                await arrivals.came.wait()
                took.append(arrivals.at[-1] - began)
                await answer
    finally:
        link.close()
    return took
