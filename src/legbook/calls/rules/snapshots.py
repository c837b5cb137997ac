"""Lists of what is live, against what we believe.

1. A channel that is not in a complete list, and of which nothing newer than the watermark was heard, is gone. It is
   given a second more: Asterisk's list may be ahead of its events.
2. Its legs end at the watermark, by estimate: it was gone then at the latest.
3. What a complete list has and nobody told us of happened unheard (`unheard`): at once if nobody listened before,
   else after the same second, or with the first event about a listed channel whose birth we have missed, the rules
   are given those events. Every leg that
   they touch says that it was reconstructed. Its times are the latest that are possible: a channel began as long
   before the watermark as its age says, all else was at the watermark.
4. An incomplete list changes nothing. A complete one settles what was doubted before its watermark.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from legbook.ami.message import first
from legbook.calls import corrections, listed, unheard
from legbook.calls.rules import bridges, channels, dials, queues, variables
from legbook.calls.state import Channel, Snapshot
from legbook.calls.step import Step
from legbook.contracts.raw import Event, SnapshotBegin, SnapshotChannel, SnapshotEnd, SnapshotItem

GRACE: Final = 1.0  # seconds

_RULES: Final[Mapping[str, Callable[[Step, Event], None]]] = {
    "Newchannel": channels.new,
    "Newstate": channels.state,
    "VarSet": variables.set_,
    "QueueCallerJoin": queues.join,
    "DialBegin": dials.begin,
    "BridgeEnter": bridges.enter,
    "BridgeLeave": bridges.leave,
}


def begin(step: Step, entry: SnapshotBegin) -> None:
    step.calls.snapshot = Snapshot(watermark=entry.watermark)


def channel(step: Step, entry: SnapshotChannel) -> None:
    if step.calls.snapshot is not None:
        item = listed.of_item(entry.fields)
        step.calls.snapshot.channels[item.uniqueid] = item


def item(step: Step, entry: SnapshotItem) -> None:
    """Of the lists that come after the channels; a PBX may refuse them to us."""
    snapshot = step.calls.snapshot
    if snapshot is None:
        return
    if entry.name == "BridgeListItem":
        names = ("BridgeType", "BridgeTechnology")
        snapshot.bridges[first(entry.fields, "BridgeUniqueid")] = {
            name: first(entry.fields, name) for name in names
        }
        return
    known = snapshot.channels.get(first(entry.fields, "Uniqueid"))
    if known is None:
        return
    if entry.name == "Status":
        known.did = listed.did_of(entry.fields) or known.did
    elif entry.name == "QueueEntry":
        known.queue = first(entry.fields, "Queue")


def end(step: Step, entry: SnapshotEnd) -> None:
    snapshot, step.calls.snapshot = step.calls.snapshot, None
    if snapshot is None or not entry.complete or len(snapshot.channels) != entry.channels:
        return
    for known in step.calls.channels.values():
        if known.uniqueid not in snapshot.channels and _silent_since(known, snapshot):
            known.absent_at = snapshot.watermark
    if step.calls.gap:
        step.calls.gap = False
        _reveal(step, snapshot)
    else:
        step.calls.listed = snapshot
    step.later(GRACE, "snapshots.settle", "")
    doubted = step.calls.suspect_since
    if doubted is not None and doubted < snapshot.watermark:
        step.calls.suspect_since = None


def _silent_since(known: Channel, snapshot: Snapshot) -> bool:
    """Of a channel from a checkpoint of before this field nothing was heard."""
    return known.heard is None or known.heard < snapshot.watermark


def settle(step: Step, _key: str) -> None:
    """The grace is over. What was heard meanwhile took its mark away, or counts for more than the list."""
    for gone in [each for each in step.calls.channels.values() if each.absent_at is not None]:
        corrections.vanish(step, gone, gone.absent_at, "snapshots.2")
    if step.calls.listed is not None:
        _reveal(step, step.calls.listed)
    step.calls.listed = None


def missed_birth(step: Step, event: Event) -> None:
    """Before an event: is it about a channel that a list has, whose birth nobody told us of?"""
    snapshot = step.calls.listed
    if snapshot is None or event.name == "Newchannel":
        return
    about = first(event.fields, "Uniqueid"), first(event.fields, "DestUniqueid")
    if any(uid in snapshot.channels and uid not in step.calls.channels for uid in about):
        _reveal(step, snapshot)


def _reveal(step: Step, snapshot: Snapshot) -> None:
    now, rule, step.reconstructing = step.now, step.rule, True
    for each in unheard.events(step.calls, snapshot):
        step.now = snapshot.watermark - timedelta(seconds=each.age)
        _RULES[each.event.name](step, each.event)
    step.now, step.rule, step.reconstructing = now, rule, False
