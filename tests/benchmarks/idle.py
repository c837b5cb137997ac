"""Baseline of the projector, a process: a faust agent, set up as ours, that acknowledges records and does nothing.

`python -m tests.benchmarks.idle PARTITIONS RECORDS PBX…`: how long it took from its first batch of these PBXs to the
last.
"""

import os
import signal
import sys
import time
from typing import Any

from curcdr_projector import agent
from curcdr_projector.settings import Settings
from legbook.contracts.topics import RAW
from legbook.runtime import logs
from legbook.runtime.settings import KafkaSettings, load
from tests.benchmarks.meters import report


def main() -> None:
    logs.configure("warning")
    partitions, records, *names = sys.argv[1:]
    pbxs = {name.encode() for name in names}
    setattr(agent, "GROUP", "bench-idle")  # noqa: B010  # offsets of its own; Final for everybody else
    app = agent.app(load(Settings), load(KafkaSettings), int(partitions))
    raw = app.topic(RAW.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    seen: list[tuple[float, int]] = []  # of each batch: when it came, and how many of ours were in it

    async def idle(stream: Any) -> None:
        async for events in stream.noack_take(500, within=0.005):
            for event in events:
                event.ack()
            if found := sum(event.key in pbxs for event in events):
                seen.append((time.monotonic(), found))
                if sum(count for _, count in seen) >= int(records):
                    await app.consumer.commit()  # the next one is not to read these again
                    os.kill(os.getpid(), signal.SIGTERM)

    app.agent(raw, concurrency=1, name="idle")(idle)
    app.finalize()
    worker = app.Worker(loglevel="warning", quiet=True, redirect_stdouts=False, override_logging=False)
    try:
        worker.execute_from_commandline()
    finally:
        (began, first), (ended, _) = seen[0], seen[-1]
        report(records=sum(count for _, count in seen) - first, seconds=ended - began)


if __name__ == "__main__":
    main()
