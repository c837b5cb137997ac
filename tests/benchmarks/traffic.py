"""PBXs that say so many events a second together; when each leg began and ended, and how late they said it."""

import asyncio
import math
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple, Self

from legbook.ami.framing import END, Frame
from legbook.ami.message import parse
from legbook.demo.world import GATEWAY, SECRET, USERNAME
from legbook.fakepbx import FakePbx, Recording
from legbook.fakepbx.moments import SECOND, from_seconds
from legbook.fakepbx.player import Rendered
from tests.benchmarks import workload
from tests.benchmarks.observers import Key, Seen

SEEN_FOR: Final = 1.0  # seconds; a leg that lives for less may rightly be on no screen
_TIMESTAMP: Final = re.compile(rb"\r\nTimestamp: (\S+)")


class Written(NamedTuple):
    """One write of one PBX; `late`: seconds after the moment of its oldest event."""

    at: float
    events: int
    late: float


class Traffic:
    """An async context manager: a PBX for each partition, which listens and says nothing before `play`.

    Calls begin for so many `seconds`; none that takes more than `longest`.
    """

    def __init__(self, rate: int, seconds: float, partitions: int, longest: float = math.inf) -> None:
        self.rate, self.seconds, self.began = rate, seconds, 0.0
        names = workload.names(f"at{rate}-", partitions)
        calls = [each for each in workload.recordings() if each.length <= longest * SECOND]
        pace = rate / workload.events_a_call(calls) / len(names)  # calls a second
        self.pbxs = [_pbx(name, _turned(calls, 5 * n), pace, seconds) for n, name in enumerate(names)]
        self.dialled: Seen = {}
        self.hung_up: Seen = {}
        self.written: list[Written] = []
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
            late = (pbx._switch.clock.now() - from_seconds(due[1].decode())) / SECOND
            self.written.append(Written(now, len(events), late))
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
        return sum(each.events for each in self._counted(warm)) / (self.seconds - warm)

    def late(self, warm: float) -> list[float]:
        return [each.late for each in self._counted(warm)]

    def _counted(self, warm: float) -> list[Written]:
        first, last = self.began + warm, self.began + self.seconds
        return [each for each in self.written if first <= each.at <= last]


def _turned(calls: list[Recording], by: int) -> list[Recording]:
    """PBXs that begin with different recordings do not all say the same at the same time."""
    by %= len(calls)
    return calls[by:] + calls[:by]


def _pbx(name: str, calls: list[Recording], pace: float, seconds: float) -> FakePbx:
    return FakePbx(
        name,
        calls,
        username=USERNAME,
        secret=SECRET,
        others=[GATEWAY],
        rounds=max(1, round(pace * seconds)),
        spacing=1 / pace,
    )
