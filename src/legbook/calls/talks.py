"""Who hears whom, from when to when. `answers` says what that means for the legs.

1. Together: real channels in one component of non-holding bridges, joined through Local pairs with both halves
   bridged. Two or more make a talk; it is over when its set changes.
2. The same set again within 0.1 s is the same talk.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from legbook.calls import answers, holds
from legbook.calls.changes import Talk
from legbook.calls.state import Channel, Together
from legbook.calls.step import Step

MERGE = timedelta(seconds=0.1)


def part(step: Step, channel: Channel) -> None:
    """The channel leaves its bridge, if it is in one."""
    bridge = step.calls.bridges.get(channel.bridge or "")
    if bridge is None:
        return
    holds.over(step, channel)
    uid, channel.bridge = channel.bridge or "", None
    bridge.members.remove(channel.uniqueid)
    if not bridge.members:
        del step.calls.bridges[uid]
    regroup(step, [channel.uniqueid, *bridge.members])


def regroup(step: Step, moved: list[str]) -> None:
    """After these channels moved: talks whose set is no longer together are over, new sets begin."""
    sets = {frozenset(_together(step, uniqueid)) for uniqueid in [*moved, *_behind(step, moved)]}
    touched = frozenset(moved).union(*sets)
    for number, talk in _talks_of(step, touched).items():
        if frozenset(talk.channels) not in sets:
            _stop(step, number, step.now)
    for members in sets:
        if len(members) > 1 and not _talks_of(step, members):
            _start(step, sorted(members))
    if step.now is None:
        settle(step)


def _talks_of(step: Step, uniqueids: Iterable[str]) -> dict[int, Together]:
    """The talks that these channels are in."""
    channels = sorted(uid for uid in uniqueids if uid in step.calls.channels)
    numbers = (step.calls.channels[uid].talk for uid in channels)
    return {number: step.calls.talks[number] for number in numbers if number is not None}


def _behind(step: Step, moved: list[str]) -> list[str]:
    """The other halves of Local channels among these: who is behind them is touched too."""
    halves = [step.calls.other_half(c) for c in map(step.calls.channels.get, moved) if c is not None]
    return [half.uniqueid for half in halves if half is not None]


def _together(step: Step, uniqueid: str) -> set[str]:
    """The real channels in the component of this one."""
    calls, found, todo = step.calls, set[str](), [uniqueid]
    while todo:
        channel = calls.channels.get(todo.pop())
        bridge = calls.bridges.get(channel.bridge or "") if channel else None
        if channel is None or bridge is None or bridge.holding or channel.uniqueid in found:
            continue
        found.add(channel.uniqueid)
        todo += bridge.members
        todo += _behind(step, [channel.uniqueid])
    return {uid for uid in found if calls.channels[uid].real}


def _start(step: Step, members: list[str]) -> None:
    calls = step.calls
    for number in calls.parted:
        talk = calls.talks[number]
        if talk.channels == members and talk.end and step.now and step.now - talk.end <= MERGE:
            calls.parted.remove(number)
            _enter(step, number, talk)
            answers.resumes(step, talk)
            talk.end = None
            return
    devices = [calls.channels[uid].device for uid in members]
    talk = Together(channels=members, devices=devices, start=step.now, basic=_basic(step, members))
    calls.talk_counter += 1
    _enter(step, calls.talk_counter, talk)
    answers.begins(step, talk)


def _enter(step: Step, number: int, talk: Together) -> None:
    step.calls.talks[number] = talk
    for uniqueid in talk.channels:
        step.calls.channels[uniqueid].talk = number


def _basic(step: Step, members: list[str]) -> bool:
    bridges = (step.calls.bridges.get(step.calls.channels[uid].bridge or "") for uid in members)
    return all(bridge is not None and bridge.basic for bridge in bridges)


def _stop(step: Step, number: int, end: datetime | None) -> None:
    talk = step.calls.talks[number]
    talk.end = end
    step.calls.parted.append(number)
    for uniqueid in talk.channels:  # whoever goes leaves its talk first
        step.calls.channels[uniqueid].talk = None
    answers.ends(step, talk)
    step.later(MERGE.total_seconds(), "talks.over", "")


def settle(step: Step) -> None:
    """Talks that have been over for long enough are told."""
    for number in list(step.calls.parted):
        end = step.calls.talks[number].end
        if end is None or step.now is None or step.now - end >= MERGE:
            _say(step, number)


def stop_all(step: Step, end: datetime | None) -> None:
    """Nobody talks any more."""
    for number in list(step.calls.talks):
        if number not in step.calls.parted:
            _stop(step, number, end)
        _say(step, number)


def _say(step: Step, number: int) -> None:
    step.calls.parted.remove(number)
    talk = step.calls.talks.pop(number)
    step.say(Talk(tuple(talk.channels), tuple(talk.devices), talk.start, talk.end))
