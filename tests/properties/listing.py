"""Snapshots as a real Asterisk would give them at any moment of a recording, from the fake PBX's model."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from legbook.ami.message import Fields
from legbook.calls import LegChange
from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from legbook.contracts.raw import (
    Entry,
    Event,
    Gap,
    Heartbeat,
    SnapshotBegin,
    SnapshotChannel,
    SnapshotEnd,
    SnapshotItem,
)
from legbook.fakepbx import lists
from legbook.fakepbx.moments import from_datetime
from tests.recorded import new_state

MICRO = timedelta(microseconds=1)
VARIABLES = ("DID", "FROM_DID")


def moment(placed: Placed) -> datetime:
    time = placed.entry.at or placed.entry.received_at
    assert time is not None
    return time


def snapshot(heard: Iterable[Placed], time: datetime) -> list[Entry]:
    """What ami_ingest tells after this part of a recording; nothing was heard since."""
    frames = [
        (from_datetime(moment(each)), each.entry.fields) for each in heard if isinstance(each.entry, Event)
    ]
    told = lists.at(frames, now=from_datetime(time), variables=VARIABLES)
    channels: list[Entry] = [
        SnapshotChannel(seq=1, at=time, received_at=time, fields=dict(item))
        for item in told.core_show_channels
    ]
    others = [*told.status, *told.bridge_list, *_entries(told.queue_status)]
    return [
        Gap(seq=1, at=time, received_at=time, since=None, reason="reconnect"),
        SnapshotBegin(seq=1, at=time, received_at=time, watermark=time),
        *channels,
        *[
            SnapshotItem(seq=1, at=time, received_at=time, name=str(i["Event"]), fields=dict(i))
            for i in others
        ],
        SnapshotEnd(seq=1, at=time, received_at=time, watermark=time, channels=len(channels), complete=True),
    ]


def _entries(queue_status: list[dict[str, str | list[str]]]) -> list[Fields]:
    return [item for item in queue_status if item["Event"] == "QueueEntry"]


def beat(time: datetime) -> Heartbeat:
    return Heartbeat(seq=1, at=time, received_at=time, state="up")


def legs_of(found: Iterable[Entry]) -> tuple[list[Leg], list[Leg]]:
    """(the newest state of every leg but those that were replaced, those that are still live)."""
    state, newest = new_state(), dict[int, Leg]()
    for seq, entry in enumerate(found, 1):
        for change in state.apply(replace(entry, seq=seq), epoch=1):
            if isinstance(change, LegChange):
                newest[change.leg.leg_id] = change.leg
    return [leg for leg in newest.values() if leg.end_reason != "dialled"], list(state.legs.values())
