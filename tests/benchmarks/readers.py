"""Baselines of ingest, a process each: `python -m tests.benchmarks.readers framing|panoramisk PORT EVENTS`.

Says when it had read so many events, by the monotonic clock that all processes of a machine share.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from panoramisk import Manager

from legbook.ami import encode
from legbook.ami.framing import Framer
from legbook.demo.world import SECRET, USERNAME
from legbook.fakepbx.server import HOST
from tests.benchmarks.meters import report


async def framing(port: int, events: int) -> None:
    """Bytes into frames, and nothing more. The answer to the login and FullyBooted are frames too."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(encode.login(USERNAME, SECRET, "1"))
    framer, left = Framer(), events + 2
    while left > 0:
        data = await reader.read(1 << 18)
        if not data:
            raise ConnectionError(f"closed, {left} frames too early")
        left -= len(framer.feed(data))
    writer.close()


async def panoramisk(port: int, events: int) -> None:
    """As it comes: one plain callback for every event, FullyBooted too."""
    left, over = events + 1, asyncio.Event()

    def count(_manager: Any, _event: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            over.set()

    manager = Manager(host=HOST, port=port, username=USERNAME, secret=SECRET, loop=asyncio.get_running_loop())
    manager.register_event("*", count)  # type: ignore[attr-defined]  # our stub knows what we use
    await manager.connect()
    await over.wait()
    manager.pinger.cancel()


READERS: dict[str, Callable[[int, int], Awaitable[None]]] = {"framing": framing, "panoramisk": panoramisk}


async def main() -> None:
    name, port, events = sys.argv[1:]
    await READERS[name](int(port), int(events))
    report(at=time.monotonic())


if __name__ == "__main__":
    asyncio.run(main())
