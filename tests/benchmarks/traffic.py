"""PBXs that say so many events a second together; when each leg began and ended, and how late they said it."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

from legbook.ami.framing import END, Frame
from legbook.ami.message import parse
from legbook.contracts.topics import partition_of
from legbook.demo.world import GATEWAY, SECRET, USERNAME
from legbook.fakepbx import FakePbx
from legbook.fakepbx.moments import SECOND, from_seconds
from legbook.fakepbx.player import Rendered
from tests.benchmarks import workload
from tests.benchmarks.observers import Key, Seen
from tests.faults.load import CALLS

SEEN_FOR: Final = 1.0  # seconds; a leg that lives for less may rightly be on no screen
_TIMESTAMP: Final = re.compile(rb"\r\nTimestamp: (\S+)")


class Traffic:
    """An async context manager: a PBX for each partition, which listen and say nothing before `begin`."""

    def __init__(self, rate: int, seconds: float, partitions: int) -> None:
        self.rate, self.seconds, self.began = rate, seconds, 0.0
        names = _names(rate, partitions)
        calls = rate / workload.events_a_call() / len(names)  # a second
        self.pbxs = [_pbx(name, number, calls, seconds) for number, name in enumerate(names)]
        self.dialled: Seen = {}
        self.hung_up: Seen = {}
        self.late: list[float] = []  # seconds, of each write
        self.written: list[tuple[float, int]] = []
        self._exits = AsyncExitStack()
        for pbx in self.pbxs:
            pbx._stage._deliver = self._stamped(pbx)

    async def __aenter__(self) -> Self:
        async with self._exits:
            for pbx in self.pbxs:
                await self._exits.enter_async_context(pbx)
            self._exits = self._exits.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._exits.aclose()

    async def play(self) -> None:
        """Until the last call has ended."""
        self.began = time.monotonic()
        for pbx in self.pbxs:
            pbx.begin()
        await asyncio.gather(*(pbx.finished_playing() for pbx in self.pbxs))

    def _stamped(self, pbx: FakePbx) -> Callable[[Sequence[Rendered]], None]:
        """Before the bytes are written: what the PBX itself needs for that counts as ours."""
        deliver = pbx._stage._deliver

        def stamped(events: Sequence[Rendered]) -> None:
            now = time.monotonic()
            due = _TIMESTAMP.search(events[0][1])
            assert due
            self.late.append((pbx._switch.clock.now() - from_seconds(due[1].decode())) / SECOND)
            self.written.append((now, len(events)))
            deliver(events)
            for kind, data in events:
                if kind.name in {"DialBegin", "Hangup"}:
                    self._stamp(pbx.name, kind.name, data, now)

        return stamped

    def _stamp(self, pbx: str, name: str, data: bytes, now: float) -> None:
        message = parse(Frame(data.removesuffix(END)))
        if name == "Hangup":
            self.hung_up.setdefault((pbx, message.first("Uniqueid")), now)
        elif not message.first("DestChannel").startswith("Local/"):
            self.dialled.setdefault((pbx, message.first("DestUniqueid")), now)

    def legs(self, warm: float) -> list[Key]:
        """That began after so many seconds, while calls began at full rate, and were there to be seen."""
        first, last = self.began + warm, self.began + self.seconds
        return [
            key
            for key, at in self.dialled.items()
            if first <= at <= last and self.hung_up[key] - at >= SEEN_FOR
        ]

    def ended(self, warm: float) -> list[Key]:
        first, last = self.began + warm, self.began + self.seconds
        return [key for key in self.dialled if first <= self.hung_up[key] <= last]

    def events_a_second(self, warm: float) -> float:
        first, last = self.began + warm, self.began + self.seconds
        return sum(n for at, n in self.written if first <= at <= last) / (last - first)


def _names(rate: int, partitions: int) -> list[str]:
    """One in each partition."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        name = f"at{rate}-{number}"
        found.setdefault(partition_of(name, partitions), name)
        number += 1
    return list(found.values())


def _pbx(name: str, number: int, calls: float, seconds: float) -> FakePbx:
    """Each begins with another recording: they do not all say the same at the same time."""
    turned = CALLS[5 * number :] + CALLS[: 5 * number]
    return FakePbx(
        name,
        turned,
        username=USERNAME,
        secret=SECRET,
        others=[GATEWAY],
        rounds=max(1, round(calls * seconds)),
        spacing=1 / calls,
    )
