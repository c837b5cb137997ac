"""How long a command takes: from its publication to the action at the PBX, beside a direct write to the same PBX."""

import asyncio
import statistics
import sys
import time
from typing import Any, Final

from legbook.client import Client
from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY, SECRET, USERNAME, World
from legbook.fakepbx import Action, FakePbx, Session, Switch
from legbook.runtime.amilink import Link
from tests.e2e import topics
from tests.recorded import RING_GROUP
from tests.waiting import until

COUNT: Final = 300


class Arrivals:
    """Refuses every hang-up, so that legs live on, and knows when it came."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.came = asyncio.Event()

    async def __call__(self, _switch: Switch, session: Session, action: Action) -> None:
        self.at.append(time.perf_counter())
        self.came.set()
        session.error(action, "No such channel")


async def command(world: World) -> None:
    """Services other than the gateway and the projector are not needed for it, but ingest is: legs must live."""
    pbx = FakePbx(
        "desk", [RING_GROUP], username=USERNAME, secret=SECRET, others=[GATEWAY], rounds=500, spacing=1.0,
        begin_on_login=True,
    )  # fmt: skip
    async with pbx:
        pbx.handlers["hangup"] = arrivals = Arrivals()
        world.fleet({"hq": 1, "desk": pbx.port})
        world.start("ami_ingest", "curcdr_projector", "command_gateway")
        await until(lambda: 'command_gateway_connected{pbx="desk"} 1.0' in _metrics(world), patience=60)
        published = await _by_command(world, arrivals)
        written = await _by_hand(pbx, arrivals)
    sys.stdout.write(
        f"bench: command   published to the PBX's socket p50 {_ms(published, 50)} p99 {_ms(published, 99)}; "
        f"written directly p50 {_ms(written, 50)} p99 {_ms(written, 99)}; {COUNT} of each\n"
    )


def _metrics(world: World) -> str:
    try:
        return world.metrics("command_gateway")
    except OSError:  # not serving yet
        return ""


async def _by_command(world: World, arrivals: Arrivals) -> list[float]:
    watch, took = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"]), []
    async with Client(issuer="bench", settings=topics.settings(world)) as client:
        for _ in range(COUNT):
            rows = await until(
                lambda: [r for r in watch.live() if (r["pbx"], r["disposition"]) == ("desk", "LINK")], len
            )
            arrivals.came.clear()
            began = time.perf_counter()
            asking = asyncio.create_task(client.hangup("desk", rows[-1]["id"], side="dst", actor="bench"))
            result = await asking
            if not arrivals.came.is_set():
                raise RuntimeError(f"the command did not reach the PBX: {result}")
            took.append(arrivals.at[-1] - began)
    watch.close()
    return took


async def _by_hand(pbx: FakePbx, arrivals: Arrivals) -> list[float]:
    link = await Link.open(
        "127.0.0.1", pbx.port, tls=False, username=GATEWAY.username, secret=GATEWAY.secret,
        sink=lambda _frame: None, flushed=lambda: None,
    )  # fmt: skip
    took: list[float] = []
    for _ in range(COUNT):
        arrivals.came.clear()
        began = time.perf_counter()
        answer: Any = link.send((("Action", "Hangup"), ("Channel", "1.1")))[0]
        await arrivals.came.wait()
        took.append(arrivals.at[-1] - began)
        await answer
    link.close()
    return took


def _ms(took: list[float], percent: int) -> str:
    return f"{statistics.quantiles(took, n=100)[percent - 1] * 1000:.1f} ms"
