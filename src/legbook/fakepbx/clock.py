"""The clock of the PBX: real speed, N times faster, or flat out (real speed that also jumps to each event)."""

import asyncio
import time
from typing import Literal, Protocol

from legbook.fakepbx.moments import SECOND

Speed = float | Literal["flat"]


class TimeSource(Protocol):
    """Where seconds come from; tests pass one that they move by hand."""

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class RealTime:
    """The machine's own time."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Clock:
    """Reads `at` when made. `boot` is the start of this Asterisk process: Uptime counts from it."""

    def __init__(self, at: int, *, speed: Speed = 1.0, source: TimeSource | None = None) -> None:
        if speed != "flat" and not speed > 0:
            raise ValueError(f"speed {speed}: a number above 0, or flat")
        self.flat = speed == "flat"
        self.boot = at
        self.source: TimeSource = source or RealTime()
        self._factor = 1.0 if speed == "flat" else speed
        self._base = at
        self._zero = self.source.monotonic()

    def now(self) -> int:
        return self._base + round((self.source.monotonic() - self._zero) * self._factor * SECOND)

    def uptime(self) -> int:
        return (self.now() - self.boot) // SECOND

    def jump(self, moment: int) -> None:
        """Forward only: a clock that has passed the moment stays."""
        if moment > self.now():
            self._base, self._zero = moment, self.source.monotonic()

    async def reach(self, moment: int) -> None:
        """Returns when the clock shows the moment; flat out that is at once, but others get their turn."""
        if self.flat:
            self.jump(moment)
            await asyncio.sleep(0)
        while (left := moment - self.now()) > 0:
            await self.source.sleep(left / SECOND / self._factor)

    def reboot(self) -> None:
        """A new process, on a later whole second: no uniqueid of the old one can come again."""
        self.jump((self.now() // SECOND + 2) * SECOND)
        self.boot = self.now()
