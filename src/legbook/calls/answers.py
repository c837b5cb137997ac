"""What a talk means for the legs of those who talk.

1. A leg is answered when its called channel is first together with any other real channel: not by Up, not by
   DialEnd ANSWER, not in a park or with queue music.
2. `answered_with`, if that other one is not its caller (a transfer that was not waited for).
3. `peer` is the only other one in its talk, if that is neither its caller nor called by it.
4. billsec: the talks of the called channel; one in which it is itself the caller of a younger leg belongs to
   that leg alone (09b).
5. A caller leg is `talking` while its channel is in a talk; a dial leg that talked stays so.
"""

from typing import Final

from msgspec.structs import replace

from legbook.calls import pairs
from legbook.calls.births import did_of, number_of
from legbook.calls.outcome import seconds
from legbook.calls.state import Channel, Together
from legbook.calls.step import Step
from legbook.contracts.legs import Interval, Leg, Peer

MOST_TALKS: Final = 100  # of one leg: a large conference would grow without end; billsec counts all of them
MOST_OTHERS: Final = 100


def begins(step: Step, talk: Together) -> None:
    pairs.connect(step, talk)
    for leg, channel in _legs_in(step, talk):
        talks = _longer(step, leg, talk, channel)
        talking = replace(leg, state="talking", talks=talks)
        if leg.kind == "caller":
            step.put(talking, "answers.5")
        else:
            _answered(step, talking, talk, channel)


def _longer(step: Step, leg: Leg, talk: Together, channel: Channel) -> list[Interval]:
    if step.now is None:
        return leg.talks
    others = [d for d, uid in zip(talk.devices, talk.channels, strict=True) if uid != channel.uniqueid]
    return [*leg.talks[1 - MOST_TALKS :], Interval(start=step.now, devices=others[:MOST_OTHERS])]


def _answered(step: Step, leg: Leg, talk: Together, channel: Channel) -> None:
    other = _peer(step, leg, talk, channel)
    if other is not None or leg.peer is not None:
        leg = replace(leg, peer=_as_peer(step, other))
        step.put(leg, "answers.3")
    if leg.answered:
        step.put(leg, "answers.5")
        return
    leg = replace(leg, answered=True, answer=step.now)
    step.put(leg, "answers.1")
    if leg.srcuid and leg.srcuid not in talk.channels:
        others = (d for d, uid in zip(talk.devices, talk.channels, strict=True) if uid != channel.uniqueid)
        step.put(replace(leg, flags=replace(leg.flags, answered_with=next(others))), "answers.2")


def _peer(step: Step, leg: Leg, talk: Together, channel: Channel) -> Channel | None:
    others = [uid for uid in talk.channels if uid != channel.uniqueid]
    if len(others) != 1 or others[0] == leg.srcuid or _called_by(step, channel, others):
        return None
    return step.calls.channels[others[0]]


def _as_peer(step: Step, other: Channel | None) -> Peer | None:
    if other is None:
        return None
    return Peer(
        num=number_of(step, other),
        name=other.caller_name,
        chan=other.name,
        uid=other.uniqueid,
        device=other.device,
        didnumber=did_of(step, other),
    )


def ends(step: Step, talk: Together) -> None:
    for leg, channel in _legs_in(step, talk):
        if not leg.talks or leg.talks[-1].end is not None:
            continue
        talks = [*leg.talks[:-1], replace(leg.talks[-1], end=talk.end)]
        state = "waiting" if leg.kind == "caller" else leg.state
        billsec = leg.billsec + _credit(step, leg, channel, talk)
        step.put(replace(leg, state=state, talks=talks, billsec=round(billsec, 6)), "answers.4")


def resumes(step: Step, talk: Together) -> None:
    """The same set within a moment: as if it had never ended."""
    for leg, channel in _legs_in(step, talk):
        if not leg.talks or leg.talks[-1].end != talk.end:
            continue
        talks = [*leg.talks[:-1], replace(leg.talks[-1], end=None)]
        billsec = max(0.0, round(leg.billsec - _credit(step, leg, channel, talk), 6))
        step.put(replace(leg, state="talking", talks=talks, billsec=billsec), "answers.4")


def credited(step: Step, channel: Channel) -> list[Leg]:
    """The legs to which the talk that this channel is in belongs."""
    talk = step.calls.talks.get(channel.talk) if channel.talk is not None else None
    return [leg for leg, called in _legs_in(step, talk) if _belongs(step, leg, called, talk)] if talk else []


def _credit(step: Step, leg: Leg, channel: Channel, talk: Together) -> float:
    return seconds(leg.talks[-1].start, talk.end) if _belongs(step, leg, channel, talk) else 0.0


def _belongs(step: Step, leg: Leg, channel: Channel, talk: Together) -> bool:
    return leg.kind != "caller" and not _called_by(step, channel, talk.channels)


def _called_by(step: Step, channel: Channel, others: list[str]) -> bool:
    """Is one of these the called channel of a live leg of this caller?"""
    return any(step.calls.legs[leg_id].dstuid in others for leg_id in channel.dial_legs)


def _legs_in(step: Step, talk: Together) -> list[tuple[Leg, Channel]]:
    channels = [step.calls.channels[uniqueid] for uniqueid in talk.channels]
    return [(leg, channel) for channel in channels for leg in _legs_of(step, channel)]


def _legs_of(step: Step, channel: Channel) -> list[Leg]:
    """Where it is called, and where it is a caller with nobody rung."""
    legs_ = step.calls.legs
    return [legs_[leg_id] for leg_id in (channel.called_leg, channel.caller_leg) if leg_id in legs_]
