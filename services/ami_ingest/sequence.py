"""Numbers the entries of one PBX and cuts them into records: what the socket gave at once goes out at once.

A record is at most 256 entries and 512 KiB, of one boot; an entry waits 5 ms at the most, and not at all on a
quiet PBX.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ami_ingest import metrics
from legbook.contracts import codec
from legbook.contracts.raw import Drop, Entry, RawRecord

MOST: Final = 255  # and one place for a drop entry
LARGEST: Final = 512 * 1024
DELAY: Final = 0.005

Publish = Callable[[RawRecord, bytes], bool]
"""False: no room, the record is shed."""


class Sequence:
    """One epoch of one PBX."""

    def __init__(self, pbx: str, epoch: int, publish: Publish) -> None:
        self.pbx, self.epoch = pbx, epoch
        self.boot: int | None = None
        self.offset: float | None = None  # seconds, PBX clock minus ours
        self._publish = publish
        self._seq = 0
        self._entries: list[Entry] = []
        self._size = 0
        self._shed = 0
        self._flushed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, kind: type[Entry], *, at: datetime | None = None, weight: int = 200, **fields: Any) -> None:
        """An entry of this moment; `weight` is about its bytes. Our own entries get the PBX's time by offset."""
        now = datetime.now(UTC)
        if at is None and self.offset is not None:
            at = now + timedelta(seconds=self.offset)
        if self._entries and (len(self._entries) >= MOST or self._size + weight > LARGEST):
            self.flush()
        self._seq += 1
        self._entries.append(kind(seq=self._seq, at=at, received_at=now, **fields))
        self._size += weight

    def start_boot(self, boot: int | None) -> None:
        """What follows belongs to this boot."""
        if boot != self.boot:
            self.flush()
            self.boot = boot

    def soon(self) -> None:
        """The reader has nothing more at hand: out with it, but not more often than every 5 ms."""
        if not self._entries or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._flushed_at + DELAY - loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = loop.call_later(wait, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._entries:
            return
        self._flushed_at = asyncio.get_running_loop().time()
        entries, self._entries, self._size = self._entries, [], 0
        self._send(entries)

    def _send(self, entries: list[Entry]) -> None:
        """One record; two if it is longer than thought: JSON writes a control character as six bytes."""
        shed = [self._drop(entries[0])] if self._shed else []
        record = RawRecord(pbx=self.pbx, boot=self.boot, epoch=self.epoch, entries=[*shed, *entries])
        value = codec.encode(record)
        if len(value) > LARGEST and len(entries) > 1:
            half = len(entries) // 2
            self._send(entries[:half])
            self._send(entries[half:])
        elif self._publish(record, value):
            self._shed = 0
        else:
            self._shed += len(entries)
            metrics.SHED.labels(self.pbx).inc(len(entries))

    def _drop(self, next_entry: Entry) -> Drop:
        """Takes the number of the last entry that was shed: nothing else has it."""
        return Drop(
            seq=next_entry.seq - 1,
            at=next_entry.at,
            received_at=next_entry.received_at,
            reason="buffer_full",
            count=self._shed,
        )
