"""`pbx|projector` of the status topic: how well each PBX of a partition is folded. At most once a second."""

import time
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Final

from curcdr_projector import metrics
from legbook.calls import PbxState
from legbook.contracts import codec
from legbook.contracts.raw import RawRecord
from legbook.contracts.status import ProjectorStatus
from legbook.contracts.topics import STATUS
from legbook.runtime.kafka import Record

EVERY: Final = 1.0


class Statuses:
    """Of the PBXs of one partition, and the gauges that say the same."""

    def __init__(self) -> None:
        self._received: dict[str, datetime] = {}
        self._late: dict[str, int] = {}
        self._told_at = 0.0

    def folded(self, record: RawRecord, live: int) -> None:
        name = record.pbx
        metrics.ENTRIES.labels(name).inc(len(record.entries))
        metrics.LIVE_LEGS.labels(name).set(live)
        if received := record.entries[-1].received_at:
            if name not in self._received:
                metrics.LAG.labels(name).set_function(lambda: self._lag(name))
            self._received[name] = received

    def late(self, record: RawRecord) -> None:
        """Of an epoch that is over: kept in the raw topic, not folded."""
        metrics.LATE.labels(record.pbx).inc(len(record.entries))
        self._late[record.pbx] = self._late.get(record.pbx, 0) + len(record.entries)

    def _lag(self, pbx: str) -> float:
        """Grows while nothing is folded, whatever the reason."""
        return max(0.0, (datetime.now(UTC) - self._received[pbx]).total_seconds())

    @property
    def due(self) -> bool:
        return bool(self._received) and time.monotonic() - self._told_at >= EVERY

    def records(self, states: Mapping[str, PbxState], fleet: Container[str]) -> list[Record]:
        """One for each PBX that was heard of since we own it; a tombstone for one that has left the fleet."""
        self._told_at = time.monotonic()
        gone = [name for name in self._received if name not in fleet]
        for name in gone:
            self._forget(name)
        told = [self._record(name, states[name]) for name in self._received]
        return told + [Record(STATUS.name, _key(name), None, _headers(name)) for name in gone]

    def _record(self, name: str, state: PbxState) -> Record:
        status = ProjectorStatus(
            pbx=name,
            epoch=state.cursor[0],
            at=datetime.now(UTC),
            lag=self._lag(name),
            late_entries=self._late.get(name, 0),
            live_legs=len(state.legs),
            suspect_since=state.suspect_since,
        )
        return Record(STATUS.name, _key(name), codec.encode(status), _headers(name))

    def forget(self) -> None:
        """The gauges are somebody else's now."""
        for name in list(self._received):
            self._forget(name)

    def _forget(self, name: str) -> None:
        del self._received[name]
        metrics.LAG.remove(name)
        metrics.LIVE_LEGS.remove(name)


def _key(name: str) -> bytes:
    return f"{name}|projector".encode()


def _headers(name: str) -> list[tuple[str, bytes]]:
    return [("schema", b"ProjectorStatus/1"), ("pbx", name.encode())]
