"""What a PBX with calls of many kinds says, as bytes, entries and records: the recordings, played by the fake PBX.

Nothing is played twice: every call has channels and uniqueids of its own.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import count
from statistics import fmean
from typing import Final

from ami_ingest.stamps import moment
from legbook.ami.framing import END, Frame
from legbook.ami.message import parse
from legbook.contracts import codec
from legbook.contracts.raw import Event, RawRecord
from legbook.contracts.topics import partition_of
from legbook.fakepbx import Recording
from legbook.fakepbx.identities import Mint
from legbook.fakepbx.moments import from_seconds
from legbook.fakepbx.player import Playlist, Timeline
from legbook.fakepbx.recording import load
from tests.faults.load import CALLS

SPACING: Final = 0.3  # seconds between two calls: about 20 are alive at any time
EPOCH: Final = 1
_PART: Final = 2_000  # events made at once: as dicts they are ten times as big


@cache
def recordings() -> tuple[Recording, ...]:
    return tuple(load(path) for path in CALLS)


def events_a_call(calls: Iterable[Recording]) -> float:
    return fmean(len(recording.templates) for recording in calls)


def names(prefix: str, partitions: int) -> list[str]:
    """Of PBXs, one in each partition."""
    found: dict[int, str] = {}
    for number in count():
        name = f"{prefix}{number}"
        found.setdefault(partition_of(name, partitions), name)
        if len(found) == partitions:
            break
    return list(found.values())


def frames(events: int) -> Iterator[bytes]:
    """So many events, or a few more, in the order of a PBX."""
    now = from_seconds(time.time())
    playlist = Playlist(recordings(), rounds=None, spacing=SPACING)
    timeline = Timeline(playlist, begins=now, mint=Mint("bench", now), opened=[])
    made = 0
    while made < events:
        part, _ = timeline.take(None, min(_PART, events - made))
        made += len(part)
        yield from (data for _, data in part)


def entries(events: int) -> Iterator[Event]:
    for seq, data in enumerate(frames(events), 1):
        message, received = parse(Frame(data.removesuffix(END))), datetime.now(UTC)
        at, name = moment(message.first("Timestamp")), message.first("Event")
        yield Event(seq=seq, at=at, received_at=received, name=name, fields=message.fields)


def records(pbx: str, said: Iterable[Event], size: int) -> Iterator[tuple[RawRecord, bytes]]:
    """`size` entries each, and as bytes."""
    part: list[Event] = []
    for entry in said:
        part.append(entry)
        if len(part) == size:
            yield _record(pbx, part)
            part = []
    if part:
        yield _record(pbx, part)


def _record(pbx: str, part: list[Event]) -> tuple[RawRecord, bytes]:
    record = RawRecord(pbx=pbx, boot=EPOCH, epoch=EPOCH, entries=[*part])
    return record, codec.encode(record)
