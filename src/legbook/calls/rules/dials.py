"""Dials: who rings whom, and how that went.

1. DialBegin of a real channel gives a dial leg, one per called channel while it lives. The dial of a Local half
   gives none: the phone behind it will be dialled in turn.
2. The exten of the calling channel's first dialling step is what was dialled, for all its legs (06: 1000, though
   Newchannel said 30900).
3. src is the caller id of the dial, but the phone's own number where the dialplan changed it (01d, 15a).
4. A dial whose caller is not known is held back until it is, until its phone's next state change, or 0.1 s.
5. DialEnd only tells the status; app_queue sends it twice (12). The leg ends with the channel.
"""

from typing import Final

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.ami.names import known
from legbook.calls import legs
from legbook.calls.extens import usable
from legbook.calls.rules import callers
from legbook.calls.sightings import seen
from legbook.calls.state import Channel, Held
from legbook.calls.step import Step
from legbook.contracts.legs import Flags, Leg
from legbook.contracts.raw import Event

HELD_FOR: Final = 0.1  # seconds


def begin(step: Step, event: Event) -> None:
    called = seen(step, event, "Dest")
    dialling = seen(step, event) if first(event.fields, "Uniqueid") else None
    called.dialled_by = dialling.uniqueid if dialling else ""
    exten = usable(first(event.fields, "Exten"), first(event.fields, "Context"))
    if dialling is not None and dialling.real and dialling.dialled is None:
        dialling.dialled = exten or dialling.exten or None
    if called.real and not called.called_leg:
        step.calls.held[called.uniqueid] = Held(event=event, since=step.now)
    release_resolved(step)
    if called.uniqueid in step.calls.held:
        step.later(HELD_FOR, "dials.held", called.uniqueid)


def release_resolved(step: Step) -> None:
    """Gives a leg to every dial whose caller is known by now."""
    for uniqueid, held in list(step.calls.held.items()):
        by = first(held.event.fields, "Uniqueid")
        dialling = step.calls.channels.get(by)
        if by and dialling is None:
            continue
        behind = callers.resolve(step, dialling)
        if behind is not None:
            _release(step, uniqueid, behind.caller, consult=behind.consult, originated=behind.caller is None)


def release(step: Step, uniqueid: str) -> None:
    """No longer waits: its caller stays unknown."""
    if uniqueid in step.calls.held:
        _release(step, uniqueid, None, consult=False, originated=False)


def _release(step: Step, uniqueid: str, caller: Channel | None, *, consult: bool, originated: bool) -> None:
    held = step.calls.held.pop(uniqueid)
    called = step.calls.channels.get(uniqueid)
    if called is None:
        return
    before = legs.take_caller_leg(step, caller) if caller else None
    leg = _born(step, held, caller, called, before)
    by = first(held.event.fields, "Uniqueid")
    via_local = bool(by) and (caller is None or caller.uniqueid != by)
    step.put(replace(leg, flags=Flags(via_local=via_local, originated=originated, consult=consult)))


def _born(step: Step, held: Held, caller: Channel | None, called: Channel, before: Leg | None) -> Leg:
    """The leg of this dial; `before`: the caller's row that it goes on as. It began when DialBegin said so."""
    fields = held.event.fields
    sent = first(fields, "Exten") or None
    exten = usable(sent or "", first(fields, "Context")) or (caller.exten if caller else None) or None
    dialled = caller.dialled if caller else None
    called.called_leg = before.leg_id if before else legs.new_id(step)
    if caller:
        caller.dial_legs.append(called.called_leg)
    return Leg(
        pbx=step.calls.pbx,
        leg_id=called.called_leg,
        epoch=0,
        seq=1,
        boot=step.calls.boot,
        rule=step.rule,
        kind="dial",
        state="ringing" if called.state == 5 else "dialing",
        born=before.born if before else step.now,
        start=held.since,
        ring=step.now if called.state == 5 else None,
        src=_src(held.event, caller),
        dst=dialled or exten or called.device,
        dialled=dialled,
        exten=exten if caller else None,
        didnumber=legs.did_of(step, caller, dialled) if caller else "",
        queue=caller.queue if caller else "",
        srcname=known(first(fields, "CallerIDName")),
        srcchan=caller.name if caller else "",
        srcuid=caller.uniqueid if caller else "",
        srcdevice=caller.device if caller else "",
        src_up=caller.up_at if caller else None,
        dstchan=called.name,
        dstuid=called.uniqueid,
        dstdevice=called.device,
        linkedid=called.linkedid,
        linkedid_first=called.linkedid,
        accountcode=first(fields, "AccountCode") or first(fields, "DestAccountCode"),
        dialstring=first(fields, "DialString"),
    )


def _src(event: Event, caller: Channel | None) -> str:
    if caller is not None and caller.device == caller.number:
        return caller.number
    return known(first(event.fields, "CallerIDNum"))


def end(step: Step, event: Event) -> None:
    release(step, first(event.fields, "DestUniqueid"))
    called = step.calls.channels.get(first(event.fields, "DestUniqueid"))
    leg = step.calls.legs.get(called.called_leg or 0) if called else None
    status = first(event.fields, "DialStatus")
    if leg is not None and status and status != leg.dialstatus:
        step.put(replace(leg, dialstatus=status))
