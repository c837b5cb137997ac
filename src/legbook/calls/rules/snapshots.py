"""A list of the live channels, against what we believe.

1. A channel that is not in a complete list, and of which nothing newer than the watermark was heard, is gone. It is
   given a second more: Asterisk's list may be ahead of its events.
2. Its legs end at the watermark, by estimate: it was gone then at the latest.
3. An incomplete list changes nothing. A complete one settles what was doubted before its watermark.
"""

from typing import Final

from legbook.ami.message import first
from legbook.calls import corrections, legs, talks
from legbook.calls.state import Channel, Snapshot
from legbook.calls.step import Step
from legbook.contracts.raw import SnapshotBegin, SnapshotChannel, SnapshotEnd

GRACE: Final = 1.0  # seconds


def begin(step: Step, entry: SnapshotBegin) -> None:
    step.calls.snapshot = Snapshot(watermark=entry.watermark)


def channel(step: Step, entry: SnapshotChannel) -> None:
    if step.calls.snapshot is not None:
        step.calls.snapshot.channels.append(first(entry.fields, "Uniqueid"))


def end(step: Step, entry: SnapshotEnd) -> None:
    snapshot, step.calls.snapshot = step.calls.snapshot, None
    if snapshot is None or not entry.complete or len(snapshot.channels) != entry.channels:
        return
    there = set(snapshot.channels)
    for known in step.calls.channels.values():
        if known.uniqueid not in there and _silent_since(known, snapshot):
            known.absent_at = snapshot.watermark
            step.later(GRACE, "snapshots.absent", known.uniqueid)
    doubted = step.calls.suspect_since
    if doubted is not None and doubted < snapshot.watermark:
        step.calls.suspect_since = None


def _silent_since(known: Channel, snapshot: Snapshot) -> bool:
    """Of a channel from a checkpoint of before this field nothing was heard."""
    return known.heard is None or known.heard < snapshot.watermark


def absent(step: Step, uniqueid: str) -> None:
    """The grace is over. What was heard meanwhile took the mark away."""
    gone = step.calls.channels.get(uniqueid)
    if gone is None or gone.absent_at is None:
        return
    step.now = gone.absent_at  # when it was gone, at the latest: talks end there too
    talks.part(step, gone)
    for leg_id in (gone.called_leg, gone.caller_leg):
        leg = step.calls.legs.get(leg_id or 0)
        if leg is not None:
            corrections.estimate(step, leg, "snapshot", step.now)
            if leg.leg_id == gone.called_leg:
                legs.released(step, gone, leg)
    step.calls.held.pop(uniqueid, None)
    legs.forget(step, gone)
