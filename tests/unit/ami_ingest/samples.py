"""A loop whose time a test moves, and a taker of records that can be full."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from legbook.contracts import codec
from legbook.contracts.raw import Drop, Entry, RawRecord


@dataclass
class Timer:
    when: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class HandLoop:
    """Instead of the event loop, where only its clock is asked for."""

    seconds: float = 5000.0
    timers: list[Timer] = field(default_factory=list)

    def time(self) -> float:
        return self.seconds

    def call_later(self, wait: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.seconds + wait, call))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        due = [timer for timer in self.timers if timer.when <= self.seconds]
        self.timers = [timer for timer in self.timers if timer.when > self.seconds]
        for timer in due:
            if not timer.cancelled:
                timer.call()

    def get_running_loop(self) -> "HandLoop":
        return self

    TimerHandle = asyncio.TimerHandle


@dataclass
class Taker:
    """Takes records while it is not `full`; `taken` is what Kafka would have."""

    full: bool = False
    taken: list[RawRecord] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def __call__(self, record: RawRecord, value: bytes) -> bool:
        assert codec.decode_raw(value) == record
        if self.full:
            return False
        self.taken.append(record)
        self.sizes.append(len(value))
        return True

    @property
    def entries(self) -> list[Entry]:
        return [entry for record in self.taken for entry in record.entries]

    @property
    def seqs(self) -> list[int]:
        return [entry.seq for entry in self.entries]


def account(entries: list[Entry]) -> tuple[int, int]:
    """(last number, how many were shed): every number is an entry or counted by the drop that follows."""
    last, shed = 0, 0
    for entry in entries:
        missing = entry.seq - last - 1
        if isinstance(entry, Drop) and entry.reason == "buffer_full":
            assert missing + 1 == entry.count, f"{entry} after {last}"
            shed += entry.count
        else:
            assert missing == 0, f"{entry} after {last}"
        last = entry.seq
    return last, shed
