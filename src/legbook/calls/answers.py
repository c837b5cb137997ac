"""What a talk means for the legs of those who talk.

1. A leg is answered when its called channel is first together with any other real channel: not by Up, not by
   DialEnd ANSWER, not in a park or with queue music. `answered_with` if that is not its caller.
2. `peer` is the only other one in its talk, if that is neither its caller nor called by it.
3. billsec: the talks of the called channel; one in which it is itself the caller of a younger leg belongs to
   that leg alone (09b).
4. A caller leg is `talking` while its channel is in a talk; a dial leg that talked stays so.
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from legbook.calls.outcome import seconds
from legbook.calls.state import Channel, Together
from legbook.calls.step import Step
from legbook.contracts.legs import Interval, Leg, Peer

MOST_TALKS: Final = 100  # of one leg: a large conference would grow without end; billsec counts all of them
MOST_OTHERS: Final = 100


def begins(step: Step, talk: Together) -> None:
    for uniqueid in talk.channels:
        channel = step.calls.channels[uniqueid]
        others = [d for d, uid in zip(talk.devices, talk.channels, strict=True) if uid != uniqueid]
        for leg in _legs_of(step, channel):
            talks = _longer(leg.talks, step.now, others)
            talking = replace(leg, state="talking", talks=talks)
            step.put(talking if leg.kind == "caller" else _answered(step, talking, talk, channel, others[0]))


def _longer(talks: list[Interval], now: datetime | None, others: list[str]) -> list[Interval]:
    if now is None:
        return talks
    return [*talks[1 - MOST_TALKS :], Interval(start=now, devices=others[:MOST_OTHERS])]


def _answered(step: Step, leg: Leg, talk: Together, channel: Channel, other: str) -> Leg:
    leg = replace(leg, peer=_peer(step, leg, talk, channel))
    if leg.answered:
        return leg
    if leg.srcuid and leg.srcuid not in talk.channels:
        leg = replace(leg, flags=replace(leg.flags, answered_with=other))
    return replace(leg, answered=True, answer=step.now)


def _peer(step: Step, leg: Leg, talk: Together, channel: Channel) -> Peer | None:
    others = [uid for uid in talk.channels if uid != channel.uniqueid]
    if len(others) != 1 or others[0] == leg.srcuid or _called_by(step, channel, others):
        return None
    other = step.calls.channels[others[0]]
    return Peer(
        num=other.number, name=other.caller_name, chan=other.name, uid=other.uniqueid, device=other.device
    )


def ends(step: Step, talk: Together) -> None:
    for leg, channel in _legs_in(step, talk):
        if not leg.talks or leg.talks[-1].end is not None:
            continue
        talks = [*leg.talks[:-1], replace(leg.talks[-1], end=talk.end)]
        state = "waiting" if leg.kind == "caller" else leg.state
        billsec = leg.billsec + _credit(step, leg, channel, talk)
        step.put(replace(leg, state=state, talks=talks, billsec=round(billsec, 6)))


def resumes(step: Step, talk: Together) -> None:
    """The same set within a moment: as if it had never ended."""
    for leg, channel in _legs_in(step, talk):
        if not leg.talks or leg.talks[-1].end != talk.end:
            continue
        talks = [*leg.talks[:-1], replace(leg.talks[-1], end=None)]
        billsec = leg.billsec - _credit(step, leg, channel, talk)
        step.put(replace(leg, state="talking", talks=talks, billsec=round(max(0.0, billsec), 6)))


def _credit(step: Step, leg: Leg, channel: Channel, talk: Together) -> float:
    if leg.kind == "caller" or _called_by(step, channel, talk.channels):
        return 0.0
    return seconds(leg.talks[-1].start, talk.end)


def _called_by(step: Step, channel: Channel, others: list[str]) -> bool:
    """Is one of these the called channel of a live leg of this caller?"""
    return any(step.calls.legs[leg_id].dstuid in others for leg_id in channel.dial_legs)


def _legs_in(step: Step, talk: Together) -> list[tuple[Leg, Channel]]:
    channels = [c for c in map(step.calls.channels.get, talk.channels) if c is not None]
    return [(leg, channel) for channel in channels for leg in _legs_of(step, channel)]


def _legs_of(step: Step, channel: Channel) -> list[Leg]:
    """Where it is called, and where it is a caller with nobody rung."""
    legs = step.calls.legs
    return [legs[leg_id] for leg_id in (channel.called_leg, channel.caller_leg) if leg_id in legs]
