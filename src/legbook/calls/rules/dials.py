"""Dials: who rings whom, and how that went.

1. DialBegin of a real channel gives a dial leg, one per called channel while it lives. The dial of a Local half
   gives none: the phone behind it will be dialled in turn.
2. The exten of the calling channel's first dialling step is what was dialled, for all its legs (06: 1000, though
   Newchannel said 30900). An enquiry call has its own: that of its Local pair (09b).
3. A dial whose caller is not known is held back until it is, until its phone's next state change, or 0.1 s.
4. DialEnd only tells the status; app_queue sends it twice (12). The leg ends with the channel.
5. A DialEnd with Forward: the phone sent the call on (22; the forwarding phone's leg is over, the next dial is
   another leg).
"""

from typing import Final

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls import births, legs
from legbook.calls.extens import usable
from legbook.calls.rules import callers, pickup, transfers
from legbook.calls.rules.callers import Behind
from legbook.calls.sightings import seen
from legbook.calls.state import Channel, Held
from legbook.calls.step import Step
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event

HELD_FOR: Final = 0.1  # seconds


def begin(step: Step, event: Event) -> None:
    called = seen(step, event, "Dest")
    by = first(event.fields, "Uniqueid")
    dialling = seen(step, event) if by and by not in step.calls.gone else step.calls.channels.get(by)
    called.dialled_by = by
    if dialling is not None and not dialling.rings_back:
        latch(step, dialling, _exten(event, dialling))
    if called.real and not called.called_leg:
        step.calls.held[called.uniqueid] = Held(event=event, since=step.now)
    release_resolved(step)
    if called.uniqueid in step.calls.held:
        step.later(HELD_FOR, "dials.held", called.uniqueid)


def latch(step: Step, caller: Channel, exten: str | None) -> None:
    """The first dialling step of a channel says what it dialled."""
    if caller.dialled is None and exten:
        caller.dialled = exten
        leg = step.calls.legs.get(caller.caller_leg or 0)
        if leg is not None:
            step.put(replace(leg, dialled=exten, didnumber=births.did_of(step, caller)), "dials.2")


def _exten(event: Event, dialling: Channel) -> str | None:
    exten = usable(first(event.fields, "Exten"), first(event.fields, "Context"))
    return exten or dialling.exten or None


def release_resolved(step: Step) -> None:
    """Gives a leg to every dial whose caller is known by now."""
    for uniqueid, held in list(step.calls.held.items()):
        by = first(held.event.fields, "Uniqueid")
        dialling = step.calls.channels.get(by)
        if by and dialling is None:
            continue
        behind = callers.resolve(step, dialling)
        if behind is not None:
            _release(step, uniqueid, behind, originated=behind.caller is None)


def release(step: Step, uniqueid: str) -> None:
    """No longer waits: its caller stays unknown."""
    if uniqueid in step.calls.held:
        _release(step, uniqueid, Behind(None), originated=False)


def _release(step: Step, uniqueid: str, behind: Behind, *, originated: bool) -> None:
    held = step.calls.held.pop(uniqueid)
    called = step.calls.channels.get(uniqueid)
    if called is None or called.called_leg:  # given up, or bridged while it waited
        return
    caller = behind.caller
    before = legs.take_caller_leg(step, caller) if caller else None
    called.called_leg = before.leg_id if before else legs.new_id(step)
    leg = births.dial_leg(step, called.called_leg, held.event.fields, caller, called)
    leg = replace(leg, born=before.born if before else step.now, start=held.since)
    if caller is not None:
        caller.dial_legs.append(leg.leg_id)
    by = first(held.event.fields, "Uniqueid")
    via_local = bool(by) and (caller is None or caller.uniqueid != by)
    flags = replace(leg.flags, via_local=via_local, originated=originated, consult=behind.consult)
    step.put(_numbered(step, held.event, behind, replace(leg, flags=flags)), "dials.1")


def _numbered(step: Step, event: Event, behind: Behind, leg: Leg) -> Leg:
    """With what was dialled, and who sent its caller there."""
    dialling = step.calls.channels.get(first(event.fields, "Uniqueid"))
    caller = behind.caller
    if dialling is None or caller is None or behind.by is None:
        if leg.flags.originated:
            leg = replace(
                leg, src="", srcname=""
            )  # what it says is what Originate wants shown, nobody's number
        return births.dialled_as(leg, None, _exten(event, dialling) if dialling else None, None)
    exten = _exten(event, dialling) or caller.exten or None
    if behind.consult:
        return replace(births.dialled_as(leg, behind.by.dialled, exten, None), didnumber="")
    if caller.dialled is None and not caller.rings_back:
        caller.dialled = behind.by.dialled or exten
    sent = transfers.sent(dialling, caller, exten)
    flags = replace(leg.flags, park_ringback=caller.rings_back)
    leg = births.dialled_as(replace(leg, flags=flags), caller.dialled, exten, sent)
    return replace(leg, dst=leg.dstdevice) if caller.rings_back and caller.dialled is None else leg


def end(step: Step, event: Event) -> None:
    release(step, first(event.fields, "DestUniqueid"))
    called = step.calls.channels.get(first(event.fields, "DestUniqueid"))
    status = first(event.fields, "DialStatus")
    if called is not None and status == "ANSWER" and called.picks_up:
        pickup.take(step, event, called)
    leg = step.calls.legs.get(called.called_leg or 0) if called else None
    if leg is None:
        return
    if status and status != leg.dialstatus:
        leg = replace(leg, dialstatus=status)
        step.put(leg, "dials.4")
    forward = first(event.fields, "Forward").partition("@")[0]
    if forward and forward != leg.flags.forwarded_to:
        step.put(replace(leg, flags=replace(leg.flags, forwarded_to=forward)), "dials.5")
