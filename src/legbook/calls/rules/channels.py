"""Channels: born, ringing, up, somewhere in the dialplan, gone.

1. Newchannel makes the channel. Newstate and DialBegin make one that was born before we listened. With the id of
   one that lives under another name, that one is over.
2. State 4 (Ring) on a real channel that nobody calls: a caller leg. PJSIP channels are born in it,
   chan_sip's reach it by Newstate (recordings 06 of both).
3. State 5 (Ringing) rings the leg that calls this channel.
4. State 6 (Up): the caller's own answer, for the legs it called.
5. State 6 (Up) answers the first leg of an Originate: there is no caller it could be together with.
6. Newexten moves a caller leg's dst; artefacts of the dialplan do not.
7. Rename moves the name: the uniqueid is the channel. No recording has one, hand-made streams do.
8. Hangup leaves the bridge, ends the leg that called this channel and its caller leg, and forgets the channel. Of a
   channel that a snapshot did not have any more, it corrects what was estimated then.
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls import corrections, legs, talks
from legbook.calls.extens import usable
from legbook.calls.rules import queues
from legbook.calls.rules.dials import release
from legbook.calls.sightings import seen
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event

RING, RINGING, UP = 4, 5, 6


def new(step: Step, event: Event) -> None:
    known = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if known is not None and known.born and known.name != first(event.fields, "Channel"):
        corrections.vanish(step, known, step.now, "channels.1")
    channel = seen(step, event)
    channel.born = True
    _reach(step, channel, _number(first(event.fields, "ChannelState")))


def state(step: Step, event: Event) -> None:
    _reach(step, seen(step, event), _number(first(event.fields, "ChannelState")))


def _reach(step: Step, channel: Channel, state: int | None) -> None:
    if state is None or state == channel.state:
        return
    channel.state = state
    if state == RING:
        _waits(step, channel)
    elif state == RINGING:
        _rings(step, channel)
    elif state == UP:
        _up(step, channel)


def _waits(step: Step, channel: Channel) -> None:
    busy = channel.called_leg or channel.caller_leg or channel.dial_legs or channel.dialled_by is not None
    if channel.real and not busy:
        legs.open_caller(step, channel, step.now, "channels.2")


def _rings(step: Step, channel: Channel) -> None:
    channel.rang_at = step.now
    release(step, channel.uniqueid)
    leg = step.calls.legs.get(channel.called_leg or 0)
    if leg is not None and leg.state == "dialing":
        step.put(replace(leg, state="ringing", ring=step.now), "channels.3")


def _up(step: Step, channel: Channel) -> None:
    if channel.up_at is None:
        channel.up_at = step.now
    own = [channel.caller_leg] if channel.caller_leg else []
    for leg_id in [*own, *channel.dial_legs]:
        leg = step.calls.legs[leg_id]
        if leg.src_up is None:
            step.put(replace(leg, src_up=step.now), "channels.4")
    called = step.calls.legs.get(channel.called_leg or 0)
    if called is not None and called.flags.originated and not called.answered:
        step.put(replace(called, state="talking", answer=step.now, answered=True), "channels.5")


def exten(step: Step, event: Event) -> None:
    channel = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if channel is None:
        return
    said = usable(first(event.fields, "Exten"), first(event.fields, "Context"))
    if said is None or said == channel.exten:
        return
    channel.exten = said
    leg = step.calls.legs.get(channel.caller_leg or 0)
    if leg is not None:
        step.put(replace(leg, dst=said, exten=said), "channels.6")


def rename(step: Step, event: Event) -> None:
    channel = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if channel is None:
        return
    if channel.local:
        step.calls.local_halves.pop(channel.name, None)
    channel.name = first(event.fields, "Newname")
    if channel.local:
        step.calls.local_halves[channel.name] = channel.uniqueid
    for leg in list(step.calls.legs.values()):
        if leg.dstuid == channel.uniqueid:
            step.put(replace(leg, dstchan=channel.name, dstdevice=channel.device), "channels.7")
        elif leg.srcuid == channel.uniqueid:
            step.put(replace(leg, srcchan=channel.name, srcdevice=channel.device), "channels.7")


def hangup(step: Step, event: Event) -> None:
    uniqueid = first(event.fields, "Uniqueid")
    channel = step.calls.channels.get(uniqueid)
    cause, text = _number(first(event.fields, "Cause")), first(event.fields, "Cause-txt")
    if channel is None:
        if not corrections.real_end(step, uniqueid, cause, text):
            step.surprise(uniqueid, "hang-up of a channel that was not known")
        return
    release(step, uniqueid)
    channel.linkedid = first(event.fields, "Linkedid") or channel.linkedid
    talks.part(step, channel)
    queues.hung_up(step, channel)
    legs.end_called(step, channel, cause, text)
    legs.end_caller(step, channel, cause, text)
    legs.left_behind(step, channel)
    legs.forget(step, channel)
    corrections.hung_up(step, uniqueid)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
