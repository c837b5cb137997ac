"""What the next transaction of a partition says: newest state of each changed leg, finished legs, dead letters.

All of it, with the cursor that it reaches, is one fenced transaction: all or nothing for who reads committed.
"""

from typing import Final

import msgspec

from curcdr_projector import metrics
from legbook.contracts import codec
from legbook.contracts.legs import Leg
from legbook.contracts.topics import CDR, CHECKPOINTS, LEGS
from legbook.runtime.kafka import Record

_LEG: Final = [("schema", b"Leg/1")]


class Cursor(msgspec.Struct, frozen=True):
    """Raw offsets: in the checkpoints, and on the topics, is everything below."""

    checkpoint: int
    published: int


def cursor_key(partition: int) -> bytes:
    return f"cursor|{partition}".encode()


def cursor_record(partition: int, cursor: Cursor) -> Record:
    return Record(CHECKPOINTS.name, cursor_key(partition), codec.encode(cursor), [("schema", b"Cursor/1")])


def leg_key(leg: Leg) -> bytes:
    return f"{leg.pbx}|{leg.leg_id}".encode()


class Outputs:
    """Collects between two transactions."""

    def __init__(self) -> None:
        self._legs: dict[bytes, Record] = {}
        self._more: list[Record] = []

    def leg(self, leg: Leg) -> None:
        """Its newest state; a tombstone, and what the archive needs, when it ended."""
        key, headers = leg_key(leg), [*_LEG, ("pbx", leg.pbx.encode())]
        ended = leg.state == "ended"
        value = codec.encode(leg)
        self._legs[key] = Record(LEGS.name, key, None if ended else value, headers)
        if ended and leg.end_reason != "dialled":
            self._more.append(Record(CDR.name, key, value, headers))
            metrics.FINISHED.labels(leg.pbx).inc()

    def dead_letter(self, record: Record) -> None:
        self._more.append(record)

    def __bool__(self) -> bool:
        return bool(self._legs or self._more)

    def drain(self) -> list[Record]:
        """Everything so far, encoded; folding goes on into an empty one."""
        legs, more = self._legs, self._more
        self._legs, self._more = {}, []
        return [*legs.values(), *more]
